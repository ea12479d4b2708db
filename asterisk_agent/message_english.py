"""How English callers give their name, a telephone number, and what they call about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MessageRules:
    """The words around the parts of a message. Patterns ignore case and see plain apostrophes.

    ``digits`` are the words of a number and the digits that they mean; ``tens`` lack their last
    one ("fifty" is "5", and "0" where no unit follows); ``zeros`` are words that only add zeros;
    ``times`` say how often the next digit comes. ``unclear`` are digits only between digits
    ("to"); ``joins`` may stand within a number; ``mends`` take back what was said before them.
    ``number_lead`` stands before a telephone number, ``number_other`` before another one.
    ``name_lead`` surely stands before a name, ``name_weak`` only when one was asked for;
    ``name_tail`` behind it. ``not_name`` are words that no name holds, ``title`` those that
    belong to one, ``company`` what joins name and company; ``opener`` may stand before a bare
    name. ``filler`` are words that alone tell no reason. ``no_call`` is a caller who
    wants no call back, ``same_number`` one who wants it where they call from. ``closing`` ends a
    message.
    """

    digits: Mapping[str, str]
    tens: Mapping[str, str]
    zeros: Mapping[str, str]
    times: Mapping[str, int]
    unclear: Mapping[str, str]
    joins: frozenset[str]
    mends: re.Pattern[str]
    number_lead: re.Pattern[str]
    number_other: re.Pattern[str]
    name_lead: re.Pattern[str]
    name_weak: re.Pattern[str]
    name_tail: re.Pattern[str]
    not_name: frozenset[str]
    title: frozenset[str]
    company: frozenset[str]
    opener: frozenset[str]
    filler: frozenset[str]
    yes: re.Pattern[str]
    no: re.Pattern[str]
    refusal: re.Pattern[str]
    no_call: re.Pattern[str]
    same_number: re.Pattern[str]
    closing: re.Pattern[str]


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OH = r"(?:(?:um+|uh+|oh|ah|er|well|so|ok|okay|hi|hello|hey|and|but|please|sorry)[ ,.]+)*"
_BELOW_20 = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBER = r"(?:(?:tele)?phone|mobile|cell(?:phone)?|home|work|office|call[- ]?back|contact|direct)"

ENGLISH = MessageRules(
    digits={
        **{word: str(index) for index, word in enumerate(_BELOW_20.split())},
        "nought": "0",
        "naught": "0",
        "nil": "0",
    },
    tens={word: str(index) for index, word in enumerate(_TENS.split(), 2)},
    zeros={"hundred": "00", "thousand": "000"},
    times={"double": 2, "triple": 3, "treble": 3},
    unclear={"oh": "0", "o": "0", "to": "2", "too": "2", "for": "4", "ate": "8", "won": "1"},
    joins=_words("and um uh uhm er erm then dash hyphen area code space plus"),
    mends=_any(
        r"\b(?:no|nope|sorry|correction|rather|wait|oops|actually|i mean(?:t)?|make that"
        r"|scratch that|let me start (?:again|over))\b"
    ),
    number_lead=_any(
        rf"\b(?:my|the|our|a|this|on|at|under)? ?(?:{_NUMBER} )?number(?: here)?(?:'s| is|:)?"
        r"(?: is)?[ ,]*$",
        r"\b(?:call|reach|phone|ring|text|contact|get|try)(?: me| us)?(?: back)?"
        r"(?: please)?(?: at| on| under)?(?: my| the)?[ ,]*$",
        rf"\b{_NUMBER}(?: is|'s|:)?[ ,]*$",
    ),
    number_other=_any(
        r"\b(?:invoice|order|account|reference|ticket|customer|policy|serial|case|contract|part"
        r"|model|bill|job|booking|room|house|street|flat|apartment|zip|code|year)"
        r"(?: (?:number|no|id|code))?\.?(?: (?:is|was|with))?[ ,#]*$",
        r"[$€£]\s?$",
    ),
    name_lead=_any(
        r"\b(?:my (?:full |last |first |own )?name(?:'s| is| was)|(?:the|and) name(?:'s| is)"
        r"|name is|(?:i'm|i am) called|you can call me|this is|you(?:'re| are) speaking "
        r"(?:to|with))[ ,]+"
    ),
    name_weak=_any(r"\b(?:it's|it is|i'm|i am|that's|that is|it'll be|name)[ ,]+"),
    name_tail=re.compile(r"[ ,]+(?:here|speaking|calling)\b", re.IGNORECASE),
    not_name=_words(
        "and my i i'm i've i'd we we're you your he she they it it's its is was are am be been "
        "the a an this that these those there here at on in about regarding concerning please "
        "can could would will shall should may have has had do does did don't because but so or "
        "if when what why how who where which for to of over by not no yes yeah sure okay ok "
        "thanks thank calling speaking phone telephone number name message just still again back "
        "call ringing phoning hello hi hey sorry um uh er oh well rather never nothing none need "
        "want wanted very really urgent good fine great right correct too also as with then "
        "interested trying looking having getting waiting wondering afraid unhappy happy glad "
        "told asked looking live your our broken leaking me us them him her any some all"
    ),
    title=_words("mr mrs ms miss dr doctor prof professor mister missus sir madam"),
    company=_words("from"),
    opener=_words(
        "yes yeah yep sure okay ok um uh uhm er erm oh ah well so hello hi hey it's it is that's "
        "i'm i am the please of course and then thanks thank you"
    ),
    filler=_words(
        "hello hi hey yes yeah yep sure okay ok no um uh uhm er erm oh ah well so and or but "
        "please thanks thank you can could would will i i'm i'd i'll like want to need me us back "
        "call calling called caller phone ring return my name number is it it's its the a an this "
        "that at on about leave leaving message then also just for of bye goodbye good morning "
        "afternoon evening day somebody someone person if when possible again soon as asap "
        "waiting much here speaking with talk speak reach under be get and's course great my "
        "mine same one use that's do go ahead right correct sorry mean rather not telephone mobile "
        "cell there they're we he she very have a in there's got is're was what it'll"
    ),
    yes=_any(
        rf"^{_OH}(?:yes|yeah|yep|yup|sure|correct|right|exactly|absolutely|definitely|perfect"
        r"|ok(?:ay)?$|all right|alright|fine|of course|please do|go ahead|mm-?hm+|uh-?huh"
        r"|that(?:'s| is| one is| one's) (?:right|correct|it|fine|good|perfect|the one|ok(?:ay)?)"
        r"|(?:you can|use|call|on) (?:this|that|the same)|(?:this|that|the same) (?:one|number)"
        r"|it is|you (?:can|may)|do that|please$)"
    ),
    no=_any(
        rf"^{_OH}(?:no\b|nope|nah|not (?:quite|really|right|this|that|correct)|wrong|incorrect"
        r"|that(?:'s| is|'s| was) (?:wrong|not|incorrect|isn't)|that isn't|it's not|it isn't"
        r"|a(?:nother| different) (?:one|number)|i(?:'d| would) (?:rather|prefer) (?:an|a )?other)"
    ),
    refusal=_any(
        r"\b(?:rather not|prefer not|skip|none of your|never ?mind|private|anonymous"
        r"|(?:do not|don't|won't|will not) (?:want|wish|like|have|know|give|say|tell|need)"
        r"|no (?:need|name|thanks|thank you|reason)|not necessary|doesn't matter|not important"
        r"|it's personal|is personal)\b",
        rf"^{_OH}(?:no|nope|nah|nothing|none|pass|no comment)(?: (?:please|sorry|thanks))?[ .!]*$",
    ),
    no_call=_any(
        r"\b(?:don't|do not|no need to|needn't|rather not be|don't want to be) (?:call|ring|phone)",
        r"\bno call ?back\b|\bdon't (?:want|need) a call",
    ),
    same_number=_any(
        r"\b(?:number|phone|one|line)(?: that)? (?:i'm|i am) (?:calling|phoning|ringing|on)\b",
        r"\b(?:on|at|to|use|it's) (?:this|the same|my) (?:number|phone|one)(?! is)\b",
        r"\bthe same (?:number|one)\b|\bcaller id\b|\byou (?:already )?(?:have|know|see) my number",
    ),
    closing=_any(
        r"\b(?:that's (?:all|it|everything)|that is (?:all|it|everything)|that would be (?:all|it)"
        r"|nothing else|(?:good)?bye(?:[- ]?bye)?|good ?bye|i'm done)(?: thanks| thank you"
        r"|,? (?:thanks|thank you))?[ .!]*$"
    ),
)
