"""The agent's own voice, come back from the caller's end of the line.

An echo sounds like speech, because it is. But it is the speech that was sent a moment ago, only
weaker: somewhere in the last ``SPAN_S`` of what was sent the same waveform stands. A caller's voice
resembles nothing that was sent, and over an echo it hides it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

WINDOW_S = 0.128
"""What is compared. Shorter, and a vowel resembles any other; longer, and a barge-in waits."""
SPAN_S = 0.60
"""The longest way that an echo takes: there and back through two networks."""
ALIKE = 0.70
"""Correlation from which it is an echo. Measured at telephone rate over delays of 40 to 250 ms:
an echo of -18 dB has 0.74 and more, also through a hybrid; of frames of callers 1 in 50 has."""
SURE = 5
"""Verdicts in a row from which the level of the echo is known."""
TAIL_S = 0.15
"""The detector hears a voice a little longer than it lasts: what is no louder than the echo just
before belongs to it."""
_NEWEST_S = 0.032
_FAINT = 30.0
"""Below this level (16-bit samples, root mean square) nothing was sent that could come back."""


class EchoJudge:
    """Compares one line's two directions. PCM at one rate, both as they came and went."""

    def __init__(self, rate_hz: int) -> None:
        self._window = round(WINDOW_S * rate_hz)
        self._sent = np.zeros(round((WINDOW_S + SPAN_S) * rate_hz))
        self._heard = np.zeros(self._window)
        self._newest = round(_NEWEST_S * rate_hz)
        self._tail = round(TAIL_S * rate_hz)
        self._in_a_row = 0
        self._level = 0.0
        self._since = self._tail

    def sent(self, pcm: bytes) -> None:
        """A piece went out to the caller."""
        _push(self._sent, pcm)

    def heard(self, pcm: bytes) -> None:
        """A piece came in."""
        _push(self._heard, pcm)
        self._since += len(pcm) // 2

    def is_echo(self) -> bool:
        """Whether what came in last is what went out before, or its end."""
        if self._resembles():
            self._in_a_row += 1
            if self._in_a_row >= SURE:
                self._level, self._since = _level(self._heard), 0
            return True
        self._in_a_row = 0
        return self._since < self._tail and _level(self._heard[-self._newest :]) <= self._level

    def _resembles(self) -> bool:
        heard = self._heard - self._heard.mean()
        loudness = float(np.sqrt(np.sum(heard * heard)))
        if loudness == 0 or float(np.sqrt(np.mean(self._sent * self._sent))) < _FAINT:
            return False
        size = 1 << (len(self._sent) + len(heard)).bit_length()
        spectrum = np.fft.rfft(self._sent, size) * np.conj(np.fft.rfft(heard, size))
        products = np.fft.irfft(spectrum, size)[: len(self._sent) - len(heard) + 1]
        sums = np.concatenate(([0.0], np.cumsum(self._sent * self._sent)))
        energies = sums[len(heard) :] - sums[: -len(heard)]
        sizes = np.sqrt(np.maximum(energies, _FAINT * _FAINT * len(heard)))
        # Hybrids turn the sign; and what comes back louder than it went is no echo.
        alike = np.abs(products) / (sizes * loudness)
        best = int(np.argmax(alike))
        return bool(alike[best] >= ALIKE and loudness < sizes[best])


def _level(samples: Samples) -> float:
    return float(np.sqrt(np.mean((samples - samples.mean()) ** 2)))


def _push(kept: Samples, pcm: bytes) -> None:
    new = np.frombuffer(pcm, dtype="<i2")[-len(kept) :]
    kept[: len(kept) - len(new)] = kept[len(new) :]
    kept[len(kept) - len(new) :] = new
