"""Everything the brain knows about a language, gathered under its code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from asterisk_agent.brain.words import Lexicon
from asterisk_agent.events import Action


@dataclass(frozen=True)
class Want:
    """A kind of fact that a question asks for, and what a text that states one looks like.

    ``asked`` is matched against the normalised question, ``stated`` against the passage as written.
    ``plainly``, where given, is what a text that was just told must hold to answer "how much is
    that?"; a passage that holds it has ``word``, the name of such a fact, too: "£54" is a price.
    ``general``: asked of anything at all, so that the word by itself names no thing. Where
    both have a group ``counted``, the text must count the thing that the question counts.
    """

    name: str
    asked: re.Pattern[str]
    stated: re.Pattern[str]
    plainly: re.Pattern[str] | None = None
    word: str = ""
    general: bool = False
    kinds: tuple[frozenset[str], ...] = ()
    anything: frozenset[str] = frozenset()


@dataclass(frozen=True)
class IntentRules:
    """Patterns over the normalised utterance (``words.normalise``): one for each intent.

    ``fillers`` are words that change nothing; an utterance of a greeting and fillers is a greeting.
    ``not_…`` take back what the pattern above them would have matched.
    """

    emergency: re.Pattern[str]
    not_emergency: re.Pattern[str]
    person: re.Pattern[str]
    not_person: re.Pattern[str]
    voicemail: re.Pattern[str]
    not_voicemail: re.Pattern[str]
    repeat: re.Pattern[str]
    wait: re.Pattern[str]
    goodbye: re.Pattern[str]
    thanks: re.Pattern[str]
    greeting: re.Pattern[str]
    identity: re.Pattern[str]
    ability: re.Pattern[str]
    wellbeing: re.Pattern[str]
    yes: re.Pattern[str]
    no: re.Pattern[str]
    abuse: re.Pattern[str]
    urgent: re.Pattern[str]
    not_urgent: re.Pattern[str]
    reached: re.Pattern[str]
    teams: re.Pattern[str]
    reach_team: str
    """Around a team's name (``{team}``): words that ask to be put through to it."""
    fillers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DialogueRules:
    """Patterns over the normalised utterance that only make sense after something was said.

    ``follows`` begins a question that leans on the one before, ``points`` are the words that do;
    ``first``, ``second`` and ``neither`` choose between two offers, ``go_on`` asks for the rest.
    ``whole`` is a question that begins so and stands by itself all the same ("and do you …").
    ``leaning`` is matched against a sentence that makes no sense without the one before it.
    """

    follows: re.Pattern[str]
    whole: re.Pattern[str]
    points: re.Pattern[str]
    first: re.Pattern[str]
    second: re.Pattern[str]
    neither: re.Pattern[str]
    go_on: re.Pattern[str]
    slower: re.Pattern[str]
    spell: re.Pattern[str]
    leaning: re.Pattern[str]


@dataclass(frozen=True)
class Language:
    """One language.

    ``preamble`` matches the politeness before a question, in the text as it was recognised.
    ``which`` has the word X of "which X …?" as its group, ``own_case`` marks questions that only a
    look into the caller's file answers; both are matched against the normalised question.
    ``question_starts`` is where the question behind a long preamble may begin, in the utterance as
    it was recognised. For the gate: ``weightless`` words may differ between a passage and what is
    said of it, ``binding`` ones may never be dropped ("not", "up to", "only if"). ``contractions``
    are written out first, and ``joins`` (with one group) matches the words between two clauses.
    ``asking`` is in every normalised question and in few statements.
    ``callers_verb`` has as its group the verb of what a caller asks to do ("how long can I keep
    …"), ``we`` is how the company's documents speak of themselves, ``you`` of anybody else.
    ``sound`` of normalised words is the same for what recognisers take for each other.
    ``examples`` of intents are for what is said in words that no rule has.
    """

    code: str
    lexicon: Lexicon
    wants: tuple[Want, ...]
    preamble: re.Pattern[str]
    which: re.Pattern[str]
    own_case: re.Pattern[str]
    intents: IntentRules
    dialogue: DialogueRules
    joins: re.Pattern[str]
    contractions: Mapping[str, str] = field(default_factory=dict)
    weightless: frozenset[str] = frozenset()
    binding: frozenset[str] = frozenset()
    question_starts: re.Pattern[str] | None = None
    asking: re.Pattern[str] | None = None
    callers_verb: re.Pattern[str] | None = None
    sound: Callable[[str], str] | None = None
    we: frozenset[str] = frozenset()
    you: frozenset[str] = frozenset()
    examples: Mapping[Action, tuple[str, ...]] = field(default_factory=dict)
