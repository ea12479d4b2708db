"""What a caller wants when it is not an answer: a person, a team, voicemail, goodbye, help.

Rules, in the order in which a mistake would hurt. They are written per language
(``intents_english``), for the words of recognisers: no punctuation, no capitals, small errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from asterisk_agent.brain.language import Language
from asterisk_agent.brain.words import nearest, normalise, tokens
from asterisk_agent.config.schema import Intents, Team
from asterisk_agent.events import Action

LONGEST = 1000
"""Characters looked at. A caller says no more in one breath; patterns stay quick."""
SHORTEST_MENDED = 4
"""Letters from which a word may be a team's name misheard."""
SHORTEST_SOUND = 3
"""Consonants from which words that sound alike may be the same."""
SHORT_REQUEST = 6
"""Words up to which a team's name that is only heard of in its sound is asked for."""
LEFT_OVER = 3
"""Words beside "goodbye" or "thank you" from which an utterance is about something else."""


class Talk(StrEnum):
    """Kinds of small talk, each with its own reply."""

    HELLO = "hello"
    THANKS = "thanks"
    IDENTITY = "identity"
    ABILITY = "ability"
    WELLBEING = "wellbeing"
    YES = "yes"
    NO = "no"
    REACHED = "reached"
    TEAMS = "teams"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Intent:
    """``team`` is the id of the team that the words name (``Action.HANDOFF``), if they do."""

    action: Action
    team: str | None = None
    talk: Talk | None = None
    urgent: bool = False


_NONE = Intents()


class IntentReader:
    """Reads intents for one configuration. Pure; safe to share."""

    def __init__(
        self, language: Language, teams: Mapping[str, Team], intents: Intents = _NONE
    ) -> None:
        self._rules = language.intents
        self._lexicon = language.lexicon
        self._names = {team.id: _names(team) for team in teams.values()}
        self._name_words = sorted(
            {w for names in self._names.values() for n in names for w in n.split()}
        )
        self._asks = {
            team.id: [self._stems(phrase) for phrase in team.asks] for team in teams.values()
        }
        self._phrases = {
            action: [self._stems(phrase) for phrase in phrases]
            for action, phrases in phrases_of(intents).items()
        }
        self._sound = language.sound
        self._ask_sounds = {
            team.id: frozenset(self._sounds(map(normalise, team.asks))) for team in teams.values()
        }
        self._name_sounds = self._sounds({n for names in self._names.values() for n in names})
        self._reach = {id_: self._reaching(names) for id_, names in self._names.items()}

    def read(self, utterance: str) -> Intent | None:
        """The intent of ``utterance``; None for a question, or for nothing at all."""
        plain = normalise(utterance[:LONGEST])
        if not plain:
            return None
        rules, own = self._rules, self._own(plain)
        emergency = rules.emergency.search(plain) and not rules.not_emergency.search(plain)
        if emergency or own is Action.EMERGENCY:
            return Intent(Action.EMERGENCY, self.team(plain))
        if own is not None:
            return Intent(own, self.asked_for(plain) if own is Action.HANDOFF else None)
        if rules.voicemail.search(plain) and not rules.not_voicemail.search(plain):
            return Intent(Action.VOICEMAIL)
        urgent = bool(rules.urgent.search(plain) and not rules.not_urgent.search(plain))
        if self._wants_person(plain) or urgent:
            return Intent(Action.HANDOFF, self.asked_for(plain), urgent=urgent)
        if rules.abuse.search(plain):
            return Intent(Action.ABUSE)
        if rules.repeat.search(plain):
            return Intent(Action.REPEAT)
        if rules.wait.search(plain):
            return Intent(Action.SMALLTALK, talk=Talk.WAIT)
        return self._talk(plain)

    def _own(self, plain: str) -> Action | None:
        """The intent of the operator's own phrases that the words hold, emergencies first."""
        said = self._stems(plain)
        held = (
            action
            for action, phrases in self._phrases.items()
            if any(_in_a_row(phrase, said) for phrase in phrases)
        )
        return next(held, None)

    def asks(self, utterance: str) -> bool:
        """Whether the words are some with which callers want one of the teams."""
        said = self._stems(normalise(utterance[:LONGEST]))
        return any(_in_a_row(p, said) for phrases in self._asks.values() for p in phrases)

    def team(self, utterance: str) -> str | None:
        """The team that the words name, or whose ``asks`` they hold most of; None if none."""
        plain = self._names_mended(normalise(utterance[:LONGEST]))
        named = {
            id_: max((len(name) for name in names if _holds(plain, name)), default=0)
            for id_, names in self._names.items()
        }
        said = self._stems(plain)
        asked = {
            id_: sum(len(phrase) for phrase in phrases if _in_a_row(phrase, said))
            for id_, phrases in self._asks.items()
        }
        for found in (named, asked):
            best = max(found, key=lambda id_: found[id_], default=None)
            if best is not None and found[best]:
                return best
        return None

    def asked_for(self, utterance: str) -> str | None:
        """``team``, or else the team whose name or ``asks`` sound like some of the words.

        For who asks for a person: "I want to reef and let me talk to someone" wants a refund.
        """
        found = self.team(utterance)
        if found is not None or self._sound is None:
            return found
        plain = normalise(utterance[:LONGEST])
        named = self.team(self._by_sound(plain, self._name_sounds))
        if named is not None:
            return named
        heard = {sound for _, _, sound in self._windows(plain.split())}
        best = {id_: len(heard & self._ask_sounds[id_]) for id_ in self._asks}
        likely = max(best, key=lambda id_: best[id_], default=None)
        return likely if likely is not None and best[likely] else None

    def _sounds(self, phrases: Iterable[str]) -> dict[str, str]:
        """The sound of each phrase that is long enough to be told by it, and the phrase."""
        if self._sound is None:
            return {}
        sounds = {self._sound(phrase): phrase for phrase in sorted(phrases)}
        return {sound: phrase for sound, phrase in sounds.items() if len(sound) >= SHORTEST_SOUND}

    def _windows(self, words: Sequence[str]) -> Iterator[tuple[int, int, str]]:
        """Where up to three words in a row begin and end, the longest first, and their sound."""
        assert self._sound is not None
        for size in (3, 2, 1):
            for at in range(len(words) - size + 1):
                yield at, at + size, self._sound(" ".join(words[at : at + size]))

    def _by_sound(self, plain: str, known: Mapping[str, str]) -> str:
        """``plain`` with the first words that sound like one of ``known`` written so."""
        words = plain.split()
        for start, end, sound in self._windows(words):
            if sound in known:
                return " ".join([*words[:start], known[sound], *words[end:]])
        return plain

    def _names_mended(self, plain: str) -> str:
        """``plain`` with the words of teams' names as they are written: "account" → "accounts"."""
        return " ".join(self._mended(word) for word in plain.split())

    def _mended(self, word: str) -> str:
        if word in self._name_words or len(word) < SHORTEST_MENDED:
            return word
        same = (w for w in self._name_words if self._lexicon.stem(w) == self._lexicon.stem(word))
        return next(same, None) or nearest(word, self._name_words) or word

    def _wants_person(self, plain: str) -> bool:
        if self._sound is not None and len(plain.split()) <= SHORT_REQUEST:
            plain = self._by_sound(plain, self._name_sounds)
        plain = self._names_mended(plain)
        if any(pattern.search(plain) for pattern in self._reach.values()):
            return True
        asks = self._rules.person.search(plain) is not None
        return asks and not self._rules.not_person.search(plain)

    def _talk(self, plain: str) -> Intent | None:
        rules = self._rules
        if rules.no.search(plain):
            return Intent(Action.SMALLTALK, talk=Talk.NO)
        if rules.goodbye.search(plain) and self._left_over(plain, rules.goodbye) < LEFT_OVER:
            return Intent(Action.GOODBYE)
        if rules.yes.search(plain):
            return Intent(Action.SMALLTALK, talk=Talk.YES)
        for talk, pattern, most in (
            (Talk.REACHED, rules.reached, len(plain)),
            (Talk.TEAMS, rules.teams, LEFT_OVER),
            (Talk.IDENTITY, rules.identity, LEFT_OVER),
            (Talk.WELLBEING, rules.wellbeing, 1),
            (Talk.ABILITY, rules.ability, 1),
            (Talk.THANKS, rules.thanks, 1),
            (Talk.HELLO, rules.greeting, 1),
        ):
            if pattern.search(plain) and self._left_over(plain, pattern) < most:
                return Intent(Action.SMALLTALK, talk=talk)
        return None

    def _left_over(self, plain: str, *patterns: re.Pattern[str]) -> int:
        """How many words are neither the phrase nor talk around it."""
        for pattern in (*patterns, self._rules.thanks, self._rules.greeting):
            plain = pattern.sub(" ", plain)
        return sum(word not in self._rules.fillers for word in plain.split())

    def _stems(self, text: str) -> tuple[str, ...]:
        return tuple(self._lexicon.term(word) for word in tokens(text))

    def _reaching(self, names: frozenset[str]) -> re.Pattern[str]:
        """Words that ask for the team by its name, without a verb: "billing, please"."""
        either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        return re.compile(self._rules.reach_team.replace("{team}", f"(?:{either})"))


def phrases_of(intents: Intents) -> dict[Action, tuple[str, ...]]:
    """The operator's own phrases, in the order in which a mistake would hurt."""
    return {
        Action.EMERGENCY: intents.emergency,
        Action.HANDOFF: intents.person,
        Action.VOICEMAIL: intents.voicemail,
        Action.REPEAT: intents.repeat,
        Action.GOODBYE: intents.goodbye,
    }


def _names(team: Team) -> frozenset[str]:
    """What callers may call a team: its label and its id."""
    return frozenset(filter(None, (normalise(team.label), normalise(team.id.replace("-", " ")))))


def _holds(plain: str, name: str) -> bool:
    return f" {name} " in f" {plain} "


def _in_a_row(phrase: tuple[str, ...], said: tuple[str, ...]) -> bool:
    size = len(phrase)
    return size > 0 and any(said[at : at + size] == phrase for at in range(len(said) - size + 1))
