"""One file over HTTP: streamed, resumable, and never trusted before its hash is known.

Bytes collect in ``NAME.part`` beside the target. An interrupted download leaves that file, with
the server's validator in ``NAME.part.tag``, and the next one asks for the rest (RFC 9110 §13.1.5
If-Range, §14.2 Range).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx

from asterisk_agent.engines.catalogue import Entry, problem_of
from asterisk_agent.errors import ModelError

CONNECT_S = 3.0
"""Many machines reach no model hub at all: find out soon."""
READ_S = 30.0
ATTEMPTS = 3
_CHUNK = 1 << 18

Advance = Callable[[int], None]
"""Told how many bytes of the file are here, each time there are more."""


class SourceError(ModelError):
    """This source does not give the file; another may."""


class UnreachableError(SourceError):
    """Nobody answers at this source's address."""


def new_client() -> httpx.Client:
    """A client with the deadlines that downloads here use."""
    timeout = httpx.Timeout(READ_S, connect=CONNECT_S)
    headers = {"Accept-Encoding": "identity", "User-Agent": "asterisk-agent"}
    return httpx.Client(timeout=timeout, headers=headers, follow_redirects=True)


def download(
    client: httpx.Client, url: str, target: Path, entry: Entry, advance: Advance = lambda _: None
) -> None:
    """Fetch ``url`` to ``target``.

    Raises SourceError where the source does not give a file of the right size, ModelError where
    the bytes are not the ones expected; what is not worth resuming is removed first.
    """
    part = _part_of(target)
    resumed = part.exists()
    _collect(client, url, part, entry, advance)
    problem = problem_of(part, entry)
    if problem and resumed:  # the old half may have been of another version: once more, whole
        _discard(part)
        _collect(client, url, part, entry, advance)
        problem = problem_of(part, entry)
    if problem:
        _discard(part)
        raise ModelError(
            f"{target.name} from {url}: {problem.partition(': ')[2]}",
            hint="the source serves another file than the catalogue names; nothing was kept",
        )
    _tag_of(part).unlink(missing_ok=True)
    part.replace(target)


def _collect(client: httpx.Client, url: str, part: Path, entry: Entry, advance: Advance) -> None:
    """Ask again for the rest as long as an interrupted attempt brought something."""
    for attempt in range(1, ATTEMPTS + 1):
        before = _size_of(part)
        try:
            return _attempt(client, url, part, entry, advance)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise UnreachableError(f"cannot be reached ({_reason(error)})") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            here = _size_of(part)
            if attempt == ATTEMPTS or here <= before:
                message = f"stopped after {here} of {entry.size} bytes ({_reason(error)})"
                raise SourceError(message) from error
    return None


def _attempt(client: httpx.Client, url: str, part: Path, entry: Entry, advance: Advance) -> None:
    """One request. Leaves all bytes in ``part``, or raises with what came so far in it."""
    here = _size_of(part)
    if here > entry.size:
        _discard(part)
        here = 0
    if here == entry.size:
        return None
    with client.stream("GET", url, headers=_resume_headers(part)) as answer:
        refused = answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE
        if not (refused and here):
            start = _start_of(answer, here)
            _check_length(answer, start, entry)
            return _save(answer, part, start, entry, advance)
    _discard(part)  # its file is shorter than what we hold, so ours is another: from the start
    return _attempt(client, url, part, entry, advance)


def _resume_headers(part: Path) -> dict[str, str]:
    if not (here := _size_of(part)):
        return {}
    headers = {"Range": f"bytes={here}-"}
    if _tag_of(part).exists():
        headers["If-Range"] = _tag_of(part).read_text("utf-8")
    return headers


def _start_of(answer: httpx.Response, here: int) -> int:
    """Where the body begins: 0 from a server that ignored the range or has a newer file."""
    if answer.status_code == httpx.codes.OK:
        return 0
    if answer.status_code != httpx.codes.PARTIAL_CONTENT:
        raise SourceError(f"answers {answer.status_code} {answer.reason_phrase}".rstrip())
    given = answer.headers.get("Content-Range", "")
    if not given.startswith(f"bytes {here}-"):
        raise SourceError(f"asked for bytes from {here}, got {given[:40]!r}")
    return here


def _check_length(answer: httpx.Response, start: int, entry: Entry) -> None:
    """Turn away error pages and other versions before their bytes are fetched."""
    length = answer.headers.get("Content-Length", "")
    if length.isdigit() and start + int(length) != entry.size:
        raise SourceError(f"offers {start + int(length)} bytes, expected {entry.size}")


def _save(answer: httpx.Response, part: Path, start: int, entry: Entry, advance: Advance) -> None:
    validator = answer.headers.get("ETag", "")
    if not validator or validator.startswith("W/"):  # If-Range takes strong ones only
        validator = answer.headers.get("Last-Modified", "")
    with part.open("r+b" if start else "wb") as file:
        if validator:
            _tag_of(part).write_text(validator, "utf-8")
        file.seek(start)
        here = start
        for chunk in answer.iter_raw(_CHUNK):
            here += len(chunk)
            if here > entry.size:
                _discard(part)
                raise SourceError(f"gives more than the {entry.size} bytes expected")
            file.write(chunk)
            advance(here)
    if here < entry.size:  # a body without a length, cut off
        raise httpx.ReadError("the body ended early")


def _part_of(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _tag_of(part: Path) -> Path:
    return part.with_name(part.name + ".tag")


def _size_of(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag_of(part).unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
