"""``models list | pull | verify``: what is on this machine, and getting the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from asterisk_agent.cli.app import Json, app, err, out, print_json, reports_errors
from asterisk_agent.config.paths import models_directory
from asterisk_agent.errors import ModelError

if TYPE_CHECKING:
    from asterisk_agent.engines.catalogue import Model, Status
    from asterisk_agent.engines.download import Advance

models = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(models, name="models", help="The speech and language models on this machine.")

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Models; see list.")]
OptionalConfig = Annotated[
    Path | None,
    typer.Option("--config", metavar="DIR", help="Take the models that this configuration names."),
]


class Terminal:
    """Shows a pull's progress on standard error; bars only where a person watches."""

    def say(self, line: str) -> None:
        """A line that stays."""
        err.print(line, markup=False)

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Advance]:
        """A bar that goes when it is full."""
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        rates = (TransferSpeedColumn(), TimeRemainingColumn())
        shown = err.is_terminal
        with Progress(*columns, *rates, console=err, transient=True, disable=not shown) as bar:
            task = bar.add_task(label, total=total)
            yield lambda here: bar.update(task, completed=here)

    @contextmanager
    def busy(self, label: str) -> Iterator[None]:
        """A spinner, or a line in a log."""
        if not err.is_terminal:
            err.print(label, markup=False)
            yield
            return
        with err.status(label):
            yield


@models.command("list")
@reports_errors
def list_models(as_json: Json = False) -> None:
    """Every model of the catalogue, and whether it is installed."""
    from asterisk_agent.engines import catalogue

    root = models_directory()
    states = [(m, catalogue.status(m, root)) for m in catalogue.read().models.values()]
    if as_json:
        rows = [_as_dict(model, status) for model, status in states]
        print_json({"directory": str(root), "models": rows})
        return
    _print_table(
        [("MODEL", "KIND", "LANGUAGES", "SIZE", "LICENCE", "STATE")]
        + [_row(model, status) for model, status in states]
    )
    out.print(f"in {root}", markup=False)


@models.command()
@reports_errors
def pull(ids: Ids = None, config: OptionalConfig = None, as_json: Json = False) -> None:
    """Fetch models: those named, those a configuration needs, or the default set for English."""
    from asterisk_agent.engines.pull import Puller

    wanted = _wanted(ids or [], config)
    report: dict[str, list[Any]] = {"pulled": [], "already": [], "failed": []}
    with Puller(models_directory(), Terminal()) as puller:
        for alternatives in wanted:
            try:
                if ids:  # named on purpose: worth reading every byte
                    model, source = alternatives[0], puller.pull(alternatives[0], thorough=True)
                else:
                    model, source = puller.pull_first(alternatives)
            except ModelError as error:
                err.print(error.message, markup=False)
                if ids or not alternatives[-1].optional:
                    report["failed"].append({"id": alternatives[-1].id, "problem": error.message})
                continue
            if source:
                report["pulled"].append({"id": model.id, "source": source})
            else:
                report["already"].append(model.id)
            if not as_json:
                out.print(_outcome(model, source, alternatives), markup=False)
    if as_json:
        print_json(report)
    if report["failed"]:
        raise typer.Exit(1)


@models.command()
@reports_errors
def verify(ids: Ids = None, as_json: Json = False) -> None:
    """Read every byte of the installed models (or of those named) and compare the hashes."""
    from asterisk_agent.engines import catalogue

    root = models_directory()
    known = catalogue.read()
    chosen = [known[name] for name in ids] if ids else known.models.values()
    checked = [(model, catalogue.verify(model, root)) for model in chosen]
    if not ids:
        checked = [pair for pair in checked if pair[1].state is not catalogue.State.MISSING]
    if as_json:
        print_json({"models": [_as_dict(model, status) for model, status in checked]})
    else:
        for model, status in checked:
            out.print(_verdict(model, status), markup=False)
        if not checked:
            out.print(f"no model is installed in {root}", markup=False)
    if not checked or any(s.state is not catalogue.State.INSTALLED for _, s in checked):
        raise typer.Exit(1)


def _wanted(ids: Sequence[str], config: Path | None) -> list[tuple[Model, ...]]:
    """Each a list of alternatives, best first."""
    from asterisk_agent.engines import catalogue
    from asterisk_agent.engines.choose import models_for

    known = catalogue.read()
    if ids:
        return [(known[name],) for name in ids]
    if config is None:
        sets = (known.default(kind, "en") for kind in catalogue.KINDS)
        return [alternatives for alternatives in sets if alternatives]
    from asterisk_agent.config.load import load

    return models_for(load(config), known)


def _outcome(model: Model, source: str, alternatives: Sequence[Model]) -> str:
    said = f"{model.id}: installed from {source}" if source else f"{model.id}: installed already"
    if model is not alternatives[0]:
        said += f", in place of {alternatives[0].id}"
    return said


def _verdict(model: Model, status: Status) -> str:
    if status.state == "installed":
        return f"{model.id}: every byte is as published"
    hint = f"run: asterisk-agent models pull {model.id}"
    return f"{model.id}: {'; '.join((status.state, *status.problems))}. Hint: {hint}"


def _row(model: Model, status: Status) -> tuple[str, ...]:
    some, more = model.languages[:3], len(model.languages[3:])
    languages = "many" if "*" in some else " ".join(some) + (f" +{more}" if more else "")
    state = ": ".join((status.state, *status.problems[:1]))
    return model.id, model.kind, languages, f"{model.size / 1e6:.0f} MB", model.licence, state


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Columns as wide as they need, also where the terminal is narrow or there is none."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        out.print("  ".join(cells).rstrip(), markup=False)


def _as_dict(model: Model, status: Status) -> dict[str, Any]:
    return {
        "id": model.id,
        "kind": model.kind,
        "engine": model.engine,
        "languages": list(model.languages),
        "size": model.size,
        "licence": model.licence,
        "state": status.state,
        "problems": list(status.problems),
    }
