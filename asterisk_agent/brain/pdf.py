"""PDF documents as lines of text, by pypdf; headings are guessed from how a line stands.

What a PDF looks like is not what it says: columns, tables and forms come out as they please. So
``knowledge list`` shows what was understood, and a Markdown file is always the better document.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from asterisk_agent.speech import sentences

MOST_PAGES = 300
LONGEST_HEADING = 9
"""Words."""
_DAMAGED = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RuntimeError),
    *(TypeError, struct.error, zlib.error),
)
"""What a damaged file raises besides: pypdf documents none of it."""
_ENDS = re.compile(r"[.!?:;,]$")
_RUNS_ON = re.compile(r"-$|[.!?]\s")
_PAGE = re.compile(r"^(?:page\s*)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?$", re.IGNORECASE)


def sections(file: Path, longest_words: int) -> Iterator[tuple[str, str]]:
    """(heading or "", text) of a PDF, each text short. Raises ValueError where it is unreadable."""
    heading, text = "", ""
    for line in [*_lines(_pages(file)), ""]:
        if line and not _is_heading(line, text):
            text = f"{text[:-1]}{line}" if _hyphenated(text) else f"{text} {line}".strip()
            continue
        for part in _cut(text, longest_words):
            yield heading, part
        heading, text = line, ""


def _pages(file: Path) -> list[list[str]]:
    import pypdf  # noqa: PLC0415 - slow to import, and only who has PDFs needs it
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    try:
        reader = pypdf.PdfReader(file)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ValueError("is encrypted. Hint: save it without a password")
        if len(reader.pages) > MOST_PAGES:
            raise ValueError(f"has more than {MOST_PAGES} pages")
        pages = [page.extract_text().splitlines() for page in reader.pages]
    except (PyPdfError, *_DAMAGED) as error:
        raise ValueError(f"is no readable PDF: {error or type(error).__name__}") from None
    if not any(line.strip() for page in pages for line in page):
        raise ValueError("holds no text, only pictures. Hint: run it through text recognition")
    return pages


def _lines(pages: list[list[str]]) -> list[str]:
    """The lines of all pages without page numbers, and without what stands on most pages."""
    often = Counter(line for page in pages for line in {" ".join(at.split()) for at in page})
    repeated = {line for line, n in often.items() if len(pages) > 2 and n > len(pages) / 2}
    plain = [" ".join(line.split()) for page in pages for line in page]
    return [line for line in plain if line and line not in repeated and not _PAGE.match(line)]


def _is_heading(line: str, before: str) -> bool:
    """A short line that begins like a title where the text before it had come to an end."""
    if len(line.split()) > LONGEST_HEADING or not line[0].isupper() or _RUNS_ON.search(line):
        return False
    over = not before or before[-1] in ".!?"
    return over and (line.endswith("?") or not _ENDS.search(line))


def _hyphenated(text: str) -> bool:
    return text.endswith("-") and text[-2:-1].isalpha()


def _cut(text: str, longest_words: int) -> Iterator[str]:
    part: list[str] = []
    for sentence in sentences(text):
        if part and sum(len(s.split()) for s in [*part, sentence]) > longest_words:
            yield " ".join(part)
            part = []
        part.append(sentence)
    if part:
        yield " ".join(part)
