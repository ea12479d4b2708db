"""YAML text → changed YAML text, in which everything else stays as its author wrote it.

``ruamel.yaml`` keeps comments, order and quotes; what it would still lay out anew (indents, the
space within brackets) is taken from the author's text, line by line.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver


class _TextResolver(VersionedResolver):
    """Takes every scalar for text, as the configuration's reader does: ``0600`` keeps its zero."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """The tag of a node. ``<<`` alone means something."""
        if kind is ScalarNode and implicit[0] and value != "<<":
            return self.DEFAULT_SCALAR_TAG
        return super().resolve(kind, value, implicit)


def changed(text: str, change: Callable[[CommentedMap], None]) -> str:
    """Apply a change to the tree of a YAML mapping, and give back the text with it.

    Raises ValueError where the text cannot be read that way.
    """
    try:
        tree = _yaml().load(text)
        before = _dumped(tree)
        change(tree)
        after = _dumped(tree)
        if before == after:
            return text
        merged = _merged(text.splitlines(), before.splitlines(), after.splitlines())
        whole = merged if _yaml().load(merged) == _yaml().load(after) else after
    except (YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return whole.replace("\n", "\r\n") if "\r\n" in text else whole


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.Resolver = _TextResolver
    yaml.preserve_quotes = True
    yaml.width = 1 << 20
    return yaml


def _dumped(tree: CommentedMap) -> str:
    stream = io.StringIO()
    _yaml().dump(tree, stream)
    return stream.getvalue()


def _merged(author: list[str], before: list[str], after: list[str]) -> str:
    """The author's lines with the difference between the two others in them.

    ``before`` is the author's text laid out anew. Where that moves lines, nothing can be said of
    which is which, and the new layout stands.
    """
    if len(author) != len(before):
        return "\n".join(after) + "\n"
    lines: list[str] = []
    for what, start, end, first, last in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        lines += author[start:end] if what == "equal" else after[first:last]
    return "\n".join(lines) + "\n"
