"""How English callers sound when they have not finished, in words without punctuation."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Endings:
    """Patterns over the words of an utterance, in lower case and without punctuation.

    ``open``, unless ``not_open``: it cannot be over. ``question``: its last sentence is a whole
    question; ``leads_on``: one that mostly goes on. ``complete``: it is a whole request of another
    form. ``answer``: it answers what ``yes_or_no`` asks; a ``refusal`` does so too, but what is
    right may follow. ``back_channel``: said while the agent speaks it means "go on"; so do
    ``thanks`` when the agent is about to go.
    """

    open: re.Pattern[str]
    not_open: re.Pattern[str]
    question: re.Pattern[str]
    leads_on: re.Pattern[str]
    complete: re.Pattern[str]
    answer: re.Pattern[str]
    refusal: re.Pattern[str]
    yes_or_no: re.Pattern[str]
    back_channel: re.Pattern[str]
    thanks: re.Pattern[str]


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


_BE = r"(?:is|are|was|were|am|isnt|arent|wasnt)"
_AUXILIARY = (
    rf"(?:{_BE}|do|does|did|can|could|would|will|shall|should|may|might|must|have|has|had"
    r"|dont|doesnt|didnt|cant|couldnt|wouldnt|wont|shouldnt|havent|hasnt)"
)
_WHO = r"(?:i|you|we|they|he|she|it|there|that|this|somebody|someone|anybody|anyone)"
_WH = r"(?:what|whats|when|where|wheres|which|who|whos|whose|why|how|hows)"
_DIGIT = (
    r"(?:\d+|zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|double|triple|hundred"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|eleven|twelve"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty)"
)
_GREETING = (
    r"(?:hi|hello|hey|there|good (?:morning|afternoon|evening|day)|excuse me|sorry|um+|uh+|well|so"
    r"|oh|okay|ok|right)"
)
_LEADS = (
    r"(?:i )?(?:was |am |im |just )*wondering|(?:like|want|wanted|need|have|love) to(?: just)?"
    r"(?: (?:know|ask|find out|talk about|say))?(?: you)?"
    r"|(?:can|could|would) you(?: please)?(?: tell me)?|please|tell me|let me know|do you know"
    r"|i(?: just| only| also| really)? (?:need|want|have|had|am|would|think|guess|mean|live|got)"
    r"|i(?: have|ve)(?: got)? (?:a|another|one|one more|two|some|a few)(?: quick| short| other)?"
    r" questions?(?: (?:about|for) you)?"
    r"|(?:im|i am|were|we are) (?:calling|phoning|looking|trying|interested)"
    r"|(?:the|my) (?:thing|problem|question|issue|point|reason) is|my (?:name|number) is"
    r"|(?:to be|let me be) honest|you know|i mean|let me (?:see|think|check)|hold on|actually"
    r"|basically|id|ill|ive|theres|thats|its"
)

_OPEN = _any(
    # A word that leads to another.
    r"\b(?:and|or|but|because|cause|so|if|whether|that|than|as|while|unless|until|since|although"
    r"|though|when|where|what|which|who|whose|how|why|um+|uh+|erm?|hmm+|well|like|also|maybe"
    r"|the|a|an|my|your|our|their|his|every|each|some|any|another|very|really|only|about|of|to"
    r"|for|from|with|at|by|into|onto|during|between|without|per|near|under|before|after|against"
    r"|in|on|too|not|more|first|second|next|last)$",
    # A verb or a subject that waits for the rest.
    rf"\b(?:if|whether|that|because|when|where|how|what|and|or|but|so) {_WHO}$",
    rf"\b{_BE} {_WHO}$",
    r"\b(?:do|does|did|can|could|would|will|should|have|has|shall|may|might) (?:i|you|we|they|he"
    r"|she|it|there|somebody|someone)(?: (?:also|still|just|even|only|have|need|want|get|be))?$",
    rf"\b(?:i|you|we|they|he|she|it|there) {_AUXILIARY}$",
    rf"\b(?:the|a|an|my|your|our) (?:\w+ )?{_AUXILIARY}$",
    rf"^(?:{_GREETING} )*(?:{_WH} )?(?:(?:much|many|long|often|soon) )?{_AUXILIARY}$",
    rf"^{_GREETING}(?: (?:{_GREETING}|yes|no|yeah))*$",
    r"\b(?:put|pass|connect|transfer) me(?: through)?$",
    rf"(?:^|\b(?:{_GREETING}|and|but|because|yes|no) )(?:{_LEADS})$",
    r"\b(?:like|want|wanted|need|have|love) to(?: just)? (?:know|ask|find out|talk about)$",
    r"\b(?:tell me|wondering|wonder|let me know)$",
    # A condition without its consequence.
    rf"^(?:{_GREETING} )*(?:if|because|although|since|unless|once|while|as soon as|whenever) "
    rf"(?!.*\b{_AUXILIARY} {_WHO}\b)(?!.*\b{_WH} )(?!.*\b(?:please|then)\b).*$",
    rf"^(?:{_GREETING} )*when (?!{_AUXILIARY}\b)(?!.*\b{_AUXILIARY} {_WHO}\b).*$",
    # In the middle of a number, of spelling, of an address.
    r"\b(?:number|code|account|order|phone|reach me|call me|invoice|reference|zip|is|its|digits)\b"
    rf".*\b{_DIGIT}$",
    rf"^{_DIGIT}(?: {_DIGIT})*$",
    rf"\b(?:live|address|located|street|house|number)\b.*\b{_DIGIT}(?: (?:and )?\w+)?$",
    r"\b[b-hj-z] [a-z]$|^(?:[a-z] )+[a-z]$|\bspell\w*\b.*\b[a-z]$|\bas in(?: \w+)?$",
)

_NOT_OPEN = _any(
    r"^(?:yes|yeah|no) (?:please|thanks|thank you)$",
    r"^(?!yes|yeah|no |ok|hello|hi |and ).*\w(?<!you)(?<!\bi)(?<!we)(?<!but) please$",
    r"^(?:why|when|where|what|who|how|maybe|ok|okay|right|after|before)$",
    r"\b(?:so|too|how|any|cost|no) much$|\bhow many$|\b(?:any|once) more$|\b(?:if|or|why) not$",
    r"\b(?:me|you|that|it) too$|\b(?:is|like|about|do|for|with|after|of|to|know) that$",
    r"\b(?:speak|talk) (?:to|with)$|\blooking for$|\b(?:the|that|your) (?:first|second|last)$",
    r"\b(?:come|turn|turn it|go|switch|move|let me|log|keep|put|call) (?:in|on)$",
    rf"^(?:{_GREETING} )*(?:who|what|where|whats|which) .*"
    r"\b(?:for|from|to|with|at|about|in|on|like|by)$",
    rf"\b{_WH}(?: (?:much|many|long|old|far|late|big))? {_BE} {_WHO}$",
    r"\bhow (?:do|does) (?:you|it|that) do$",
    rf"\b{_WH} .*\b(?:i|you|we|they|he|she|it) {_AUXILIARY}$",
    rf"^(?:yes|no|yeah) {_WHO} {_AUXILIARY}$",
    r"(?:\d ?){10,}$",
    r"\b(?:come|are|do|is|deliver|work) .*\bin \w+$",
)

_QUESTION = _any(
    rf"^(?:{_GREETING} |and |but |then |yes |no )*(?:{_WH}|{_AUXILIARY}) (?:\w+ )+\w+$",
    rf"\b(?:like to know|want to know|wondering|wonder|tell me|ask|question is|know)"
    rf" (?:if|whether|{_WH}) (?:\w+ ){{2,}}\w+$",
    rf"\b(?:{_AUXILIARY}) (?:i|you|we) (?:\w+ ){{2,}}\w+$",
)

_LEADS_ON = _any(
    # "How much does it cost" … "to clear a drain": in the pause it has an answer, too, where one
    # was given to something else before.
    rf"\b{_WH}(?: (?:much|many|long|hard|easy|difficult))? {_AUXILIARY} it (?:cost|take|need)$",
    rf"\b{_BE} it (?:possible|ok|okay|all right|allowed|necessary|normal|free)$",
    rf"\b{_BE} there (?:a|an|any) (?:charge|fee|cost|discount|limit|minimum)$",
    rf"\b{_AUXILIARY} (?:i|you|we) (?:(?:have|need) to )?(?:pay|charge)(?: extra)?$",
)

_ANSWER = _any(
    r"^(?:yes|yeah|yep|no|nope|sure|okay|ok|right|exactly|correct|of course|thats right)"
    r"(?: (?:please|thanks|thank you|sir|maam|i do|it is|i am|that is|thats right|thats all))*$"
)

_COMPLETE = _any(
    r"^(?:what|why|when|where|how|how much|how long|pardon|sorry|really)$",
    r"^(?:on |next |this |at |in the )*(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekends?"
    r"|mornings?|afternoons?|evenings?|today|tomorrow|noon|night)$",
    r"^(?!yes|yeah|no |ok|hello|hi |and ).*\w(?<!you)(?<!\bi)(?<!we)(?<!but) please$",
    r"\b(?:stop|wait|hold on|one moment)$",
)

_MURMUR = (
    r"(?:m+|mm+ ?h+m+|m+h+m+|h+m+|(?:[mh] )+[mh]|uh huh|uhuh|a hah?|uh|ah+|aha|oh"
    r"|yes|yeah|yep|yup|ok|okay|right|sure|alright|all right|i see|got it|great"
    r"|good|fine"
    r"|perfect|exactly|of course|understood|true"
    r"|cool|nice|wow|really|interesting)"
)

ENGLISH = Endings(
    open=_OPEN,
    not_open=_NOT_OPEN,
    question=_QUESTION,
    leads_on=_LEADS_ON,
    complete=_COMPLETE,
    answer=_ANSWER,
    refusal=re.compile(r"^(?:no|nope)$"),
    yes_or_no=re.compile(rf"^{_AUXILIARY} {_WHO}\b"),
    back_channel=re.compile(rf"^{_MURMUR}(?: {_MURMUR}){{0,2}}$"),
    thanks=re.compile(
        rf"^(?:{_MURMUR} )*(?:thanks|thank you|cheers)(?: (?:very|so|much|a lot|you|then|bye"
        rf"|goodbye|for your help))*(?: {_MURMUR})*$"
    ),
)
