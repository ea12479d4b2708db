"""The languages that the brain knows, by code."""

from __future__ import annotations

from asterisk_agent.brain.english import ENGLISH
from asterisk_agent.brain.language import Language

_KNOWN = {known.code: known for known in (ENGLISH,)}


def language(code: str) -> Language:
    """The language of ``code`` ("en", "en-GB"); English stands in for what is not written yet."""
    return _KNOWN.get(code.lower().replace("_", "-").split("-")[0], ENGLISH)
