"""Nobody is dropped or left in silence: where last sentences, keys and half questions meet."""

from itertools import pairwise

import pytest
from test_call_timeline import COST, GREETED, OFFERED, PRICE, SETTINGS, spoken, take, talk
from timeline import PACE_S, PHRASES, Script

from asterisk_agent.call import BRIEF_LIMIT_S, COVER_AFTER_S, THOUGHT_LIMIT_S

GOODBYE = GREETED + 1 + 0.3 + 0.5
"""In the middle of the agent's goodbye to who said goodbye a second after the greeting."""


def longest_silence_s(result, since, until):
    """The longest time without a voice of the agent's between two moments."""
    sounds = [(max(s.start, since), min(s.end, until)) for s in result.heard]
    sounds = [(since, since), *[(a, b) for a, b in sounds if a < b], (until, until)]
    return max(b[0] - a[1] for a, b in pairwise(sounds))


# --- The last sentence ------------------------------------------------------------------------


def test_zero_in_the_agents_goodbye_brings_a_person():
    result = talk(Script().says(GREETED + 1, "goodbye").presses(GOODBYE, "0"))
    assert result.outcome == "person"
    assert result.texts[-1] == spoken(PHRASES.connecting)[-1]


def test_who_has_one_more_question_at_the_goodbye_is_answered():
    result = talk(
        Script().says(GREETED + 1, "goodbye").says(GOODBYE, COST, 1.0).hangs_up(GREETED + 9)
    )
    assert result.texts[-2:] == PRICE
    assert result.outcome == "hangup"


def test_who_says_more_than_fits_into_the_goodbye_is_heard_to_the_end():
    script = Script().says(GREETED + 1, "goodbye").says(GOODBYE, "a person please", 4.0)
    assert talk(script).outcome == "person"


def test_a_cough_does_not_undo_a_goodbye():
    result = talk(Script().says(GREETED + 1, "goodbye").coughs(GOODBYE, 0.4))
    assert result.outcome == "resolved"


def silent_for_long():
    """The moment at which a caller who never spoke is told that the call ends."""
    asked = (PHRASES.still_there, PHRASES.press_zero)
    said_s = sum(len("".join(spoken(text))) * PACE_S for text in asked)
    return GREETED + 3 * SETTINGS.silence_s + said_s + 0.5


@pytest.mark.parametrize("does", ["presses", "says"])
def test_who_is_found_at_the_last_moment_is_not_let_go(does):
    script, at = Script(), silent_for_long()
    script = script.presses(at, "0") if does == "presses" else script.says(at, "a person please")
    result = talk(script)
    assert spoken(PHRASES.nobody_there)[0] in result.texts
    assert result.outcome == "person"


def test_a_stopping_service_finds_a_person_also_for_who_is_told_goodbye():
    result = talk(Script().says(GREETED + 1, "goodbye"), leave_at=GOODBYE)
    assert result.outcome == "stopping"


def test_who_adds_something_to_a_finished_message_is_heard():
    script = Script().says(OFFERED + 1, "this is pat about my boiler").presses(OFFERED + 4, "#")
    result = take(script.says(OFFERED + 4.5, "and about my bill too", 1.5))
    assert result.outcome == "message"
    assert result.story.message == "this is pat about my boiler and about my bill too"
    assert result.texts[-1] == spoken(PHRASES.message_taken)[-1]


def message_with_a_number(script):
    """A message whose number was read back and confirmed last; the agent says goodbye then."""
    text = "please call me about the invoice my number is 555 0142 this is ann smith"
    script.says(OFFERED + 1, text)
    asked = OFFERED + 1 + 0.3 * len(text.split()) + SETTINGS.unsure_s
    script.says(asked + 4, "yes")
    return asked + 4 + 0.3 + SETTINGS.unsure_s + 1.0


@pytest.mark.parametrize(
    "says", ["no thank you that is all bye", "actually one more thing it is urgent"]
)
def test_nothing_that_was_agreed_is_undone_in_the_goodbye(says):
    script = Script()
    script.says(message_with_a_number(script), says)
    result = take(script)
    assert result.outcome == "message"
    assert (result.story.callback.number, result.story.callback.confirmed) == ("5550142", True)


def test_a_key_in_the_goodbye_leaves_the_number_alone():
    script = Script()
    at = message_with_a_number(script)
    result = take(script.presses(at, "1").hangs_up(at + 1))
    assert (result.story.callback.number, result.story.callback.confirmed) == ("5550142", True)


def test_a_stopping_service_does_not_send_a_finished_message_to_the_voicemail():
    script = Script()
    at = message_with_a_number(script)
    assert take(script, leave_at=at).outcome == "message"


def test_who_declined_and_then_has_a_message_after_all_leaves_it():
    text = "this is pat about my boiler"
    result = take(Script().says(OFFERED + 1, "goodbye").says(OFFERED + 2.2, text))
    assert (result.outcome, result.story.message) == ("message", text)


def test_a_brief_that_cannot_be_kept_holds_nobody_up():
    result = talk(Script().presses(GREETED + 1, "0"), brief_s=3600)
    assert result.outcome == "person"
    assert result.seconds <= GREETED + 1 + BRIEF_LIMIT_S + 0.5


# --- Keys -------------------------------------------------------------------------------------


def test_a_key_that_means_nothing_does_not_lose_the_question():
    def slow(engines):
        engines.recognise_s = 1.0

    script = Script().says(GREETED + 1, COST, 1.5).presses(GREETED + 3.0, "1")
    result = talk(script.hangs_up(GREETED + 12), tune=slow)
    assert result.texts[-2:] == PRICE


def test_who_stops_the_voice_with_a_key_is_told_what_keys_are_for():
    result = talk(Script().presses(1.0, "7").hangs_up(GREETED + 4))
    assert result.heard[0].end <= 1.1
    assert result.texts[1:] == spoken(PHRASES.other_key)
    assert result.heard[1].start < 1.3


def test_a_key_into_the_silence_is_answered():
    result = talk(Script().presses(GREETED + 2, "7").hangs_up(GREETED + 6))
    explained = result.said(spoken(PHRASES.other_key)[0])
    assert explained.start == pytest.approx(GREETED + 2, abs=0.3)


def test_many_keys_are_one_explanation():
    script = Script()
    for number in range(40):
        script.presses(1.0 + number * 0.05, "7")
    texts = talk(script.hangs_up(20)).texts
    assert texts.count(spoken(PHRASES.other_key)[-1]) == 1


# --- Half questions ---------------------------------------------------------------------------


def test_a_word_while_two_halves_are_joined_does_not_hold_the_voice_for_ever():
    """The voice is held by a word that ends when the answer is just about to begin."""

    def slow(engines):
        engines.think_s[COST] = 1.0

    first_end = GREETED + 1 + 0.6
    rest = first_end + SETTINGS.complete_s + 0.05
    script = Script().says(GREETED + 1, "what does", 0.6).says(rest, "a visit cost", 0.9)
    for late_s in (0.5, 0.7, 0.9, 1.1, 1.3, 1.5):
        word = Script(list(script.speech)).coughs(rest + 0.9 + late_s, 0.25)
        result = talk(word.hangs_up(rest + 8), tune=slow)
        assert result.texts[-2:] == PRICE, late_s
        assert longest_silence_s(result, rest + 0.9, rest + 4) < 3.0, late_s


def test_joining_two_halves_is_covered_and_has_an_end():
    def hung(engines):
        engines.think_s[COST] = 3600

    first_end = GREETED + 1 + 0.6
    rest = first_end + SETTINGS.complete_s + 0.05
    result = talk(
        Script().says(GREETED + 1, "what does", 0.6).says(rest, "a visit cost", 0.9), tune=hung
    )
    assert result.outcome == "lost"  # the dialplan has a person for that
    asked = rest + 0.9
    assert result.seconds <= asked + THOUGHT_LIMIT_S + 0.2
    assert longest_silence_s(result, asked, result.seconds) < 3.0
    covers = [s for s in result.heard if s.text in PHRASES.thinking]
    assert covers[0].start - asked == pytest.approx(COVER_AFTER_S, abs=0.3)


def test_a_long_noise_between_two_halves_does_not_use_up_the_time_for_the_answer():
    first_end = GREETED + 1 + 0.6
    rest = first_end + SETTINGS.complete_s + 0.05
    script = Script().says(GREETED + 1, "what does", 0.6).says(rest, "a visit cost", 0.9)
    noise = rest + 0.9 + SETTINGS.complete_s + 0.02
    result = talk(script.coughs(noise, 7.5).hangs_up(noise + 16))
    assert result.texts[-2:] == PRICE
    assert result.outcome == "hangup"


# --- Without an end ---------------------------------------------------------------------------


def test_a_line_that_never_pauses_does_not_outlast_the_longest_call():
    script = Script()
    for number in range(40):
        script.says(GREETED + 1 + number * 30, "blah blah", 29.97)
    result = talk(script, limit_s=1100)
    assert result.outcome == "too_long"


# --- Messages ---------------------------------------------------------------------------------


def test_who_is_not_understood_in_a_message_is_asked_again():
    script = Script().coughs(OFFERED + 1, 3.0).says(OFFERED + 8, "this is pat about my boiler")
    result = take(script)
    asked = result.said(spoken(PHRASES.clarify_empty)[0])
    assert asked.start - (OFFERED + 4) < SETTINGS.open_s + 0.5
    assert (result.outcome, result.story.message) == ("message", "this is pat about my boiler")


def test_a_noisy_line_leads_to_the_voicemail_in_the_end():
    script = Script()
    for number in range(12):
        script.coughs(OFFERED + 1 + number * 7, 3.0)
    result = take(script)
    assert result.outcome == "voicemail"
    assert result.texts.count(spoken(PHRASES.clarify_empty)[0]) == 2


def test_what_was_said_last_of_a_message_is_kept_where_the_line_dies():
    script = Script().says(OFFERED + 1, "this is pat about my boiler", 2.0)
    script.holds_the_line(OFFERED + 2.9, OFFERED + 30)
    result = take(script, on_hold=False, phone_sends=50)
    assert result.outcome == "lost"
    assert "pat" in result.story.message
