"""A small HTTP server on the loopback that serves files in the good and bad ways there are."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer:
    """Serves ``files`` by path. ``requests`` keeps (path, Range header) of each request.

    ``cut``: path → bytes after which the connection breaks, once. ``ignore_range``: answer 200
    with everything. ``etag``: the validator; If-Range with another one gets everything.
    """

    def __init__(self, files):
        self.files = files
        self.requests = []
        self.cut = {}
        self.redirects = {}
        self.ignore_range = False
        self.no_length = False
        self.etag = '"v1"'
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                owner._answer(self)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, request):
        asked = request.headers.get("Range")
        self.requests.append((request.path, asked))
        if request.path in self.redirects:
            request.send_response(302)
            request.send_header("Location", self.redirects[request.path])
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        if request.path not in self.files:
            request.send_error(404)
            return
        data, start = self.files[request.path], 0
        fresh = request.headers.get("If-Range", self.etag) == self.etag
        if asked and fresh and not self.ignore_range:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                request.send_error(416)
                return
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            request.send_response(200)
        if self.etag:
            request.send_header("ETag", self.etag)
        if not self.no_length:
            request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        request.wfile.write(data[start : self.cut.pop(request.path, None)])
