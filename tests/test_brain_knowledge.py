from __future__ import annotations

from pathlib import Path

import pytest
from brain_fakes import WordEmbedder

from asterisk_agent.brain.confidence import ANSWER, HARD_DOUBT, judge
from asterisk_agent.brain.knowledge import TEXT_WORTH, Index, Passage
from asterisk_agent.brain.languages import language
from asterisk_agent.brain.question import Question, others_deed, states
from asterisk_agent.brain.scale import ALONE

EN = language("en")
PASSAGES = (
    Passage("A visit costs $89, travel included.", "How much is the call-out fee?", "p.md"),
    Passage("We repair taps of all brands.", "Do you repair taps?", "s.md", "Services"),
    Passage("You can cancel free of charge until 24 hours before.", "Cancelling", "a.md"),
    Passage("We have warranty forms at the desk.", "", "notes.txt"),
    Passage("Write to us.", "Lost invoice", "i.yaml", asked=("Can I get another copy?",)),
)


def index(*passages: Passage) -> Index:
    return Index(passages or PASSAGES, WordEmbedder())


def test_search_orders_by_meaning_and_words() -> None:
    hits = index().search("can you repair my tap", limit=2)
    assert hits[0].passage.heading == "Do you repair taps?"
    assert len(hits) == 2
    assert hits[0].score > hits[1].score
    assert hits[0].overlap == 1.0
    assert hits[0].missing == ()
    assert hits[0].ahead > 0 > hits[1].ahead
    assert hits[0].standing_out > 0


def test_every_way_to_ask_leads_to_the_passage() -> None:
    (hit,) = index().search("can i get another copy", limit=1)
    assert hit.passage.heading == "Lost invoice"


def test_text_without_a_heading_is_found() -> None:
    (hit,) = index().search("warranty forms", limit=1)
    assert hit.passage.file == "notes.txt"


def test_a_heading_that_says_little_takes_nothing_away() -> None:
    text, asked = "Tell us four hours ahead. We keep no lists.", "tell us four hours ahead"
    passage, embedder = Passage(text, "Appointments", "v.md"), WordEmbedder()
    (hit,) = index(passage, *PASSAGES).search(asked, limit=1)
    question = embedder.query(asked)
    whole, first, heading = (
        float(embedder.passages([part])[0] @ question)
        for part in (f"Appointments\n{text}", f"Appointments\n{text[:25]}", "Appointments")
    )
    assert heading < whole < first
    assert hit.meaning == pytest.approx((whole + first) / 2)


def test_an_amount_is_a_price() -> None:
    chips, nails = (
        Passage("Chips are fitted for £19.", "Chips", "v.md"),
        Passage("Chips are fitted by our nurses.", "Nurses", "v.md"),
    )
    hits = {hit.passage: hit for hit in index(chips, nails).search("how much is a chip")}
    price = EN.lexicon.term("price")
    assert hits[chips].met[price] == pytest.approx(TEXT_WORTH)
    assert hits[chips].missing == ()
    assert hits[nails].missing == (price,)


def test_slips_are_mended_and_compounds_cut() -> None:
    known = index().known(Question.read("waranty callout", EN).terms)
    assert known[0] == EN.lexicon.term("warranty")
    assert index().known(["unheard"]) == ("unheard",)


def test_what_is_missing_is_named() -> None:
    (hit,) = index().search("do you repair bicycles", limit=1)
    assert hit.missing == (EN.lexicon.term("bicycles"),)
    assert hit.unknown == 1


def test_a_price_is_not_answered_by_a_passage_without_one() -> None:
    question = Question.read("how much is it to repair a tap", EN)
    judgement = judge(question, index(PASSAGES[1], PASSAGES[3]))
    assert judgement.hit is not None
    assert not judgement.hit.states
    assert judgement.confidence < HARD_DOUBT


def test_confidence_tells_the_known_from_the_unknown() -> None:
    known = judge(Question.read("do you repair taps", EN), index()).confidence
    unknown = judge(Question.read("do you sell bicycles", EN), index()).confidence
    assert unknown < ALONE.ask_back < ANSWER < known


def test_the_callers_own_case_is_no_question_to_documents() -> None:
    own = Question.read("is my call-out fee paid", EN)
    assert own.own_case
    assert judge(own, index()).confidence < HARD_DOUBT


def test_nothing_to_search() -> None:
    empty = Index((), WordEmbedder())
    assert empty.search("anything") == []
    assert judge(Question.read("anything", EN), empty).hit is None


def test_the_index_embeds_once(tmp_path: Path) -> None:
    first, second = WordEmbedder(), WordEmbedder()
    Index(PASSAGES, first, cache=tmp_path)
    Index(PASSAGES, second, cache=tmp_path)
    assert first.embedded > 2 * len(PASSAGES)  # passages, sentences, titles, single words
    assert second.embedded == 0


def test_questions_lose_their_preamble() -> None:
    question = Question.read("Hi, um, I was wondering if the estimate is free?", EN)
    assert question.core == "the estimate is free?"
    assert Question.read("hello", EN).core == "hello"


def test_what_questions_ask_for() -> None:
    def wants(text: str) -> list[str]:
        return [want.name for want in Question.read(text, EN).wants]

    assert wants("How much is a filling?") == ["price"]
    assert wants("how much time do you need") == []
    assert wants("when do you close") == ["time"]
    assert wants("how many rooms are there") == ["count"]
    assert wants("what's your phone number") == ["phone"]
    assert wants("who is the owner") == ["name"]
    assert Question.read("which brand do you use", EN).which == "brand"
    assert Question.read("what time is it", EN).which == ""


def test_texts_that_state_them() -> None:
    def stated(question: str, text: str) -> bool:
        return states(Question.read(question, EN), text, EN.lexicon)

    assert stated("how much is it", "A quote is free.")
    assert not stated("how much is it", "We repair taps.")
    assert stated("how long does it take", "It takes two to three weeks.")
    assert not stated("when do you open", "We are open.")
    assert stated("on which days do you have rye bread", "Rye comes on Tuesdays and Fridays.")
    assert not stated("how long does it take", "It costs $165.")
    assert stated("how many plumbers do you have", "We are nine plumbers.")
    assert stated("how many items can I take", "Up to 15 large items at once.")
    assert not stated("how many plumbers do you have", "All plumbers are insured for two million.")
    assert stated("what is your fax number", "Fax +1 555 123 0100.")
    assert not stated("what is your fax number", "We have 3 faxes.")


@pytest.mark.parametrize(
    ("question", "text", "theirs"),
    [
        ("how long can I keep a book", "We keep it for you for seven days.", True),
        ("how long can I keep a book", "You can keep books for four weeks.", False),
        ("may we bring our dog", "We bring the lunch, you may bring a dog.", False),
        ("can I take photos", "We will also take photos of the class.", True),
        ("do I need a deposit", "We need a deposit.", False),
        ("do you keep lost things", "We keep lost things for a month.", False),
        ("can I keep it", "Keep it as long as you like.", False),
    ],
)
def test_what_the_company_does_is_not_what_the_caller_may(
    question: str, text: str, theirs: bool
) -> None:
    assert others_deed(Question.read(question, EN), text, EN) is theirs


@pytest.mark.parametrize(
    ("question", "text", "stated"),
    [
        ("how many people fit in", "The hall seats 120 guests.", True),
        ("how many people fit in", "The hall has 120 chairs.", False),
        ("how many books can I take", "Up to 15 items can be borrowed.", True),
        ("how many floors are there", "There are ten computers on the second floor.", False),
        ("how deep is the pool", "The pool is open from 7 a.m. to 9 p.m.", False),
        ("how deep is the pool", "The pool is 2 metres at its deepest.", True),
        ("how warm is the water", "The water has 28 °C.", True),
    ],
)
def test_what_is_counted_and_measured(question: str, text: str, stated: bool) -> None:
    assert states(Question.read(question, EN), text, EN.lexicon) is stated


def test_what_one_reads_is_not_what_one_does_to_a_table() -> None:
    terms = EN.lexicon.terms
    assert terms("how long can I keep a book") == terms("how long can I keep the books")
    assert not set(terms("the books")) & set(terms("can I book a table"))
    assert set(terms("I want to book")) == set(terms("a reservation"))
