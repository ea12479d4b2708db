"""YAML files → ``schema.Config``, or every mistake in them at once.

Three steps: text becomes a tree of plain text, lists and mappings that knows its lines
(``_Reader``); the schema types it; names that point elsewhere are looked up. Each step goes on
past a mistake, so that an operator mends a file once and not ten times.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from asterisk_agent.config import schema
from asterisk_agent.config.scalars import got, nearest
from asterisk_agent.config.schema import Config
from asterisk_agent.errors import ConfigError

MAX_FILE_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_VALUES = 50_000
"""Limits of one file. Values count once per alias, so a few lines cannot unfold to billions."""

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"
KeyPath: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake; ``line`` 0 means the whole file."""

    file: str
    line: int
    path: KeyPath
    what: str
    hint: str = ""

    @property
    def where(self) -> str:
        """``etc/teams.yaml:14``, or the file alone."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def problem(self) -> str:
        """``teams.sales.queue.wait: expected …``."""
        path = ".".join(k if k.isprintable() and len(k) <= 60 else _got(k) for k in self.path)
        return f"{path}: {self.what}" if path else self.what

    def __str__(self) -> str:
        end = "" if self.hint.endswith("?") else "."
        hint = f" Hint: {self.hint}{end}" if self.hint else ""
        return f"{self.where}: {self.problem}.{hint}"


@dataclass(slots=True)
class _File:
    """One file's tree, the line of every key path in it, and what is wrong with it."""

    name: str
    tree: dict[str, Tree] | None = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def report(
        self, path: KeyPath, what: str, hint: str = "", shown: KeyPath | None = None
    ) -> None:
        """Note a problem in the line of ``path``, or of what is nearest above it."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        line = self.lines.get(known, 1)
        self.problems.append(Problem(self.name, line, path if shown is None else shown, what, hint))

    def mapping(self, *path: str) -> dict[str, Tree]:
        """The mapping at ``path``; empty where there is none."""
        at: Tree = self.tree or {}
        for key in path:
            at = at.get(key, "") if isinstance(at, dict) else ""
        return at if isinstance(at, dict) else {}

    def words(self, *path: str) -> list[str]:
        """The text, or the texts of the list, at ``path``."""
        at = self.mapping(*path[:-1]).get(path[-1], [])
        return [word for word in (at if isinstance(at, list) else [at]) if isinstance(word, str)]


def load(directory: Path) -> Config:
    """Read and check a configuration directory. Raises ConfigError naming every problem."""
    config, problems = examine(directory)
    if config is None:
        raise ConfigError([str(problem) for problem in problems])
    return config


def examine(directory: Path) -> tuple[Config | None, list[Problem]]:
    """The configuration, or None and every problem in it, file by file and line by line."""
    if not os.path.isdir(directory):  # False, not an error, where nothing may be looked at
        hint = "name the directory that holds agent.yaml with --config"
        return None, [Problem(str(directory), 0, (), "no such directory", hint)]
    files = {name: _read(directory, name) for name in schema.FILES}
    parts: dict[str, Any] = {}
    for name, section in schema.FILES.items():
        typed = _typed(files[name], section)
        if typed:
            parts |= {key: getattr(typed, key) for key in type(typed).model_fields}
    _check_names(directory, files)
    problems = [p for file in files.values() for p in sorted(file.problems, key=lambda p: p.line)]
    if problems:
        return None, list(dict.fromkeys(problems))
    parts["hours"] = {name: written.week for name, written in parts["hours"].items()}
    return Config(directory=directory, **parts), []


# --- Text → tree --------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """Composes nodes and constructs nothing; stops at nesting that nobody writes by hand."""

    depth = 0
    values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        self.values += 1
        if self.depth > MAX_DEPTH or self.values > MAX_VALUES:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            problem = _TOO_DEEP if self.depth > MAX_DEPTH else _TOO_MANY
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
_TOO_MANY = f"more than {MAX_VALUES} values"


def _read(directory: Path, name: str) -> _File:
    """Read one file; what is wrong with it ends up in its ``problems``."""
    file = _File(str(directory / name))
    text = _text(directory / name, file)
    if text is None:
        return file
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"holds the control character U+{int(error.character):04X}"
        file.problems.append(Problem(file.name, line, (), what, "delete it"))
    except yaml.MarkedYAMLError as error:
        file.problems.append(_syntax(file.name, text.splitlines(), error))
    except (ValueError, OverflowError):  # "\\UFFFFFFFF": PyYAML lets chr() fail
        file.problems.append(Problem(file.name, 0, (), "is not YAML: an impossible \\ escape"))
    else:
        if node is None:
            keys = " and ".join(f"{key}:" for key in schema.keys_at(schema.FILES[name], ()))
            file.problems.append(Problem(file.name, 0, (), "is empty", f"it holds {keys}"))
        else:
            _Reader(file).read(node)
    return file


def _text(path: Path, file: _File) -> str | None:
    """The file's text, or None and a problem."""
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size <= MAX_FILE_BYTES:
            return path.read_bytes().decode("utf-8-sig")
        what = "is larger than 1 MiB" if stat.S_ISREG(status.st_mode) else "is not a file"
        file.problems.append(Problem(file.name, 0, (), what))
    except FileNotFoundError:
        other = path.with_suffix(".yml")
        hint = f"rename {other.name} to {path.name}" if other.exists() else _EXAMPLE
        file.problems.append(Problem(file.name, 0, (), "no such file", hint))
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        file.problems.append(Problem(file.name, 0, (), what))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        file.problems.append(
            Problem(file.name, line, (), "is not UTF-8 text", "save the file as UTF-8")
        )
    return None


_EXAMPLE = "etc/ of the source holds a complete example"


def _syntax(name: str, lines: list[str], error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    number = mark.line if mark else 0
    text = lines[number] if number < len(lines) else ""
    if "\t" in text[: len(text) - len(text.lstrip())] or "'\\t'" in (error.problem or ""):
        return Problem(name, number + 1, (), "a tab stands where spaces belong", "use spaces")
    if "another document" in (error.problem or ""):
        return Problem(name, number + 1, (), "holds a second document", "remove the line ---")
    hint = "look at the indentation and the quotes of this line and the one above"
    for words, remedy in _SYNTAX_HINTS.items():
        if words in (error.problem or ""):
            hint = remedy
    return Problem(name, number + 1, (), f"is not YAML: {error.problem}", hint)


_SYNTAX_HINTS = {
    "mapping values are not allowed": "put text that holds a colon in quotes",
    "undefined alias": "put text that begins with * in quotes",
    "cannot start any token": "put text that begins with @, ` or % in quotes",
    _TOO_DEEP: "look at the brackets and the indentation",
    _TOO_MANY: "split what is not configuration off",
}


_YAML = "tag:yaml.org,2002:"
_TAGS = frozenset(
    ["null", "bool", "int", "float", "timestamp", "str", "seq", "map", "merge", "value"]
)
"""What YAML takes plain values for. All of it is read as text."""


class _Reader:
    """Turns YAML nodes into a tree of text and notes the line of every key path."""

    def __init__(self, file: _File) -> None:
        self._file = file
        self._values = 0

    def read(self, node: yaml.Node) -> None:
        try:
            tree = self._tree(node, ())
        except _TooMuch as error:
            self._file.report((), f"unfolds to {error}", "write it with fewer anchors")
            return
        if isinstance(tree, dict):
            self._file.tree = tree
        else:
            self._file.report((), f"expected keys and values, got {_got(tree)}")

    def _tree(self, node: yaml.Node, path: KeyPath) -> Tree:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _TooMuch(_TOO_MANY)
        if len(path) > MAX_DEPTH:
            raise _TooMuch(f"more than {MAX_DEPTH} levels")
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
                self._file.report(path, f"expected plain text as a key, got {_got(key.value)}")
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
                self._file.report(path, f"expected <<: to bring in a mapping, got {_got(tree)}")
        return merged


class _TooMuch(Exception):
    """Aliases multiply to more than anybody means."""


# --- Tree → types -------------------------------------------------------------------------------


def _typed(file: _File, section: type[schema.Section]) -> schema.Section | None:
    """The file as its section, or None and its problems."""
    if file.tree is None:
        return None
    try:
        return section.model_validate(
            {key: _with_ids(file, key) for key in file.tree}, by_alias=True, by_name=False
        )
    except ValidationError as errors:
        for error in errors.errors(include_url=False):
            loc = [part for part in error["loc"] if not str(part).startswith("[")]
            if loc[-1:] == ["id"] or error["type"] == "default_factory_not_called":
                continue  # the key above it was refused already
            what, hint = _explain(section, error)
            shown = tuple(part for part in loc if isinstance(part, str))
            file.report(tuple(map(str, loc)), what, hint, shown)
    return None


def _with_ids(file: _File, key: str) -> Tree:
    """What stands under a top-level key; channels and teams are told their ids."""
    named = file.mapping()[key]
    if key not in ("channels", "teams") or not isinstance(named, dict):
        return named
    for name, value in named.items():
        if isinstance(value, dict) and "id" in value:
            file.report((key, name, "id"), "is not a known key", f"{name} is the id")
    return {name: {**v, "id": name} if isinstance(v, dict) else v for name, v in named.items()}


_KINDS = {
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
}


def _explain(section: type[schema.Section], error: ErrorDetails) -> tuple[str, str]:
    """Pydantic's error in the operator's words: the problem and a hint."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    *parents, key = map(str, error["loc"]) if error["loc"] else [""]
    if kind == "missing":
        return "is missing", f"add {key}: under {'.'.join(parents)}" if parents else f"add {key}:"
    if kind == "extra_forbidden":
        return "is not a known key", _known(section, parents, key)
    if kind == "too_short":
        return "expected at least one, got none", ""
    if kind == "literal_error":
        words = str(context["expected"]).replace("'", "")
        known = words.replace(" or ", ", ").split(", ")
        return f"expected {words}, got {_got(value)}", nearest(str(value), known)
    if kind in _KINDS:
        return f"expected {_KINDS[kind]}, got {_got(value)}", ""
    return error["msg"], str(context.get("hint", ""))


def _known(section: type[schema.Section], parents: list[str], key: str) -> str:
    """Where an unknown key belongs, or which one was meant."""
    known = schema.keys_at(section, parents)
    if not parents:
        for name, other in schema.FILES.items():
            if key in schema.keys_at(other, ()):
                return f"{key} belongs in {name}"
    return nearest(key, known) or "known here: " + ", ".join(known)


def _got(value: object) -> str:
    return "nothing" if value == "" else got(value)


# --- Names that point elsewhere -----------------------------------------------------------------


def _check_names(directory: Path, files: Mapping[str, _File]) -> None:
    """Look up every name that one place of the configuration takes from another.

    Works on what is written, not on what was typed: a mistake in a team must not make every
    channel that names it look wrong as well. A file that could not be read is not searched.
    """
    channels, teams = files["channels.yaml"], files["teams.yaml"]
    for name in channels.mapping("channels"):
        at = ("channels", name)
        _check_known(channels, (*at, "hours"), files["hours.yaml"], "hours")
        _check_known(channels, (*at, "in_hours", "handoff"), teams, "teams")
        _check_handoff(channels, at, teams)
        _check_topics(channels, (*at, "knowledge"), directory / "knowledge")
        for state in ("in_hours", "after_hours"):
            unanswered = (*at, state, "unanswered")
            _check_known(channels, (*unanswered, "message"), teams, "messages")
            _check_known(channels, (*unanswered, "voicemail"), teams, "teams")
            _check_voicemail(channels, (*unanswered, "voicemail"), teams)
    _check_unique(channels, "channels", ("number",), lambda number: number.removeprefix("+"))
    _check_unique(teams, "teams", ("extension",))
    _check_unique(teams, "teams", ("voicemail", "mailbox"))
    _check_alike(teams, "teams")


def _check_known(file: _File, path: KeyPath, where: _File, what: str) -> None:
    if where.tree is None:
        return
    known = list(where.mapping(what))
    for name in file.words(*path):
        if name and name not in known:
            listed = f"{Path(where.name).name} has {', '.join(known) or 'none'}"
            hint = nearest(name, known) or listed
            file.report(path, f"{got(name)} is not one of the {what}", hint)


def _check_handoff(channels: _File, at: KeyPath, teams: _File) -> None:
    """A channel that may send callers to people needs people to send them to."""
    path = (*at, "in_hours", "handoff")
    handoff = channels.words(*path)
    for name in handoff:
        team = teams.mapping("teams").get(name)
        if isinstance(team, dict) and not {"members", "extension", "existing"} & team.keys():
            hint = f"give {name} members or existing in teams.yaml"
            channels.report(path, f"nobody can be reached in the team {got(name)}", hint)
    agent_off = [word.lower() for word in channels.words(*at, "agent")] in _OFF
    answers = channels.words(*at, "in_hours", "answer") + channels.words(
        *at, "after_hours", "answer"
    )
    if handoff or not channels.mapping(*at, "in_hours") or (agent_off and "team" not in answers):
        return
    channels.report(
        path, "expected at least one team, got none", "name who helps when the agent can't"
    )


_OFF = (["off"], ["no"], ["false"])


def _check_voicemail(file: _File, path: KeyPath, teams: _File) -> None:
    for name in file.words(*path):
        team = teams.mapping("teams").get(name)
        if isinstance(team, dict) and "voicemail" not in team:
            hint = f"give {name} a voicemail: in teams.yaml"
            file.report(path, f"the team {got(name)} has no voicemail", hint)


def _check_topics(file: _File, path: KeyPath, knowledge: Path) -> None:
    for topic in file.words(*path):
        if topic and ".." not in topic and not os.path.exists(knowledge / topic):
            known = sorted(each.name for each in knowledge.iterdir()) if knowledge.is_dir() else []
            hint = nearest(topic, known) or f"put the documents into {knowledge / topic}"
            file.report(path, f"{got(topic)} is not a folder or file of {knowledge}", hint)


def _check_unique(
    file: _File, kind: str, key: KeyPath, same: Callable[[str], str] = lambda text: text
) -> None:
    """No two channels, or teams, may hold the same ``key``."""
    owners: dict[str, str] = {}
    hint = f"give each of the {kind} its own"
    for name in file.mapping(kind):
        for value in file.words(kind, name, *key):
            owner = owners.setdefault(same(value), name)
            if owner != name:
                file.report((kind, name, *key), f"{got(value)} belongs to {owner} already", hint)


def _check_alike(file: _File, kind: str) -> None:
    """Ids become extensions, in which Asterisk does not see hyphens."""
    owners: dict[str, str] = {}
    for name in file.mapping(kind):
        owner = owners.setdefault(name.replace("-", ""), name)
        if owner != name:
            what = f"differs from {owner} by hyphens alone, which Asterisk does not see"
            file.report((kind, name), what, "choose another id")
