"""``knowledge``: what the agent knows from the documents, and what is doubtful in them."""

from __future__ import annotations

from dataclasses import asdict
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

if TYPE_CHECKING:
    from asterisk_agent.brain.documents import Passage
    from asterisk_agent.brain.knowledge import Index
    from asterisk_agent.config.schema import Channel, Config

knowledge = typer.Typer(no_args_is_help=True, help="The documents that the agent answers from.")
app.add_typer(knowledge, name="knowledge")
ChannelId = Annotated[
    str | None, typer.Option("--channel", metavar="ID", help="Default: the first channel.")
]


@knowledge.command("list")
@reports_errors
def list_(
    channel: ChannelId = None, config: ConfigDirectory = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """List what is indexed: file, heading, words."""
    from asterisk_agent.brain.documents import load_passages

    loaded, chosen = _chosen(config, channel)
    passages = load_passages(loaded.knowledge_directory, chosen.knowledge)
    if as_json:
        print_json({"channel": chosen.id, "passages": [asdict(p) for p in passages]})
        return
    for passage in passages:
        out.print(f"{_place(passage)}  ({len(passage.text.split())} words)", markup=False)
    files = len({passage.file for passage in passages})
    out.print(f"{len(passages)} passages of {files} files, channel {chosen.id}", markup=False)


@knowledge.command()
@reports_errors
def check(
    channel: ChannelId = None,
    *,
    config: ConfigDirectory = DEFAULT_CONFIG,
    as_json: Json = False,
    questions: Annotated[
        Path | None,
        typer.Option("--questions", metavar="FILE", help="Which of these does nothing answer?"),
    ] = None,
) -> None:
    """Look for duplicates, contradictions, what is too long to be spoken, and what is not answered.

    Exit status 1 where two passages, or a passage and the opening hours, seem to contradict.
    """
    from asterisk_agent.brain.brain import office_of
    from asterisk_agent.brain.checkup import doubts

    loaded, chosen = _chosen(config, channel)
    index = _index(loaded, chosen)
    found = list(doubts(index, office_of(loaded, chosen, lambda: datetime.now(UTC))))
    unanswered = _unanswered(questions, index, loaded, chosen) if questions is not None else []
    if as_json:
        shown = [
            {"kind": d.kind, "text": d.text, "passages": [_source(p) for p in d.passages]}
            for d in found
        ]
        print_json({"channel": chosen.id, "doubts": shown, "unanswered": unanswered})
    else:
        for doubt in found:
            out.print(f"{doubt.kind}: {doubt.text}", markup=False)
            for passage in doubt.passages:
                out.print(f"    {_place(passage)}", markup=False)
        for text in unanswered:
            out.print(f"unanswered: {text}", markup=False)
        out.print(f"{len(found)} doubts, {len(index.passages)} passages", markup=False)
    if any(doubt.kind in ("contradiction", "hours") for doubt in found):
        raise typer.Exit(1)


@knowledge.command()
@reports_errors
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", show_default=False)],
    channel: ChannelId = None,
    *,
    config: ConfigDirectory = DEFAULT_CONFIG,
    as_json: Json = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100)] = 5,
) -> None:
    """Show the passages nearest to a question, and how sure the agent is of each."""
    from asterisk_agent.brain.confidence import confidence
    from asterisk_agent.brain.question import Question

    loaded, chosen = _chosen(config, channel)
    index = _index(loaded, chosen)
    question = Question.read(text, index.language)
    hits = [(hit, confidence(question, hit, index)) for hit in index.search(question, limit)]
    if as_json:
        found = [
            {
                **_source(hit.passage),
                "text": hit.passage.text,
                "confidence": round(sure, 3),
                "score": round(hit.score, 3),
                "missing": list(hit.missing),
            }
            for hit, sure in hits
        ]
        print_json({"channel": chosen.id, "hits": found})
        return
    for hit, sure in hits:
        missing = f"  without {', '.join(hit.missing)}" if hit.missing else ""
        out.print(f"{sure:4.0%}  {_place(hit.passage)}{missing}", markup=False)
        out.print(f"      {hit.passage.text}", markup=False, style="dim")


def _chosen(directory: Path, channel: str | None) -> tuple[Config, Channel]:
    from asterisk_agent.cli.ask import channel_of
    from asterisk_agent.config.load import load

    loaded = load(directory)
    return loaded, channel_of(loaded, channel)


def _index(config: Config, channel: Channel) -> Index:
    from asterisk_agent.brain.brain import index_of
    from asterisk_agent.engines.loader import load_embedder

    return index_of(config, channel, load_embedder(config.agent.language))


def _unanswered(file: Path, index: Index, config: Config, channel: Channel) -> list[str]:
    """The questions of a set that should have an answer and would go to a person."""
    from asterisk_agent.brain.brain import office_of
    from asterisk_agent.brain.confidence import judge
    from asterisk_agent.brain.question import Question
    from asterisk_agent.brain.questions import Kind, read

    office = office_of(config, channel, lambda: datetime.now(UTC))
    asked = [
        case.text
        for case in read(file).cases
        if case.kind is Kind.ANSWERABLE and case.channel in (None, channel.id)
    ]
    return [
        text
        for text in asked
        if (office is None or office.answer(text) is None)
        and judge(Question.read(text, index.language), index).confidence < index.scale.ask_back
    ]


def _place(passage: Passage) -> str:
    return " > ".join(filter(None, (passage.file, passage.heading))) or passage.text[:60]


def _source(passage: Passage) -> dict[str, Any]:
    return {"file": passage.file, "heading": passage.heading}
