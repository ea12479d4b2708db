"""Whose turn it is, in whole conversations on a virtual clock: pauses, murmurs, interruptions."""

import asyncio
from dataclasses import replace

import pytest
from timeline import (
    CONFIG,
    FRAME_S,
    GREETING,
    PACE_S,
    PHRASES,
    RECOGNISE_S,
    THINK_S,
    VOICE_S,
    Script,
    converse,
)

from asterisk_agent.call import (
    BRIEF_LIMIT_S,
    COVER_AFTER_S,
    THOUGHT_LIMIT_S,
)
from asterisk_agent.events import Action, Reply, Source
from asterisk_agent.finished import LONG_S
from asterisk_agent.speaking import PARTING_HOLD_S, VOICE_LIMIT_S
from asterisk_agent.speech import sentences
from asterisk_agent.steady import QUIET_S, STILL_S
from asterisk_agent.thinking import AGAIN_BY_S, AGAIN_LEAST_S
from asterisk_agent.turn import Finish, TurnSettings

SETTINGS = TurnSettings()
OPENING = sentences(GREETING)
GREETED = len("".join(OPENING)) * PACE_S
ASKED = GREETED + 1
COST = "what does a visit cost"
PRICE = "A visit costs a lot, and the first hour is in it."
LONG = "A visit costs a lot, and the first hour is in it, and so is the way there and back."
WAIT = "wait"
KNOW = "i would like to know"
NIGHT = "what does a visit cost at night"
SLACK_S = 0.16
REPLIES = {
    COST: Reply(PRICE, Action.ANSWER),
    "my sink is blocked": Reply(PRICE, Action.ANSWER),
    "what about mars": Reply(PHRASES.unknown, Action.HANDOFF, unanswered=True),
    "a person please": Reply(PHRASES.connecting, Action.HANDOFF),
    WAIT: Reply(PHRASES.listening, Action.SMALLTALK),
    NIGHT: Reply("At night it is twice as much.", Action.ANSWER, confidence=0.98),
    "at night": Reply(PHRASES.clarify, Action.CLARIFY, confidence=0.5),
    "thank you": Reply(PHRASES.welcome, Action.SMALLTALK),
    "goodbye": Reply(PHRASES.goodbye, Action.GOODBYE),
}


def talk(script, replies=REPLIES, **options):
    return converse(script, replies, **options)


def heard_s(result, text):
    """How long a sentence was heard in all, in however many parts."""
    return sum(spoken.end - spoken.start for spoken in result.heard if spoken.text == text)


def length_s(text):
    return len(text) * PACE_S


def callers(result):
    return [turn.text for turn in result.story.turns if turn.who == "caller"]


def slow(seconds):
    def tune(engines):
        engines.recognise_s = seconds

    return tune


# --- How long a pause is --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "patience_s"),
    [
        (COST, SETTINGS.complete_s),
        ("my sink is blocked", SETTINGS.unsure_s),
        ("what about mars", SETTINGS.doubtful_s),
        (KNOW, SETTINGS.open_s),
        ("my number is five five five", SETTINGS.open_s),
    ],
)
def test_the_answer_comes_as_soon_as_the_words_are_over(text, patience_s):
    result = talk(Script().says(ASKED, text, 1.5).hangs_up(ASKED + 6))
    answer = next(spoken for spoken in result.heard if spoken.start > ASKED)
    assert patience_s <= answer.start - (ASKED + 1.5) <= patience_s + SLACK_S


@pytest.mark.parametrize("pause_s", [0.3, 0.5, 0.8, 1.0])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (KNOW, "what a visit costs"),
        ("my number is five five five", "one two three four"),
        ("my sink is blocked and", "the water runs over"),
    ],
)
def test_who_pauses_in_mid_sentence_is_not_cut_off(first, second, pause_s):
    script = Script().says(ASKED, first, 1.2).says(ASKED + 1.2 + pause_s, second, 1.0)
    result = talk(script.hangs_up(ASKED + 9))
    assert callers(result) == [f"{first} {second}"]
    answer = next(spoken for spoken in result.heard if spoken.start > ASKED)
    assert answer.start > ASKED + 2.2 + pause_s


@pytest.mark.parametrize("pause_s", [0.3, 0.45])
def test_a_statement_may_be_followed_by_its_question(pause_s):
    script = Script().says(ASKED, "my sink is blocked", 1.2)
    result = talk(script.says(ASKED + 1.2 + pause_s, COST, 1.0).hangs_up(ASKED + 9))
    assert callers(result) == [f"my sink is blocked {COST}"]


def test_the_words_may_come_after_the_shortest_wait():
    result = talk(Script().says(ASKED, COST, 1.5).hangs_up(ASKED + 6), tune=slow(0.5))
    ready = ASKED + 1.5 + SETTINGS.pause_s + 0.5 + THINK_S + VOICE_S
    assert ready <= result.said(PRICE).start <= ready + SLACK_S


def test_a_thought_that_was_dropped_makes_no_voice():
    script = Script().says(ASKED, KNOW, 1.2).says(ASKED + 1.34, "what a visit costs", 1.0)
    result = talk(script.hangs_up(ASKED + 9))
    assert f"You said {KNOW}." not in result.engines.sentences
    assert result.engines.recognised[-1] == f"{KNOW} what a visit costs"


def test_a_click_after_the_question_does_not_delay_the_answer():
    plain = talk(Script().says(ASKED, COST, 1.5).hangs_up(ASKED + 6))
    click = Script().says(ASKED, COST, 1.5).coughs(ASKED + 1.5 + 0.20, 0.02)
    result = talk(click.hangs_up(ASKED + 6))
    assert result.said(PRICE).start <= plain.said(PRICE).start + 0.035
    (answer,) = [turn for turn in result.story.turns if turn.delay_ms]
    heard = result.said(PRICE).start - (ASKED + 1.5)
    assert answer.delay_ms.total / 1000 == pytest.approx(heard, abs=SLACK_S)


# --- Heard twice ----------------------------------------------------------------------------

MISHEARD = "what about mars"


UNKNOWN = sentences(PHRASES.unknown)[0]
LATE_S = AGAIN_BY_S[Finish.DOUBTFUL] - RECOGNISE_S - THINK_S
OPTION = Reply("Do you mean Venus?", Action.CLARIFY, options=(Source("venus.md", "Venus"),))


def careful(text, busy=False, seconds=RECOGNISE_S):
    def tune(engines):
        engines.careful, engines.busy, engines.careful_s = text, busy, seconds

    return tune


def asked_once(text, **options):
    return talk(Script().says(ASKED, text, 1.5).hangs_up(ASKED + 6), **options)


def test_what_has_no_answer_is_heard_once_more():
    result = asked_once(MISHEARD, tune=careful(COST))
    assert callers(result) == [COST]
    assert result.said(PRICE).start <= ASKED + 1.5 + SETTINGS.doubtful_s + SLACK_S
    assert result.engines.thought == [MISHEARD, COST]


@pytest.mark.parametrize("second", [MISHEARD, "what about venus", ""])
def test_a_second_hearing_that_is_no_better_changes_nothing(second):
    replies = REPLIES | {"what about venus": REPLIES[MISHEARD]}
    result = asked_once(MISHEARD, replies=replies, tune=careful(second))
    assert callers(result) == [MISHEARD]


def test_the_first_reply_gets_its_voice_during_the_second_hearing():
    def tune(engines):
        async def slowly(sentence, *, slow=False):
            await asyncio.sleep(0.4)
            return await speak(sentence, slow=slow)

        careful("what about venus", seconds=0.6)(engines)
        speak, engines.speak = engines.speak, slowly

    replies = REPLIES | {"what about venus": REPLIES[MISHEARD]}
    began = asked_once(MISHEARD, replies=replies, tune=tune).said(UNKNOWN).start
    assert began <= ASKED + 1.5 + SETTINGS.doubtful_s + SLACK_S


def test_who_is_asked_back_does_not_wait_for_a_long_second_hearing():
    replies = REPLIES | {MISHEARD: OPTION}
    result = asked_once(MISHEARD, replies=replies, tune=careful(COST, seconds=LATE_S + 0.05))
    assert callers(result) == [MISHEARD]
    assert result.said(OPTION.text).start <= ASKED + 1.5 + COVER_AFTER_S
    result = asked_once(MISHEARD, replies=replies, tune=careful(COST, seconds=LATE_S - 0.05))
    assert callers(result) == [COST]


def test_nothing_is_heard_again_that_took_long_the_first_time():
    def tune(engines):
        careful(COST, seconds=0.01)(engines)
        engines.recognise_s = AGAIN_BY_S[Finish.DOUBTFUL] - AGAIN_LEAST_S + 0.05

    result = asked_once(MISHEARD, replies=REPLIES | {MISHEARD: OPTION}, tune=tune)
    assert callers(result) == [MISHEARD]
    result = asked_once(MISHEARD, tune=tune)
    assert callers(result) == [COST], "but for who would be put through"


def test_a_question_behind_a_preamble_is_asked_back_about_sooner():
    """Who spoke for so long and then asks has come to the point."""
    asked = "my landlord told me to take care of it myself. " * 3 + "How much is a visit?"
    begins = {seconds: ASKED + seconds for seconds in (LONG_S - 1, LONG_S + 0.5)}
    waited = {
        seconds: talk(
            Script().says(ASKED, asked, seconds).hangs_up(end + 6),
            replies=REPLIES | {asked: OPTION},
            tune=careful(asked, seconds=0.2),
        )
        .said(OPTION.text)
        .start
        - end
        for seconds, end in begins.items()
    }
    short, long = waited.values()
    assert SETTINGS.doubtful_s <= short <= SETTINGS.doubtful_s + SLACK_S
    assert SETTINGS.asked_s <= long <= SETTINGS.asked_s + SLACK_S


def test_who_would_be_put_through_does():
    result = asked_once(MISHEARD, tune=careful(COST, seconds=LATE_S + 0.05))
    assert callers(result) == [COST]


def test_the_tokens_of_all_thoughts_are_counted():
    replies = {MISHEARD: replace(REPLIES[MISHEARD], tokens=30), COST: Reply(PRICE, Action.ANSWER)}
    replies[COST] = replace(replies[COST], tokens=50)
    result = asked_once(MISHEARD, replies=replies, tune=careful(COST))
    assert result.story.tokens == 80


def test_what_has_an_answer_is_not_heard_again():
    result = asked_once(COST, tune=careful("goodbye"))
    assert result.engines.thought == [COST]


def test_nor_is_anything_while_other_callers_wait():
    result = asked_once(MISHEARD, tune=careful(COST, busy=True))
    assert callers(result) == [MISHEARD]


# --- Long speech ----------------------------------------------------------------------------

FIRST = "hello my name is pat and we moved into a new flat two weeks ago and since then"


def test_of_a_long_question_only_the_last_part_is_recognised_at_its_end():
    script = Script().says(ASKED, FIRST, 7.0).says(ASKED + 7.4, COST, 1.5)
    result = talk(script.hangs_up(ASKED + 14))
    assert result.engines.recognised == [FIRST, COST]
    assert callers(result) == [f"{FIRST} {COST}"]


def test_a_piece_that_is_still_being_recognised_is_waited_for():
    script = Script().says(ASKED, FIRST, 7.0).says(ASKED + 7.2, COST, 1.5)
    result = talk(script.hangs_up(ASKED + 16), tune=slow(2.0))
    assert result.engines.recognised == [FIRST, COST]
    assert callers(result) == [f"{FIRST} {COST}"]
    ready = ASKED + 7.1 + 2.0 + 2.0
    answer = next(spoken for spoken in result.heard if spoken.text.startswith("You said"))
    assert ready <= answer.start <= ready + 0.5


def test_the_turn_after_a_long_one_begins_anew():
    script = Script().says(ASKED, FIRST, 7.0).says(ASKED + 7.4, COST, 1.5)
    result = talk(script.says(ASKED + 20, COST, 1.5).hangs_up(ASKED + 30))
    assert callers(result)[-1] == COST


# --- Over the agent's voice -----------------------------------------------------------------

ANSWERED = ASKED + 1.5 + SETTINGS.complete_s
OVER = ANSWERED + 1.0


def interrupted(text, seconds, at=OVER, replies=REPLIES, **options):
    """The caller says something in the middle of an answer."""
    replies = replies | {COST: Reply(LONG, Action.ANSWER)}
    script = Script().says(ASKED, COST, 1.5).says(at, text, seconds)
    return talk(script.hangs_up(at + 12), replies, **options)


@pytest.mark.parametrize("seconds", [0.5, 1.2, 4.0])
def test_the_voice_stops_within_three_tenths_of_a_second(seconds):
    result = interrupted("a person please", seconds)
    first = next(spoken for spoken in result.heard if spoken.text == LONG)
    assert 0 < first.end - OVER <= 0.30
    assert heard_s(result, LONG) == pytest.approx(first.end - first.start)
    assert result.outcome == "person"


@pytest.mark.parametrize("text", ["mm-hm", "yes", "okay", "i see"])
def test_a_murmur_does_not_cost_the_answer(text):
    result = interrupted(text, 0.4)
    assert heard_s(result, LONG) >= length_s(LONG) - FRAME_S
    assert callers(result) == [COST]
    parts = [spoken for spoken in result.heard if spoken.text == LONG]
    went_on = parts[1].start - (OVER + 0.4)
    assert went_on <= max(SETTINGS.complete_s, SETTINGS.pause_s + RECOGNISE_S) + SLACK_S
    (answer,) = [turn for turn in result.story.turns if turn.action == Action.ANSWER]
    assert answer.heard_s == pytest.approx(length_s(LONG), abs=FRAME_S), "counted once"


def test_a_short_sound_that_is_taken_for_words_without_sense_does_not_cost_the_answer():
    for murmur in ("what about mars", "goodbye"):
        result = interrupted(murmur, 0.3)
        assert heard_s(result, LONG) >= length_s(LONG) - FRAME_S
        assert callers(result) == [COST]
    result = interrupted("what about mars", 1.2)
    assert heard_s(result, LONG) < length_s(LONG) / 2
    assert callers(result) == [COST, "what about mars"]


def test_a_longer_sound_that_is_hardly_words_does_not_cost_the_answer():
    """A recogniser that makes "and I'm making them" of a long "mm-hm" believes it little."""

    def unsure(engines):
        engines.confidence = 0.45

    result = interrupted("what about mars", 1.2, tune=unsure)
    assert heard_s(result, LONG) >= length_s(LONG) - FRAME_S
    assert callers(result) == [COST]
    replies = REPLIES | {"what about mars": OPTION}
    result = interrupted("what about mars", 1.2, tune=unsure, replies=replies)
    assert heard_s(result, LONG) >= length_s(LONG) - FRAME_S
    result = interrupted("a person please", 1.2, tune=unsure)
    assert result.outcome == "person", "what has a meaning counts, however little it is believed"


@pytest.mark.parametrize("seconds", [0.2, 0.4, 1.0])
def test_a_cough_does_not_cost_the_answer(seconds):
    replies = REPLIES | {COST: Reply(LONG, Action.ANSWER)}
    script = Script().says(ASKED, COST, 1.5).coughs(OVER, seconds).hangs_up(OVER + 8)
    result = talk(script, replies)
    assert heard_s(result, LONG) >= length_s(LONG) - FRAME_S
    assert callers(result) == [COST]
    assert max(
        b.start - a.end for a, b in zip(result.heard[-2:], result.heard[-1:], strict=False)
    ) < (seconds + 0.5)


def test_a_cough_over_the_greeting_is_gone_over():
    result = talk(Script().coughs(2.0, 0.3).hangs_up(GREETED + 3))
    for sentence in OPENING:
        assert heard_s(result, sentence) >= length_s(sentence) - FRAME_S


def test_murmurs_again_and_again():
    replies = REPLIES | {COST: Reply(LONG, Action.ANSWER)}
    script = Script().says(ASKED, COST, 1.5)
    script.says(OVER, "yes", 0.3).says(OVER + 1.2, "okay", 0.3).hangs_up(OVER + 9)
    result = talk(script, replies)
    assert heard_s(result, LONG) >= length_s(LONG) - FRAME_S
    assert callers(result) == [COST]


@pytest.mark.parametrize("at", [OVER, OVER + 1.0])
def test_who_says_wait_is_obeyed(at):
    result = interrupted(WAIT, 0.5, at)
    stopped = [spoken for spoken in result.heard if spoken.text == LONG]
    assert len(stopped) == 1
    assert stopped[0].end - at <= 0.30
    listening = result.said(PHRASES.listening)
    assert listening.start - (at + 0.5) <= SETTINGS.unsure_s + SLACK_S


def test_yes_at_the_end_of_a_question_is_its_answer():
    at = ASKED + 1.0
    replies = REPLIES | {"yes": Reply(PHRASES.go_ahead, Action.SMALLTALK)}
    script = Script().says(ASKED, "thank you", 0.6)
    begins = at + 0.6 + SETTINGS.complete_s
    last = sentences(PHRASES.welcome)[-1]
    said_at = begins + length_s(PHRASES.welcome) - 1.0
    result = talk(script.says(said_at, "yes", 0.3).hangs_up(said_at + 8), replies)
    assert heard_s(result, last) < length_s(last)
    assert result.texts[-len(sentences(PHRASES.go_ahead)) :] == sentences(PHRASES.go_ahead)


@pytest.mark.parametrize("after", [0.05, 0.2, 0.5])
def test_who_goes_on_when_the_answer_began_gets_one_for_the_whole(after):
    result = interrupted("at night", 0.8, ANSWERED + after)
    assert heard_s(result, LONG) <= 0.8
    assert "At night it is twice as much." in result.texts
    assert callers(result)[-1] == NIGHT
    assert NIGHT in result.engines.thought


def test_a_second_part_that_stands_for_itself_is_taken_as_it_is():
    result = interrupted("a person please", 0.9, ANSWERED + 0.2)
    assert result.outcome == "person"
    assert callers(result) == [COST, "a person please"]


def test_a_second_part_with_the_better_answer_is_taken_alone():
    replies = REPLIES | {
        "my sink is blocked": Reply("Turn the water off.", Action.ANSWER, confidence=0.95),
        f"{COST} my sink is blocked": Reply(PHRASES.clarify, Action.CLARIFY, confidence=0.5),
    }
    result = interrupted("my sink is blocked", 0.9, ANSWERED + 0.2, replies)
    assert "Turn the water off." in result.texts


def test_a_key_while_the_voice_is_held_is_obeyed_at_once():
    replies = REPLIES | {COST: Reply(LONG, Action.ANSWER)}
    script = Script().says(ASKED, COST, 1.5).coughs(OVER, 1.0).presses(OVER + 0.6, "0")
    result = talk(script, replies)
    assert result.outcome == "person"
    assert heard_s(result, sentences(PHRASES.connecting)[0]) > 0


@pytest.mark.parametrize("after", [0.1, 0.4, 0.9])
def test_hanging_up_while_the_voice_is_held(after):
    replies = REPLIES | {COST: Reply(LONG, Action.ANSWER)}
    script = Script().says(ASKED, COST, 1.5).coughs(OVER, 1.0).hangs_up(OVER + after)
    result = talk(script, replies)
    assert result.outcome == "hangup"
    assert result.seconds <= OVER + after + 0.1


def test_a_service_that_stops_while_the_voice_is_held():
    replies = REPLIES | {COST: Reply(LONG, Action.ANSWER)}
    script = Script().says(ASKED, COST, 1.5).coughs(OVER, 0.5)
    result = talk(script, replies, leave_at=OVER + 0.4)
    assert result.outcome == "stopping"
    assert heard_s(result, sentences(PHRASES.stopping)[-1]) > 0


# --- The last sentence ----------------------------------------------------------------------

PARTING = ASKED + 1.2 + SETTINGS.doubtful_s


def test_thanks_do_not_cut_off_the_last_sentence():
    script = Script().says(ASKED, "a person please", 1.2).says(PARTING + 0.8, "thank you", 0.6)
    result = talk(script)
    assert result.outcome == "person"
    for sentence in sentences(PHRASES.connecting):
        assert heard_s(result, sentence) >= length_s(sentence) - FRAME_S
    assert len(result.briefs) == 1


@pytest.mark.parametrize("seconds", [0.6, 3.0, 20.0])
def test_who_talks_into_the_last_sentence_goes_where_it_says(seconds):
    script = Script().says(ASKED, "a person please", 1.2)
    script.says(PARTING + 0.8, "and the other thing is that it leaks", seconds)
    result = talk(script)
    assert result.outcome == "person"
    assert result.seconds <= PARTING + 0.8 + PARTING_HOLD_S + 0.5
    assert len(result.briefs) == 1


# --- Long thoughts --------------------------------------------------------------------------

ONE_MOMENT, LET_ME_SEE = PHRASES.thinking


@pytest.mark.parametrize(("seconds", "covered"), [(0.9, False), (1.3, True), (3.0, True)])
def test_only_a_long_thought_is_covered(seconds, covered):
    result = talk(Script().says(ASKED, COST, 1.5).hangs_up(ASKED + 12), tune=slow(seconds))
    assert (ONE_MOMENT in result.texts) is covered
    assert LET_ME_SEE not in result.texts
    if covered:
        begins = result.said(ONE_MOMENT).start - (ASKED + 1.5)
        assert COVER_AFTER_S <= begins <= COVER_AFTER_S + VOICE_S + SLACK_S
    ready = ASKED + 1.5 + SETTINGS.pause_s + seconds + THINK_S + VOICE_S
    latest = max(ready, result.said(ONE_MOMENT).end if covered else 0)
    assert result.said(PRICE).start <= latest + SLACK_S


def test_no_two_long_thoughts_in_a_row_are_covered_with_the_same_words():
    script = Script().says(ASKED, COST, 1.5).says(ASKED + 10, COST, 1.5).says(ASKED + 20, COST, 1.5)
    result = talk(script.hangs_up(ASKED + 30), tune=slow(2.0))
    covers = [text for text in result.texts if text in (ONE_MOMENT, LET_ME_SEE)]
    assert covers == [ONE_MOMENT, LET_ME_SEE, ONE_MOMENT]


def silences(result, since):
    """The pauses between what was heard, and until the line was given back."""
    moments = [since, *(moment for one in result.heard for moment in (one.start, one.end))]
    moments = [moment for moment in moments if moment >= since] + [result.seconds]
    return [after - before for before, after in zip(moments[::2], moments[1::2], strict=True)]


def mute(text):
    def tune(engines):
        engines.mute = text

    return tune


def test_who_speaks_into_a_long_thought_does_not_wait_for_it_in_silence():
    script = Script().says(ASKED, COST, 1.5).says(ASKED + 3.4, COST, 0.8)
    result = talk(script, tune=slow(600))
    assert result.outcome == "lost"
    assert max(silences(result, ASKED + 4.2)) < 3.0


@pytest.mark.parametrize("tune", [slow(600), mute(PRICE)])
def test_who_waits_in_vain_for_an_answer_goes_to_a_person_and_never_in_silence(tune):
    result = talk(Script().says(ASKED, COST, 1.5), tune=tune)
    assert result.outcome == "lost"
    covers = [one for one in result.texts if one in (ONE_MOMENT, LET_ME_SEE)]
    assert covers == [ONE_MOMENT, LET_ME_SEE, ONE_MOMENT]
    assert result.seconds <= ASKED + 1.5 + THOUGHT_LIMIT_S + SLACK_S
    assert max(silences(result, ASKED + 1.5)) <= 2.2


def test_a_voice_that_stops_between_two_sentences_leads_to_a_person():
    replies = {COST: Reply(f"It costs a lot. {PRICE}", Action.ANSWER)}
    result = talk(Script().says(ASKED, COST, 1.5), replies, tune=mute(PRICE))
    assert result.outcome == "lost"
    assert result.seconds <= result.said("It costs a lot.").end + VOICE_LIMIT_S + SLACK_S


def test_the_brief_is_not_waited_for():
    label = CONFIG.channels["support"].label
    script = Script().says(ASKED, "a person please", 1.2)
    result = talk(script, tune=mute(PHRASES.brief_call.format(label=label)[:12]))
    assert (result.outcome, result.briefs) == ("person", [])
    assert result.seconds <= ASKED + 1.2 + BRIEF_LIMIT_S + 1.5


def test_speech_of_which_nothing_is_understood_is_asked_for_again():
    script = Script().coughs(ASKED, 2.0).coughs(ASKED + 8, 2.0)
    result = talk(script)
    first, _ = sentences(PHRASES.clarify_empty)
    assert result.said(first).start <= ASKED + 2.0 + 2.0
    assert result.outcome == "unanswered"


def test_a_short_question_of_which_nothing_is_understood_does_not_wait_in_silence():
    script = Script().coughs(ASKED, 1.0).coughs(ASKED + 8, 1.0)
    result = talk(script)
    first, _ = sentences(PHRASES.clarify_empty)
    assert result.said(first).start <= ASKED + 1.0 + 2.9
    assert result.outcome == "unanswered"


def test_a_cough_is_not_asked_about():
    result = talk(Script().coughs(ASKED, 0.4).hangs_up(ASKED + 6))
    first, _ = sentences(PHRASES.clarify_empty)
    assert first not in result.texts


def test_what_follows_an_unheard_sound_is_answered():
    script = Script().coughs(ASKED, 1.0).says(ASKED + 2.4, COST, 1.5)
    result = talk(script.hangs_up(ASKED + 9))
    first, _ = sentences(PHRASES.clarify_empty)
    assert first not in result.texts
    assert PRICE in result.texts


def test_who_goes_on_during_a_long_thought_is_not_answered_twice():
    script = Script().says(ASKED, COST, 1.5).says(ASKED + 1.5 + 1.6, "at night", 0.8)
    result = talk(script.hangs_up(ASKED + 15), tune=slow(2.0))
    assert PRICE not in result.texts
    assert "At night it is twice as much." in result.texts


def test_a_key_during_a_long_thought():
    script = Script().says(ASKED, COST, 1.5).presses(ASKED + 3.2, "0")
    result = talk(script, tune=slow(5.0))
    assert result.outcome == "person"
    assert PRICE not in result.texts


def test_a_question_back_with_choices_is_no_misunderstanding():
    choice = Reply("Do you mean taps or drains?", Action.CLARIFY, options=(Source("a", "b"),) * 2)
    script = Script()
    for number in range(4):
        script.says(GREETED + 1 + 8 * number, "which one is it")
    result = converse(script.hangs_up(GREETED + 34), {"which one is it": choice})
    assert result.outcome == "hangup"


def test_abuse_is_answered_once_and_then_handed_over():
    script = Script().says(GREETED + 1, "you are awful").says(GREETED + 9, "you are awful")
    result = converse(script, {"you are awful": Reply(PHRASES.abuse, Action.ABUSE)})
    assert result.outcome == "abuse"
    assert sentences(PHRASES.abuse)[0] in result.texts


def test_what_cannot_wait_is_told_to_the_routing():
    urgent = Reply(PHRASES.connecting, Action.HANDOFF, urgent=True)
    script = Script().says(GREETED + 1, "my cellar is full of water")
    assert converse(script, {"my cellar is full of water": urgent}).outcome == "urgent"


# --- A line that stands still ---------------------------------------------------------------


def test_a_line_that_stands_still_and_is_not_on_hold_is_given_back_without_a_goodbye():
    script = Script().holds_the_line(ASKED, ASKED + 20).hangs_up(ASKED + 20)
    result = talk(script, on_hold=False)
    assert (result.outcome, result.line.dropped) == ("lost", True)
    assert ASKED + STILL_S <= result.seconds <= ASKED + STILL_S + 0.3


@pytest.mark.parametrize("on_hold", [True, None])
def test_whoever_is_or_may_be_on_hold_is_waited_for(on_hold):
    script = Script().holds_the_line(ASKED, ASKED + 6).says(ASKED + 7, COST, 1.5)
    result = talk(script.hangs_up(ASKED + 15), on_hold=on_hold)
    assert (result.outcome, result.line.dropped) == ("hangup", False)
    assert PRICE in result.texts


@pytest.mark.parametrize("spoke", [True, False])
def test_nobody_is_given_up_on_hold_however_long(spoke):
    script = Script().says(ASKED, COST, 1.5) if spoke else Script()
    script.holds_the_line(ASKED + 8, ASKED + 90).says(ASKED + 91, COST, 1.5)
    result = talk(script.hangs_up(ASKED + 100), on_hold=True)
    assert (result.outcome, result.line.dropped) == ("hangup", False)
    assert result.texts.count(PRICE) == 1 + spoke
    assert result.heard[-1].start > ASKED + 92


def test_a_line_that_stands_still_from_the_first_is_given_back():
    """It was never steady: Asterisk has to tell that the phone sends."""
    result = talk(Script().holds_the_line(0.2, 40), on_hold=False, phone_sends=50)
    assert (result.outcome, result.line.dropped) == ("lost", True)
    assert result.seconds < 0.2 + 2.6


def test_who_comes_back_from_a_hold_is_given_time_to_be_heard():
    """Asterisk tells of the end of a hold before the phone's first packet is there."""
    back = ASKED + 12
    script = Script().holds_the_line(ASKED, back + 0.4).says(back + 1, COST, 1.5).hangs_up(back + 9)
    result = talk(script, on_hold=lambda at: ASKED - 0.1 <= at < back, phone_sends=50)
    assert (result.outcome, result.line.dropped) == ("hangup", False)
    assert PRICE in result.texts


def test_a_key_that_is_held_down_ends_no_call():
    """Asterisk sends no audio meanwhile, and counts the key's packets."""
    script = Script().holds_the_line(ASKED, ASKED + 1.4).says(ASKED + 2, COST, 1.5)
    result = talk(script.hangs_up(ASKED + 9), on_hold=False, phone_sends=50)
    assert (result.outcome, result.line.dropped) == ("hangup", False)
    assert PRICE in result.texts


def test_one_key_after_the_other_ends_no_call():
    script = Script().holds_the_line(ASKED, ASKED + 6)
    for number in range(12):
        script.presses(ASKED + number * 0.5, "7")
    result = talk(
        script.says(ASKED + 9, COST, 1.5).hangs_up(ASKED + 16), on_hold=False, phone_sends=50
    )
    assert (result.outcome, result.line.dropped) == ("hangup", False)


@pytest.mark.parametrize("phone_sends", [0, 8])
def test_a_phone_that_is_known_to_be_quiet_is_in_no_outage(phone_sends):
    script = Script().holds_the_line(0.2, GREETED + 3).says(GREETED + 3, COST, 1.5)
    script.hangs_up(GREETED + 10)
    result = talk(script, on_hold=False, phone_sends=phone_sends, others_died_at=1.0)
    assert (result.outcome, result.line.dropped) == ("hangup", False)


def test_sounds_far_apart_send_nobody_away():
    script = Script().coughs(ASKED, 0.8).coughs(ASKED + 14, 0.8).hangs_up(ASKED + 20)
    assert talk(script).outcome == "hangup"


@pytest.mark.parametrize(
    ("on_hold", "phone_sends"), [(False, 8), (False, None), (True, 50), (None, 50)]
)
def test_a_phone_that_is_quiet_itself_or_may_be_on_hold_is_waited_for(on_hold, phone_sends):
    script = Script().holds_the_line(0.2, GREETED + 3).says(GREETED + 3, COST, 1.5)
    result = talk(script.hangs_up(GREETED + 10), on_hold=on_hold, phone_sends=phone_sends)
    assert (result.outcome, result.line.dropped) == ("hangup", False)
    assert PRICE in result.texts


@pytest.mark.parametrize(("on_hold", "outcome"), [(False, "lost"), (True, "hangup")])
def test_a_line_that_stands_still_while_others_die_is_given_back(on_hold, outcome):
    """Nobody knows what the phone sends: there is no manager interface either."""
    script = Script().holds_the_line(0.2, 12).hangs_up(12)
    result = talk(script, on_hold=on_hold, others_died_at=2.0)
    assert result.outcome == outcome
    assert (result.seconds < 2.0 + QUIET_S + 0.1) is (outcome == "lost")


def test_others_that_die_do_not_end_a_call_that_goes_on():
    script = Script().says(ASKED, COST, 1.5).hangs_up(ASKED + 10)
    result = talk(script, on_hold=False, others_died_at=ASKED + 1)
    assert (result.outcome, result.line.dropped) == ("hangup", False)
    assert PRICE in result.texts


def test_a_line_that_is_flooded_is_given_back_at_once():
    result = talk(Script(flood=ASKED).says(ASKED + 1, COST, 1.5))
    assert (result.outcome, result.line.dropped) == ("lost", True)
    assert ASKED <= result.seconds <= ASKED + 0.1
