"""What every part of the configuration is built from, and how a key is looked up in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from asterisk_agent.config.names import Id, Label


class Section(BaseModel):
    """A mapping of known keys. Frozen; an unknown key is an error.

    A field whose name is no key (``from`` cannot name one) has the key as its alias; code may use
    either. The loader takes keys alone.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_alias=True, validate_by_name=True
    )


class Named(Section):
    """A section that stands under an id of its own; its label is the id where none is given."""

    id: Id
    label: Label = Field(default_factory=lambda section: section["id"])


@dataclass(frozen=True, slots=True)
class MayHold:
    """Marks a value that may be written as a section instead."""

    section: type[Section]


def keys_at(section: type[Section], path: Sequence[str]) -> tuple[str, ...]:
    """The keys that may stand at ``path`` of a file; () where ids or values stand."""
    return tuple(name for name in fields_at(section, path) if name != "id")


def fields_at(section: type[Section], path: Sequence[str]) -> Mapping[str, FieldInfo]:
    """The schema's fields at ``path`` of a file, by key; any word will do where an id stands."""
    kinds: list[Any] = [section]
    for key in path:
        kinds = [below for kind in kinds for below in _below(kind, key)]
    return {key: field for kind in kinds for key, field in _fields(kind).items()}


def _fields(kind: Any) -> dict[str, FieldInfo]:
    """A section's fields by key. An alias in brackets, or a path, is no key of its own."""
    fields: Mapping[str, FieldInfo] = getattr(kind, "model_fields", {})
    keyed = [(field.validation_alias or name, field) for name, field in fields.items()]
    return {key: field for key, field in keyed if isinstance(key, str) and not key.startswith("[")}


def _below(kind: Any, key: str) -> Iterator[Any]:
    """What may stand under ``key`` of a section, a mapping with ids, or a list."""
    if hasattr(kind, "model_fields"):
        field = _fields(kind).get(key)
        if field is not None:
            yield from _bare(field.annotation)
            yield from (mark.section for mark in field.metadata if isinstance(mark, MayHold))
    elif get_origin(kind) is dict:
        yield from _bare(get_args(kind)[1])
    elif get_origin(kind) is tuple and (key == "[]" or key.isdigit()):
        yield from _bare(get_args(kind)[0])


def _bare(kind: Any) -> Iterator[Any]:
    """The alternatives of a type, without ``Annotated``."""
    if get_origin(kind) is Annotated:
        yield from _bare(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from _bare(each)
    else:
        yield kind
