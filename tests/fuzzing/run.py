"""``scripts/fuzz``: let atheris look for inputs that break a target, and report what it found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from fuzzing.harness import TARGETS, TESTS, Target

ATHERIS = "atheris>=3,<4"
SMALLEST_S = 2.0
"""With less time than that a target is not begun again."""
KEPT_BYTES = 2_048
KEPT_FILES = 60
"""The kept corpus is small: what a pull request can show, and a test replay in a second."""
FIRST_WORDS = 300

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@dataclass(slots=True)
class Result:
    """What came of one target."""

    target: str
    what: str
    seconds: float = 0.0
    executions: int = 0
    per_second: float = 0.0
    corpus: int = 0
    findings: list[dict[str, str]] = field(default_factory=list)


@app.command()
def main(
    targets: Annotated[list[str] | None, typer.Argument(metavar="[TARGET]…")] = None,
    *,
    minutes: Annotated[float, typer.Option(help="For each target.")] = 1.0,
    show: Annotated[bool, typer.Option("--list", help="Name the targets.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Add what reached new code to tests/data/fuzz/.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where corpora and findings are written.")
    ] = None,
) -> None:
    """Fuzz the readers of hostile input. Prints JSON; exit status 1 where something broke."""
    if show:
        for target in TARGETS.values():
            typer.echo(f"{target.name:12} {target.what}")
        return
    unknown = set(targets or ()) - TARGETS.keys()
    if unknown:
        typer.echo(f"fuzz: no target {', '.join(sorted(unknown))}. Hint: --list", err=True)
        raise typer.Exit(2)
    work = out or Path(tempfile.mkdtemp(prefix="fuzz-"))
    results = []
    for name in targets or TARGETS:
        typer.echo(f"fuzz: {name}, {minutes:g} min", err=True)
        results.append(hunt(TARGETS[name], minutes * 60, work / name))
        if keep:
            keep_corpus(TARGETS[name], work / name / "corpus")
    told = {"minutes": minutes, "work": str(work), "targets": [asdict(r) for r in results]}
    typer.echo(json.dumps(told, indent=1))
    if any(result.findings for result in results):
        raise typer.Exit(1)


def hunt(target: Target, seconds: float, work: Path) -> Result:
    """One target for so long; again where an input ended its process."""
    for folder in ("corpus", "findings"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    result = Result(target.name, target.what)
    began = time.monotonic()
    while (left := began + seconds - time.monotonic()) > SMALLEST_S:
        ended = _run(target, left, work)
        figures = json.loads((work / "figures.json").read_text(encoding="utf-8"))
        result.executions += figures["executions"]
        (work / "figures.json").unlink()
        if ended == 0:
            break
    result.seconds = round(time.monotonic() - began, 1)
    result.per_second = round(result.executions / max(result.seconds, 0.1), 1)
    result.corpus = sum(1 for _ in (work / "corpus").iterdir())
    result.findings = list(_findings(work / "findings"))
    return result


def _run(target: Target, seconds: float, work: Path) -> int:
    command = [sys.executable, "-m", "fuzzing.child", target.name, str(seconds), str(work)]
    paths = [str(TESTS.parent), str(TESTS), *sys.path[1:]]
    with (work / "log").open("ab") as log:
        done = subprocess.run(
            command,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            timeout=seconds + 120,
            check=False,
        )
    if not (work / "figures.json").exists():
        tail = (work / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
        typer.echo(f"fuzz: {target.name} does not start:\n{tail}", err=True)
        raise typer.Exit(3)
    return done.returncode


def _findings(folder: Path) -> Iterator[dict[str, str]]:
    """What broke the target, with its input's file; a hang and a crash have libFuzzer's names."""
    for file in sorted(folder.iterdir()):
        if file.suffix == ".txt":
            continue
        told = file.with_name(f"{file.name}.txt")
        words = told.read_text(encoding="utf-8") if told.exists() else file.name.partition("-")[0]
        yield {"input": str(file), "error": words.strip()[-FIRST_WORDS:]}


def keep_corpus(target: Target, found: Path) -> None:
    """Keep some inputs that reached new code, from the smallest to those of ``KEPT_BYTES``."""
    target.corpus.mkdir(parents=True, exist_ok=True)
    known = {file.name for file in target.corpus.iterdir()}
    fresh = [file for file in found.iterdir() if file.name not in known]
    small = sorted((file.stat().st_size, file) for file in fresh)
    small = [(size, file) for size, file in small if 0 < size <= KEPT_BYTES]
    room = max(0, KEPT_FILES - len(known))
    step = max(1, -(-len(small) // max(1, room)))
    for _, file in small[::step][:room]:
        shutil.copyfile(file, target.corpus / file.name)


def ensure_atheris(folder: Path) -> None:
    """Install atheris where it is missing, beside the environment and not into it."""
    if (folder / "atheris").is_dir():
        return
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([*pip, "--target", str(folder), ATHERIS], stdout=sys.stderr, check=False)
    if done.returncode != 0:
        typer.echo(
            "fuzz: atheris cannot be installed. Hint: it has wheels for Linux and Python 3.11 to "
            "3.13; tests/test_fuzz.py replays the kept inputs without it",
            err=True,
        )
        raise typer.Exit(3)


if __name__ == "__main__":
    from asterisk_agent.config.paths import cache_directory

    there = cache_directory() / "fuzz" / (sys.implementation.cache_tag or "python")
    ensure_atheris(there)
    sys.path.append(str(there))
    app()
