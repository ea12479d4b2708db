"""YAML text → changed YAML text, in which comments, order and quotes stay.

What ``patching`` cannot do in the text itself is written anew by ``ruamel.yaml``, which keeps
them too but lays the rest out its own way.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml as pyyaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.util import load_yaml_guess_indent

from asterisk_agent.config.patching import Plain, TooMuch, patched


class _TextResolver(VersionedResolver):
    """Takes every scalar for text, as the configuration's reader does: ``0600`` keeps its zero."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """The tag of a node. ``<<`` alone means something."""
        if kind is ScalarNode and implicit[0] and value != "<<":
            return self.DEFAULT_SCALAR_TAG
        return super().resolve(kind, value, implicit)


def changed(text: str, change: Callable[[CommentedMap], None]) -> str:
    """Apply a change to the tree of a YAML mapping, and give back the text with it.

    Every value of the tree is text. Raises ValueError where the text cannot be read that way.
    """
    if "\r\n" in text and text.count("\n") == text.count("\r\n"):
        return changed(text.replace("\r\n", "\n"), change).replace("\n", "\r\n")
    try:
        tree = _yaml().load(text)
        old = _plain(tree)
        change(tree)
        new = _plain(tree)
        try:
            found = patched(text, old, new)
            if _plain(_yaml().load(found)) == new:
                return found
        except (TooMuch, YAMLError, pyyaml.YAMLError):
            pass
        found = _laid_out(text, tree)
        if _plain(_yaml().load(found)) != new:
            raise ValueError("it could not be written so that it reads back the same")
    except (YAMLError, pyyaml.YAMLError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())) from None
    return found


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.Resolver = _TextResolver
    yaml.preserve_quotes = True
    yaml.width = 1 << 20
    return yaml


def _laid_out(text: str, tree: CommentedMap) -> str:
    """The tree as text, indented as the author likes it."""
    yaml = _yaml()
    _, indent, offset = load_yaml_guess_indent(text)
    yaml.indent(mapping=indent or 2, sequence=(offset or 0) + 2, offset=offset or 0)
    stream = io.StringIO()
    yaml.dump(tree, stream)
    return stream.getvalue()


def _plain(value: Any) -> Plain:
    """What a tree says. What ``<<`` brings in is part of it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return str(value)
