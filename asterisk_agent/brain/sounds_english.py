"""How English words sound, roughly: "bill and" like "billing", "reef and" like "refund".

Recognisers write other words that sound the same, above all for short ones over a telephone. What
they keep is the consonants; so words are compared by these, after the rules by which letters stand
for sounds (after Lawrence Philips' Metaphone, 1990, with fewer of them).
"""

from __future__ import annotations

import re

_RULES = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^[kg]n|^pn", "n"),
        (r"^wr", "r"),
        (r"mb$", "m"),
        (r"ph", "f"),
        (r"gh(?=t|$)", ""),
        (r"tch|ch|tu(?=r)", "C"),
        (r"ti(?=on)|ci(?=a)|sh|ss(?=ion)", "X"),
        (r"c(?=[eiy])", "s"),
        (r"ck|cc|[cq]", "k"),
        (r"x", "ks"),
        (r"dg(?=e)|g(?=[eiy](?!ng))", "j"),
        (r"z", "s"),
        (r"(?:ng|nd|nt)(?=s?$)", "n"),
        (r"th", "T"),
        (r"^[aeiouy]+", "a"),
        (r"(?<=.)[aeiouyhw]+", ""),
        (r"(.)\1+", r"\1"),
    )
)


def sound(words: str) -> str:
    """The consonants that one hears of ``words`` (normalised), and whether a vowel begins them."""
    heard = re.sub(r"[^a-z]", "", words)
    for pattern, sign in _RULES:
        heard = pattern.sub(sign, heard)
    return heard
