"""Overrides: what is written is read, by Asterisk too, and whatever else lies there is nothing."""

import os
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent.overrides import Override, OverrideState, in_force, read, reset, write

EVENING = datetime(2026, 6, 1, 18, 0, tzinfo=UTC)
CLOSED = Override(OverrideState.CLOSED, EVENING)


@pytest.mark.parametrize("state", OverrideState)
@pytest.mark.parametrize("until", [None, EVENING, EVENING.astimezone(timezone(timedelta(hours=9)))])
def test_what_is_written_is_read(
    tmp_path: Path, state: OverrideState, until: datetime | None
) -> None:
    directory = tmp_path / "not" / "yet" / "there"
    write(directory, "support", Override(state, until))
    assert read(directory, "support") == Override(state, until)
    assert [path.name for path in directory.iterdir()] == ["support"]


def test_the_file_is_what_asterisk_reads(tmp_path: Path) -> None:
    write(tmp_path, "support", CLOSED)
    assert (tmp_path / "support").read_text() == "closed 1780336800\n"
    write(tmp_path, "support", Override(OverrideState.PEOPLE))
    assert (tmp_path / "support").read_text() == "people 0\n"


def test_an_end_within_a_second_is_rounded_up_and_is_never_for_ever(tmp_path: Path) -> None:
    write(tmp_path, "support", Override(OverrideState.OPEN, EVENING + timedelta(microseconds=1)))
    assert read(tmp_path, "support") == Override(OverrideState.OPEN, EVENING + timedelta(seconds=1))
    write(tmp_path, "support", Override(OverrideState.OPEN, datetime(1960, 1, 1, tzinfo=UTC)))
    found = read(tmp_path, "support")
    assert found is not None
    assert in_force(found, EVENING) is None


@pytest.mark.parametrize("written", [b"open 0", b"open 0\n", b"open 0\r\n", b"open 0 \n\n"])
def test_what_asterisk_writes_is_read(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "support").write_bytes(written)
    assert read(tmp_path, "support") == Override(OverrideState.OPEN)


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"\n",
        b"open",
        b"open ",
        b"open x",
        b"open -1",
        b"open 1.5",
        b" open 0",
        b"open  0",
        b"OPEN 0",
        b"shut 0",
        b"open 0 0",
        b"open 0\nclosed 0\n",
        b"open 999999999999",
        b"open \xd9\xa1",
        b"\xff\xfe\x00",
        b"open 0" + b" " * 100,
        b"open 0" + b" " * 58,
        b"open " + b"9" * 1_000_000,
    ],
)
def test_garbage_is_no_override(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "support").write_bytes(written)
    assert read(tmp_path, "support") is None


@given(st.binary(max_size=70))
def test_any_content_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, b: bytes) -> None:
    directory = tmp_path_factory.getbasetemp()
    (directory / "fuzz").write_bytes(b)
    found = read(directory, "fuzz")
    if found is not None:
        assert b.split()[0].decode() == found.state


def test_the_latest_end_that_can_be_written_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "support").write_bytes(b"open 99999999999")
    found = read(tmp_path, "support")
    assert found is not None
    assert found.until is not None
    assert found.until.year == 5138


def test_nothing_else_in_the_files_place_is_followed(tmp_path: Path) -> None:
    write(tmp_path, "real", CLOSED)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe", "missing"):
        assert read(tmp_path, name) is None
    assert read(tmp_path / "missing", "support") is None


@pytest.mark.parametrize("name", ["", ".", "..", "../real", "a/b", "UPPER", "x" * 32, "a\0b"])
def test_a_channel_id_is_never_a_path(tmp_path: Path, name: str) -> None:
    directory = tmp_path / "overrides"
    write(directory, "real", CLOSED)
    write(tmp_path, "real", CLOSED)
    assert read(directory, name) is None
    with pytest.raises(AssertionError):
        write(directory, name, CLOSED)
    with pytest.raises(AssertionError):
        reset(directory, name)


def test_reset_takes_it_away(tmp_path: Path) -> None:
    write(tmp_path, "support", CLOSED)
    assert reset(tmp_path, "support")
    assert read(tmp_path, "support") is None
    assert not reset(tmp_path, "support")
    assert not reset(tmp_path / "missing", "support")


def test_asterisk_may_replace_what_was_written(tmp_path: Path) -> None:
    write(tmp_path, "support", CLOSED)
    assert stat.S_IMODE((tmp_path / "support").stat().st_mode) == 0o664


def test_what_root_writes_belongs_to_the_directorys_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_to: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda _, user, group: given_to.append((user, group)))
    write(tmp_path, "support", CLOSED)
    assert given_to == [(tmp_path.stat().st_uid, tmp_path.stat().st_gid)]


def test_a_failed_write_leaves_the_old_override_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "support", CLOSED)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path, "support", Override(OverrideState.OPEN))
    assert read(tmp_path, "support") == CLOSED
    assert [path.name for path in tmp_path.iterdir()] == ["support"]


def test_an_override_is_in_force_until_its_end() -> None:
    assert in_force(CLOSED, EVENING - timedelta(microseconds=1)) is CLOSED
    assert in_force(CLOSED, EVENING) is None
    permanent = Override(OverrideState.OPEN)
    assert in_force(permanent, EVENING + timedelta(days=9999)) is permanent
    assert in_force(None, EVENING) is None
