from __future__ import annotations

from pathlib import Path

from brain_fakes import small_config

from asterisk_agent.brain.phrases import all_sentences, phrases_for


def test_every_sentence_that_can_be_spoken_is_known_beforehand() -> None:
    config = small_config(Path("/nowhere"))
    spoken = all_sentences(config, config.channels["main"])
    phrases = phrases_for("en-US")
    assert spoken[0] == "Hello, I am Robin."
    assert phrases.put_through("Front desk") in spoken
    assert phrases.dont_know("Accounts") in spoken
    assert phrases.put_through(None) in spoken
    assert phrases.emergency in spoken
    assert any("I am Robin, an automated assistant" in text for text in spoken)
    assert not [text for text in spoken if "{" in text or not text]
    assert len(spoken) == len(set(spoken))


def test_without_names_only_the_fixed_ones() -> None:
    fixed = phrases_for("en").all_sentences()
    assert phrases_for("en").still_there in fixed
    assert not [text for text in fixed if "{" in text]


def test_nobody_is_promised_when_nobody_is_in() -> None:
    phrases = phrases_for("en")
    for text in (phrases.put_through("A", staffed=False), phrases.dont_know(None, staffed=False)):
        assert "put you through" not in text
        assert "message" in text


def test_the_brief_for_the_person_who_picks_up() -> None:
    assert phrases_for("en").brief("Support", "") == "Call for Support."
    assert phrases_for("en").brief("Support", "It leaks.").endswith("The caller said: It leaks.")
