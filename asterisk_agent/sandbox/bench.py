"""``scripts/bench``: how fast the agent answers, and how many calls this machine carries."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from asterisk_agent.cli.app import Json, print_json, reports_errors
from asterisk_agent.config.paths import shared_file
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.bench_clips import BANDS
from asterisk_agent.sandbox.bench_screen import BenchScreen, markdown
from asterisk_agent.sandbox.bench_session import Session, Wish
from asterisk_agent.sandbox.bench_soak import soak_seconds
from asterisk_agent.sandbox.pbx_state import base_directory

TURNS, QUICK_TURNS = 40, 8
LEVELS = "1,2,4,8,16"

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
@reports_errors
def main(
    *,
    calls: Annotated[
        str, typer.Option(metavar="N,N,…", help="How many calls at once, one run each.")
    ] = LEVELS,
    turns: Annotated[int, typer.Option(min=1, help="Plain questions asked in each run.")] = TURNS,
    quick: Annotated[
        bool, typer.Option("--quick", help=f"One call and {QUICK_TURNS} questions: a first look.")
    ] = False,
    phones: Annotated[
        str,
        typer.Option(
            metavar="pjsip|light|auto",
            help="Whole SIP phones, or light callers without a jitter buffer; auto: a whole "
            "phone for one call, light ones for more.",
        ),
    ] = "auto",
    worded: Annotated[
        bool, typer.Option("--worded", help="The language model words the answers.")
    ] = False,
    band: Annotated[
        str,
        typer.Option(
            metavar="line|handset",
            help="What reaches us of the callers' voices: a line's band, or an old handset's.",
        ),
    ] = "line",
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="limits.calls instead of the configured one.")
    ] = None,
    soak: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Call for so long (30m), and see what grows."),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(metavar="P,P,…", help="One call on lines that lose so many packets in 100."),
    ] = None,
    jitter: Annotated[
        int, typer.Option(metavar="MS", min=0, help="With --loss: the latest that a packet is.")
    ] = 0,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="DIR", help="Default: the example, etc/.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the figures and logs go.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Place real calls through a private Asterisk, and measure at the phone."""
    directory = out or base_directory().parent / "bench" / f"{datetime.now():%Y%m%d-%H%M%S}"
    directory.mkdir(parents=True, exist_ok=True)
    wish = Wish(
        levels=(1,) if quick else levels_of(calls),
        turns=QUICK_TURNS if quick else turns,
        phones=_one_of("--phones", phones, ("pjsip", "light", "auto")),
        worded=worded,
        band=_one_of("--band", band, BANDS),
        limit=limit,
        soak_s=soak_seconds(soak) if soak else None,
        losses=losses_of(loss) if loss else (),
        jitter_s=jitter / 1000,
        config=(config or shared_file("etc")).resolve(),
        out=directory.resolve(),
    )
    screen = BenchScreen(Console(stderr=True, highlight=False, soft_wrap=True))
    result = Session(wish, screen).hold()
    text = markdown(result)
    (wish.out / "bench.json").write_text(json.dumps(result, indent=1, ensure_ascii=False), "utf-8")
    (wish.out / "bench.md").write_text(text, encoding="utf-8")
    if as_json:
        print_json(result)
    else:
        sys.stdout.write(text)
    screen.note(f"All of it: {wish.out}")


def _one_of(option: str, value: str, known: Iterable[str]) -> str:
    if value not in known:
        raise SandboxError(f"{option} {value}: unknown", hint=f"one of: {', '.join(known)}")
    return value


def levels_of(text: str) -> tuple[int, ...]:
    """``1,2,4`` → (1, 2, 4). Raises SandboxError for anything else."""
    parts = text.split(",")
    if not all(part.strip().isdecimal() and 0 < int(part) <= 200 for part in parts):
        raise SandboxError(f"--calls {text}: not numbers of calls", hint="write 1,2,4")
    return tuple(int(part) for part in parts)


def losses_of(text: str) -> tuple[float, ...]:
    """``0,5,20`` → (0.0, 0.05, 0.2). Raises SandboxError for anything else."""
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) < 100 for part in parts):
        raise SandboxError(f"--loss {text}: not numbers below 100", hint="write 0,5,20")
    return tuple(int(part) / 100 for part in parts)


if __name__ == "__main__":
    app()
