"""``ask``: the brain without a telephone."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asterisk_agent.cli.app import (
    DEFAULT_CONFIG,
    ConfigDirectory,
    Json,
    app,
    out,
    print_json,
    reports_errors,
)
from asterisk_agent.errors import AgentError

if TYPE_CHECKING:
    from asterisk_agent.brain.brain import Brain, Minds
    from asterisk_agent.config.schema import Channel, Config
    from asterisk_agent.engines.base import Embedder, LanguageModel
    from asterisk_agent.events import Exchange, Reply


@dataclass(frozen=True, slots=True)
class _Minds:
    """The engines that a question needs; no ears, no voice."""

    embedder: Embedder
    model: LanguageModel | None


@app.command()
@reports_errors
def ask(
    question: Annotated[
        str, typer.Argument(help="What a caller says; - takes a question a line from input.")
    ],
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="ID", help="Default: the first channel.")
    ] = None,
    config: ConfigDirectory = DEFAULT_CONFIG,
    as_json: Json = False,
    session: Annotated[
        Path | None,
        typer.Option("--session", metavar="FILE", help="A conversation: read, and added to."),
    ] = None,
) -> None:
    """Ask what a caller would ask, and read what the caller would hear."""
    from asterisk_agent.config.load import load
    from asterisk_agent.events import Exchange

    loaded = load(config)
    history = _read(session) if session is not None else []
    brain = brain_of(loaded, channel_of(loaded, channel), minds(loaded), _now)
    for utterance in _utterances(question):
        reply = brain.reply(utterance, history)
        if session is not None:
            turns = [
                Exchange("caller", utterance),
                Exchange("agent", reply.text, reply.action, reply.source),
            ]
            history += turns
            _append(session, turns)
        about = {"kind": brain.wording.kind, "why": brain.wording.why}
        print_json({**as_object(reply), "wording": about}) if as_json else _show(reply)


def as_object(reply: Reply) -> dict[str, Any]:
    """A reply as the JSON that other programs rely on."""
    return {
        "answer": reply.text,
        "action": str(reply.action),
        "team": reply.team,
        "source": asdict(reply.source) if reply.source is not None else None,
        "confidence": round(reply.confidence, 3),
        "ms": asdict(reply.ms),
        "unanswered": reply.unanswered,
        "options": [asdict(option) for option in reply.options],
        "urgent": reply.urgent,
    }


def _show(reply: Reply) -> None:
    details = [str(reply.action), f"{reply.confidence:.2f}", f"{reply.ms.total:.0f} ms"]
    if reply.team is not None:
        details.insert(1, f"team {reply.team}")
    if reply.source is not None:
        details.insert(1, " > ".join(filter(None, (reply.source.file, reply.source.heading))))
    out.print(reply.text, markup=False)
    out.print(f"  ({', '.join(details)})", markup=False, style="dim")


def _utterances(question: str) -> Iterator[str]:
    if question != "-":
        yield question
        return
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")


def channel_of(config: Config, id_: str | None) -> Channel:
    """The channel of that id, or the first; AgentError where there is none."""
    if id_ is None:
        return next(iter(config.channels.values()))
    if id_ not in config.channels:
        raise AgentError(
            f"no channel is called {id_!r}", hint=f"channels are {', '.join(config.channels)}"
        )
    return config.channels[id_]


def minds(config: Config) -> Minds:
    """The engines that questions need; no ears, no voice."""
    from asterisk_agent.brain.wording import wording
    from asterisk_agent.engines.loader import load_embedder, load_model

    needed = wording(config).generative  # the documents' own words need no model
    model = load_model(config.engines.llm, config.directory) if needed else None
    return _Minds(load_embedder(config.agent.language), model)


def brain_of(
    config: Config, channel: Channel, engines: Minds, now: Callable[[], datetime]
) -> Brain:
    """The brain of a channel, with a clock."""
    from asterisk_agent.brain.brain import build

    return build(config, channel, engines, time.perf_counter, now=now)


def _now() -> datetime:
    return datetime.now(UTC)


def _read(session: Path) -> list[Exchange]:
    """The turns of a conversation so far; none where the file does not exist yet."""
    from asterisk_agent.events import Action, Exchange, Source

    if not session.exists():
        return []
    turns: list[Exchange] = []
    try:
        for line in session.read_text(encoding="utf-8").splitlines():
            turn = json.loads(line)
            action, source = turn.get("action"), turn.get("source")
            if turn["who"] not in ("caller", "agent") or not isinstance(turn["text"], str):
                raise ValueError("not a turn")
            turns.append(
                Exchange(
                    turn["who"],
                    turn["text"],
                    Action(action) if action is not None else None,
                    Source(source["file"], source["heading"]) if source is not None else None,
                )
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "a session has a JSON object a line, as this command writes it; or remove the file"
        place = f"{session}:{len(turns) + 1}"
        raise AgentError(f"{place}: no turn of a conversation ({error})", hint=hint) from None
    return turns


def _append(session: Path, turns: list[Exchange]) -> None:
    lines = (json.dumps(asdict(turn), ensure_ascii=False) for turn in turns)
    try:
        with session.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise AgentError(f"{session}: cannot be written: {error.strerror}") from None
