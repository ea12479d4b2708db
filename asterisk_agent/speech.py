"""Text on its way to the voice: cut into sentences, and written the way a person says it."""

from __future__ import annotations

import re
import unicodedata

from asterisk_agent.speech_english import speak_english

_END = re.compile(r"""(?<=[.!?…])["')\]]*\s+(?=\S)|\s*\n+\s*""")
_NO_END = re.compile(
    r"""(?:^|[\s("'])(?:e\.g|i\.e|etc|mr|mrs|ms|dr|prof|st|no|nr|approx|incl|excl|vs|ca|dept|ext"""
    r"""|tel|inc|ltd|co|jr|sr|min|max|[a-z])\.$""",
    re.IGNORECASE,
)
_HALF_OF_DAY = re.compile(r"\b[ap]\.m\.$", re.IGNORECASE)
_AFTER_TIME = re.compile(
    r"(?:mon|tues?|wed|thu|fri|sat|sun)[a-z]*\b"
    r"|(?:january|february|march|april|may|june|july|august|september|october|november|december)\b"
    r"|(?:[ECMP][SD]?T|UTC|GMT)\b",
    re.IGNORECASE,
)
_ESCAPABLE = r"\\`*_{}\[\]()#+.!|$<>~-"
_READ = "\n\u200c\u200d"
"""Not printable, but read: the end of a line, and what joins or parts letters in some scripts."""
_HIDDEN = 0xE000
"""Escaped signs wait here, in the private use area, until Markdown's own are gone."""
_HIDDEN_SIGNS = f"[{chr(_HIDDEN)}-{chr(_HIDDEN + 0x7F)}]"


def sentences(text: str) -> list[str]:
    """Cut ``text`` into sentences, each stripped and none empty.

    Abbreviations ("e.g.", "Dr. Lee"), initials, decimals and times ("8:30 a.m. on Friday") end no
    sentence; a line break does.
    """
    found: list[str] = []
    start = 0
    for gap in _END.finditer(text):
        sentence = text[start : gap.start()].strip()
        if "\n" not in gap[0] and not _ends(sentence, text[gap.end() :]):
            continue
        found.append(text[start : gap.end()].strip())
        start = gap.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def _ends(sentence: str, rest: str) -> bool:
    """Whether ``sentence`` is over, given what follows it."""
    if rest[0].islower():
        return False
    if _HALF_OF_DAY.search(sentence):
        return _AFTER_TIME.match(rest) is None
    return _NO_END.search(sentence) is None


def strip_markdown(text: str) -> str:
    """The words of ``text`` without Markdown's signs, on one line. Links keep their text."""
    text = re.sub(rf"\\([{_ESCAPABLE}])", lambda sign: chr(_HIDDEN + ord(sign[1])), text)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = re.sub(r"<((?:https?://|mailto:)?[^\s<>]+[.@][^\s<>]+)>", r"\1", text)
    text = re.sub(r"</?[a-zA-Z][^<>]*>", " ", text)
    text = re.sub(r"^\s{0,3}(?:#{1,6}\s+|>\s?|[-*+]\s+)", "", text, flags=re.MULTILINE)
    text = re.sub(r"(\*{1,3}|~~)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<!\w)(_{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)", r"\2", text)
    text = re.sub(r"`+([^`]*)`+", r"\1", text)
    text = re.sub(_HIDDEN_SIGNS, lambda sign: chr(ord(sign[0]) - _HIDDEN), text)
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def _visible(text: str) -> str:
    """Without what no voice can read: control signs, halves of characters, private ones."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _READ else _instead(c) for c in text)


def _instead(sign: str) -> str:
    return "" if unicodedata.category(sign) == "Cf" else " "  # a soft hyphen parts no word


def speakable(text: str, language: str) -> str:
    """``text`` as a voice should read it: numbers, prices, times, addresses in words.

    Rules exist for English. In other languages only Markdown is removed, and the voice itself
    reads the numbers.
    """
    plain = strip_markdown(_visible(text))
    if language.lower().replace("_", "-").split("-")[0] == "en":
        return speak_english(plain)
    return plain
