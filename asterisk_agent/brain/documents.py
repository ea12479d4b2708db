"""The operator's documents, read into passages short enough to be spoken.

Markdown: a heading is a question or a topic, and what stands below it answers it; question
headings directly below each other are ways to ask the same. Plain text: a paragraph is a passage.
PDF: see ``pdf``. YAML: a list of ``{q, a}``, where ``q`` may be a list of ways to ask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from asterisk_agent.brain import pdf
from asterisk_agent.errors import ConfigError
from asterisk_agent.speech import strip_markdown

LONGEST_WORDS = 80
"""A section longer than this is cut at its paragraphs and list items."""
LARGEST_FILE = 4_000_000
"""Bytes. Nobody reads that much to a caller."""
LARGEST_PDF = 40_000_000
"""Bytes. Most of them are pictures."""

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+(.*)$")
_TABLE_RULE = re.compile(r"^[\s|:-]+$")


@dataclass(frozen=True, slots=True)
class Passage:
    """A short text that answers a question, and where it stands.

    ``file`` is relative to the knowledge directory. ``heading`` is the nearest heading (the first
    ``q`` in YAML, "" in plain text); ``topic`` the headings above it; ``asked`` other ways to ask.
    """

    text: str
    heading: str
    file: str
    topic: str = ""
    asked: tuple[str, ...] = ()

    @property
    def titles(self) -> tuple[str, ...]:
        """Every known way to ask for this passage."""
        return (self.heading, *self.asked) if self.heading else self.asked


def load_passages(directory: Path, topics: Sequence[str]) -> tuple[Passage, ...]:
    """Read the folders and files ``topics`` under ``directory``; all of it, if any, without topics.

    A passage that stands in two topics is taken once. Raises ConfigError with every file that is
    missing or cannot be read.
    """
    if not topics and not directory.is_dir():
        return ()
    problems: list[str] = []
    passages: dict[Passage, None] = {}
    for file in _files(directory, topics or ("",), problems):
        try:
            found = _READERS[file.suffix.lower()](file, file.relative_to(directory))
            passages.update(dict.fromkeys(found))
        except (OSError, ValueError, yaml.YAMLError) as error:
            problems.append(f"{file}: {_first_line(error)}")
    if problems:
        raise ConfigError(problems)
    return tuple(passages)


def fingerprint(directory: Path, topics: Sequence[str]) -> tuple[tuple[str, int, int], ...]:
    """What changes when a document is added, removed or saved: names, sizes, times in ns. Quick."""
    found = []
    for file in _files(directory, topics or ("",), []):
        try:
            at = file.stat()
        except OSError:
            continue  # it went away between two looks
        found.append((str(file), at.st_size, at.st_mtime_ns))
    return tuple(sorted(found))


def contents(directory: Path, topics: Sequence[str]) -> Iterator[bytes]:
    """The documents as they lie on disk, in order; those that cannot be read are left out."""
    for file in _files(directory, topics or ("",), []):
        try:
            yield file.read_bytes()
        except OSError:
            continue


def _files(directory: Path, topics: Sequence[str], problems: list[str]) -> list[Path]:
    root = directory.resolve()
    files: dict[Path, None] = {}
    for topic in topics:
        path = (root / topic).resolve()
        if not path.is_relative_to(root):
            problems.append(f"{path}: lies outside {root}. Hint: name a folder or file under it.")
        elif path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and _readable(p, path))
            files.update(dict.fromkeys(directory / p.relative_to(root) for p in inside))
        elif path.is_file() and path.suffix.lower() in _READERS:
            files[directory / path.relative_to(root)] = None
        elif path.is_file():
            kinds = ", ".join(sorted(_READERS))
            problems.append(f"{path}: cannot read {path.suffix or 'such'} files; known are {kinds}")
        else:
            problems.append(f"{path}: no such folder or file. Hint: create it under {root}.")
    return list(files)


def _readable(path: Path, below: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(below).parts)
    return path.suffix.lower() in _READERS and not hidden


def _text(file: Path) -> str:
    if file.stat().st_size > LARGEST_FILE:
        raise ValueError(f"larger than {LARGEST_FILE // 1_000_000} MB")
    return file.read_text(encoding="utf-8-sig")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _pdf(path: Path, file: Path) -> Iterator[Passage]:
    if path.stat().st_size > LARGEST_PDF:
        raise ValueError(f"larger than {LARGEST_PDF // 1_000_000} MB")
    for heading, text in pdf.sections(path, LONGEST_WORDS):
        yield Passage(text, heading, str(file))


def _plain(path: Path, file: Path) -> Iterator[Passage]:
    text = _text(path)
    for paragraph in re.split(r"\n\s*\n", text):
        words = " ".join(paragraph.split())
        if words:
            yield Passage(words, "", str(file))


def _markdown(path: Path, file: Path) -> Iterator[Passage]:
    text = _text(path)
    above: list[tuple[int, str]] = []
    body: list[str] = []
    asked: list[str] = []
    for line in [*_without_code_and_comments(text).splitlines(), "# "]:
        heading = _HEADING.match(line)
        if heading is None and line != "# ":
            body.append(line)
            continue
        empty = not any(map(str.strip, body))
        if not empty:
            yield from _section(body, [title for _, title in above], tuple(asked), file)
        if heading is not None:
            level, title = len(heading[1]), strip_markdown(heading[2])
            questions = bool(above) and above[-1][1].endswith("?") and title.endswith("?")
            again = empty and questions and above[-1][0] == level
            asked = [*asked, above[-1][1]] if again else []
            above = [at for at in above if at[0] < level] + [(level, title)]
        body = []


def _without_code_and_comments(text: str) -> str:
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)  # front matter
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    return re.sub(r"^```.*?^```[^\n]*$", "", text, flags=re.DOTALL | re.MULTILINE)


def _section(
    body: list[str], headings: list[str], asked: tuple[str, ...], file: Path
) -> Iterator[Passage]:
    blocks = list(_blocks(body))
    heading = headings[-1] if headings else ""
    topic = ": ".join(headings[:-1])
    if sum(len(block.split()) for block in blocks) <= LONGEST_WORDS:
        blocks = [" ".join(blocks)]
    lead = ""
    for block in blocks:
        if block.endswith(":"):
            lead = f"{block} "  # what introduces a list belongs to each of its items
        else:
            yield Passage(lead + block, heading, str(file), topic, asked)


def _blocks(lines: list[str]) -> Iterator[str]:
    """Paragraphs, list items and table rows, each as one line of plain sentences."""
    header: list[str] = []
    block: list[str] = []
    for line in [*lines, ""]:
        item, row = _ITEM.match(line), line.strip().startswith("|")
        if block and (item or row or not line.strip()):
            yield _sentence(strip_markdown(" ".join(block)))
            block = []
        if row:
            cells = [strip_markdown(cell) for cell in line.strip().strip("|").split("|")]
            if not header:
                header = cells
            elif not _TABLE_RULE.match(line):
                yield _row(header, cells)
            continue
        header = []
        if item:
            block = [item[1]]
        elif line.strip():
            block.append(line.strip().lstrip("> "))


def _row(header: list[str], cells: list[str]) -> str:
    named = [
        f"{name}: {cell}" for name, cell in zip(header[1:], cells[1:], strict=False) if cell.strip()
    ]
    return _sentence(", ".join([cells[0], *named]))


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?:;" else text + "."


def _questions(path: Path, file: Path) -> Iterator[Passage]:
    try:
        entries = yaml.load(_text(path), Loader=yaml.BaseLoader)  # noqa: S506 - text only: builds no objects
    except (RecursionError, OverflowError):  # brackets without end; "\\UFFFFFFFF"
        raise ValueError("is not YAML that anybody writes") from None
    if not isinstance(entries, list):
        raise ValueError("expected a list of {q: question, a: answer}")
    for number, entry in enumerate(entries, 1):
        asked = entry.get("q") if isinstance(entry, dict) else None
        titles = [asked] if isinstance(asked, str) else asked
        answer = entry.get("a") if isinstance(entry, dict) else None
        if not isinstance(answer, str) or not _strings(titles):
            raise ValueError(f"entry {number}: expected q: a question (or a list) and a: a text")
        assert titles is not None
        first, *others = (" ".join(title.split()) for title in titles)
        yield Passage(strip_markdown(" ".join(answer.split())), first, str(file), "", tuple(others))


def _strings(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)


_READERS: dict[str, Callable[[Path, Path], Iterator[Passage]]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".txt": _plain,
    ".pdf": _pdf,
    ".yaml": _questions,
    ".yml": _questions,
}
