"""Scripted conversations on a virtual clock: what is heard, and at which second."""

import pytest
from timeline import CONFIG, FRAME_S, GREETING, PACE_S, PHRASES, THINK_S, VOICE_S, Script, converse

from asterisk_agent.call import MISUNDERSTOOD_IN_A_ROW
from asterisk_agent.errors import EngineError
from asterisk_agent.events import Action, Reply
from asterisk_agent.hearing import PREROLL_S
from asterisk_agent.message import KEYS_S, OPENING_S, REASON_S
from asterisk_agent.records import Callback
from asterisk_agent.speech import sentences
from asterisk_agent.turn import TurnSettings

SETTINGS = TurnSettings()
OPENING = sentences(GREETING)
GREETED = len("".join(OPENING)) * PACE_S
"""When the greeting is over, in seconds."""
COST = "what does a visit cost"
PRICE = ["A visit costs a lot.", "The first hour is in it."]
REPLIES = {
    COST: Reply(" ".join(PRICE), Action.ANSWER),
    "a person please": Reply(PHRASES.connecting, Action.HANDOFF),
    "billing please": Reply(
        PHRASES.connecting_to.format(team="Billing"), Action.HANDOFF, "billing"
    ),
    "voicemail please": Reply(PHRASES.to_voicemail, Action.VOICEMAIL),
    "there is a fire": Reply(PHRASES.emergency, Action.EMERGENCY),
    "goodbye": Reply(PHRASES.goodbye, Action.GOODBYE),
    "mumble": Reply(PHRASES.clarify, Action.CLARIFY),
    "what about mars": Reply(PHRASES.unknown, Action.HANDOFF, unanswered=True),
}
SLACK_S = 0.16
"""Frames of 20 and 32 ms, the resampler, the lead."""


def talk(script, **options):
    return converse(script, REPLIES, **options)


def spoken(text):
    return sentences(text)


# --- Answers --------------------------------------------------------------------------------


def test_the_greeting_is_heard_at_once_and_whole():
    result = talk(Script().hangs_up(GREETED + 1))
    assert result.texts == OPENING
    assert result.heard[0].start < 0.15
    assert all(heard.whole for heard in result.heard)
    assert result.outcome == "hangup"


def test_an_answer_begins_as_soon_as_the_turn_is_over():
    result = talk(Script().says(GREETED + 1, COST, 1.5).hangs_up(GREETED + 8))
    first, second = (result.said(text) for text in PRICE)
    ended = GREETED + 2.5
    assert SETTINGS.complete_s <= first.start - ended <= SETTINGS.complete_s + SLACK_S
    assert second.start - first.end == pytest.approx(0, abs=FRAME_S)
    assert result.engines.recognised == [COST]


def test_the_guess_at_a_pause_is_dropped_when_the_caller_goes_on():
    script = Script().says(GREETED + 1, "what does", 0.6).says(GREETED + 2.0, "a visit cost", 0.9)
    result = talk(script.hangs_up(GREETED + 8))
    assert result.engines.recognised[-1] == COST
    assert [turn.text for turn in result.story.turns if turn.who == "caller"] == [COST]
    assert result.texts[len(OPENING) :] == PRICE


def test_two_turns_are_two_answers():
    script = Script().says(GREETED + 1, COST).says(GREETED + 8, "and mars").hangs_up(GREETED + 14)
    result = talk(script)
    assert result.texts[len(OPENING) :] == [*PRICE, "You said and mars."]


def test_who_goes_on_after_the_turn_seemed_over_is_heard_as_one_question():
    """The answer to the first part is not even begun, or is broken off; the whole is answered."""
    first_end = GREETED + 1 + 0.6
    script = Script().says(GREETED + 1, "what does", 0.6)
    script.says(first_end + SETTINGS.complete_s + 0.05, "a visit cost", 0.9)
    result = talk(script.hangs_up(GREETED + 9))
    assert result.texts[-2:] == PRICE


def test_the_delay_in_the_record_is_what_was_heard():
    result = talk(Script().says(GREETED + 1, COST, 1.5).hangs_up(GREETED + 8))
    (answer,) = [turn for turn in result.story.turns if turn.delay_ms]
    heard_s = result.said(PRICE[0]).start - (GREETED + 2.5)
    assert answer.delay_ms.total / 1000 == pytest.approx(heard_s, abs=SLACK_S)
    assert answer.heard_s == pytest.approx(len("".join(PRICE)) * PACE_S, abs=0.05)


def test_a_slow_recogniser_delays_the_answer_and_nothing_else():
    def slow(engines):
        engines.recognise_s = 3.0

    result = talk(Script().says(GREETED + 1, COST, 1.5).hangs_up(GREETED + 12), tune=slow)
    start = result.said(PRICE[0]).start - (GREETED + 2.5)
    assert 3.0 <= start <= 3.0 + SETTINGS.pause_s + THINK_S + VOICE_S + SLACK_S
    gaps = [b[0] - a[0] for a, b in zip(result.line.sent, result.line.sent[1:], strict=False)]
    assert max(gaps) <= FRAME_S + 1e-6, "silence goes out on the beat meanwhile"


# --- Interruption ---------------------------------------------------------------------------


def test_barge_in_stops_the_voice_and_what_was_heard_is_known():
    at = GREETED + 1
    answer_at = at + 1.5 + SETTINGS.complete_s
    script = Script().says(at, COST, 1.5).says(answer_at + 0.5, "a person please", 1.2)
    result = talk(script)
    first = result.said(PRICE[0])
    assert not first.whole
    assert first.end - (answer_at + 0.5) <= SETTINGS.barge_in_s + 0.1
    assert PRICE[1] not in result.texts
    turn = next(turn for turn in result.story.turns if turn.action == Action.ANSWER)
    assert turn.heard_s == pytest.approx(first.end - first.start, abs=0.07)
    assert result.outcome == "person"


def test_a_click_does_not_stop_the_voice():
    result = talk(Script().coughs(2.0, 0.10).hangs_up(GREETED + 1))
    assert all(heard.whole for heard in result.heard)


def test_barging_into_the_greeting_is_answered():
    result = talk(Script().says(1.0, "a person please", 1.2))
    assert not result.said(OPENING[0]).whole
    assert OPENING[1] not in result.texts
    assert result.outcome == "person"


@pytest.mark.parametrize("digit", "123456789#")
def test_other_keys_only_stop_the_voice(digit):
    result = talk(Script().presses(1.0, digit).says(4.0, COST).hangs_up(12))
    assert result.heard[0].end <= 1.0 + 0.1
    assert result.texts[-2:] == PRICE


# --- Keys -----------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0.5, GREETED + 0.5])
def test_zero_is_a_person_at_any_moment(at):
    result = talk(Script().presses(at, "0"))
    assert result.outcome == "person"
    assert result.texts[-2:] == spoken(PHRASES.connecting)
    assert all(heard.whole for heard in result.heard[-2:])
    assert len(result.briefs) == 1


def test_zero_while_the_caller_speaks():
    result = talk(Script().says(GREETED + 1, COST, 3.0).presses(GREETED + 2, "0"))
    assert result.outcome == "person"


def test_zero_while_the_agent_answers():
    at = GREETED + 1
    result = talk(Script().says(at, COST, 1.5).presses(at + 1.5 + 1.0, "0"))
    assert not result.said(PRICE[0]).whole
    assert result.outcome == "person"


def test_star_is_the_voicemail():
    result = talk(Script().presses(GREETED + 1, "*"))
    assert (result.outcome, result.texts[-1]) == ("voicemail", spoken(PHRASES.to_voicemail)[-1])


def test_two_keys_in_a_row_are_one_hand_over():
    assert talk(Script().presses(1.0, "0").presses(1.02, "0")).outcome == "person"


# --- Hand-over ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "outcome", "team"),
    [
        ("a person please", "person", None),
        ("billing please", "person", "billing"),
        ("voicemail please", "voicemail", None),
        ("there is a fire", "emergency", None),
        ("what about mars", "unanswered", None),
        ("goodbye", "resolved", None),
    ],
)
def test_what_the_caller_wants_is_the_outcome(text, outcome, team):
    result = talk(Script().says(GREETED + 1, text))
    assert (result.outcome, result.story.team) == (outcome, team)
    last = spoken(REPLIES[text].text)
    assert result.texts[-len(last) :] == last
    assert result.heard[-1].whole, "the last sentence is heard to its end"
    assert result.seconds >= result.heard[-1].end
    assert len(result.briefs) == (outcome != "resolved")


def test_not_understood_twice_in_a_row_is_a_person():
    script = Script()
    for number in range(MISUNDERSTOOD_IN_A_ROW):
        script.says(GREETED + 1 + 8 * number, "mumble")
    result = talk(script)
    assert result.outcome == "unanswered"
    assert result.texts[-1] == spoken(PHRASES.not_understood)[-1]


def test_not_understood_three_times_in_all_is_a_person():
    script = Script()
    for number, text in enumerate(["mumble", COST, "mumble", COST, "mumble"]):
        script.says(GREETED + 1 + 9 * number, text)
    assert talk(script).outcome == "unanswered"


# --- Silence, and the end -------------------------------------------------------------------


def test_a_caller_who_never_speaks_is_asked_twice_and_then_let_go():
    result = talk(Script())
    assert result.outcome == "no_input"
    asked = result.said(spoken(PHRASES.still_there)[0])
    assert asked.start - GREETED == pytest.approx(SETTINGS.silence_s, abs=0.3)
    assert spoken(PHRASES.press_zero)[0] in result.texts
    assert result.texts[-1] == spoken(PHRASES.nobody_there)[-1]


def test_a_caller_who_spoke_before_and_falls_silent_gets_a_person():
    result = talk(Script().says(GREETED + 1, COST))
    assert result.outcome == "unanswered"
    assert result.texts[-1] == spoken(PHRASES.connecting)[-1]


def test_silence_is_counted_while_the_caller_holds_the_line():
    result = talk(Script().holds_the_line(GREETED, 900))
    assert result.outcome == "no_input"
    assert result.said(spoken(PHRASES.still_there)[0]).start < GREETED + SETTINGS.silence_s + 0.5


def test_a_word_in_time_ends_the_count_of_silences():
    script = Script().says(GREETED + 10, COST).hangs_up(GREETED + 10 + 5 + SETTINGS.silence_s)
    result = talk(script)
    assert result.texts.count(spoken(PHRASES.still_there)[0]) == 2
    assert spoken(PHRASES.press_zero)[0] not in result.texts


def test_the_longest_call_is_said_to_be_over():
    limit_s = CONFIG.limits.call.total_seconds()
    script = Script()
    for number in range(int(limit_s / 9) - 1):
        script.says(GREETED + 1 + 9 * number, COST, 1.0)
    result = talk(script)
    assert result.outcome == "too_long"
    said_s = len("".join(spoken(PHRASES.too_long))) * PACE_S
    assert result.seconds == pytest.approx(limit_s + said_s, abs=0.5)
    assert result.texts[-1] == spoken(PHRASES.too_long)[-1]


@pytest.mark.parametrize("at", [0.0, 1.0, GREETED + 1.5, GREETED + 2.9, GREETED + 3.5])
def test_hanging_up_at_any_stage_ends_it_at_once(at):
    result = talk(Script().says(GREETED + 1, COST, 1.5).hangs_up(at))
    assert result.outcome == "hangup"
    assert result.seconds <= at + 0.1


def test_a_stopping_service_says_so_and_gives_the_caller_to_people():
    result = talk(Script(), leave_at=1.0)
    assert result.outcome == "stopping"
    assert result.heard[0].end <= 1.1
    assert result.texts[-1] == spoken(PHRASES.stopping)[-1]


def test_a_brain_that_breaks_gives_the_line_back_at_once():
    def broken(engines):
        engines.fail_at = "cost"

    result = talk(Script().says(GREETED + 1, COST, 1.5), tune=broken)
    assert result.outcome == "lost"
    assert result.seconds <= GREETED + 2.5 + SETTINGS.open_s + SLACK_S


def test_a_voice_that_breaks_gives_the_line_back_at_once():
    def broken(engines):
        async def voice(*_, **__):
            raise EngineError("the voice is gone")
            yield b""

        engines.voice = voice

    result = talk(Script(), tune=broken)
    assert (result.outcome, result.heard) == ("lost", [])
    assert result.seconds < 0.2


def test_what_shall_be_slower_is_said_slowly_and_only_that():
    script = Script().says(GREETED + 1, "slower please").says(GREETED + 7, COST, 1.5)
    slow = {**REPLIES, "slower please": Reply(" ".join(PRICE), Action.REPEAT, slow=True)}
    result = converse(script.hangs_up(GREETED + 14), slow)
    slowly = [f"{sentence} (slowly)" for sentence in PRICE]
    assert result.texts == [*OPENING, *slowly, *PRICE]


# --- Taking a message -----------------------------------------------------------------------

OFFERED = len("".join(spoken(PHRASES.offer_message))) * PACE_S


def take(script, **options):
    return talk(script, purpose="message", **options)


def ends(text, begins):
    """When a caller's words that begin then are over."""
    return begins + 0.3 * len(text.split())


def test_a_message_said_in_one_breath_needs_only_a_yes():
    text = "this is ann smith my number is 555 0142 please call me about the invoice"
    script = Script().says(OFFERED + 1, text)
    asked = ends(text, OFFERED + 1) + SETTINGS.unsure_s
    script.says(asked + 4, "yes")
    result = take(script)
    assert result.outcome == "message"
    check = result.said("I have 5 5 5, 0 1 4 2.")
    assert check.start == pytest.approx(asked, abs=0.4)
    assert result.texts[-1] == spoken(PHRASES.message_taken)[-1]
    left = Callback("Ann Smith", "5550142", True, "please call me about the invoice")
    assert result.story.callback == left
    assert (result.story.message, result.story.tasks) == (f"{text} yes", ["call_back"])
    assert [turn.who for turn in result.story.turns] == ["agent", "caller"] * 2 + ["agent"]


def test_what_is_missing_is_asked_for():
    script = Script().says(OFFERED + 1, "this is pat").presses(OFFERED + 12, "5")
    for index, key in enumerate("550142"):
        script.presses(OFFERED + 12.3 + index * 0.3, key)
    keyed = OFFERED + 12.3 + 5 * 0.3
    script.says(keyed + KEYS_S + 4.5, "yes").says(keyed + KEYS_S + 10, "about my boiler please")
    result = take(script)
    question = result.said(spoken(PHRASES.message_number)[0])
    over = ends("this is pat", OFFERED + 1) + SETTINGS.unsure_s + OPENING_S
    assert question.start == pytest.approx(over, abs=0.3)
    check = result.said("I have 5 5 5, 0 1 4 2.")
    assert check.start == pytest.approx(keyed + KEYS_S, abs=0.3)
    (noted,) = (part for part in spoken(PHRASES.message_taken) if "noted" in part)
    thanks = result.said(noted)
    told = ends("about my boiler please", keyed + KEYS_S + 10) + SETTINGS.unsure_s
    over = told + REASON_S + len("Thank you.") * PACE_S
    assert thanks.start == pytest.approx(over, abs=0.3)
    assert result.story.callback == Callback("Pat", "5550142", True, "about my boiler please")


def test_a_long_part_of_a_message_is_not_cut_off():
    script = Script().says(OFFERED + 1, "this is pat").says(OFFERED + 3, "it is a long story", 9.0)
    assert take(script).story.message == "this is pat it is a long story"


def test_the_hash_key_ends_a_message():
    script = Script().says(OFFERED + 1, "this is pat").presses(OFFERED + 3.5, "#")
    result = take(script)
    assert (result.outcome, result.story.message) == ("message", "this is pat")
    assert result.said(spoken(PHRASES.message_taken)[0]).start < OFFERED + 4


@pytest.mark.parametrize("key", ["*", "0"])
def test_star_leads_to_the_voicemail_instead(key):
    result = take(Script().presses(1.0, key))
    assert (result.outcome, result.story.tasks) == ("voicemail", [])


def test_who_says_nothing_gets_the_voicemail():
    result = take(Script())
    assert result.outcome == "voicemail"
    assert result.seconds == pytest.approx(OFFERED + SETTINGS.silence_s, abs=0.5)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [("voicemail please", "voicemail"), ("a person please", "voicemail"), ("goodbye", "resolved")],
)
def test_what_is_no_message_is_done_instead(text, outcome):
    result = take(Script().says(OFFERED + 1, text))
    assert (result.outcome, result.story.message) == (outcome, None)


@pytest.mark.parametrize("text", ["what about mars", "a person please call me back on monday then"])
def test_what_the_documents_do_not_say_is_a_message_all_the_same(text):
    replies = {text: Reply(PHRASES.unknown, Action.HANDOFF, unanswered="mars" in text)}
    result = converse(Script().says(OFFERED + 1, text), replies, purpose="message")
    assert (result.outcome, result.story.message) == ("message", text)


def test_an_emergency_is_never_a_message():
    script = Script().says(OFFERED + 1, "this is pat").says(OFFERED + 4, "there is a fire")
    assert take(script).outcome == "emergency"


@pytest.mark.parametrize("later", [-0.05, 0.3, 0.45, 0.9])
def test_hanging_up_in_mid_message_keeps_what_was_said(later):
    """Also what was said last: in the middle of the word, in the pause, before the question."""
    text = "this is pat about my boiler"
    result = take(Script().says(OFFERED + 1, text).hangs_up(ends(text, OFFERED + 1) + later))
    assert (result.outcome, result.story.tasks) == ("hangup", ["call_back"])
    assert result.story.callback == Callback("Pat", "", False, "about my boiler")


def test_a_greeting_cut_by_a_hang_up_is_in_the_record():
    result = talk(Script().hangs_up(2.0))
    (greeting,) = result.story.turns
    assert (greeting.who, greeting.text) == ("agent", GREETING)
    assert greeting.heard_s == pytest.approx(2.0, abs=0.2)


def test_the_audio_shows_life_for_as_long_as_it_has_to_go_on():
    text = "this is pat about my boiler"
    result = take(Script().says(OFFERED + 1, text).hangs_up(ends(text, OFFERED + 1) + 0.1))
    ages = [now - sent for now, sent in result.signs if sent is not None]
    assert len(ages) > 50
    assert max(ages) < 2 * FRAME_S
    # What was said last is recognised after the hang-up: then no frame is due any more.
    assert result.signs[-1][1] is None


def test_the_first_syllable_is_kept():
    """What the recogniser gets begins before the moment at which speech was noticed."""
    assert SETTINGS.onset_s < PREROLL_S
    result = talk(Script().says(GREETED + 1, "one two three four five six", 0.9).hangs_up(8))
    assert result.engines.recognised == ["one two three four five six"]


@pytest.mark.parametrize(
    ("state", "section"),
    [("open", "in_hours"), ("closed", "after_hours"), ("holiday", "after_hours")],
)
def test_the_greeting_is_that_of_the_state(state, section):
    expected = getattr(CONFIG.channels["support"], section).greeting or GREETING
    result = talk(Script().hangs_up(15), state=state)
    assert result.texts[: len(spoken(expected))] == spoken(expected)
