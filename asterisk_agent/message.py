"""Taking a message: a name, a number that is read back, a reason. Words in, words out.

Callers say these things in any order, some of them at once, or not at all: what was said is not
asked for again, and what a caller does not want to tell is left out. Nothing here reads a clock
or touches audio; ``call`` brings what was heard, and says how long nothing was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from asterisk_agent.brain.phrases import Phrases
from asterisk_agent.dictated import (
    LEAST_DIGITS,
    MOST_DIGITS,
    SURELY,
    Dictated,
    digit_by_digit,
    mended,
    resembles,
)
from asterisk_agent.message_english import ENGLISH, MessageRules
from asterisk_agent.message_parts import Parts, parts_of, plain

OPENING_S = 1.0
"""How long a caller may pause in their first words before they are asked for what is missing."""
DIGITS_S = 1.5
"""The same between two groups of a number."""
REASON_S = 2.2
"""Who says nothing for so long has told what it is about."""
KEYS_S = 4.0
"""A number that is keyed in ends with the hash key, or after this long without a key."""
MOST_TRIES = 2
"""How often one thing is asked for."""
MOST_CHECKS = 3
"""How often a number is read back; then it is noted as it is."""
ASIDE_WORDS = 2
"""So many telling words are a part of the reason, also where something else was asked for."""
_RULES = {"en": ENGLISH}


@dataclass(slots=True)
class Left:
    """What was left. ``text`` is all that the caller said, ``confirmed`` is of the number."""

    name: str = ""
    number: str = ""
    confirmed: bool = False
    reason: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """Say this, slowly or not, then listen."""

    text: str
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Listen for so many seconds, or as long as to any caller; then ``quiet``."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Done:
    """The message is complete, as far as the caller wants it to be."""


@dataclass(frozen=True, slots=True)
class ToVoicemail:
    """The caller says nothing, or wants the voicemail instead."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The caller wants to leave no message at all."""


Step = Say | Wait | Done | ToVoicemail | Declined


class Asked(Enum):
    """What the agent asked last."""

    OPENING = auto()
    NAME = auto()
    OWN = auto()
    """Whether to call back on the caller's own number."""
    NUMBER = auto()
    CHECK = auto()
    """Whether the number was understood."""
    REASON = auto()


_KINDS = {Asked.NAME: "name", Asked.NUMBER: "number", Asked.CHECK: "number", Asked.OWN: "number"}


class MessageTaker:
    """One message. Say ``offer`` first; then each call tells what to do next.

    ``caller`` is the caller's number as the trunk gave it, or anything else.
    """

    def __init__(self, phrases: Phrases, language: str, caller: str) -> None:
        code = language.lower().replace("_", "-").split("-")[0]
        self._rules: MessageRules = _RULES.get(code, ENGLISH)
        self._phrases = phrases
        self._own = self._caller = _number_of(caller)
        self._left = Left()
        self._asked = Asked.OPENING
        self._question = phrases.offer_message
        self._refused: set[Asked] = set()
        self._tries: dict[Asked, int] = {}
        self._partial = ""
        self._keyed = ""
        self._patience_s: float | None = None
        self._silent = self._whole = False

    @property
    def offer(self) -> Say:
        """The first sentence."""
        return Say(self._phrases.offer_message)

    @property
    def begun(self) -> bool:
        """Whether the caller has left anything."""
        left = self.left
        return bool(left.text or left.number)

    @property
    def left(self) -> Left:
        """What is known so far, also of a number in the middle."""
        known = self._left
        number = known.number or self._partial or self._keyed
        return Left(known.name, number, known.confirmed, known.reason, known.text)

    @property
    def whole(self) -> bool:
        """Whether the message was finished once; what comes then is added to it."""
        return self._whole

    def reopen(self) -> Step:
        """The caller speaks into the goodbye: nothing that was agreed is undone by it."""
        self._asked, self._whole = Asked.REASON, True
        return Wait(None)

    def again(self, *, slow: bool = False) -> Say:
        """What was asked last, once more."""
        return Say(self._question, slow)

    def heard(self, text: str) -> Step:
        """The caller said this."""
        text = plain(text)
        if not text:
            return Wait(self._patience_s)  # a cough
        parts = parts_of(text, self._rules, asked=_KINDS.get(self._asked, ""))
        if not self.begun and self._refuses(text, parts):
            return Declined()
        self._left.text = f"{self._left.text} {text}".strip()
        self._keyed, self._silent = "", False
        if parts.number is None and self._caller and self._rules.same_number.search(text):
            self._left.number, self._left.confirmed = self._caller, True
        if parts.name and (self._asked is Asked.NAME or not self._left.name):
            self._left.name = parts.name
        step = self._answer(text, parts)
        if step is None:
            step = Done() if self._rules.closing.search(text) else self._next()
        self._patience_s = step.seconds if isinstance(step, Wait) else None
        return step

    def pressed(self, key: str) -> Step:
        """The caller pressed a key."""
        for_number = self._asked in (Asked.NUMBER, Asked.CHECK) or self._keyed
        if key == "*" or (key == "0" and not for_number):
            return ToVoicemail()
        if key == "#":
            if self._keyed:
                return self.quiet()
            if self._asked is Asked.CHECK:
                self._left.confirmed = True
                return self._next()
            return Done() if self.begun else ToVoicemail()
        if self._whole and self._left.number:
            return Wait(None)
        if not self._keyed:
            self._left.number, self._left.confirmed, self._partial = "", False, ""
        self._keyed = (self._keyed + key)[:MOST_DIGITS]
        self._asked = Asked.NUMBER
        return Wait(KEYS_S)

    def quiet(self) -> Step:
        """Nothing was said for as long as was to be waited, or as a caller stays silent."""
        typed, self._keyed = self._keyed or self._partial, ""
        self._partial = ""
        if typed == "0":
            return ToVoicemail()
        if typed:
            asked = self._tries.get(Asked.NUMBER, 0) > 0
            self._left.number = typed if len(typed) >= (3 if asked else LEAST_DIGITS) else ""
            return self._next()
        if not self.begun:
            return ToVoicemail()
        if self._asked in (Asked.OPENING, Asked.REASON) and self._left.reason:
            return self._next()
        if self._asked is Asked.OPENING:
            return self._next()
        if self._silent:
            return Done()
        self._silent = True  # they may be looking the number up
        return self.again()

    # --- answers --------------------------------------------------------------------------------

    def _answer(self, text: str, parts: Parts) -> Step | None:
        """Take what was said as the answer to what was asked; None: go on with what is missing."""
        match self._asked:
            case Asked.OPENING:
                self._take(parts, least=1)
                if parts.number is not None and not self._left.number:
                    self._asked, self._partial = Asked.NUMBER, parts.number.digits
                    return Wait(DIGITS_S)
                over = self._complete or self._rules.closing.search(text)
                return None if over else Wait(OPENING_S)
            case Asked.NAME:
                if self._refuses(text, parts):
                    self._refused.add(Asked.NAME)
                    return None
                self._take(parts, least=ASIDE_WORDS)
            case Asked.OWN:
                self._take_own(text, parts)
            case Asked.NUMBER:
                return self._take_digits(text, parts)
            case Asked.CHECK:
                self._checked(text, parts)
            case Asked.REASON:
                return self._take_reason(text, parts)
        return None

    def _refuses(self, text: str, parts: Parts) -> bool:
        """Whether this is a refusal; "I don't have hot water" is none."""
        refused = self._rules.refusal.search(text) or self._rules.no_call.search(text)
        return refused is not None and parts.words <= ASIDE_WORDS and not parts.name

    @property
    def _complete(self) -> bool:
        left = self._left
        return bool(left.name and left.reason and left.number)

    def _take(self, parts: Parts, *, least: int) -> None:
        """Note what was said beside the answer, or instead of one."""
        if parts.words >= least:
            self._left.reason = f"{self._left.reason} {parts.reason}".strip()
        if parts.number is not None and len(parts.number.digits) >= LEAST_DIGITS:
            self._left.number, self._left.confirmed = parts.number.digits, False

    def _take_own(self, text: str, parts: Parts) -> None:
        rules = self._rules
        if parts.number is not None and len(parts.number.digits) >= LEAST_DIGITS:
            self._take(parts, least=ASIDE_WORDS)
        elif self._left.number:
            return  # it was said to be this one
        elif rules.no_call.search(text):
            self._refused.add(Asked.NUMBER)
        elif rules.no.search(text):
            self._own = ""
        elif rules.yes.search(text):
            self._left.number, self._left.confirmed = self._own, True
            self._take(Parts(reason=parts.reason, words=parts.words), least=ASIDE_WORDS)
        elif rules.refusal.search(text):
            self._refused.add(Asked.NUMBER)
        else:
            self._take(parts, least=ASIDE_WORDS)

    def _take_digits(self, text: str, parts: Parts) -> Step | None:
        if parts.number is None:
            if not self._left.number and self._refuses(text, parts):
                self._refused.add(Asked.NUMBER)
            else:
                self._take(parts, least=ASIDE_WORDS)
            return None
        said = parts.number
        self._take(Parts(reason=parts.reason, words=parts.words), least=ASIDE_WORDS)
        if said.mends and self._partial:
            self._partial = mended(self._partial, said.digits)
        else:
            self._partial = (self._partial + said.digits)[: MOST_DIGITS + 1]
        if len(self._partial) < SURELY:
            return Wait(DIGITS_S)
        self._left.number, self._partial = self._partial, ""
        return None

    def _checked(self, text: str, parts: Parts) -> None:
        if parts.number is not None:
            self._left.number = self._corrected(parts.number)
        elif self._rules.no.search(text):
            self._left.number = ""
        elif self._rules.yes.search(text):
            self._left.confirmed = True
            self._take(parts, least=ASIDE_WORDS)
        else:
            self._take(parts, least=ASIDE_WORDS)

    def _corrected(self, said: Dictated) -> str:
        """The number that was read back, with what the caller said to it."""
        number, digits = self._left.number, said.digits
        if len(digits) >= LEAST_DIGITS or said.mends or resembles(number, digits):
            return mended(number, digits)
        return (number + digits)[: MOST_DIGITS + 1]  # the rest of it, after a pause

    def _take_reason(self, text: str, parts: Parts) -> Step | None:
        if not self._left.reason and self._rules.refusal.search(text) and parts.words < 2:
            self._refused.add(Asked.REASON)
            return None
        self._take(parts, least=1)
        if self._rules.closing.search(text):
            return Done()
        if not self._left.reason:
            return None
        return Wait(REASON_S)

    # --- questions ------------------------------------------------------------------------------

    def _next(self) -> Step:
        """Ask for what is missing, or be done."""
        left, phrases = self._left, self._phrases
        if not left.name and self._may_ask(Asked.NAME):
            return self._ask(Asked.NAME, phrases.message_name)
        if left.number and not left.confirmed and self._may_ask(Asked.CHECK, MOST_CHECKS):
            text = phrases.message_check.format(digits=digit_by_digit(left.number))
            return self._ask(Asked.CHECK, text)
        if not left.number:
            if self._own and self._may_ask(Asked.OWN):
                last = " ".join(self._own[-4:])
                return self._ask(Asked.OWN, phrases.message_own.format(digits=last))
            if self._may_ask(Asked.NUMBER):
                again = self._tries.get(Asked.NUMBER) or self._tries.get(Asked.CHECK)
                text = phrases.message_number_again if again else phrases.message_number
                return self._ask(Asked.NUMBER, text)
        if not left.reason and self._may_ask(Asked.REASON):
            return self._ask(Asked.REASON, phrases.message_reason)
        return Done()

    def _may_ask(self, asked: Asked, most: int = MOST_TRIES) -> bool:
        refused = Asked.NUMBER if asked in (Asked.OWN, Asked.CHECK) else asked
        return refused not in self._refused and self._tries.get(asked, 0) < most

    def _ask(self, asked: Asked, text: str) -> Say:
        first = self._asked is Asked.OPENING or asked is not self._asked
        self._tries[asked] = self._tries.get(asked, 0) + 1
        thanks = asked is Asked.REASON or (asked is Asked.OWN and first)
        self._asked, self._question = asked, text
        return Say(f"{self._phrases.message_thanks} {text}" if thanks and first else text)


def _number_of(caller: str) -> str:
    """A caller's number that can be called back, or ""."""
    digits = re.sub(r"[\s().-]", "", caller)
    return digits if re.fullmatch(rf"\+?\d{{{LEAST_DIGITS},{MOST_DIGITS}}}", digits) else ""
