"""PCM: resampling, level, and WAV files. PCM is always signed 16-bit little-endian mono."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import soxr

from asterisk_agent.errors import AgentError

SAMPLE_BYTES = 2
LINE_RATE_HZ = 8_000
"""The rate of a telephone line, and of AudioSocket's plain frames."""
_FIRST_SOUND = 0.03
"""Share of a clip's peak from which it sounds."""


def silence(duration_s: float, rate_hz: int = LINE_RATE_HZ) -> bytes:
    """PCM zeros for ``duration_s`` seconds."""
    return bytes(round(duration_s * rate_hz) * SAMPLE_BYTES)


def duration_s(pcm: bytes, rate_hz: int = LINE_RATE_HZ) -> float:
    """How long ``pcm`` plays."""
    return len(pcm) / SAMPLE_BYTES / rate_hz


class Resampler:
    """Changes the rate of a stream, keeping the filter's memory between pieces."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._same = from_hz == to_hz
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16", quality="MQ")

    def feed(self, pcm: bytes, *, last: bool = False) -> bytes:
        """Take a piece at the old rate, return what is ready at the new one."""
        if self._same:
            return pcm
        samples = np.frombuffer(pcm, dtype="<i2")
        resampled: bytes = self._stream.resample_chunk(samples, last=last).astype("<i2").tobytes()
        return resampled


class Doubler:
    """Doubles the rate of a stream at once: what was fed comes out but for ``DELAY_S``.

    ``Resampler`` gives its output in lumps of a tenth of a second, which a clip does not mind. On
    a caller's line that tenth would be added to every answer.
    """

    DELAY_S = 0.002

    def __init__(self, rate_hz: int) -> None:
        taps = 4 * round(rate_hz * self.DELAY_S) + 1
        position = np.arange(taps) - taps // 2
        # A half-band low-pass: what lies above the old rate's half is the image of what is below.
        self._filter = np.sinc(position / 2) * np.kaiser(taps, 6.0)
        self._filter *= 2 / np.sum(self._filter)
        self._before = np.zeros(taps // 2)

    def feed(self, pcm: bytes) -> bytes:
        """Twice as many samples as were given."""
        samples = np.concatenate((self._before, np.frombuffer(pcm, dtype="<i2")))
        self._before = samples[len(samples) - len(self._before) :]
        spread = np.zeros(2 * len(samples))
        spread[::2] = samples
        doubled = np.convolve(spread, self._filter, mode="full")
        ready = doubled[2 * len(self._before) : 2 * len(samples)]
        return np.clip(np.rint(ready), -32768, 32767).astype("<i2").tobytes()


def resample(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """Change the rate of a whole clip."""
    return Resampler(from_hz, to_hz).feed(pcm, last=True)


def without_lead(pcm: bytes, rate_hz: int = LINE_RATE_HZ) -> bytes:
    """A clip without the silence before its first sound: a voice takes a breath of 50 ms, which
    whoever waits for an answer would wait for, too.
    """
    samples = np.abs(np.frombuffer(pcm, dtype="<i2").astype(np.int32))
    loud = np.flatnonzero(samples > _FIRST_SOUND * samples.max(initial=0))
    start = max(0, int(loud[0]) - rate_hz // 200) if len(loud) else 0
    return pcm[SAMPLE_BYTES * start :]


def quiet_place_s(pcm: bytes, rate_hz: int = LINE_RATE_HZ) -> float:
    """How many seconds before the end of ``pcm`` its quietest 20 ms begin; 0.0 for less."""
    step = rate_hz // 50
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    whole = samples[len(samples) % step :].reshape(-1, step)
    if not len(whole):
        return 0.0
    quietest = int(np.argmin(np.mean(whole * whole, axis=1)))
    return (len(whole) - quietest) * step / rate_hz


def rms_dbfs(pcm: bytes) -> float:
    """Level in dB below full scale; -96 for digital silence."""
    if not pcm:
        return -96.0
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    mean_square = float(np.mean(samples * samples))
    return max(-96.0, 10 * float(np.log10(mean_square / 32768.0**2 + 1e-12)))


def read_wav(path: Path) -> tuple[bytes, int]:
    """Read a WAV file as ``(pcm, rate_hz)``; several channels are mixed into one.

    Raises AgentError where the file is missing or is not 16-bit PCM.
    """
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != SAMPLE_BYTES:
                raise AgentError(
                    f"{path}: {8 * file.getsampwidth()}-bit samples, expected 16-bit PCM",
                    hint=f"convert it: sox {path.name} -b 16 -c 1 out.wav",
                )
            channels, rate_hz = file.getnchannels(), file.getframerate()
            pcm = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise AgentError(
            f"{path}: not a readable WAV file ({error})", hint="give a 16-bit PCM WAV file"
        ) from error
    pcm = pcm[: len(pcm) - len(pcm) % (SAMPLE_BYTES * channels)]  # the file may be cut short
    if channels > 1:
        frames = np.frombuffer(pcm, dtype="<i2").reshape(-1, channels)
        pcm = frames.mean(axis=1).astype("<i2").tobytes()
    return pcm, rate_hz


def write_wav(path: Path, pcm: bytes, rate_hz: int, channels: int = 1) -> None:
    """Write 16-bit PCM, already interleaved where there are several channels."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(rate_hz)
        file.writeframes(pcm)
