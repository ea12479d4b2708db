"""The models this product knows: their files, hashes and sources, and which are installed.

Reads ``models/catalogue.yaml``. A model is installed as the folder ``models_directory()/ID``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from asterisk_agent.config.paths import shared_file
from asterisk_agent.errors import ModelError

Kind = Literal["vad", "stt", "llm", "tts", "embed"]
KINDS: tuple[Kind, ...] = ("vad", "stt", "llm", "tts", "embed")
MANIFEST = ".unpacked.json"
"""In the folder of a model that was unpacked or converted: what was made, with hashes."""
ANY = "*"
"""Among a model's languages, or as a key of ``defaults``: every language."""
_CHUNK = 1 << 20


def _safe_path(text: str) -> str:
    """Refuse a path that could leave the folder it is meant for."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text or path.as_posix() != text:
        raise ValueError(f"unsafe path {text!r}")
    return text


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
RelativePath = Annotated[str, AfterValidator(_safe_path)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(_Frozen):
    """One file as its author published it. ``size`` in bytes."""

    sha256: Sha256
    size: int = Field(gt=0)


class Archive(Entry):
    """A .zip that holds the whole model below the folder ``strip``."""

    strip: str = ""


class Packages(_Frozen):
    """Wheels that carry a model's files.

    ``zipped``: members of the wheels that, joined, are a .zip which holds the files.
    """

    packages: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*==[\w.]+$")], ...]
    folder: str = ""
    members: Mapping[str, tuple[RelativePath, ...]] = {}
    zipped: tuple[RelativePath, ...] = ()

    def members_of(self, file: str) -> tuple[str, ...]:
        """Paths inside the wheels (or the .zip) whose contents, joined, are ``file``."""
        return self.members.get(file) or (self.folder + file,)


class Source(_Frozen):
    """One place a model may come from: an address or packages."""

    url: str | None = None
    pypi: Packages | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Source:
        if (self.url is None) == (self.pypi is None):
            raise ValueError("a source is either url or pypi")
        return self

    def __str__(self) -> str:
        if self.pypi is not None:
            return f"Python package {' + '.join(self.pypi.packages)}"
        return re.sub(r"/\{file\}$", "", self.url or "")


class Model(_Frozen):
    """One model of the catalogue. Exactly one of ``files`` and ``archive`` is given.

    ``optional``: the service works without, if less well. ``converted``: the folder of what is made
    from the files once they are here, in the format of the engine's library.
    """

    id: Name
    kind: Kind
    engine: str
    languages: tuple[str, ...]
    licence: str
    files: Mapping[RelativePath, Entry] = {}
    archive: Archive | None = None
    sources: tuple[Source, ...] = Field(min_length=1)
    optional: bool = False
    converted: RelativePath | None = None

    @model_validator(mode="after")
    def _files_or_archive(self) -> Model:
        if bool(self.files) == (self.archive is not None):
            raise ValueError("a model has either files or an archive")
        return self

    @property
    def size(self) -> int:
        """Bytes to fetch."""
        if self.archive:
            return self.archive.size
        return sum(entry.size for entry in self.files.values())

    def speaks(self, language: str) -> bool:
        """Whether it is made for ``language`` ("en", "en-US")."""
        return ANY in self.languages or base_language(language) in self.languages


class State(StrEnum):
    """Whether a model can be used."""

    INSTALLED = "installed"
    MISSING = "missing"
    BROKEN = "broken"


class Status(_Frozen):
    """A model's state on this machine, and what is wrong where something is."""

    state: State
    problems: tuple[str, ...] = ()


class Catalogue(_Frozen):
    """Every known model, in order of preference."""

    models: Mapping[str, Model]
    defaults: Mapping[str, Mapping[Kind, tuple[str, ...]]]

    @model_validator(mode="before")
    @classmethod
    def _name_models(cls, data: dict[str, dict[str, dict[str, object]]]) -> object:
        named = {key: {"id": key, **value} for key, value in data.get("models", {}).items()}
        return {**data, "models": named}

    @model_validator(mode="after")
    def _defaults_exist(self) -> Catalogue:
        for language, kinds in self.defaults.items():
            for kind, names in kinds.items():
                if wrong := [name for name in names if name not in self.models]:
                    raise ValueError(f"defaults.{language}.{kind}: no model {wrong[0]}")
        return self

    def __getitem__(self, name: str) -> Model:
        try:
            return self.models[name]
        except KeyError:
            raise ModelError(
                f"no model {name!r} in the catalogue", hint="run: asterisk-agent models list"
            ) from None

    def default(self, kind: Kind, language: str) -> tuple[Model, ...]:
        """Models to take for a language unless told otherwise, best first."""
        chosen = self.defaults.get(base_language(language)) or self.defaults[ANY]
        return tuple(self.models[name] for name in chosen.get(kind, ()))

    def candidates(self, engine: str, language: str) -> tuple[Model, ...]:
        """Models of one engine that know a language, in the catalogue's order."""
        found = self.models.values()
        return tuple(m for m in found if m.engine == engine and m.speaks(language))


def base_language(language: str) -> str:
    """The language without its country: "en" of "en-US"."""
    return re.split(r"[-_]", language, maxsplit=1)[0].lower()


@cache
def read(path: Path | None = None) -> Catalogue:
    """Read the catalogue. Raises ModelError where it is missing or malformed."""
    path = path or shared_file("models/catalogue.yaml")
    hint = "reinstall the package"
    try:
        return Catalogue.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}", hint=hint) from error
    except (yaml.YAMLError, ValidationError, AttributeError, TypeError) as error:
        raise ModelError(f"{path}: {error}", hint=hint) from error


def status(model: Model, root: Path) -> Status:
    """Look at names and sizes only: quick enough for every start."""
    return _examine(model, root / model.id, hashes=False)


def verify(model: Model, root: Path) -> Status:
    """Read every byte and compare the hashes."""
    return _examine(model, root / model.id, hashes=True)


def _examine(model: Model, folder: Path, *, hashes: bool) -> Status:
    if not folder.is_dir():
        return Status(state=State.MISSING)
    expected = _expected(model, folder)
    if expected is None:
        return Status(state=State.BROKEN, problems=(f"{MANIFEST}: missing or not of these files",))
    checked = (problem_of(folder / name, entry, hashes=hashes) for name, entry in expected.items())
    problems = tuple(problem for problem in checked if problem)
    return Status(state=State.BROKEN if problems else State.INSTALLED, problems=problems)


def problem_of(path: Path, entry: Entry, *, hashes: bool = True) -> str:
    """What is wrong with a file, in one line; "" where nothing is."""
    if not path.is_file():
        return f"{path.name}: missing"
    if (size := path.stat().st_size) != entry.size:
        return f"{path.name}: has {size} bytes, expected {entry.size}"
    if hashes and (got := sha256_of(path)) != entry.sha256:
        return f"{path.name}: SHA-256 expected {entry.sha256}, got {got}"
    return ""


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(model: Model, folder: Path) -> None:
    """Note what was unpacked into ``folder``, or converted below it, so that it can be verified."""
    if not model.archive and not model.converted:
        return
    below = folder / (model.converted or "")
    files = {
        path.relative_to(folder).as_posix(): {
            "sha256": sha256_of(path),
            "size": path.stat().st_size,
        }
        for path in sorted(below.rglob("*"))
        if path.is_file()
    }
    manifest = {"archive": _origin(model), "files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")


class _Manifest(_Frozen):
    archive: Sha256
    """What it came from: see ``_origin``."""
    files: Mapping[RelativePath, Annotated[Entry, Field()]]


def _expected(model: Model, folder: Path) -> Mapping[str, Entry] | None:
    """The files that belong there; None where what was made of the published ones is unknown."""
    if not model.archive and not model.converted:
        return model.files
    try:
        manifest = _Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None
    return {**model.files, **manifest.files} if manifest.archive == _origin(model) else None


def _origin(model: Model) -> str:
    """The SHA-256 of the archive; of files, that of their own, one after the other."""
    if model.archive:
        return model.archive.sha256
    hashes = "".join(model.files[name].sha256 for name in sorted(model.files))
    return hashlib.sha256(hashes.encode("ascii")).hexdigest()
