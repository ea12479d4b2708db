"""The documents: what they answer, and writing what they lack."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from anyio import from_thread
from starlette.responses import RedirectResponse, Response

from asterisk_agent.brain.documents import LARGEST_FILE, LONGEST_WORDS
from asterisk_agent.config.edit import replace_file
from asterisk_agent.errors import AgentError
from asterisk_agent.web.asked import Asked, Refused
from asterisk_agent.web.audit import differences
from asterisk_agent.web.desk import Desk

NEW_FILE = "answers.md"
MAX_HEADING, MAX_TEXT = 200, 4_000
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of a Markdown file and what stands below it: lines ``start`` to ``end``."""

    heading: str
    level: int
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Writing:
    """The form. ``was`` is the heading that is edited, "" for a new passage."""

    file: str
    was: str
    heading: str
    text: str
    seen: str


def show(desk: Desk, asked: Asked) -> Response:
    """Every document that can be edited here, and its passages."""
    root = desk.began_with.knowledge_directory
    search = asked.parameters.get("search", "").lower()
    found = [(name, _matching(sections(_read(root / name)), search)) for name in files(root)]
    shown = [(name, parts) for name, parts in found if parts or not search]
    return desk.page(asked, "knowledge.html", files=shown, search=search, root=str(root))


def _matching(parts: list[Section], search: str) -> list[Section]:
    return [part for part in parts if search in f"{part.heading}\n{part.text}".lower()]


def files(root: Path) -> list[str]:
    """The Markdown files below the documents' folder, by their path in it."""
    found = sorted(path for path in root.rglob("*.md") if path.is_file())
    inside = root.resolve()
    return [
        path.relative_to(root).as_posix()
        for path in found
        if path.resolve().is_relative_to(inside)
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]


def sections(text: str) -> list[Section]:
    """The headings of a Markdown text, in order."""
    lines = text.splitlines()
    fenced, heads = False, []
    for number, line in enumerate(lines):
        fenced ^= line.startswith("```")
        found = None if fenced else _HEADING.match(line)
        if found is not None:
            heads.append((number, len(found[1]), found[2]))
    ends = [number for number, _, _ in heads][1:] + [len(lines)][: len(heads)]
    return [
        Section(title, level, "\n".join(lines[at + 1 : end]).strip("\n"), at, end)
        for (at, level, title), end in zip(heads, ends, strict=True)
    ]


def edit_form(desk: Desk, asked: Asked) -> Response:
    """A passage to edit, or a question to answer."""
    root = desk.began_with.knowledge_directory
    name, heading = asked.parameters.get("file", ""), asked.parameters.get("heading", "")
    if not heading:
        choices = choices_of(root, desk)
        question = asked.parameters.get("question", "")
        text = question[:1].upper() + question[1:]
        wanted = _preferred(desk, asked.parameters.get("channel", ""), choices)
        return _page(desk, asked, Writing(wanted, "", text, "", ""))
    if name not in files(root):
        raise Refused(404, "There is no such document.")
    content = _read(root / name)
    part = next((part for part in sections(content) if part.heading == heading), None)
    if part is None:
        raise Refused(404, "There is no such heading in this document.")
    return _page(desk, asked, Writing(name, heading, heading, part.text, _print(content)))


def choices_of(root: Path, desk: Desk) -> list[str]:
    """Where a new passage may go: the files there are, and one for answers in each folder."""
    known = files(root)
    folders = sorted({Path(name).parent.as_posix() for name in known} | {"."})
    fresh = [NEW_FILE if folder == "." else f"{folder}/{NEW_FILE}" for folder in folders]
    return list(dict.fromkeys([*known, *fresh]))


def _preferred(desk: Desk, channel_id: str, choices: list[str]) -> str:
    """A file that this channel answers from."""
    config = desk.survey().config
    channel = config.channels.get(channel_id) if config is not None else None
    topics = channel.knowledge[::-1] if channel is not None else ()
    return next(
        (name for topic in topics for name in choices if name.startswith(topic)), choices[0]
    )


def save(desk: Desk, asked: Asked) -> Response:
    """Write a passage into its document."""
    form = asked.form
    writing = Writing(
        form.get("file"),
        form.get("was"),
        " ".join(form.get("heading").split()),
        form.raw("text").strip(),
        form.get("seen"),
    )
    root = desk.began_with.knowledge_directory
    problems = _problems(writing, choices_of(root, desk))
    if problems:
        return _page(desk, asked, writing, problems, status=422)
    path = root / writing.file
    old = path.read_bytes() if path.exists() else b""
    content = old.decode("utf-8-sig", "strict") if old else ""
    if writing.was and writing.seen != _print(content):
        stale = "Somebody changed this document meanwhile. Copy your text, and load the page again."
        return _page(desk, asked, writing, {"text": stale}, status=409)
    new = with_passage(content, writing).encode()
    _write(path, old, new)
    what = "changed a passage" if writing.was else "wrote an answer"
    diff = differences({writing.file: old}, {writing.file: new})
    desk.audit.note(asked.user, what, f"knowledge/{writing.file}", diff)
    from_thread.run_sync(desk.reload.begin)
    return RedirectResponse("/knowledge?saved=1", 303)


def _problems(writing: Writing, choices: list[str]) -> dict[str, str]:
    found = {}
    if writing.file not in choices:
        found["file"] = "Choose one of the documents."
    if not writing.heading or len(writing.heading) > MAX_HEADING:
        found["heading"] = f"Write the question, in at most {MAX_HEADING} characters."
    elif not writing.heading.isprintable() or writing.heading.startswith("#"):
        found["heading"] = "Write plain text, without # in front."
    plain = "".join(writing.text.split())
    if not plain or len(writing.text) > MAX_TEXT:
        found["text"] = f"Write the answer, in at most {MAX_TEXT} characters."
    elif not plain.isprintable():
        found["text"] = "The text holds characters that cannot be seen. Type it anew."
    elif sections(writing.text) or "```" in writing.text:
        found["text"] = "An answer is one passage: a line may not begin with #, nor hold code."
    return found


def with_passage(content: str, writing: Writing) -> str:
    """A document with a passage in the place of the old one, or at its end."""
    lines = content.splitlines()
    old = next((p for p in sections(content) if writing.was and p.heading == writing.was), None)
    if old is None:
        start = end = len(lines)
        level = 2
    else:
        start, end, level = old.start, old.end, old.level
    passage = [f"{'#' * level} {writing.heading}", "", *writing.text.splitlines(), ""]
    if old is None and lines and lines[-1].strip():
        passage.insert(0, "")
    return "\n".join([*lines[:start], *passage, *lines[end:]]).rstrip("\n") + "\n"


def _page(
    desk: Desk,
    asked: Asked,
    writing: Writing,
    problems: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    choices = choices_of(desk.began_with.knowledge_directory, desk)
    return desk.page(
        asked, "passage.html", status, writing=writing, problems=problems or {}, choices=choices,
        longest=LONGEST_WORDS,
    )  # fmt: skip


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""


def _print(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _write(path: Path, old: bytes, new: bytes) -> None:
    try:
        if old:
            replace_file(path, old, new)
            return
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(handle, "wb") as stream:
            stream.write(new)
    except OSError as error:
        raise AgentError(
            f"{path} cannot be written: {error.strerror}",
            hint="let the service's user write the documents",
        ) from error
