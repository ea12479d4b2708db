"""What whoever picks up is told: which number was called, what the caller wants, and why they come.

The caller's matter is in the caller's own words; what is left out of them is left out by the gate
that answers pass, too: whole sentences or clauses, and never the word that turns their meaning.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from asterisk_agent.brain.documents import Passage
from asterisk_agent.brain.gate import Gate
from asterisk_agent.brain.languages import language
from asterisk_agent.brain.phrases import Phrases
from asterisk_agent.events import Action, Exchange
from asterisk_agent.routing import Outcome
from asterisk_agent.speech import sentences

LONGEST = 160
"""Characters of the caller's words: ten seconds of speech."""
FEW_WORDS = 7
"""Who asks for a person in so few words does not say what for."""
_MATTERS = (Action.ANSWER, Action.CLARIFY)
_NOT_IN_A_NOTE = re.compile(r"[^\w .:?!'/-]+")


def brief(
    history: Sequence[Exchange], outcome: Outcome, label: str, phrases: Phrases, code: str
) -> str:
    """One to three short sentences. ``label`` is the channel's, ``code`` the language's."""
    said = shortened(matter(history, outcome), code)
    parts = [phrases.brief(label, said)]
    if outcome is Outcome.PERSON and said:
        parts.append(phrases.brief_person)
    if outcome is Outcome.UNANSWERED and said:
        parts.append(phrases.brief_unknown)
    return " ".join(parts)


def matter(history: Sequence[Exchange], outcome: Outcome) -> str:
    """The caller's words that tell what the call is about; empty if they said nothing."""
    said = [index for index, one in enumerate(history) if one.who == "caller"]
    if not said:
        return ""
    last = history[said[-1]].text
    if outcome is not Outcome.PERSON or len(last.split()) > FEW_WORDS:
        return last
    for index in reversed(said[:-1]):
        answers = (later for later in history[index + 1 :] if later.who == "agent")
        answer = next(answers, None)
        if answer is not None and answer.action in _MATTERS:
            return history[index].text
    return last


def shortened(said: str, code: str) -> str:
    """As much of the end of what was said as is soon told, in whole sentences if possible."""
    if len(said) <= LONGEST:
        return said
    gate = Gate(Passage(said, "", ""), language(code))
    kept = ""
    for sentence in reversed(sentences(said)):
        longer = f"{sentence} {kept}".strip()
        if len(longer) > LONGEST or not gate.passes(longer):
            break
        kept = longer
    return kept or f"{said[:LONGEST].rsplit(maxsplit=1)[0]} …"


def note(text: str) -> str:
    """The same for the screen of a phone, and for the dialplan: one line without its signs."""
    return " ".join(_NOT_IN_A_NOTE.sub(" ", text).split())[:250]
