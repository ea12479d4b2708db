"""Whether what Whisper wrote can have been said: its known ways to invent text from noise.

Measured on silence, hum, tones, white and brown noise and clicks: what it invents has a mean
token probability under 0.35 with a no-speech probability over 0.45; or, for the "you" of digital
silence, up to 0.6 with over 0.9. Five synthetic voices at telephone rate stay clear of both.
"""

from __future__ import annotations

import re
import zlib

LOOP_COMPRESSION = 2.4
"""Text that zlib shrinks more than this repeats itself (Whisper's own threshold)."""
_NOTE = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|♪[^♪]*♪?")


def is_noise(confidence: float, no_speech: float) -> bool:
    """Whether a text with these probabilities was read into noise."""
    return (no_speech > 0.45 and confidence < 0.35) or (no_speech > 0.7 and confidence < 0.65)


def repeats(text: str) -> bool:
    """Whether the text is one phrase said over and over, or holds such a loop."""
    words = re.findall(r"\w+", text.lower())
    for length in range(1, len(words) // 2 + 1):
        if len(words) % length == 0 and words == words[:length] * (len(words) // length):
            return True
    data = text.encode()
    return len(data) > 40 and len(data) / len(zlib.compress(data)) > LOOP_COMPRESSION


def without_notes(text: str) -> str:
    """The text without stage directions such as ``[BLANK_AUDIO]``, ``(music)`` or ``♪``."""
    kept = " ".join(_NOTE.sub(" ", text).split())
    return kept if re.search(r"\w", kept) else ""
