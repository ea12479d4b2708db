"""The agent's own voice, come back: at telephone rate, over any way, beside any caller."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from asterisk_agent.audio import LINE_RATE_HZ
from asterisk_agent.echo import SPAN_S, EchoJudge

STEP = 160
HYBRID = np.zeros(64)
HYBRID[[0, 5, 17, 40]] = -1.0, 0.5, -0.3, 0.2
Samples = npt.NDArray[np.float64]


def voice(seed: int, seconds: float = 3.0) -> Samples:
    """Something like a voice: pulses of a changing pitch through changing formants."""
    rng = np.random.default_rng(seed)
    count = round(seconds * LINE_RATE_HZ)
    moments = np.arange(count) / LINE_RATE_HZ
    pitch = 120 + 40 * rng.random() + 30 * np.sin(2 * np.pi * (1 + rng.random()) * moments)
    phase = 2 * np.pi * np.cumsum(pitch) / LINE_RATE_HZ
    spoken = np.zeros(count)
    for harmonic in range(1, 20):
        loudness = 1 + np.sin(2 * np.pi * rng.random() * 4 * moments + rng.random() * 6)
        spoken += loudness * np.sin(harmonic * phase + rng.random() * 6) / harmonic
    return 2500 * spoken + rng.normal(0, 100, count)


def echo(sent: Samples, delay_s: float, level_db: float, way: Samples | None = None) -> Samples:
    late = np.concatenate((np.zeros(round(delay_s * LINE_RATE_HZ)), sent))
    if way is not None:
        late = np.convolve(late, way)
    noise = np.random.default_rng(9).normal(0, 10, len(sent))
    return late[: len(sent)] * 10 ** (level_db / 20) + noise


def pcm(samples: Samples) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def share_of_echo(sent: Samples, came: Samples) -> float:
    """In what share of the frames, once something was sent for a while, it is an echo."""
    judge = EchoJudge(LINE_RATE_HZ)
    verdicts = []
    for at in range(0, len(sent) - STEP, STEP):
        judge.sent(pcm(sent[at : at + STEP]))
        judge.heard(pcm(came[at : at + STEP]))
        if at > 0.6 * LINE_RATE_HZ:
            verdicts.append(judge.is_echo())
    return sum(verdicts) / len(verdicts)


@pytest.mark.parametrize("way", [None, HYBRID], ids=["plain", "hybrid"])
@pytest.mark.parametrize("level_db", [-12.0, -18.0, -26.0])
@pytest.mark.parametrize("delay_s", [0.04, 0.10, 0.17, 0.25, 0.40])
def test_an_echo_is_known(delay_s: float, level_db: float, way: Samples | None) -> None:
    sent = voice(1)
    assert share_of_echo(sent, echo(sent, delay_s, level_db, way)) >= 0.99


@pytest.mark.parametrize("seed", range(2, 8))
def test_a_caller_is_none(seed: int) -> None:
    assert share_of_echo(voice(1), voice(seed)) <= 0.25  # these are steadier than people


@pytest.mark.parametrize("seed", range(2, 6))
def test_a_caller_is_heard_over_an_echo(seed: int) -> None:
    sent = voice(1)
    assert share_of_echo(sent, echo(sent, 0.12, -18) + 0.7 * voice(seed)) <= 0.25


def test_an_echo_that_comes_when_the_voice_has_ended() -> None:
    sent = np.concatenate((voice(1, 1.0), np.zeros(LINE_RATE_HZ // 5)))
    judge = EchoJudge(LINE_RATE_HZ)
    judge.sent(pcm(sent))
    judge.heard(pcm(echo(sent, 0.25, -18)[: round(1.2 * LINE_RATE_HZ)]))
    assert judge.is_echo()


def test_nothing_was_sent_or_nothing_came() -> None:
    judge = EchoJudge(LINE_RATE_HZ)
    assert not judge.is_echo()
    judge.heard(pcm(voice(1, 0.3)))
    assert not judge.is_echo(), "nothing was sent"
    judge.heard(bytes(4000))
    judge.sent(pcm(voice(1, 1.0)))
    assert not judge.is_echo(), "nothing came"
    judge.sent(bytes(round((SPAN_S + 0.2) * LINE_RATE_HZ) * 2))
    judge.heard(pcm(voice(1, 0.3)))
    assert not judge.is_echo(), "it was sent too long ago"


@pytest.mark.models
@pytest.mark.parametrize("delay_s", [0.04, 0.12, 0.25])
def test_the_real_voice_does_not_interrupt_itself(delay_s: float) -> None:
    """Piper's voice through Silero and the turn-taking: at -18 dB no sound of it is a caller."""
    from real_models import spoken

    from asterisk_agent.engines.loader import load_detector
    from asterisk_agent.turn import TurnTaker

    clip = np.frombuffer(spoken("A visit costs eighty nine dollars, with thirty minutes."), "<i2")
    sent = np.concatenate((clip[::2].astype(np.float64), np.zeros(LINE_RATE_HZ)))
    came = echo(sent, delay_s, -18, HYBRID)
    judge, detector = EchoJudge(LINE_RATE_HZ), load_detector()
    with_judge, without = TurnTaker(0.0), TurnTaker(0.0)
    for turns in (with_judge, without):
        turns.agent_busy(0.0)
    waiting, now = b"", 0.0
    actions: tuple[list[object], list[object]] = [], []
    for at in range(0, len(sent) - STEP, STEP):
        judge.sent(pcm(sent[at : at + STEP]))
        piece = pcm(came[at : at + STEP])
        judge.heard(piece)
        waiting += piece
        while len(waiting) >= 512:
            probability = detector.probability(waiting[:512])
            waiting, now = waiting[512:], now + 0.032
            actions[1].extend(without.heard(probability, 0.032, now))
            heard = 0.0 if probability >= 0.35 and judge.is_echo() else probability
            actions[0].extend(with_judge.heard(heard, 0.032, now))
    assert actions[1], "the detector alone takes it for a caller"
    assert actions[0] == []
