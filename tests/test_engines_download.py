"""Downloads against a real HTTP server on the loopback: whole, resumed, wrong, cut off."""

from hashlib import sha256

import pytest
from model_server import FileServer

from asterisk_agent.engines.catalogue import Entry
from asterisk_agent.engines.download import SourceError, UnreachableError, download, new_client
from asterisk_agent.errors import ModelError

DATA = bytes(range(256)) * 4000
ENTRY = Entry(sha256=sha256(DATA).hexdigest(), size=len(DATA))
HALF = len(DATA) // 2


@pytest.fixture
def server():
    with FileServer({"/f": DATA}) as server:
        yield server


@pytest.fixture
def client():
    with new_client() as client:
        yield client


@pytest.fixture
def target(tmp_path):
    return tmp_path / "f"


def leave_part(target, data, tag=None):
    target.with_name("f.part").write_bytes(data)
    if tag:
        target.with_name("f.part.tag").write_text(tag)


def names(target):
    return sorted(path.name for path in target.parent.iterdir())


def test_whole_file(server, client, target):
    seen = []
    download(client, f"{server.url}/f", target, ENTRY, seen.append)
    assert target.read_bytes() == DATA
    assert names(target) == ["f"]
    assert seen == sorted(seen)
    assert seen[-1] == len(DATA)


def test_follows_redirects(server, client, target):
    server.redirects["/old"] = "/f"
    download(client, f"{server.url}/old", target, ENTRY)
    assert target.read_bytes() == DATA


def test_resumes_what_an_interruption_left(server, client, target):
    leave_part(target, DATA[:HALF], server.etag)
    download(client, f"{server.url}/f", target, ENTRY)
    assert target.read_bytes() == DATA
    assert server.requests == [("/f", f"bytes={HALF}-")]


def test_resumes_by_itself_after_a_cut(server, client, target):
    server.cut["/f"] = HALF
    download(client, f"{server.url}/f", target, ENTRY)
    assert target.read_bytes() == DATA
    assert len(server.requests) == 2
    assert server.requests[1][1].startswith("bytes=")


def test_cut_without_a_length_is_resumed_too(server, client, target):
    server.no_length = True
    server.cut["/f"] = HALF
    download(client, f"{server.url}/f", target, ENTRY)
    assert target.read_bytes() == DATA


def test_cut_again_and_again_keeps_the_part(server, client, target):
    server.files["/f"] = DATA[:HALF]
    server.no_length = True  # ends early every time, and then refuses the range
    with pytest.raises(SourceError, match=f"of {len(DATA)} bytes"):
        download(client, f"{server.url}/f", target, ENTRY)
    assert not target.exists()


def test_changed_file_starts_over(server, client, target):
    leave_part(target, b"x" * HALF, '"v0"')
    download(client, f"{server.url}/f", target, ENTRY)
    assert target.read_bytes() == DATA


def test_part_of_another_version_without_validator_starts_over(server, client, target):
    server.etag = ""
    leave_part(target, b"x" * HALF)
    download(client, f"{server.url}/f", target, ENTRY)
    assert target.read_bytes() == DATA
    assert [asked for _, asked in server.requests] == [f"bytes={HALF}-", None]


def test_server_that_ignores_ranges(server, client, target):
    server.ignore_range = True
    leave_part(target, DATA[:HALF], server.etag)
    download(client, f"{server.url}/f", target, ENTRY)
    assert target.read_bytes() == DATA


def test_complete_part_needs_no_request(server, client, target):
    leave_part(target, DATA)
    download(client, f"{server.url}/f", target, ENTRY)
    assert target.read_bytes() == DATA
    assert server.requests == []


def test_part_that_is_too_long_starts_over(server, client, target):
    leave_part(target, DATA + b"x")
    download(client, f"{server.url}/f", target, ENTRY)
    assert target.read_bytes() == DATA


def test_range_refused_starts_over(server, client, target):
    server.etag = ""
    leave_part(target, DATA[:HALF])
    server.files["/f"] = DATA[:10]
    with pytest.raises(SourceError, match="offers 10 bytes, expected"):
        download(client, f"{server.url}/f", target, ENTRY)
    assert [asked for _, asked in server.requests] == [f"bytes={HALF}-", None]


def test_wrong_hash_names_all_and_leaves_nothing(server, client, target):
    server.files["/f"] = wrong = b"x" * len(DATA)
    with pytest.raises(ModelError) as raised:
        download(client, f"{server.url}/f", target, ENTRY)
    message = str(raised.value)
    assert message.startswith("f from http://127.0.0.1")
    assert ENTRY.sha256 in message
    assert sha256(wrong).hexdigest() in message
    assert not isinstance(raised.value, SourceError)
    assert names(target) == []


def test_absent_file(server, client, target):
    with pytest.raises(SourceError, match="answers 404 Not Found"):
        download(client, f"{server.url}/none", target, ENTRY)
    assert names(target) == []


def test_page_instead_of_the_file_is_turned_away(server, client, target):
    server.files["/f"] = b"<html>log in</html>"
    with pytest.raises(SourceError, match="offers 19 bytes"):
        download(client, f"{server.url}/f", target, ENTRY)
    assert names(target) == []


def test_endless_answer_is_stopped(server, client, target):
    server.no_length = True
    server.files["/f"] = DATA * 3
    with pytest.raises(SourceError, match="more than"):
        download(client, f"{server.url}/f", target, ENTRY)
    assert names(target) == []


def test_nobody_there(client, target):
    with FileServer({}) as gone:
        url = gone.url
    with pytest.raises(UnreachableError, match="cannot be reached"):
        download(client, f"{url}/f", target, ENTRY)
