"""YAML nodes → a tree of plain text, lists and mappings that knows its lines."""

from __future__ import annotations

import re

import yaml

from asterisk_agent.config.problems import File, KeyPath, Tree, named

MAX_DEPTH = 20
MAX_VALUES = 50_000
"""Limits of one file. Values count once per alias, so a few lines cannot unfold to billions."""
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
TOO_MANY = f"more than {MAX_VALUES} values"

_YAML = "tag:yaml.org,2002:"
_TAGS = frozenset(
    ["null", "bool", "int", "float", "timestamp", "str", "seq", "map", "merge", "value"]
)
"""What YAML takes plain values for. All of it is read as text."""


class TreeReader:
    """Turns YAML nodes into a tree of text and notes the line of every key path."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._values = 0
        self._depth = 0

    def read(self, node: yaml.Node) -> None:
        """Take a file's root; what is wrong with it ends up in the file's ``problems``."""
        try:
            tree = self._tree(node, ())
        except _TooMuch as error:
            self._file.report((), f"unfolds to {error}", "write it with fewer anchors")
            return
        if isinstance(tree, dict):
            self._file.tree = tree
        else:
            self._file.report((), f"expected keys and values, got {named(tree)}")

    def _tree(self, node: yaml.Node, path: KeyPath) -> Tree:
        # The depth is counted, not read from the path: what is merged has the path of its mapping.
        self._values += 1
        self._depth += 1
        if self._values > MAX_VALUES:
            raise _TooMuch(TOO_MANY)
        if self._depth > MAX_DEPTH:
            raise _TooMuch(f"more than {MAX_DEPTH} levels")
        tree = self._of_kind(node, path)
        self._depth -= 1
        return tree

    def _of_kind(self, node: yaml.Node, path: KeyPath) -> Tree:
        if node.tag.removeprefix(_YAML) not in _TAGS:
            tag = node.tag.replace(_YAML, "!!")
            self._file.report(path, f"has the tag {tag}", "remove it: tags mean nothing here")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self._list(node, path)
        return self._scalar(node, path)

    def _scalar(self, node: yaml.Node, path: KeyPath) -> str:
        """A scalar's text. Half a character ("\\uD800") could never be printed, so it goes."""
        text = str(node.value)
        if any("\ud800" <= character <= "\udfff" for character in text):
            self._file.report(path, "holds half a character", "write the character itself")
            return re.sub("[\ud800-\udfff]", "\ufffd", text)
        return text

    def _list(self, node: yaml.SequenceNode, path: KeyPath) -> Tree:
        items: list[Tree] = []
        for index, item in enumerate(node.value):
            here = (*path, str(index))
            self._file.lines[here] = item.start_mark.line + 1
            items.append(self._tree(item, here))
        return items

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> Tree:
        tree: dict[str, Tree] = {}
        merged: dict[str, Tree] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == f"{_YAML}merge":
                merged |= self._merged(value, path)
            elif not isinstance(key, yaml.ScalarNode):
                self._file.lines.setdefault(path, line)
                self._file.report(path, f"expected plain text as a key, got {named(key.value)}")
            elif (name := self._scalar(key, path)) in tree:
                here = (*path, name)
                first = self._file.lines[here]
                self._file.lines[here] = line
                self._file.report(here, f"is given twice, first in line {first}", "delete one")
            else:
                here = (*path, name)
                self._file.lines[here] = line
                tree[name] = self._tree(value, here)
        return merged | tree

    def _merged(self, node: yaml.Node, path: KeyPath) -> dict[str, Tree]:
        """What ``<<: *anchor`` brings in: keys that the mapping does not hold itself."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Tree] = {}
        for each in reversed(nodes):
            tree = self._tree(each, path)
            if isinstance(tree, dict):
                merged |= tree
            else:
                self._file.report(path, f"expected <<: to bring in a mapping, got {named(tree)}")
        return merged


class _TooMuch(Exception):
    """Aliases multiply to more than anybody means."""
