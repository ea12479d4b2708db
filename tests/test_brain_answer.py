from __future__ import annotations

import pytest
from brain_fakes import BrokenModel, ScriptedModel

from asterisk_agent.brain.answer import MOST_WORDS, compose, extract
from asterisk_agent.brain.documents import Passage
from asterisk_agent.brain.languages import language
from asterisk_agent.brain.question import Question
from asterisk_agent.engines.base import LanguageModel

EN = language("en")
SHORT = Passage("A visit costs $89. That includes travel.", "Call-out fee", "p.md")
QUESTION = Question.read("how much is a visit", EN)


def test_a_short_passage_is_spoken_whole() -> None:
    assert extract(QUESTION, SHORT, EN) == SHORT.text


def test_a_long_passage_is_spoken_where_it_answers() -> None:
    filler = "Our plumbers are friendly people who like their work in the city. " * 4
    long = Passage(f"{filler}A visit costs $89. Travel is included. {filler}", "All", "p.md")
    said = extract(QUESTION, long, EN)
    assert said.startswith("A visit costs $89. Travel is included.")
    assert len(said.split()) <= MOST_WORDS


def test_a_sentence_that_is_too_long_is_not_cut() -> None:
    one = Passage("A visit costs " + "very " * 60 + "little.", "", "p.md")
    assert extract(QUESTION, one, EN) == one.text


def test_a_models_words_are_spoken_if_they_are_the_authors_facts() -> None:
    model = ScriptedModel("The visit costs $89. ")
    answer = compose(QUESTION, SHORT, EN, model, iter([1.0, 1.25]).__next__)
    assert answer.text == "The visit costs $89."
    assert answer.model_ms == 250
    assert "A visit costs $89." in model.asked[0][1]["content"]
    assert "how much is a visit" in model.asked[0][1]["content"]


@pytest.mark.parametrize(
    "model",
    [
        ScriptedModel("A visit costs $98."),
        ScriptedModel("UNKNOWN"),
        ScriptedModel(""),
        ScriptedModel("A visit costs $89. " * 20),
        BrokenModel(""),
    ],
)
def test_otherwise_the_authors_own_sentences_are(model: LanguageModel) -> None:
    assert compose(QUESTION, SHORT, EN, model, lambda: 0.0).text == SHORT.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("I'm sorry, but as a model I know nothing of visits at all.", 4),
        ("A visit costs a lot, and more than that.", 6),
        ("A visit costs $89. The caller may pay in cash, I am sure.", 7),
    ],
)
def test_a_model_that_goes_astray_is_not_heard_to_its_end(words: str, said: int) -> None:
    model = ScriptedModel(words)
    assert compose(QUESTION, SHORT, EN, model, lambda: 0.0).text == SHORT.text
    assert len(model.said.split()) <= said
