"""The callers' clips: spoken by other programs, brought to a telephone's band and level, cached.

The benchmark measures from the last sample that can be heard, so a clip ends exactly there, and
exactly at the end of a 20 ms frame: when its last frame has left the phone, the caller is silent.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asterisk_agent.audio import LINE_RATE_HZ, read_wav, resample, rms_dbfs, write_wav
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.bench_script import BenchScript, Line, Voice
from asterisk_agent.sandbox.bench_sounds import Samples, sound
from asterisk_agent.sandbox.listening import AUDIBLE_DBFS

RECIPE = "3"
"""Change this when clips must be made anew though their words are the same."""
LEVEL_DBFS = -20.0
"""How loud speech is: what a telephone network aims at."""
BANDS: Mapping[str, tuple[tuple[float, float], ...]] = {
    # What a line card's codec lets through, within ITU-T G.712.
    "line": ((16, -40), (50, -30), (60, -26), (200, -1), (300, 0), (3000, 0), (3400, -0.7),
             (4000, -14), (4600, -32)),
    # The sending side of an old handset, ITU-T P.48: little is left below 300 Hz.
    "handset": ((50, -60), (100, -45.8), (125, -36.1), (160, -25.6), (200, -19.2), (250, -14.3),
                (300, -11.3), (400, -8.4), (500, -6.9), (600, -6.3), (800, -4.9), (1000, -3.7),
                (1250, -2.3), (1600, -0.6), (2000, 0.3), (2500, 1.8), (3000, 1.5), (3150, 1.8),
                (3500, -7.3), (4000, -37.2)),
}  # fmt: skip
"""How loud each frequency arrives, as (Hz, dB); in between, by interpolation."""
FRAME = LINE_RATE_HZ // 50
WINDOW = LINE_RATE_HZ // 100

Speak = Callable[[str], tuple[bytes, int]]
"""Text to PCM and its rate."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A line, ready to be said: 8 kHz PCM of whole 20 ms frames.

    ``pauses`` are the silences inside it, in seconds from its beginning.
    """

    line: Line
    pcm: bytes
    pauses: tuple[tuple[float, float], ...] = ()

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.pcm) / 2 / LINE_RATE_HZ


class ClipMaker:
    """Makes the clips of a script; keeps each in ``cache``, under a name that tells its recipe."""

    def __init__(self, script: BenchScript, cache: Path, piper: Speak, band: str = "line") -> None:
        self._script = script
        self._band = band
        self._cache = cache
        self._piper = piper

    def clips(self) -> Iterator[Clip]:
        """Every line's clip. Raises SandboxError where a program cannot speak."""
        self._cache.mkdir(parents=True, exist_ok=True)
        for line in self._script.lines:
            yield self._clip(line)

    def _clip(self, line: Line) -> Clip:
        voice = self._script.voices.get(line.voice, Voice(program="piper"))
        recipe = json.dumps([RECIPE, self._band, line.says, line.sound, voice.model_dump()])
        digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
        wav = self._cache / f"{line.id}-{digest}.wav"
        marks = wav.with_suffix(".json")
        if not (wav.exists() and marks.exists()):
            pcm, pauses = self._make(line, voice)
            write_wav(wav, pcm, LINE_RATE_HZ)
            marks.write_text(json.dumps(pauses), encoding="utf-8")
        pauses = json.loads(marks.read_text(encoding="utf-8"))
        return Clip(line, read_wav(wav)[0], tuple((start, end) for start, end in pauses))

    def _make(self, line: Line, voice: Voice) -> tuple[bytes, list[tuple[float, float]]]:
        if line.sound:
            return whole_frames(audible(sound(line.sound))), []
        pieces = [
            piece if isinstance(piece, float | int) else self._say(piece, voice)
            for piece in line.says
        ]
        return join(pieces)

    def _say(self, text: str, voice: Voice) -> Samples:
        speak = self._piper if voice.program == "piper" else _PROGRAMS[voice.program](voice.voice)
        pcm, rate_hz = speak(text)
        return audible(telephone(pcm, rate_hz, self._band))


def join(pieces: list[float | Samples]) -> tuple[bytes, list[tuple[float, float]]]:
    """Speech and silences, in order, to one clip and where its silences are."""
    samples: list[Samples] = []
    gaps: list[tuple[int, int]] = []
    length = 0
    for piece in pieces:
        if isinstance(piece, float | int):
            silent = np.zeros(round(piece * LINE_RATE_HZ), dtype=np.float64)
            gaps.append((length, length + len(silent)))
            samples.append(silent)
        else:
            samples.append(piece)
        length += len(samples[-1])
    pcm = whole_frames(np.concatenate(samples))
    ahead = len(pcm) // 2 - length
    pauses = [((start + ahead) / LINE_RATE_HZ, (end + ahead) / LINE_RATE_HZ) for start, end in gaps]
    return pcm, pauses


def telephone(pcm: bytes, rate_hz: int, band: str = "line") -> Samples:
    """Speech as a telephone brings it: one of ``BANDS``, 8 kHz, at ``LEVEL_DBFS``."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    gain_db = np.interp(hz, [at for at, _ in BANDS[band]], [gain for _, gain in BANDS[band]])
    filtered = np.fft.irfft(spectrum * 10 ** (gain_db / 20), len(samples))
    narrow = resample(_pcm(filtered), rate_hz, LINE_RATE_HZ)
    return at_level(np.frombuffer(narrow, dtype="<i2").astype(np.float64))


def at_level(samples: Samples, dbfs: float = LEVEL_DBFS) -> Samples:
    """The same, as loud as said; pauses in it do not count."""
    loud = [window for window in _windows(samples) if rms_dbfs(_pcm(window)) > AUDIBLE_DBFS]
    if not loud:
        return samples
    now_dbfs = rms_dbfs(_pcm(np.concatenate(loud)))
    return np.asarray(samples * 10 ** ((dbfs - now_dbfs) / 20), dtype=np.float64)


def audible(samples: Samples) -> Samples:
    """From the first window of 10 ms that can be heard to the end of the last one."""
    heard = [rms_dbfs(_pcm(window)) > AUDIBLE_DBFS for window in _windows(samples)]
    if not any(heard):
        raise SandboxError("a clip has nothing in it that can be heard")
    first, last = heard.index(True), len(heard) - heard[::-1].index(True)
    return samples[first * WINDOW : last * WINDOW]


def whole_frames(samples: Samples) -> bytes:
    """PCM of whole frames, its end where it was: what lacks is put in front."""
    return bytes(2 * (-len(samples) % FRAME)) + _pcm(samples)


def _windows(samples: Samples) -> list[Samples]:
    return [samples[start : start + WINDOW] for start in range(0, len(samples), WINDOW)]


def _pcm(samples: Samples) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def _flite(voice: str) -> Speak:
    return lambda text: _run(["flite", "-voice", voice, "-t", text, "-o"])


def _espeak(voice: str) -> Speak:
    return lambda text: _run(["espeak-ng", "-v", voice, text, "-w"])


_PROGRAMS: Mapping[str, Callable[[str], Speak]] = {"flite": _flite, "espeak-ng": _espeak}


def _run(command: list[str]) -> tuple[bytes, int]:
    """Run a program whose last argument is the WAV file to write."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        try:
            done = subprocess.run(
                [*command, str(path)], capture_output=True, timeout=60, check=False
            )
        except FileNotFoundError:
            raise SandboxError(
                f"{command[0]} is not installed", hint=f"apt-get install {command[0]}"
            ) from None
        if done.returncode != 0:
            raise SandboxError(f"{command[0]} could not speak: {done.stderr.decode()[-200:]}")
        return read_wav(path)
