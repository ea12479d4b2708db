"""Small changes of YAML text, made in the text itself, so that nothing else moves.

A value that is replaced, and a key that is added, are written where they belong by the positions
that the parser notes. Whatever else a change does is left to ``round_trip``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

Plain: TypeAlias = "str | list[Plain] | dict[str, Plain]"
"""What a YAML text says, without its layout."""


class TooMuch(Exception):
    """The change is none of those that can be made here."""


@dataclass(frozen=True, slots=True)
class _Patch:
    """``text`` goes in the place of ``[start, end)``."""

    start: int
    end: int
    text: str


def patched(text: str, old: Plain, new: Plain) -> str:
    """The text that says ``new`` where it said ``old``. Raises TooMuch."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        raise TooMuch
    patches = sorted(_patches(text, root, old, new), key=lambda patch: patch.start)
    pieces, at = [], 0
    for patch in patches:
        if patch.start < at:
            raise TooMuch
        pieces += [text[at : patch.start], patch.text]
        at = patch.end
    return "".join([*pieces, text[at:]])


def _patches(text: str, node: yaml.Node, old: Plain, new: Plain) -> Iterator[_Patch]:
    if old == new:
        return
    if isinstance(node, yaml.MappingNode) and isinstance(old, dict) and isinstance(new, dict):
        yield from _in_mapping(text, node, old, new)
    elif isinstance(node, yaml.ScalarNode) and isinstance(new, str):
        yield _replaced(text, node, new)
    else:
        raise TooMuch


def _in_mapping(
    text: str, node: yaml.MappingNode, old: Mapping[str, Plain], new: Mapping[str, Plain]
) -> Iterator[_Patch]:
    own = {str(key.value): (key, value) for key, value in node.value}
    if not own.keys() - {"<<"} <= new.keys():
        raise TooMuch  # a key was taken away
    before = ""
    for key, value in new.items():
        if key in own:
            yield from _patches(text, own[key][1], old[key], value)
        elif old.get(key) != value:  # else it is merged in
            if not isinstance(value, str) or before not in own:
                raise TooMuch
            yield _added(text, node, own[before], f"{key}: {_scalar(value)}")
        before = key


def _replaced(text: str, node: yaml.ScalarNode, value: str) -> _Patch:
    """Another value, in the quotes of the last one. A comment behind it stays in its column."""
    start, end = node.start_mark.index, node.end_mark.index
    if node.style in ("|", ">") or "\n" in text[start:end]:
        raise TooMuch
    new = _scalar(value)
    if node.style == "'" and "'" not in value and value.isprintable():
        new = f"'{value}'"
    elif node.style == '"':
        new = json.dumps(value, ensure_ascii=False)
    if start == end:  # nothing stood there, perhaps not even a space
        return _Patch(start, end, f" {new}")
    gap = re.match(r" {2,}(?=#)", text[end:])
    if gap:
        room = len(gap[0]) - (len(new) - (end - start))
        return _Patch(start, end + len(gap[0]), new + " " * max(room, 1))
    return _Patch(start, end, new)


def _added(text: str, mapping: yaml.MappingNode, before: tuple[Any, Any], item: str) -> _Patch:
    """A further item of a mapping, behind ``before``, which must stand in one line."""
    key, value = before
    if key.start_mark.line != value.end_mark.line or value.start_mark.line != key.start_mark.line:
        raise TooMuch
    if mapping.flow_style:
        return _Patch(value.end_mark.index, value.end_mark.index, f", {item}")
    line_end = text.find("\n", value.end_mark.index)
    at = len(text) if line_end < 0 else line_end
    return _Patch(at, at, "\n" + " " * key.start_mark.column + item)


_SAFE = re.compile(r"[\w+/](?:[\w+./-]|[ :](?=[\w+./-]))*")
"""What needs no quotes, in brackets or not."""


def _scalar(value: str) -> str:
    """Text as a YAML value: as it is where that is safe, else in quotes."""
    return value if _SAFE.fullmatch(value) else json.dumps(value, ensure_ascii=False)
