"""The console's process: it listens where it may, and ends with its parent."""

import os
import re
import signal
import subprocess
import sys
import time

import httpx
import psutil
import pytest
from web_console import write_config

from asterisk_agent.sandbox.processes import free_port, package_environment

COMMAND = (sys.executable, "-P", "-m", "asterisk_agent.web.process")


@pytest.fixture
def etc(tmp_path):
    def make(**more):
        port = free_port()
        listen = {"fastagi": "127.0.0.1:4573", "media": "127.0.0.1:9092"}
        return write_config(tmp_path, listen=listen | {"web": f"127.0.0.1:{port}"}, **more), port

    return make


def start(etc, parent=None):
    return subprocess.Popen(
        [*COMMAND, str(etc), str(parent or os.getpid())],
        env=os.environ | package_environment(),
        stderr=subprocess.PIPE,
        text=True,
    )


def get(url, **more):
    for _ in range(300):
        try:
            return httpx.get(url, **more)
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("nobody listens")


def test_it_serves_gives_way_and_ends_politely(etc):
    directory, port = etc()
    with start(directory) as process:
        try:
            assert get(f"http://127.0.0.1:{port}/health").json() == {"state": "down"}
            response = httpx.get(f"http://127.0.0.1:{port}/channels")
            assert response.headers["location"] == "/sign-in?next=%2Fchannels"
            assert "server" not in response.headers
            assert psutil.Process(process.pid).nice() == psutil.Process().nice() + 10
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


def test_a_port_that_is_taken_is_told(etc):
    directory, port = etc()
    with start(directory) as first:
        get(f"http://127.0.0.1:{port}/health")
        with start(directory) as second:
            said = second.communicate(timeout=20)[1]
        first.kill()
    assert second.returncode == 1
    assert re.search(rf"listen.web: port {port} is in use", said)


def test_it_does_not_outlive_its_parent(etc):
    directory, _ = etc()
    with start(directory, parent=1) as process:
        assert process.wait(20) == 1


def test_with_a_certificate_it_speaks_tls(etc, tmp_path):
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            tmp_path / "web.key",
            "-out",
            tmp_path / "web.crt",
            "-subj",
            "/CN=localhost",
            "-days",
            "2",
        ],
        check=True,
        capture_output=True,
    )
    (tmp_path / "web.key").chmod(0o600)
    web = {"certificate": str(tmp_path / "web.crt"), "key": str(tmp_path / "web.key")}
    directory, port = etc(web=web)
    with start(directory) as process:
        try:
            response = get(f"https://127.0.0.1:{port}/sign-in", verify=False)
            assert response.headers["strict-transport-security"]
            assert "Secure" in response.headers["set-cookie"]
        finally:
            process.kill()
