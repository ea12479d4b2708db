"""Whether a caller has finished, as far as the words and the reply to them tell.

Wrong in one direction the agent cuts a caller off, in the other it seems slow. So the words that
have an answer end a turn soon, and those that have none get time: perhaps the rest brings one.
"""

from __future__ import annotations

import re

from asterisk_agent.events import Action, Reply
from asterisk_agent.finished_english import ENGLISH, Endings
from asterisk_agent.turn import Finish

CONFIDENT = 0.90
"""An answer this sure, to a whole question, is given at once."""
LONG_S = 6.0
"""Who has spoken for so long and then asks has told their preamble."""
_LANGUAGES = {"en": ENGLISH}
_ELLIPSIS = re.compile(r"(?:\.\.|…|[,:;-]|\u2013|\u2014)[\s\"')]*$")
_WORD = re.compile(r"\d+|[^\W\d_]+")


def words_of(text: str) -> str:
    """Lower case, no punctuation, no apostrophes ("don't" → "dont"), single spaces."""
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return " ".join(_WORD.findall(re.sub(r"(?<=\w)'(?=\w)", "", text)))


def finish(text: str, language: str, asked: str = "") -> Finish:
    """What the words alone say. In a language without rules only the punctuation counts.

    ``asked`` is what the agent said last: "yes" is a whole answer only to a question.
    """
    words = words_of(text)
    if not words:
        return Finish.NOTHING
    endings = _endings(language)
    if _ELLIPSIS.search(text) or (endings is not None and _is_open(endings, words)):
        return Finish.OPEN
    asks = text.rstrip("\"') ").endswith("?")
    if endings is None:
        return Finish.COMPLETE if asks else Finish.UNSURE
    if endings.answer.search(words):
        if endings.yes_or_no.search(_last_sentence(asked)) is None:
            return Finish.DOUBTFUL
        return Finish.UNSURE if endings.refusal.search(words) else Finish.COMPLETE
    if endings.leads_on.search(words):
        return Finish.UNSURE
    if asks or endings.question.search(_last_sentence(text)) or endings.complete.search(words):
        return Finish.COMPLETE
    return Finish.UNSURE


def weigh(words: Finish, reply: Reply, speech_s: float = 0.0) -> Finish:
    """What the words and the reply to them say together, after so much speech."""
    if words in (Finish.OPEN, Finish.DOUBTFUL, Finish.NOTHING):
        return words
    match reply.action:
        case Action.EMERGENCY | Action.GOODBYE | Action.REPEAT | Action.VOICEMAIL:
            return Finish.COMPLETE
        case Action.CLARIFY:
            asked = words is Finish.COMPLETE and reply.options and speech_s >= LONG_S
            return Finish.ASKED if asked else Finish.DOUBTFUL
        case Action.HANDOFF:
            # "I'd like to speak to somebody …": the rest may name a team. And what has no answer
            # may be half of a question, whatever team it sounds like: "do I have to pay for …".
            sure = reply.team is not None and not reply.unanswered
            return Finish.COMPLETE if sure else Finish.DOUBTFUL
        case Action.ANSWER if reply.confidence < CONFIDENT:
            return Finish.UNSURE
    return words


def is_back_channel(text: str, language: str, *, parting: bool = False) -> bool:
    """Whether this, said over the agent's voice, only tells it to go on.

    ``parting``: the agent says its last sentence, and thanks are no more than thanks.
    """
    endings = _endings(language)
    words = words_of(text)
    if endings is None or not words:
        return False
    return endings.back_channel.search(words) is not None or (
        parting and endings.thanks.search(words) is not None
    )


def _endings(language: str) -> Endings | None:
    return _LANGUAGES.get(language.lower().replace("_", "-").split("-")[0])


def _is_open(endings: Endings, words: str) -> bool:
    return endings.open.search(words) is not None and endings.not_open.search(words) is None


def _last_sentence(text: str) -> str:
    return words_of(re.split(r"(?<=[.!?])\s+", text.strip())[-1])
