"""Turn-taking as scripted timelines. A frame lasts 32 ms, as the voice detector's does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent.turn import (
    Action,
    BargeIn,
    Finish,
    GoesOn,
    Paused,
    Resumed,
    Silent,
    SpeechStarted,
    TurnEnded,
    TurnSettings,
    TurnTaker,
    Unheard,
)

FRAME_S = 0.032
START = 500.0
SETTINGS = TurnSettings()
OPEN_S = SETTINGS.open_s + 0.1
"""Enough quiet to end any turn."""


class Line:
    """Plays a timeline: speech, quiet, or nothing at all, with a tick every 20 ms."""

    def __init__(self, settings: TurnSettings | None = None) -> None:
        self.now = START
        self.turns = TurnTaker(START, settings)
        self.log: list[tuple[float, Action]] = []

    def _frames(self, seconds: float, probability: float) -> None:
        for _ in range(round(seconds / FRAME_S)):
            self.now += FRAME_S
            self._note(self.turns.heard(probability, FRAME_S, self.now))

    def _note(self, actions: list[Action]) -> None:
        self.log += [(self.now - START, action) for action in actions]

    def speech(self, seconds: float, probability: float = 0.9) -> None:
        self._frames(seconds, probability)

    def quiet(self, seconds: float, probability: float = 0.1) -> None:
        self._frames(seconds, probability)

    def says(self, seconds: float, finish: Finish, after: float = 0.3) -> None:
        """Speak, and be understood ``after`` so much quiet."""
        self.speech(seconds)
        self.quiet(after)
        self._note(self.turns.understood(finish, self.now))

    def hold(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            self._note(self.turns.tick(self.now))

    def agent(self, busy: bool) -> None:
        (self.turns.agent_busy if busy else self.turns.agent_done)(self.now)

    def kinds(self) -> list[type[Action]]:
        return [type(action) for _, action in self.log]

    def at(self, kind: type[Action]) -> list[float]:
        return [moment for moment, action in self.log if isinstance(action, kind)]


def test_a_plain_turn_starts_pauses_and_ends() -> None:
    line = Line()
    line.quiet(0.96)
    line.speech(1.6)
    line.quiet(OPEN_S)
    assert line.kinds() == [SpeechStarted, Paused, TurnEnded]
    (_, started), (paused_at, paused), (ended_at, ended) = line.log
    assert started == SpeechStarted(pytest.approx(START + 0.96))
    assert paused == Paused(pytest.approx(START + 2.56))
    assert ended == TurnEnded(pytest.approx(START + 0.96), pytest.approx(START + 2.56))
    assert 2.56 + SETTINGS.pause_s <= paused_at <= 2.56 + SETTINGS.pause_s + FRAME_S
    assert 2.56 + SETTINGS.open_s <= ended_at <= 2.56 + SETTINGS.open_s + FRAME_S


def test_speech_is_known_once_it_lasts_for_the_onset() -> None:
    line = Line()
    line.speech(0.064)
    assert line.log == []
    assert not line.turns.caller_speaking
    line.speech(0.032)
    assert line.kinds() == [SpeechStarted]
    assert line.turns.caller_speaking


def test_clicks_do_not_add_up_to_speech() -> None:
    line = Line()
    for _ in range(50):
        line.speech(0.064)
        line.quiet(0.064)
    assert line.kinds() == []


def test_who_goes_on_after_a_pause_has_one_turn() -> None:
    line = Line()
    line.speech(0.96)
    line.quiet(0.32)
    line.speech(0.96)
    line.quiet(OPEN_S)
    assert line.kinds() == [SpeechStarted, Paused, Resumed, Paused, TurnEnded]
    assert line.log[-1][1] == TurnEnded(
        pytest.approx(START), pytest.approx(START + 0.96 + 0.32 + 0.96)
    )


def test_while_the_machine_is_busy_a_guess_needs_a_longer_pause() -> None:
    for busy, kinds in ((False, [SpeechStarted, Paused, Resumed]), (True, [SpeechStarted])):
        line = Line()
        line.turns.machine_busy = busy
        line.speech(0.96)
        line.quiet(0.16)
        line.speech(0.96)
        assert line.kinds() == kinds


def test_a_gap_below_the_pause_is_nothing() -> None:
    line = Line(replace(SETTINGS, pause_s=0.06))
    line.speech(0.96)
    line.quiet(0.032)
    line.speech(0.96)
    assert line.kinds() == [SpeechStarted]


def test_a_click_in_a_pause_does_not_move_the_end() -> None:
    line = Line()
    line.says(0.96, Finish.UNSURE, after=0.256)
    line.speech(FRAME_S)
    line.quiet(OPEN_S)
    assert line.kinds() == [SpeechStarted, Paused, TurnEnded]
    (ended_at, ended) = line.log[-1]
    assert ended == TurnEnded(pytest.approx(START), pytest.approx(START + 0.96))
    assert ended_at == pytest.approx(0.96 + SETTINGS.unsure_s, abs=FRAME_S)


def test_a_turn_does_not_end_while_the_caller_may_just_be_going_on() -> None:
    line = Line()
    line.says(0.96, Finish.COMPLETE, after=0.224)
    line.speech(0.32)
    assert line.kinds() == [SpeechStarted, Paused, Resumed]


@pytest.mark.parametrize(("probability", "kinds"), [(0.55, [SpeechStarted]), (0.45, None)])
def test_a_voice_that_trails_off_counts_until_it_is_really_quiet(
    probability: float, kinds: list[type[Action]] | None
) -> None:
    line = Line()
    line.speech(0.96)
    line.speech(1.92, probability)
    assert line.kinds() == (kinds or [SpeechStarted, Paused, TurnEnded])


def test_what_is_not_clearly_speech_begins_no_turn() -> None:
    line = Line()
    line.speech(3.2, 0.45)
    assert line.log == []


def test_a_barge_in_is_said_once_and_the_turn_goes_on() -> None:
    line = Line()
    line.agent(True)
    line.speech(1.28)
    line.agent(False)
    line.quiet(OPEN_S)
    assert line.kinds() == [SpeechStarted, BargeIn, Paused, TurnEnded]
    (barged_at,) = line.at(BargeIn)
    assert SETTINGS.barge_in_s <= barged_at <= SETTINGS.barge_in_s + FRAME_S


def test_a_barge_in_takes_the_turn_even_while_the_agent_still_speaks() -> None:
    line = Line()
    line.agent(True)
    line.speech(0.64)
    line.quiet(OPEN_S)
    assert line.kinds() == [SpeechStarted, BargeIn, Paused, TurnEnded]


def test_a_back_channel_under_the_agents_voice_takes_no_turn() -> None:
    line = Line()
    line.agent(True)
    line.speech(0.128)
    line.quiet(0.96)
    assert BargeIn not in line.kinds()
    assert TurnEnded not in line.kinds()
    assert not line.turns.caller_speaking
    line.agent(False)
    line.speech(0.64)
    line.quiet(OPEN_S)
    assert line.at(TurnEnded), "and the next turn is heard as ever"


def test_several_back_channels_do_not_add_up_to_a_barge_in() -> None:
    line = Line()
    line.agent(True)
    for _ in range(5):
        line.speech(0.128)
        line.quiet(0.96)
    assert BargeIn not in line.kinds()


def test_a_short_word_that_outlasts_the_agents_voice_is_a_turn() -> None:
    line = Line()
    line.agent(True)
    line.speech(0.128)
    line.agent(False)
    line.quiet(OPEN_S)
    assert line.kinds() == [SpeechStarted, Paused, TurnEnded]


def test_each_answer_of_the_agents_can_be_interrupted() -> None:
    line = Line()
    for _ in range(2):
        line.agent(True)
        line.speech(0.64)
        line.agent(False)
        line.quiet(OPEN_S)
    assert len(line.at(BargeIn)) == 2


def test_short_sounds_in_a_row_are_no_barge_in() -> None:
    line = Line()
    line.agent(True)
    for _ in range(4):
        line.speech(0.128)
        line.quiet(0.16)
    assert BargeIn not in line.kinds()


# --- What the words say ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finish", "patience_s"),
    [
        (Finish.COMPLETE, SETTINGS.complete_s),
        (Finish.BACK_CHANNEL, SETTINGS.complete_s),
        (Finish.UNSURE, SETTINGS.unsure_s),
        (Finish.NOTHING, SETTINGS.unsure_s),
        (Finish.ASKED, SETTINGS.asked_s),
        (Finish.DOUBTFUL, SETTINGS.doubtful_s),
        (Finish.OPEN, SETTINGS.open_s),
    ],
)
def test_the_words_decide_how_long_a_pause_ends_the_turn(finish: Finish, patience_s: float) -> None:
    line = Line()
    line.says(0.96, finish, after=0.16)
    line.quiet(OPEN_S)
    (ended_at,) = line.at(TurnEnded)
    assert 0.96 + patience_s <= ended_at <= 0.96 + patience_s + FRAME_S


@pytest.mark.parametrize("after", [0.352, 0.8, 1.12])
def test_words_that_come_late_end_a_complete_turn_at_once(after: float) -> None:
    line = Line()
    line.says(0.96, Finish.COMPLETE, after)
    assert line.at(TurnEnded) == [pytest.approx(0.96 + after)]


def test_words_that_never_come_end_it_all_the_same() -> None:
    line = Line()
    line.speech(0.96)
    line.quiet(3.0)
    (ended_at,) = line.at(TurnEnded)
    assert ended_at == pytest.approx(0.96 + SETTINGS.open_s, abs=FRAME_S)


def test_what_was_said_before_the_caller_went_on_counts_no_more() -> None:
    line = Line()
    line.says(0.96, Finish.COMPLETE, after=0.192)
    line.speech(0.32)
    line.quiet(0.96)
    assert TurnEnded not in line.kinds()
    line.quiet(0.32)
    assert line.at(TurnEnded) == [pytest.approx(0.96 + 0.192 + 0.32 + SETTINGS.open_s, abs=FRAME_S)]


def test_words_about_a_pause_that_is_over_are_not_taken() -> None:
    line = Line()
    line.speech(0.96)
    assert line.turns.understood(Finish.COMPLETE, line.now) == []
    line.quiet(0.64)
    assert TurnEnded not in line.kinds()


@pytest.mark.parametrize("finish", [Finish.BACK_CHANNEL, Finish.NOTHING])
def test_after_a_murmur_or_a_cough_the_agent_goes_on(finish: Finish) -> None:
    line = Line()
    line.agent(True)
    line.says(0.4, finish, after=0.16)
    line.quiet(0.64)
    assert line.kinds() == [SpeechStarted, BargeIn, Paused, GoesOn]
    (went_on_at,) = line.at(GoesOn)
    assert went_on_at == pytest.approx(0.384 + SETTINGS.complete_s, abs=FRAME_S)


def test_after_a_murmur_the_agent_can_be_interrupted_again() -> None:
    line = Line()
    line.agent(True)
    line.says(0.4, Finish.BACK_CHANNEL, after=0.35)
    line.says(0.64, Finish.COMPLETE, after=0.35)
    assert line.kinds() == [
        *(SpeechStarted, BargeIn, Paused, GoesOn),
        *(SpeechStarted, BargeIn, Paused, TurnEnded),
    ]


def test_yes_after_the_agents_last_word_is_an_answer() -> None:
    line = Line()
    line.agent(True)
    line.speech(0.4)
    line.agent(False)
    line.quiet(0.16)
    line._note(line.turns.understood(Finish.BACK_CHANNEL, line.now))
    line.quiet(0.32)
    assert line.kinds() == [SpeechStarted, BargeIn, Paused, TurnEnded]


def test_silence_is_told_after_7_s_and_again_after_14() -> None:
    line = Line()
    line.quiet(15.0)
    assert [action for _, action in line.log] == [Silent(1), Silent(2)]
    assert line.at(Silent) == pytest.approx([7.0, 14.0], abs=2 * FRAME_S)


def test_a_sound_that_may_have_been_a_question_is_asked_about_soon() -> None:
    line = Line()
    line.says(0.96, Finish.NOTHING, after=0.6)
    line.turns.agent_busy(line.now)
    line.turns.agent_done(line.now, unheard=True)
    done = line.now - START
    line.quiet(10.0)
    assert line.kinds()[3:] == [Unheard, Silent]
    assert line.at(Unheard) == pytest.approx([done + 1.7], abs=2 * FRAME_S)
    assert line.at(Silent) == pytest.approx([done + 8.7], abs=3 * FRAME_S)


def test_who_speaks_again_is_not_asked_about_what_was_not_heard() -> None:
    line = Line()
    line.turns.agent_done(line.now, unheard=True)
    line.quiet(1.2)
    line.says(0.64, Finish.COMPLETE, after=3.0)
    assert Unheard not in line.kinds()


def test_on_hold_no_frames_come_and_silence_is_told_all_the_same() -> None:
    line = Line()
    line.hold(15.0)
    assert [action for _, action in line.log] == [Silent(1), Silent(2)]


def test_a_turn_ends_on_hold_too() -> None:
    line = Line()
    line.speech(0.96)
    line.hold(OPEN_S)
    assert line.kinds() == [SpeechStarted, Paused, TurnEnded]


def test_silence_is_counted_from_the_agents_last_word() -> None:
    line = Line()
    line.agent(True)
    line.quiet(30.0)
    assert line.log == []
    line.agent(False)
    line.quiet(6.9)
    assert line.log == []
    line.quiet(0.2)
    assert line.kinds() == [Silent]


def test_a_word_or_a_key_makes_silence_count_from_one_again() -> None:
    line = Line()
    line.quiet(7.1)
    line.speech(0.32)
    line.quiet(8.4)
    line.turns.pressed(line.now)
    line.quiet(7.1)
    counts = [action.count for _, action in line.log if isinstance(action, Silent)]
    assert counts == [1, 1, 1]


def test_a_turn_without_end_is_taken_as_it_is() -> None:
    line = Line()
    line.speech(31.0)
    assert line.kinds() == [SpeechStarted, TurnEnded, SpeechStarted]
    assert line.at(TurnEnded) == pytest.approx([30.0], abs=2 * FRAME_S)


def test_settings_are_ones_own() -> None:
    line = Line(TurnSettings(open_s=1.5))
    line.speech(0.64)
    line.quiet(1.28)
    assert TurnEnded not in line.kinds()
    line.quiet(0.32)
    assert TurnEnded in line.kinds()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["speech", "quiet", "hold", "busy", "done", "key", *Finish]),
        st.floats(0.03, 3),
    ),
    max_size=30,
)


@given(STEPS)
def test_whatever_happens_the_order_of_actions_makes_sense(
    steps: list[tuple[str | Finish, float]],
) -> None:
    line = Line()
    for step, seconds in steps:
        if isinstance(step, Finish):
            line._note(line.turns.understood(step, line.now))
        elif step in ("busy", "done"):
            line.agent(step == "busy")
        elif step == "key":
            line.turns.pressed(line.now)
        else:
            getattr(line, step)(seconds)
    speaking = paused = False
    for _, action in line.log:
        match action:
            case SpeechStarted():
                speaking, paused = True, False
            case Paused():
                assert speaking
                assert not paused
                paused = True
            case Resumed():
                assert speaking
                assert paused
                paused = False
            case TurnEnded(speech_start, speech_end):
                assert speaking
                assert speech_start < speech_end
                speaking = False
            case Silent(count):
                assert count >= 1
                speaking = False  # a back-channel ends without a word
            case GoesOn():
                assert speaking
                speaking = False
            case BargeIn():
                assert speaking
