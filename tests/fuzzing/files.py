"""Targets that take what lies in files, and what is on its way to the voice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from good_config import GOOD, write_good

from asterisk_agent import dialplan, rescue
from asterisk_agent.brain.documents import Passage, load_passages
from asterisk_agent.config import load, schema, yaml_text
from asterisk_agent.config.compiling import plan_for
from asterisk_agent.config.problems import Problem
from asterisk_agent.dialplan import reading
from asterisk_agent.errors import AgentError, ConfigError
from asterisk_agent.records import CallLog
from asterisk_agent.records.waiting import keep_only, stories_in
from asterisk_agent.sandbox.destinations import strange, written_in
from asterisk_agent.speech import sentences
from asterisk_agent.speech import speakable as to_voice
from fuzzing.harness import ONE_INPUT, folder, quiet

NAMES = tuple(GOOD)
TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SWELLING = 24
"""Characters that one character may become: a unit, "square kilometers"."""


def check_problem(problem: Problem, where: Path, lines: dict[str, int]) -> None:
    """A problem is one line for people, and names a line of the file that there is."""
    name = Path(problem.file).name
    assert Path(problem.file).parent == where
    assert 0 <= problem.line <= lines[name] + 1
    assert problem.what
    text = str(problem)
    assert text.isprintable()
    assert len(text) < 2_500


def lines_in(content: bytes) -> int:
    """How many lines YAML counts; it has more ends of lines than we do."""
    text = content.decode("utf-8", "replace")
    return len(re.findall("\r\n|[\r\n\x85\u2028\u2029]", text)) + 1


@contextmanager
def yaml() -> Iterator[ONE_INPUT]:
    """One file: its first byte says which."""

    def one_input(data: bytes) -> None:
        name = NAMES[data[0] % len(NAMES)] if data else NAMES[0]
        content = data[1:]
        file = yaml_text.read(where, name, content)
        assert file.tree is not None or file.problems
        for problem in file.problems:
            check_problem(problem, where, {name: lines_in(content)})

    with folder() as where:
        yield one_input


@contextmanager
def config() -> Iterator[ONE_INPUT]:
    """Four files, a zero between them, an empty one as it should be; and the dialplan of them."""

    def one_input(data: bytes) -> None:
        parts = dict(zip(NAMES, data.split(b"\0"), strict=False))
        instead = {name: part for name, part in parts.items() if part}
        found = load.survey(where, instead)
        counted = {name: lines_in(instead.get(name, GOOD[name].encode())) for name in NAMES}
        for problem in (*found.problems, *found.warnings):
            check_problem(problem, where, counted)
        assert (found.config is None) == bool(found.problems)
        if found.config is not None:
            _check_dialplan(found.config, where)

    with folder() as where:
        write_good(where)
        yield one_input


def _check_dialplan(found: schema.Config, where: Path) -> None:
    """A good configuration becomes a dialplan of our own lines, which reach what it names."""
    try:
        made = dialplan.files(found, where / "dialplan", plan_for(found, TODAY))
    except AgentError:
        return
    text = dialplan.included(made)
    assert strange(written_in(text), found) == []
    for line in made["extensions.conf"].splitlines():
        assert re.match(r"$|;|\[|#include |exten => | same => n|include => |AGENT_", line), line
    reading.read(text)
    for name in ("queues.conf", "voicemail.conf"):
        for line in made[name].splitlines():
            assert re.match(r"$|;|\[[\w-]+\]$|[a-z-]+=|member => |\d+ => ,", line), line


@contextmanager
def plan() -> Iterator[ONE_INPUT]:
    """Arguments a line each, a zero, and the plan: an answer of plain words, or a reason."""

    def one_input(data: bytes) -> None:
        asked, _, written = data.partition(b"\0")
        file.write_bytes(written)
        arguments = asked.decode("utf-8", "surrogateescape").split("\n")
        try:
            answer = rescue.answer_to([str(file), str(file.parent), *arguments], NOW)
        except (OSError, *rescue.SENSELESS):
            return
        assert answer["AGENT_READY"] == "1"
        assert all(re.fullmatch(r"[A-Za-z0-9._-]*", value) for value in answer.values())

    with folder() as where:
        file = where / "plan.json"
        yield one_input


@contextmanager
def waiting() -> Iterator[ONE_INPUT]:
    """What waits is read, kept or refused, and never keeps the log from working."""

    def one_input(data: bytes) -> None:
        file.write_bytes(data)
        stories = stories_in(file)
        for story in stories:
            try:
                log.write(story)
            except AgentError:
                continue
        assert keep_only(file, lambda _: True) == 0
        assert len(stories_in(file)) == len(stories)

    with folder() as where, quiet():
        file = where / "waiting.jsonl"
        log = CallLog(f"sqlite:///{where / 'calls.db'}")
        yield one_input
        log.close()


@contextmanager
def documents() -> Iterator[ONE_INPUT]:
    """Markdown, text or YAML, by the first byte."""
    with _document((".md", ".txt", ".yaml")) as one_input:
        yield one_input


@contextmanager
def pdf() -> Iterator[ONE_INPUT]:
    """PDF, as it is."""
    with _document((".pdf",)) as one_input, quiet():
        yield one_input


@contextmanager
def _document(kinds: tuple[str, ...]) -> Iterator[ONE_INPUT]:
    def one_input(data: bytes) -> None:
        kind, content = kinds[0], data
        if len(kinds) > 1 and data:
            kind, content = kinds[data[0] % len(kinds)], data[1:]
        file = where / f"document{kind}"
        file.write_bytes(content)
        problems: list[str] = []
        found: tuple[Passage, ...] = ()
        try:
            found = load_passages(where, ())
        except ConfigError as refused:
            problems = refused.problems
        file.unlink()
        assert all(str(file) in problem for problem in problems)
        assert all(isinstance(passage.text, str) for passage in found)
        assert sum(len(passage.text) for passage in found) <= 60 * len(content)

    with folder() as where:
        yield one_input


@contextmanager
def speech() -> Iterator[ONE_INPUT]:
    """Whatever the words, what is spoken is one line of readable text, and not endless."""

    def one_input(data: bytes) -> None:
        language = "en" if data[:1] < b"\xc0" else "de"
        text = data[1:].decode("utf-8", "surrogatepass" if _halves(data[1:]) else "replace")
        for sentence in (text, *sentences(text)):
            spoken = to_voice(sentence, language)
            assert spoken.replace("\u200c", "").replace("\u200d", "").isprintable(), "unreadable"
            assert len(spoken) <= SWELLING * len(sentence) + 8, "too long"
            spoken.encode()

    yield one_input


def _halves(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
