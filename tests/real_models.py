"""Where the tests marked ``models`` find them. Missing ones fail the test, with the remedy."""

from functools import cache
from pathlib import Path

from asterisk_agent.audio import read_wav, resample
from asterisk_agent.engines.choose import folder_of
from asterisk_agent.engines.loader import load_synthesizer

DATA = Path(__file__).parent / "data"


def folder(name):
    """The folder of an installed model; EngineError with the command to run otherwise."""
    return folder_of(name)


@cache
def voice():
    """The default voice, loaded once for all tests; it says a sentence the same way each time."""
    return load_synthesizer(variety=0.0)


@cache
def spoken(text):
    """``text`` in the default voice through a telephone line: 16 kHz PCM, once at 8 kHz."""
    pcm = b"".join(voice().synthesize(text))
    return resample(resample(pcm, voice().rate_hz, 8_000), 8_000, 16_000)


def clip(name):
    """A recording among the tests' data, at 16 kHz."""
    pcm, rate_hz = read_wav(DATA / name)
    return resample(pcm, rate_hz, 16_000)
