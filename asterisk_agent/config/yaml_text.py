"""A file's text → YAML nodes, or what is wrong with it. Constructs nothing, and has limits."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import yaml

from asterisk_agent.config import schema
from asterisk_agent.config.problems import File, Problem
from asterisk_agent.config.tree import MAX_DEPTH, MAX_VALUES, TOO_DEEP, TOO_MANY, TreeReader

MAX_FILE_BYTES = 1 << 20


class _Loader(yaml.SafeLoader):
    """Composes nodes and constructs nothing; stops at nesting that nobody writes by hand."""

    depth = 0
    values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        self.values += 1
        if self.depth > MAX_DEPTH or self.values > MAX_VALUES:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            problem = TOO_DEEP if self.depth > MAX_DEPTH else TOO_MANY
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def read(directory: Path, name: str, instead: bytes | None = None) -> File:
    """Read one file, or take ``instead`` for its content.

    What is wrong with it ends up in its ``problems``.
    """
    file = File(str(directory / name))
    content = _content(directory / name, file) if instead is None else instead
    text = None if content is None else _decoded(content, file)
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
            keys = ", ".join(f"{key}:" for key in schema.keys_at(schema.FILES[name], ()))
            file.problems.append(Problem(file.name, 0, (), "is empty", f"known here: {keys}"))
        else:
            TreeReader(file).read(node)
    return file


def _content(path: Path, file: File) -> bytes | None:
    """The file's bytes, or None and a problem."""
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            with path.open("rb") as stream:
                return stream.read(MAX_FILE_BYTES + 1)
        file.problems.append(Problem(file.name, 0, (), "is not a file"))
    except FileNotFoundError:
        other = path.with_suffix(".yml")
        hint = f"rename {other.name} to {path.name}" if other.exists() else _EXAMPLE
        file.problems.append(Problem(file.name, 0, (), "no such file", hint))
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        file.problems.append(Problem(file.name, 0, (), what))
    return None


def _decoded(content: bytes, file: File) -> str | None:
    """The text of a file's bytes, or None and a problem."""
    if len(content) > MAX_FILE_BYTES:
        file.problems.append(Problem(file.name, 0, (), "is larger than 1 MiB"))
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
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
    TOO_DEEP: "look at the brackets and the indentation",
    TOO_MANY: "split what is not configuration off",
}
