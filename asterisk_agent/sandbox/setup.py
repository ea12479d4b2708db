"""``scripts/setup``: everything that this clone needs, made where it is missing.

Runs on any Python 3.11 with nothing installed. Says nothing and takes no time where nothing is
to be done; may be interrupted and repeated at any point; several at once wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asterisk_agent.config.paths import cache_directory, models_directory
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import distribution, fetch, system
from asterisk_agent.sandbox.environment import Environment
from asterisk_agent.sandbox.steps import Steps


class ModelsMark:
    """Remembers which models were there after the last pull, so that asking costs nothing."""

    def __init__(self, root: Path) -> None:
        self._catalogue = root / "models" / "catalogue.yaml"
        self._path = cache_directory() / "models.pulled"

    def holds(self) -> bool:
        """Whether the catalogue is the same and every model is still where it was."""
        try:
            mark = json.loads(self._path.read_text(encoding="utf-8"))
            folders = [Path(folder) for folder in mark["folders"]]
            same = mark["catalogue"] == self._digest() and mark["root"] == str(models_directory())
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return same and bool(folders) and all(folder.is_dir() for folder in folders)

    def set(self, identities: list[str]) -> None:
        """The models with these ids are there."""
        folders = [str(models_directory() / identity) for identity in identities]
        mark = {"catalogue": self._digest(), "root": str(models_directory()), "folders": folders}
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(mark), encoding="utf-8")
        temporary.replace(self._path)

    def _digest(self) -> str:
        return hashlib.sha256(self._catalogue.read_bytes()).hexdigest()


def is_ready(root: Path) -> bool:
    """Whether there is nothing to do."""
    return (
        Environment(root).is_ready()
        and ModelsMark(root).holds()
        and distribution.find() is not None
        and not system.missing(system.needs(compiler=False))
    )


def prepare(root: Path, steps: Steps) -> None:
    """Make everything that is missing. Raises SandboxError."""
    environment = Environment(root)
    compiler = not environment.has_shared() and environment.wheel is None
    system.install(system.missing(system.needs(compiler=compiler)), steps)
    environment.build(steps)
    if distribution.find() is None:
        with steps.step("fetching a private Asterisk, 95 MB"):
            fetch.ensure(steps.note)
    if not ModelsMark(root).holds():
        steps.say("fetching the speech and language models")
        pull_models(root, environment)


def pull_models(root: Path, environment: Environment) -> None:
    """Have the command fetch the default models; it shows its own progress."""
    command = [str(environment.python), "-m", "asterisk_agent.cli.main", "models"]
    if subprocess.run([*command, "pull"], stdout=sys.stderr, check=False).returncode != 0:
        raise SandboxError(
            "the models could not all be fetched", hint="repeat scripts/setup; nothing is lost"
        )
    listed = subprocess.run([*command, "list", "--json"], stdout=subprocess.PIPE, check=True)
    models = json.loads(listed.stdout)["models"]
    ModelsMark(root).set([model["id"] for model in models if model["state"] == "installed"])


@contextmanager
def alone(steps: Steps) -> Iterator[None]:
    """One setup at a time on this machine; a second one waits."""
    path = cache_directory() / "setup.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with steps.step("waiting for another setup"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(root: Path) -> int:
    """Set up the clone at ``root``; exit status 1 with a clear message if that is impossible."""
    steps = Steps(cache_directory() / "setup.log")
    try:
        if is_ready(root):
            return 0
        with alone(steps):
            steps.log.unlink(missing_ok=True)
            prepare(root, steps)
    except SandboxError as error:
        steps.say(error.message)
        return 1
    except KeyboardInterrupt:
        steps.say("interrupted; run it again to go on")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[2]))
