"""What an utterance asks for, as far as its words tell."""

from __future__ import annotations

from dataclasses import dataclass

from asterisk_agent.brain.language import Language, Want
from asterisk_agent.brain.words import Lexicon, normalise, tokens
from asterisk_agent.speech import sentences

_REACH = 3
"""Words between a verb and its doer, at most: "we will also keep"."""


@dataclass(frozen=True, slots=True)
class Question:
    """``core`` is the utterance without the politeness before it, ``plain`` its normalised form.

    ``words`` are its words as they were said; ``terms`` those that say something, once
    each; ``wants`` the kinds of fact asked for;
    ``which`` the word X of "which X …?"; ``own_case`` is set where only a look into the caller's
    own file could answer.
    """

    text: str
    core: str
    plain: str
    words: tuple[str, ...]
    terms: tuple[str, ...]
    wants: tuple[Want, ...]
    which: str
    own_case: bool

    @classmethod
    def read(cls, text: str, language: Language) -> Question:
        """Read ``text``, punctuated or not."""
        core = language.preamble.sub("", text, count=1).strip() or text
        plain = normalise(core)
        which = language.which.search(plain)
        return cls(
            text=text,
            core=core,
            plain=plain,
            words=tuple(plain.split()),
            terms=tuple(dict.fromkeys(language.lexicon.terms(plain))),
            wants=tuple(want for want in language.wants if want.asked.search(plain)),
            which=which[1] if which else "",
            own_case=language.own_case.search(plain) is not None,
        )


def states(question: Question, text: str, lexicon: Lexicon) -> bool:
    """Whether ``text`` holds a fact of every kind that the question asks for."""
    return all(_states(want, question.plain, text, lexicon) for want in question.wants)


def _states(want: Want, plain: str, text: str, lexicon: Lexicon) -> bool:
    if "counted" not in want.asked.groupindex:
        return want.stated.search(text) is not None
    asked = want.asked.search(plain)
    assert asked is not None
    counted = asked["counted"]
    return any(
        _is_counted(word, counted, want, lexicon)
        for found in want.stated.finditer(text)
        for word in tokens(text[found.start() :])[1:4]
    )


def _is_counted(word: str, counted: str, want: Want, lexicon: Lexicon) -> bool:
    same_kind = any(word in kind and counted in kind for kind in want.kinds)
    return same_kind or word in want.anything or lexicon.term(word) == lexicon.term(counted)


def others_deed(question: Question, text: str, language: Language) -> bool:
    """Whether the caller asks to do what ``text`` only says that the company does.

    "How long can I keep a book?" is not answered by "We keep it for you for seven days".
    """
    asked = language.callers_verb.search(question.plain) if language.callers_verb else None
    if asked is None:
        return False
    stem = language.lexicon.stem(asked[1])
    doers = [
        next((w for w in reversed(words[max(0, at - _REACH) : at]) if w in either), "")
        for words in map(tokens, sentences(text))
        for at, word in enumerate(words)
        if language.lexicon.stem(word) == stem
        for either in (language.we | language.you,)
    ]
    return bool(doers) and all(doer in language.we for doer in doers)
