"""How often a pause inside a sentence is taken for its end, and how long a true end waits.

Makes clips of several synthetic voices at telephone rate, with a pause of 0.3, 0.5 or 0.8 s cut in
at a clause's boundary and at a random word, and runs detector, recogniser, brain and rules over
them. Needs flite, espeak-ng and the real models; takes some minutes. The same seed gives the same
clips:

    python tests/turn_ends.py [--seed 4] [--voices 3] [--sentences tests/data/turn_ends.txt]
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel
from real_models import voice as piper

from asterisk_agent.audio import LINE_RATE_HZ, Doubler, read_wav, resample
from asterisk_agent.brain.brain import build
from asterisk_agent.config.load import load
from asterisk_agent.engines import loader
from asterisk_agent.engines.choose import folder_of
from asterisk_agent.events import Action
from asterisk_agent.finished import finish, weigh
from asterisk_agent.turn import Finish, TurnSettings

ROOT = Path(__file__).parent.parent
SENTENCES = Path(__file__).parent / "data" / "turn_ends.txt"
VOICES = ("joe", "slt", "rms", "awb", "kal16", "en-us", "en-gb")
PAUSES_S = (0.3, 0.5, 0.8)
RATE_HZ = 16_000
QUIET = TurnSettings().quiet_probability
PAUSE_FRAMES = 4
"""Quiet after the last sound from which the words are asked for: about 0.1 s."""
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Cut:
    """Speech that stops: at its ``end``, or where a pause could be (``clause``, ``random``)."""

    kind: str
    samples: Samples


def main() -> None:
    """Make, judge, and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=4)
    options.add_argument("--voices", type=int, default=3)
    options.add_argument("--sentences", type=Path, default=SENTENCES)
    chosen = options.parse_args()
    judge = Judge()
    waits: dict[str, list[float]] = defaultdict(list)
    lines = [s for s in chosen.sentences.read_text("utf-8").splitlines() if s and s[0] != "#"]
    for kind, wait_s, answered in (
        (cut.kind, *judge.wait_s(cut, seed=index))
        for index, cut in enumerate(cuts(lines, chosen.voices, random.Random(chosen.seed)))
    ):
        waits[kind].append(wait_s)
        if kind == "end" and answered:
            waits["end, answered from the documents"].append(wait_s)
    for kind, found in waits.items():
        if kind.startswith("end"):
            print(f"{kind}: {len(found)} clips, wait {_spread(found)}")
            continue
        for pause_s in PAUSES_S:
            wrong = sum(wait_s <= pause_s for wait_s in found)
            share = 100 * wrong / len(found)
            print(f"{kind}, pause {pause_s} s: {wrong} of {len(found)} cut off ({share:.1f} %)")


def _spread(waits: list[float]) -> str:
    return (
        f"mean {statistics.mean(waits):.2f} s, median {statistics.median(waits):.2f} s, "
        f"p95 {np.percentile(waits, 95):.2f} s"
    )


class Judge:
    """The service's own detector, recogniser, brain and rules."""

    def __init__(self) -> None:
        config = load(ROOT / "etc")
        self._recogniser = loader.load_recognizer()
        self._brain = build(config, next(iter(config.channels.values())), _Minds())

    def wait_s(self, cut: Cut, seed: int) -> tuple[float, bool]:
        """How much quiet would end the turn here, and whether the documents had an answer."""
        heard = Doubler(LINE_RATE_HZ).feed(self._until_the_pause(_telephone(cut.samples, seed)))
        session = self._recogniser.session()
        session.feed(heard)
        text = session.result().text
        words = finish(text, "en")
        settings = TurnSettings()
        if words is Finish.NOTHING:
            return settings.unsure_s, False
        reply = self._brain.reply(text)
        patience = {
            Finish.COMPLETE: settings.complete_s,
            Finish.UNSURE: settings.unsure_s,
            Finish.ASKED: settings.asked_s,
            Finish.DOUBTFUL: settings.doubtful_s,
            Finish.OPEN: settings.open_s,
        }
        return patience[weigh(words, reply)], reply.action is Action.ANSWER

    def _until_the_pause(self, pcm: bytes) -> bytes:
        detector = loader.load_detector()
        size = 2 * detector.frame_samples
        frames = [pcm[at : at + size] for at in range(0, len(pcm) - size + 1, size)]
        voiced = [n for n, frame in enumerate(frames) if detector.probability(frame) >= QUIET]
        return b"".join(frames[max(0, voiced[0] - 12) : voiced[-1] + 1 + PAUSE_FRAMES])


class _Minds:
    def __init__(self) -> None:
        self.embedder = loader.load_embedder()
        self.model = None


def _telephone(samples: Samples, seed: int) -> bytes:
    """Through a line: 8 kHz, µ-law, a little noise, and a second of quiet after it."""
    fade = min(48, len(samples))
    faded = samples.copy()
    faded[-fade:] *= np.linspace(1, 0, fade)
    whole = np.concatenate((np.zeros(RATE_HZ // 2), faded, np.zeros(RATE_HZ)))
    whole += np.random.default_rng(seed).normal(0, 12, len(whole))
    narrow = resample(np.clip(whole, -32768, 32767).astype("<i2").tobytes(), RATE_HZ, LINE_RATE_HZ)
    level = np.frombuffer(narrow, "<i2") / 32768
    coded = np.round(np.sign(level) * np.log1p(255 * np.abs(level)) / np.log(256) * 127) / 127
    linear = np.sign(coded) * (np.power(256, np.abs(coded)) - 1) / 255 * 32767
    return np.rint(linear).astype("<i2").tobytes()


def cuts(lines: list[str], voices: int, chance: random.Random) -> Iterator[Cut]:
    """Each sentence in some voices: whole, to its clause's end (marked ``|``), to a random word."""
    aligner = WhisperModel(str(folder_of("whisper-base")), device="cpu", compute_type="int8")
    for line in lines:
        written = line.replace(" |", "").split()
        clause = len(line.split("|")[0].split())
        for voice in chance.sample(VOICES, voices):
            samples = say(voice, " ".join(written))
            yield Cut("end", samples)
            others = [n for n in range(2, len(written)) if n != clause]
            for kind, words in (("clause", clause), ("random", chance.choice(others or [clause]))):
                at = _end_of_word(aligner, samples, written, words)
                if at is not None and words < len(written):
                    yield Cut(kind, samples[:at])


def say(voice: str, text: str) -> Samples:
    """``text`` at 16 kHz and one loudness, without silence around it."""
    if voice == "joe":
        pcm = resample(b"".join(piper().synthesize(text)), piper().rate_hz, RATE_HZ)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "said.wav"
            flite = ["flite", "-voice", voice, "-t", text, "-o", str(path)]
            espeak = ["espeak-ng", "-v", voice, "-s", "150", "-w", str(path), text]
            subprocess.run(espeak if voice.startswith("en") else flite, check=True)
            pcm = resample(*read_wav(path), RATE_HZ)
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    samples *= 6000 / max(1.0, float(np.percentile(np.abs(samples), 99.5)))
    sounding = np.flatnonzero(np.abs(samples) > 150)
    return samples[max(0, sounding[0] - 320) : sounding[-1] + 320]


def _end_of_word(
    aligner: WhisperModel, samples: Samples, written: list[str], words: int
) -> int | None:
    """Where the ``words``-th word ends, at the quietest place near it; None if not found."""
    segments, _ = aligner.transcribe(
        samples / 32768, language="en", word_timestamps=True, beam_size=1
    )
    spoken = [word for segment in segments for word in segment.words or ()]
    wanted = _plain(written[words - 1])
    found = [n for n, word in enumerate(spoken[:-1]) if _plain(word.word) == wanted]
    nearest = min(found, key=lambda n: abs(n - words + 1), default=None)
    if nearest is None or abs(nearest - words + 1) > 2:
        return None
    middle = (spoken[nearest].end + spoken[nearest + 1].start) / 2
    first = max(0, round((middle - 0.08) * RATE_HZ))
    places = range(first, min(len(samples) - 160, first + round(0.16 * RATE_HZ)), 80)
    return 80 + min(places, key=lambda at: float(np.mean(samples[at : at + 160] ** 2)), default=0)


def _plain(word: str) -> str:
    return re.sub(r"\W", "", word.lower())


if __name__ == "__main__":
    main()
