"""One line in a file of Asterisk's: found, added, taken away. Bytes in, bytes out.

The file is somebody's own. It may have any encoding, end without a line feed or with CR LF, and
hold block comments (``;--`` to ``--;``), in which a line counts for nothing.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asterisk_agent.errors import InstallError

MARK = b"; added by asterisk-agent install"
_INCLUDE = re.compile(
    rb'\s*#\s*(?:try)?include\s+(?:"([^"\r\n]+)"|<([^>\r\n]+)>|([^\s;"<>]+))', re.IGNORECASE
)
_SECTION = re.compile(rb"\s*\[([^\]\r\n]+)\](\([^)\r\n]*\))?")


@dataclass(frozen=True, slots=True)
class Line:
    """``content`` is what counts, without comments; ``raw`` is the whole line with its end."""

    raw: bytes
    content: bytes


def include(target: Path) -> bytes:
    """The line that includes ``target``.

    ``#tryinclude``: where the target is gone or unusable, Asterisk would refuse the whole file that
    has an ``#include``, and a PBX would be without its own dialplan.
    """
    return b'#tryinclude "%s" %s' % (str(target).encode(), MARK)


def includes(text: bytes, target: Path, folder: Path) -> bool:
    """Whether some line includes ``target``; ``folder`` is where relative names begin."""
    return any(_is_of(name, target, folder) for name in included(text))


def included(text: bytes) -> Iterator[str]:
    """What the lines include, as written: names, paths, patterns."""
    for line in lines(text):
        if name := _included(line):
            yield name


def added(text: bytes, target: Path) -> bytes:
    """``text`` with the line at its end. Raises InstallError where a comment is open there."""
    if began := open_comment(text):
        raise InstallError(
            f"the comment that begins in line {began} (;--) never ends; what follows has no effect",
            hint="end it with --; in a line of its own",
        )
    end = b"\r\n" if b"\r\n" in text else b"\n"
    gap = b"" if not text or text.endswith(b"\n") else end
    return text + gap + include(target) + end


def removed(text: bytes, target: Path, folder: Path) -> bytes:
    """``text`` without the lines that include exactly ``target``; everything else stays."""
    kept = (
        line.raw
        for line in lines(text)
        if not ((name := _included(line)) and _path(name, folder) == target)
    )
    return b"".join(kept)


def setting(text: bytes, section: str, key: str) -> str | None:
    """The last value of a key in a section, or None."""
    value, within = None, False
    for line in lines(text):
        if found := _SECTION.match(line.content):
            within = found[1].strip().lower() == section.encode()
        elif within:
            name, equals, said = line.content.partition(b"=")
            if equals and name.strip().lower() == key.encode():
                value = said.lstrip(b">").strip().decode("utf-8", "replace")
    return value


def sections(text: bytes) -> set[str]:
    """The names of all sections."""
    found = (_SECTION.match(line.content) for line in lines(text))
    return {match[1].strip().decode("utf-8", "replace") for match in found if match}


def lines(text: bytes) -> Iterator[Line]:
    """Each line with what of it counts."""
    depth = 0
    for raw in _split(text):
        content, depth = _counting(raw, depth)
        yield Line(raw, content)


def open_comment(text: bytes) -> int:
    """The number of the line whose block comment is open at the end; 0 where none is."""
    depth = began = 0
    for number, raw in enumerate(_split(text), 1):
        before = depth
        _, depth = _counting(raw, depth)
        if depth and not before:
            began = number
    return began if depth else 0


def _split(text: bytes) -> list[bytes]:
    """At line feeds alone, as Asterisk reads."""
    return re.findall(rb"[^\n]*\n|[^\n]+", text)


def _counting(raw: bytes, depth: int) -> tuple[bytes, int]:
    """What counts of a line that begins ``depth`` block comments deep, and how deep it ends."""
    content, start = b"", 0
    for found in re.finditer(rb";", raw):
        at = found.start()
        if at and raw[at - 1 : at] == b"\\":
            continue
        if raw[at + 1 : at + 3] == b"--" and raw[at + 3 : at + 4] != b"-":
            content += b"" if depth else raw[start:at]
            depth += 1
        elif depth and at >= 2 and raw[at - 2 : at] == b"--":
            depth -= 1
            start = at + 1
        elif not depth:
            return content + raw[start:at], 0
    return (content if depth else content + raw[start:]), depth


def _included(line: Line) -> str:
    found = _INCLUDE.match(line.content)
    return (found[1] or found[2] or found[3]).decode("utf-8", "replace") if found else ""


def _is_of(name: str, target: Path, folder: Path) -> bool:
    return fnmatch.fnmatch(str(target), str(_path(name, folder)))


def _path(name: str, folder: Path) -> Path:
    return folder / name
