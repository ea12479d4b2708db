"""The playout clock in virtual time."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asterisk_agent.pacer import FRAME_S, LEAD_S, Finished, Pacer, Started

RATE_HZ = 8_000
FRAME_BYTES = 320
SILENCE = bytes(FRAME_BYTES)
START = 1000.0


def voice(seconds: float, sample: bytes = b"\x01\x02") -> bytes:
    return sample * round(seconds * RATE_HZ)


class Wire:
    """The owner's loop: wakes exactly when told to, and remembers when each frame went out."""

    def __init__(self, now: float = START) -> None:
        self.pacer = Pacer(RATE_HZ, now)
        self.sent: list[tuple[float, bytes]] = []
        self.events: list[Started | Finished] = []
        self.now = now

    def run(self, seconds: float, late_s: float = 0.0) -> None:
        until = self.now + seconds
        while self.pacer.next_due() <= until:
            self.now = max(self.now, self.pacer.next_due() + late_s)
            frames = self.pacer.frames(self.now)
            assert frames, "woken for nothing: the owner would spin"
            self.sent += [(self.now, frame) for frame in frames]
            self.events += self.pacer.events()
        self.now = max(self.now, until)

    def pcm(self) -> bytes:
        return b"".join(frame for _, frame in self.sent)


def test_silence_goes_out_while_nothing_is_queued() -> None:
    wire = Wire()
    wire.run(1.0)
    assert {frame for _, frame in wire.sent} == {SILENCE}
    assert not wire.pacer.speaking
    assert wire.events == []


def test_frames_keep_a_beat_of_20_ms_behind_the_lead() -> None:
    wire = Wire()
    wire.run(10.0)
    moments = [moment for moment, _ in wire.sent]
    assert moments[:3] == [START] * 3  # the lead
    beats = [b - a for a, b in pairwise(moments[2:])]
    assert beats == pytest.approx([FRAME_S] * len(beats))
    assert len(wire.sent) == pytest.approx(10.0 / FRAME_S + 3, abs=1)


@given(st.floats(0, 1e7))
def test_the_owner_is_never_woken_for_nothing(start: float) -> None:
    pacer = Pacer(RATE_HZ, start)
    pacer.frames(start)
    for _ in range(100):
        assert pacer.frames(pacer.next_due())


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=60))
def test_the_lead_is_bounded_however_the_owner_wakes(waits: list[float]) -> None:
    pacer = Pacer(RATE_HZ, START)
    now, played_until = START, START
    for wait in waits:
        now += wait
        frames = pacer.frames(now)
        played_until = max(played_until, now) + len(frames) * FRAME_S
        assert LEAD_S - 1e-6 <= played_until - now <= LEAD_S + FRAME_S + 1e-6
        assert len(frames) <= 3


def test_a_clip_goes_out_whole_and_is_accounted_for() -> None:
    wire = Wire()
    wire.pacer.add("hello", voice(0.5), complete=True)
    assert wire.pacer.speaking
    wire.run(1.0)
    assert wire.pcm().startswith(voice(0.5) + SILENCE)
    assert wire.events == [Started("hello"), Finished("hello", 0.5, True)]
    assert not wire.pacer.speaking


def test_clips_follow_each_other_within_a_frame_and_the_last_is_padded() -> None:
    wire = Wire()
    wire.pacer.add("a", voice(0.025, b"aa"), complete=True)
    wire.pacer.add("b", voice(0.01, b"bb"), complete=True)
    wire.run(0.2)
    assert wire.pcm().startswith(voice(0.025, b"aa") + voice(0.01, b"bb") + bytes(80))
    assert all(len(frame) == FRAME_BYTES for _, frame in wire.sent)
    assert wire.events == [
        Started("a"),
        Finished("a", 0.025, True),
        Started("b"),
        Finished("b", 0.01, True),
    ]


def test_pieces_of_one_key_are_one_clip_with_silence_where_the_voice_is_slow() -> None:
    wire = Wire()
    wire.pacer.add("a", voice(0.1, b"aa"))
    wire.run(0.2)
    assert wire.pacer.speaking  # not complete: the next piece is on its way
    assert wire.sent[-1][1] == SILENCE
    wire.pacer.add("a", voice(0.1, b"aa"), complete=True)
    wire.run(0.2)
    assert wire.events == [Started("a"), Finished("a", 0.2, True)]


def test_a_key_used_again_after_its_end_is_a_new_clip() -> None:
    wire = Wire()
    for _ in range(2):
        wire.pacer.add("a", voice(0.02), complete=True)
    wire.run(0.2)
    assert wire.events == [Started("a"), Finished("a", 0.02, True)] * 2


def test_a_clip_may_be_ended_with_no_audio() -> None:
    wire = Wire()
    wire.pacer.add("a", voice(0.04))
    wire.run(0.1)
    wire.pacer.add("a", b"", complete=True)
    wire.run(0.1)
    assert wire.events == [Started("a"), Finished("a", 0.04, True)]


def test_stopping_tells_what_was_heard_and_silence_follows_at_once() -> None:
    wire = Wire()
    wire.pacer.add("a", voice(2.0), complete=True)
    wire.pacer.add("b", voice(1.0))
    wire.run(0.5)
    sent_s = len(wire.sent) * FRAME_S
    wire.pacer.stop()
    assert not wire.pacer.speaking
    wire.events += wire.pacer.events()
    assert wire.events == [
        Started("a"),
        Finished("a", pytest.approx(sent_s), False),
        Finished("b", 0.0, False),
    ]
    assert sent_s == pytest.approx(0.5 + LEAD_S, abs=FRAME_S + 1e-6)
    before = len(wire.sent)
    wire.run(0.5)
    assert {frame for _, frame in wire.sent[before:]} == {SILENCE}


def test_stopping_with_nothing_queued_is_nothing() -> None:
    pacer = Pacer(RATE_HZ, START)
    pacer.stop()
    assert pacer.events() == []


def test_a_stall_is_reported_and_not_made_up() -> None:
    wire = Wire()
    wire.run(1.0)
    assert wire.pacer.longest_gap_s == 0.0
    before = len(wire.sent)
    wire.run(1.0, late_s=LEAD_S + 0.3)
    assert wire.pacer.longest_gap_s == pytest.approx(0.3, abs=FRAME_S)
    stalled = [moment for moment, _ in wire.sent[before:]]
    assert stalled.count(stalled[0]) == 3  # the lead again, no more


def test_jitter_below_the_lead_leaves_no_gap() -> None:
    wire = Wire()
    wire.run(5.0, late_s=LEAD_S * 0.9)
    assert wire.pacer.longest_gap_s == 0.0
    assert len(wire.sent) * FRAME_S >= 5.0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(0, 700), st.booleans()),
            st.tuples(st.just("wait"), st.integers(1, 100), st.just(False)),
            st.tuples(st.just("stop"), st.just(0), st.just(False)),
        ),
        max_size=30,
    )
)
def test_every_clip_that_starts_finishes_with_what_went_out(
    steps: list[tuple[str, int, bool]],
) -> None:
    wire, key = Wire(), 0
    for step, amount, complete in steps:
        if step == "add":
            wire.pacer.add(key, b"\x01\x01" * amount, complete=complete)
            key += complete
        elif step == "wait":
            wire.run(amount / 1000)
        else:
            wire.pacer.stop()
            key += 1
    wire.pacer.stop()
    wire.events += wire.pacer.events()
    heard = sum(event.heard_s for event in wire.events if isinstance(event, Finished))
    assert heard == pytest.approx(wire.pcm().count(1) / 2 / RATE_HZ)
    begun = [event.key for event in wire.events if isinstance(event, Started)]
    ended = [event.key for event in wire.events if isinstance(event, Finished) and event.heard_s]
    assert begun == ended


# --- Holding ---------------------------------------------------------------------------------


def held_pacer():
    """A pacer that has sent 100 ms of a clip of 400 ms."""
    pacer = Pacer(8_000, 0.0)
    pacer.add("clip", b"".join(bytes([n + 1, 0]) * 160 for n in range(20)), complete=True)
    sent = pacer.frames(0.0)
    while len(sent) < 5:
        sent += pacer.frames(pacer.next_due())
    return pacer, sent


def test_a_held_voice_is_silent_at_the_next_frame_and_loses_nothing():
    pacer, sent = held_pacer()
    pacer.hold()
    assert pacer.held
    silent = [frame for _ in range(10) for frame in pacer.frames(pacer.next_due())]
    assert silent
    assert not any(map(any, silent))
    assert pacer.left_s == pytest.approx(0.3)
    assert pacer.speaking
    pacer.go_on()
    rest = [frame for _ in range(15) for frame in pacer.frames(pacer.next_due())]
    assert [frame[0] for frame in sent + rest[:15]] == list(range(1, 21))
    assert [type(event) for event in pacer.events()] == [Started, Finished]


def test_going_on_from_a_little_before_counts_what_was_heard_once():
    pacer, _ = held_pacer()
    assert list(pacer.played(0.06)[::320]) == [3, 4, 5]
    pacer.hold()
    pacer.go_on(0.06)
    rest = [frame for _ in range(18) for frame in pacer.frames(pacer.next_due())]
    assert [frame[0] for frame in rest[:18]] == list(range(3, 21))
    (_, finished) = pacer.events()
    assert finished == Finished("clip", pytest.approx(0.4), complete=True)


def test_going_back_further_than_the_beginning_is_the_beginning():
    pacer, _ = held_pacer()
    pacer.hold()
    pacer.go_on(5.0)
    assert pacer.frames(pacer.next_due())[0][0] == 1


def test_a_held_voice_can_be_dropped():
    pacer, _ = held_pacer()
    pacer.hold()
    pacer.stop()
    assert not pacer.held
    assert not pacer.speaking
    assert pacer.events()[-1] == Finished("clip", pytest.approx(0.1), complete=False)
    assert pacer.played(1.0) == b""
    pacer.add("next", b"\1\0" * 160, complete=True)
    assert pacer.frames(pacer.next_due())[0][0] == 1
    pacer.go_on(1.0)
