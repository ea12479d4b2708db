"""English: what callers say, whatever the trade of the company that they call."""

from __future__ import annotations

import re

from asterisk_agent.brain.dialogue_english import DIALOGUE
from asterisk_agent.brain.intents_english import EXAMPLES, INTENTS
from asterisk_agent.brain.language import Language, Want
from asterisk_agent.brain.lexicon_english import LEXICON
from asterisk_agent.brain.sounds_english import sound

_DAYS = "monday tuesday wednesday thursday friday saturday sunday"
_MONTHS = "january february march april may june july august september october november december"
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = f"{_NUMBERS} {_TENS} hundred thousand million half once twice"
_PEOPLE = (
    "people person persons guests guest visitors adults passengers participants seats places "
    "employees staff members colleagues"
)
_MEASURED = "deep warm hot cold cool tall high wide heavy large strong thick thin loud steep"
_UNITS = (
    "degrees? feet foot ft inch(?:es)? met(?:re|er)s? centimet(?:re|er)s? cm mm km miles? yards? "
    "kg kilos? kilograms? pounds? lbs? tons? tonnes? lit(?:re|er)s? gallons? square percent hp "
    "volts? watts? amps? decibels?"
)
_ANY = "|".join


def _words(text: str) -> str:
    return _ANY(text.split())


_WANTS = (
    Want(
        "price",
        re.compile(
            r"\bhow much (?!time|notice|water|space|room|longer)|\bhow much$"
            r"|\b(?:price|prices|cost|costs|rate|tariff|expensive|cheap|fee|fees)\b"
            r"|\bwhat (?:do|does|would|will) .*\b(?:charge|cost)\b"
        ),
        re.compile(
            r"[$€£]|\d\s*(?:percent|%|dollars?|cents?|euros?|pounds?)\b|\bfree\b|\bno (?:charge"
            r"|fee)"
            r"|\binclud|\bcosts?\b|\bfees?\b|\bpric|\bcharge",
            re.IGNORECASE,
        ),
        re.compile(r"[$€£]\s?\d|\d\s?(?:[$€£]|dollars|euros|pounds|percent|%)", re.IGNORECASE),
        word="price",
        general=True,
    ),
    Want(
        "time",
        re.compile(
            r"\bwhen\b|\bwhat times?\b|\bwhat (?:days?|hours)\b|\bhow (?:long|late|early|often"
            r"|soon)\b"
            r"|\bhow (?:fast|quick|quickly)\b|\bwhich days?\b"
        ),
        re.compile(
            rf"\d:\d\d|\d\s*[ap]\.?m\b|\b(?:19|20)\d\d\b|\d\s*o.clock|\b(?:minutes?|hours?|days?|weeks?"
            rf"|months?|years?|weekends?|weekdays?|noon|midnight|morning|afternoon|evening|night"
            rf"|daily|weekly|monthly|yearly|immediately|at once|right away|always|never|any ?time"
            rf"|once|twice|visits?|times|(?:{_words(_DAYS)})s?|{_words(_MONTHS)})\b",
            re.IGNORECASE,
        ),
        general=True,
    ),
    Want(
        "count",
        re.compile(r"\bhow many (?P<counted>\w+)"),
        re.compile(
            rf"(?:\b\d[\d,]*|\b(?:{_words(_NUMBER_WORDS)}|no|several))(?P<counted>)\b",
            re.IGNORECASE,
        ),
        kinds=(frozenset(_PEOPLE.split()),),
        anything=frozenset(("item", "items", "things", "pieces")),
    ),
    Want(
        "measure",
        re.compile(rf"\bhow (?:{_words(_MEASURED)})\b"),
        re.compile(
            rf"\d\s*(?:°|(?:{_words(_UNITS)})\b)|\b(?:{_words(_MEASURED)})\b", re.IGNORECASE
        ),
    ),
    Want(
        "email",
        re.compile(r"\bemail\b(?!.*\b(?:send|sent|invoice|bill)\b)"),
        re.compile(r"@|e-?mail", re.IGNORECASE),
    ),
    Want(
        "phone",
        re.compile(r"\b(?:phone|telephone|fax|cell|mobile)(?: phone)? (?:number|no)\b"),
        re.compile(r"\d[\d\s().-]{5,}\d"),
    ),
    Want(
        "name",
        re.compile(
            r"^(?:and |so |hi |hello )*(?:who (?:is|are|owns|runs|was|founded)|whos|what is the"
            r" name|"
            r"whats the name|what are the names)\b"
        ),
        re.compile(r"(?<!^)(?<![.!?]\s)\b[A-Z][a-z]+"),
    ),
)

_PREAMBLE = re.compile(
    r"^(?:(?:hi|hello|hey|there|um+|uh+|er|ah|oh|well|so|yes|yeah|ok|okay|please|sorry|thanks"
    r"|thank you|and"
    r"|good (?:morning|afternoon|evening|day)|excuse me|just|my question is|i have a (?:quick"
    r" )?question"
    r"|i(?: was|.m| am) (?:just )?(?:wondering|calling to ask)(?: if)?|i(?:.d like| would"
    r" like| want(?:ed)?)"
    r" to (?:ask|know)(?: if| you)?|(?:can|could) you (?:please )?tell me(?: if)?|do you know(?:"
    r" if)?)\b[ ,.!:]*)+",
    re.IGNORECASE,
)
_WHICH = re.compile(
    r"^(?:and |so )*(?:what|which)(?: kinds?| types?| sorts?)?(?: of)? "
    r"(?!(?:is|are|do|does|did|can|could|time|times|happens|if|about|will|would|should|was|were"
    r"|else|the|a|your|you|i|"
    r"price|day|days|hours)\b)(\w+)"
)

_OWN_CASE = re.compile(
    r"^(?:(?:and|so|hi|hello|yes|ok|okay|well|um|uh) )*"
    r"(?:(?:is|are|was|were|has|have) (?:my|our)\b"
    r"|(?:when|where|what time|how much|how long) (?:is|are|was|will|does|did) (?:my|our)\b"
    r"(?=.*\b(?:appointment|order|delivery|bill|balance|account|invoice|refund|payment|booking"
    r"|reservation|visit|viewing|lesson|interview|technician|plumber|driver|parcel|package|test|results?)\b)"
    r"|(?:did|have) you (?:get|got|gotten|receive|received|find|found|fix|fixed|send|sent|finish)\b"
    r"|do you (?:still )?have my\b)"
    r"|\bdo i (?:still )?owe\b|\bmy (?:account|balance|order number)\b|\bstatus of my\b"
    r"|\b(?:is|are) (?:he|she|they|it) (?:already )?(?:on (?:his|her|their|the|its) way|ready"
    r"|done)\b"
)

_QUESTION_STARTS = re.compile(
    r"(?:(?<=[.!?] )|\b(?:so|and|my question is|is|like to know|want to know|wanted to know"
    r"|wondering|wanted to ask|tell me|,)[ ,]+(?:if |whether )?)"
    r"(?=(?:what|when|where|who|which|how|why|do|does|did|is|are|can|could|would|will|should|have"
    r"|has|you|there|your)\b)",
    re.IGNORECASE,
)

_ASKING = re.compile(
    r"^(?:(?:and|so|hi|hello|um|uh|ok|okay|well|but|then|if .+) )*"
    r"(?:do|does|did|is|are|can|could|would|will|should|may|must|have|has|am|was|were)\b"
    r"|\b(?:what|when|where|which|who|whom|whose|why|how|whether)\b|\bdo (?:i|you|we|they)\b"
    r"|\b(?:can|could|will|would) (?:i|you|we)\b"
)

_CALLERS_VERB = re.compile(
    r"\b(?:can|could|may|might|do|did|should|must|shall|will|would) (?:i|we)"
    r"(?: (?:also|still|just|only|even|always|actually))*"
    r"(?: (?:have|want|like|be able) to)?"
    r" (?!(?:need|have|get|see|know|like|want|be|hear|expect|find|use|receive)\b)(\w+)"
)

_BINDING = """
not no never none nobody nothing nowhere neither nor without except unless only but though although
about approximately around almost nearly usually normally sometimes often mostly generally up
least most maximum minimum from until till before after between within over under above below more
less than if when where while outside may might should must per each every instead
"""
_WEIGHTLESS = "a an the is are be do does also so then well please that"
_VERBS = "do does did is are was were has have had would could should must need"
_CONTRACTIONS = {
    **{f"{verb}nt": f"{verb} not" for verb in _VERBS.split()},
    "cant": "can not",
    "cannot": "can not",
    "wont": "will not",
    "weve": "we have",
    "youll": "you will",
    "youre": "you are",
    "its": "it is",
}

ENGLISH = Language(
    code="en",
    lexicon=LEXICON,
    wants=_WANTS,
    preamble=_PREAMBLE,
    which=_WHICH,
    own_case=_OWN_CASE,
    intents=INTENTS,
    question_starts=_QUESTION_STARTS,
    dialogue=DIALOGUE,
    joins=re.compile(r"\b(and|or|but|so)\b", re.IGNORECASE),
    contractions=_CONTRACTIONS,
    weightless=frozenset(_WEIGHTLESS.split()),
    asking=_ASKING,
    callers_verb=_CALLERS_VERB,
    sound=sound,
    we=frozenset(("we", "well", "weve")),
    you=frozenset(("you", "youll", "youve", "i", "they", "who", "everybody")),
    examples=EXAMPLES,
    binding=frozenset(LEXICON.stem(word) for word in _BINDING.split()),
)
