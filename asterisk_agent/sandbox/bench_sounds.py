"""Sounds that are no speech: a cough, a noisy line, a crackle. By formula, always the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from asterisk_agent.audio import LINE_RATE_HZ

Samples = npt.NDArray[np.float64]
"""One channel at telephone rate, in the scale of 16-bit PCM."""
Maker = Callable[[np.random.Generator], Samples]


def sound(name: str) -> Samples:
    """The sound of this name: ``cough``, ``line noise`` or ``crackle``."""
    random = np.random.default_rng(20240607)
    makers: dict[str, Maker] = {
        "cough": _cough,
        "line noise": _line_noise,
        "crackle": _crackle,
    }
    return makers[name](random)


def _cough(random: np.random.Generator) -> Samples:
    """Two coughs: each an explosion of breath, then 0.2 s of rougher, voiced breath."""
    one = np.concatenate((_burst(random, 0.05, 9000), _breath(random, 0.22, 5000)))
    return np.concatenate((one, np.zeros(LINE_RATE_HZ // 4), 0.8 * one))


def _burst(random: np.random.Generator, seconds: float, level: float) -> Samples:
    moments = np.arange(int(seconds * LINE_RATE_HZ)) / seconds / LINE_RATE_HZ
    noise = _band(random.standard_normal(len(moments)), 500, 2500)
    return np.asarray(noise * level * np.exp(-2 * moments), dtype=np.float64)


def _breath(random: np.random.Generator, seconds: float, level: float) -> Samples:
    moments = np.arange(int(seconds * LINE_RATE_HZ)) / LINE_RATE_HZ
    rough = 0.6 + 0.4 * np.sign(np.sin(2 * np.pi * 110 * moments))
    fading = np.exp(-8 * moments)
    noise = _band(random.standard_normal(len(moments)), 350, 1800)
    return np.asarray(noise * rough * fading * level, dtype=np.float64)


def _line_noise(random: np.random.Generator) -> Samples:
    """Two seconds of hiss and hum, 10 dB below speech."""
    moments = np.arange(2 * LINE_RATE_HZ) / LINE_RATE_HZ
    hum = 400 * np.sin(2 * np.pi * 60 * moments) + 300 * np.sin(2 * np.pi * 180 * moments)
    hiss = 900 * _band(random.standard_normal(len(moments)), 300, 3400)
    return np.asarray(hiss + hum, dtype=np.float64)


def _crackle(random: np.random.Generator) -> Samples:
    """Two seconds with thirty clicks of 2 ms, as loud as speech's peaks."""
    samples = np.zeros(2 * LINE_RATE_HZ)
    for start in random.integers(0, len(samples) - 16, 30):
        samples[start : start + 16] += 12_000 * random.standard_normal(16)
    return samples


def _band(samples: Samples, low_hz: float, high_hz: float) -> Samples:
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / LINE_RATE_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0
    filtered = np.fft.irfft(spectrum, len(samples))
    return np.asarray(filtered / np.sqrt(np.mean(filtered**2)), dtype=np.float64)
