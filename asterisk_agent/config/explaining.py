"""Tree → types: a file as its section, and pydantic's errors in the operator's words."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from asterisk_agent.config import schema
from asterisk_agent.config.problems import File, Tree, named
from asterisk_agent.config.scalars import nearest


def typed(file: File, section: type[schema.Section]) -> schema.Section | None:
    """The file as its section, or None and its problems."""
    if file.tree is None:
        return None
    try:
        return section.model_validate(
            {key: _with_ids(file, key) for key in file.tree}, by_alias=True, by_name=False
        )
    except ValidationError as errors:
        found = errors.errors(include_url=False)
        not_days = [error["loc"][:-1] for error in found if error["loc"][-3::2] == _DAY_KEY]
        for error in found:
            loc = [part for part in error["loc"] if part not in ("[key]", "[days]")]
            if loc[-1:] == ["id"] or error["type"] == "default_factory_not_called":
                continue  # the key above it was refused already
            under = any(error["loc"][: len(key)] == key for key in not_days)
            if under and error["loc"][-1] != "[key]":
                continue  # the hours of something that is no day
            what, hint = _explain(section, error)
            shown = tuple(part for part in loc if isinstance(part, str))
            file.report(tuple(map(str, loc)), what, hint, shown)
    return None


def _with_ids(file: File, key: str) -> Tree:
    """What stands under a top-level key; channels and teams are told their ids."""
    sections = file.mapping()[key]
    if key not in ("channels", "teams") or not isinstance(sections, dict):
        return sections
    for name, value in sections.items():
        if isinstance(value, dict) and "id" in value:
            file.report((key, name, "id"), "is not a known key", f"{name} is the id")
    return {name: {**v, "id": name} if isinstance(v, dict) else v for name, v in sections.items()}


_DAY_KEY = ("[days]", "[key]")
"""Around the key of a place where a day belongs."""
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
        return "is missing", _add(parents, key)
    if kind == "extra_forbidden":
        return "is not a known key", _known(section, parents, key)
    if kind == "too_short":
        return "expected at least one, got none", ""
    if kind == "literal_error":
        words = str(context["expected"]).replace("'", "")
        known = words.replace(" or ", ", ").split(", ")
        return f"expected {words}, got {named(value)}", nearest(str(value), known)
    if kind in _KINDS:
        return f"expected {_KINDS[kind]}, got {named(value)}", ""
    return error["msg"], str(context.get("hint", ""))


def _add(parents: list[str], key: str) -> str:
    if parents and parents[-1].isdigit():
        return f"add {key}: to this item of the list"
    return f"add {key}: under {'.'.join(parents)}" if parents else f"add {key}:"


def _known(section: type[schema.Section], parents: list[str], key: str) -> str:
    """Where an unknown key belongs, or which one was meant."""
    known = schema.keys_at(section, parents)
    if not parents:
        for name, other in schema.FILES.items():
            if key in schema.keys_at(other, ()):
                return f"{key} belongs in {name}"
    return nearest(key, known) or "known here: " + ", ".join(known)
