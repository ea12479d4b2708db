"""English: words that lean on what was said before."""

from __future__ import annotations

import re

from asterisk_agent.brain.language import DialogueRules

_THAT = r"(?: (?:that|it|this|them|the (?:name|address|email|number|website|street)))?"

DIALOGUE = DialogueRules(
    follows=re.compile(
        r"^(?:(?:ok|okay|oh|um|uh|well|thanks|thank you|right|alright|good|great) )*"
        r"(?:and|what about|how about|what if|or|also|then|but)\b"
    ),
    whole=re.compile(
        r"^(?:and|but|also|then|or) (?:do|does|did|is|are|can|could|would|will|should|what|when"
        r"|where|who|which|how|why|have|has|i|my|we|you)\b(?! about)"
    ),
    points=re.compile(r"\b(?:that|it|this|they|them|those|these|there|one|ones)\b"),
    first=re.compile(
        r"^(?:(?:i mean|yes|yeah|um|uh|the|mean) )*(?:first|former|number one|1st)"
        r"(?: (?:one|question|please|thing|option))*$"
    ),
    second=re.compile(
        r"^(?:(?:i mean|yes|yeah|um|uh|the|mean) )*(?:second|latter|last|number two|other|2nd)"
        r"(?: (?:one|question|please|thing|option))*$"
    ),
    neither=re.compile(
        r"^(?:(?:no|nope|um|uh|sorry|nah) )*(?:neither|none|not (?:that|those|really|quite)"
        r"|something else|i dont|thats not (?:it|what i (?:mean|meant|asked)))\b"
    ),
    go_on=re.compile(
        r"^(?:(?:yes|yeah|sure|please|ok|okay|um|uh|oh) )*"
        r"(?:go on|go ahead|continue|carry on|keep going|tell me more|more|read on|what else"
        r"|and then|the rest)(?: please)?$"
    ),
    slower=re.compile(r"\b(?:slower|slowly|slow down|too fast|not so fast|less fast)\b"),
    spell=re.compile(
        rf"\b(?:spell(?:ed)?{_THAT}|spelling of"
        r"|how (?:do|is|would) (?:you|that|it|this) (?:spell(?:ed)?|written)"
        r"|how (?:is|are) (?:that|it|this) (?:spelled|written)|letter by letter"
        r"|digit by digit)\b"
    ),
    leaning=re.compile(
        r"^(?:(?:this|that|these|those|it|they|he|she|otherwise|then|there|but|however|also"
        r"|both|if it|if not|if so|in that case)\b|after (?:that|this)\b|before (?:that|this)\b)",
        re.IGNORECASE,
    ),
)
