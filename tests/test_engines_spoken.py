"""Spoken sentences on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asterisk_agent.engines.spoken import SpokenStore


def store(directory: Path, voice: str = "joe 1.0", most_bytes: int = 10_000) -> SpokenStore:
    return SpokenStore(directory / "spoken", voice, most_bytes=most_bytes)


def test_what_was_spoken_is_there_after_a_restart(tmp_path: Path) -> None:
    store(tmp_path).write("Good morning.", b"\1\2" * 100)
    assert store(tmp_path).read("Good morning.") == b"\1\2" * 100


@pytest.mark.parametrize(("voice", "text"), [("joe 1.1", "One."), ("amy 1.0", "One."), (None, "2")])
def test_another_voice_or_speed_or_text_is_another_sound(
    tmp_path: Path, voice: str | None, text: str
) -> None:
    store(tmp_path).write("One.", b"\1\2")
    assert store(tmp_path, voice or "joe 1.0").read(text) is None


def test_nothing_is_kept_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "spoken").write_text("a file where the folder should be")
    store(tmp_path).write("One.", b"\1\2")
    assert store(tmp_path).read("One.") is None
    assert store(tmp_path).tidy() == 0


def test_a_half_written_sentence_is_not_taken(tmp_path: Path) -> None:
    store(tmp_path).write("One.", b"")
    assert store(tmp_path).read("One.") is None
    store(tmp_path).write("One.", b"\1\2")
    assert [path.suffix for path in (tmp_path / "spoken").iterdir()] == [".pcm"]


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    kept = store(tmp_path)
    for age, text in enumerate(["new", "middle", "old"]):
        kept.write(text, bytes(4000))
        os.utime(kept._path(text), (1000 - age, 1000 - age))
    kept.read("old")
    assert kept.tidy() == 1
    assert [text for text in ("new", "middle", "old") if kept.read(text)] == ["new", "old"]
    assert kept.tidy() == 0


def test_any_text_can_be_asked_for(tmp_path: Path) -> None:
    assert store(tmp_path).read("\ud800 / ../ \0") is None
