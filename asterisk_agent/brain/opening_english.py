"""Questions about opening hours, read from English words, and the answers worded in English.

A question is taken only if nothing else is in it: once the words of asking, the days and times and
the company's own name are gone, no word may be left over. So "when does the post office open" and
"can a plumber come on Saturday" stay questions to the documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from asterisk_agent.brain.opening import Asked, Edge, Form, Span
from asterisk_agent.brain.words import normalise
from asterisk_agent.plan import Interval

_DAY_WORDS = "monday tuesday wednesday thursday friday saturday sunday"
_MONTH_WORDS = (
    "january february march april may june july august september october november december"
)
_ONE_WORDS = "one two three four five six seven eight nine"
_TEEN_WORDS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_ORDINAL_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_DAYS, _MONTHS = _DAY_WORDS.split(), _MONTH_WORDS.split()
_ORDINALS, _ONES = _ORDINAL_WORDS.split(), _ONE_WORDS.split()
_ORDINAL = {word: number for number, word in enumerate(_ORDINALS, 1)}
_ORDINAL |= {f"twenty {word}": 20 + number for word, number in list(_ORDINAL.items())[:9]}
_ORDINAL |= {"thirtieth": 30, "thirty first": 31}
_CARDINAL = {f"twenty {word}": 20 + number for number, word in enumerate(_ONES, 1)}
_CARDINAL |= {word: number for number, word in enumerate(_ONES, 1)}
_CARDINAL |= {word: number for number, word in enumerate(_TEEN_WORDS.split(), 10)}
_CARDINAL |= {"twenty": 20, "thirty": 30, "thirty one": 31}
_NUMBER = "|".join(sorted({**_ORDINAL, **_CARDINAL}, key=len, reverse=True))
_NTH = rf"(?:\d{{1,2}}(?: ?(?:st|nd|rd|th))?|{_NUMBER})"
_MONTH = "|".join(_MONTHS)
_DATES = (
    re.compile(rf"\b(?P<month>{_MONTH}) (?:the )?(?P<day>{_NTH})\b"),
    re.compile(rf"\b(?:the )?(?P<day>{_NTH}) (?:of )?(?P<month>{_MONTH})\b"),
)
_WEEKDAY = re.compile(rf"\b(?:(?P<which>this|next|coming) )?(?P<day>{'|'.join(_DAYS)})s?\b")
_FIXED = {
    "christmas eve": (12, 24),
    "christmas day": (12, 25),
    "christmas": (12, 25),
    "boxing day": (12, 26),
    "new years eve": (12, 31),
    "new year eve": (12, 31),
    "new years day": (1, 1),
    "new years": (1, 1),
    "new year": (1, 1),
    "fourth of july": (7, 4),
    "independence day": (7, 4),
    "halloween": (10, 31),
}
"""Days with a date of their own. All others are known by the names in the operator's calendar."""
_PART = r"(?:early |late )?(?:mornings?|afternoons?|evenings?|nights?)"
_TIME = (
    r"\b(?:at|before|after|around|by|past|until|till) (?:half past |quarter (?:past|to) )?"
    rf"(?:\d{{1,2}}(?:[: ]\d\d)?|noon|midnight|{'|'.join(w for w in _CARDINAL if ' ' not in w)})"
    r"(?: oclock)?(?: ?[ap] ?m)?\b"
)
_HOURS_OF_DAY = re.compile(
    rf"{_TIME}|\b(?:24|twenty four) (?:hours|7|seven)\b|\b(?:around|round) the clock\b"
    rf"|\b(?:(?:in|during) the |at |all )?{_PART}\b|\bwhich days|what days\b"
)
"""Times without a day: then the whole week is told."""
_NOW = re.compile(r"\b(?:right now|now|at the moment|currently|at this time|still|yet|already)\b")
_AGAIN = re.compile(r"\b(?:again|next|back)\b")
_LUNCH = re.compile(r"\b(?:lunch ?time|lunch(?: ?break)?|mid ?day|noon(?: break)?)\b")
_HOLIDAYS = re.compile(r"\b(?:bank |public |national |legal |federal )?holidays\b|\bbank holiday\b")
_OPENS = re.compile(
    r"\b(?:open|opens|opened|opening|close|closes|closed|closing|shut|shuts|hours)\b"
    r"|\b(?:business|office|visiting) times\b"
    r"|\b(?:any ?one|any ?body|some ?one|some ?body|people) (?:is |be )?(?:there|in|at work|here)\b"
    r"|\b(?:are|is|will) you (?:guys )?(?:be )?(?:there|working|in(?= on| today| tomorrow|$))\b"
    r"|\byoure (?:there|in|working)\b"
    r"|\b(?:until when|till when|how late|how early|what times?) are you (?:there|in|around)\b"
)
_CLOSES = re.compile(r"\b(?:close|closes|closing|closed|shut|shuts|how late|until|till)\b")
_BEGINS = re.compile(r"\b(?:open|opens|opening|how early|start)\b")
_ASKS_WHEN = re.compile(r"\b(?:when|what times?|how (?:late|early|long)|until|till|hours|times)\b")
_IS_OPEN = re.compile(r"\b(?:are|is|be)(?: \w+){0,3} open\b")
"""Asks for the whole of the hours, not for the moment at which they begin."""
_STATE = re.compile(r"^(?:\w+ )*?(?:are|is|will) (?:you|the|your|it|this)\b")
_FOLLOWS = re.compile(r"^(?:ok |okay |oh |um |uh )*(?:and|what about|how about|or)\b")
_ASKING = """
a an the this that these those your you yours guys i id im ive ill me we us my is are am be will
would do does did can could may it its there here youre im hi hello hey um uh er oh so well and or
but please thanks thank good okay ok yes no not like know tell want wanted wondering wonder ask
calling call just quick question what whats when which how late early long until till from to at
on in of for by between during about with whole all any every each day days week weeks weekday
weekdays time times hour hours open opens opened opening close closes closed closing shut shuts be
been being also then too again next still yet now normally usually generally currently actually
come stop visit reach get somebody someone anybody anyone people everybody working work works
available if that general regular normal business daily days exactly really today tomorrow tonight
date year office shop store company branch place location building premises desk reception front
door doors phone phones line lines customer customers public guess suppose let see happen have has
"""
_WORDS = frozenset(_ASKING.split())
"""Words that ask, or name any company; a question about opening hours has no others."""


def read(
    text: str, today: date, own: frozenset[str], named: Sequence[tuple[str, date]], follows: bool
) -> Asked | None:
    """What ``text`` asks about opening hours; None where it asks something else.

    ``own`` are words of the company's own names, ``named`` the special days to come. ``follows``:
    the last answer was about opening hours, so that "and on Friday?" asks for them too.
    """
    plain = normalise(text)
    plain = re.sub(r"\bxmas\b", "christmas", plain)
    if not (
        _OPENS.search(plain) or (follows and (_FOLLOWS.match(plain) or len(plain.split()) < 4))
    ):
        return None
    left, spans = _spans(plain, today, named)
    if left is None:
        return None
    now = _NOW.search(plain) is not None and not _HOURS_OF_DAY.search(plain)
    lunch, holidays = _LUNCH.search(left) is not None, _HOLIDAYS.search(left) is not None
    left = _LUNCH.sub(" ", _HOLIDAYS.sub(" ", _NOW.sub(" ", left)))
    if [word for word in left.split() if word not in _WORDS and word not in own]:
        return None
    if not _OPENS.search(plain) and not spans and not (holidays or lunch or now):
        return None
    return Asked(_form(plain, spans, now, lunch, holidays), spans, _edge(plain))


def _form(plain: str, spans: Sequence[Span], now: bool, lunch: bool, holidays: bool) -> Form:
    if holidays:
        return Form.HOLIDAYS
    if lunch and not spans:
        return Form.LUNCH
    if spans:
        return Form.DAYS
    if _AGAIN.search(plain) and _ASKS_WHEN.search(plain):
        return Form.NEXT
    if _HOURS_OF_DAY.search(plain):
        return Form.WEEK
    if now or (not _ASKS_WHEN.search(plain) and _STATE.search(plain)):
        return Form.NOW
    return Form.WEEK


def _edge(plain: str) -> Edge | None:
    if not _ASKS_WHEN.search(plain):
        return None
    closes, begins = _CLOSES.search(plain), _BEGINS.search(plain)
    if re.search(r"\bhours|opening times|how long\b", plain) or (
        closes and begins and not re.search(r"\bhow late|until|till\b", plain)
    ):
        return None
    if closes:
        return Edge.CLOSES
    return Edge.OPENS if begins and not _IS_OPEN.search(plain) else None


def _spans(
    plain: str, today: date, named: Sequence[tuple[str, date]]
) -> tuple[str | None, tuple[Span, ...]]:
    """The days that are named, and what is left of the text; None: a day that nobody knows."""
    spans: list[Span] = []

    def take(pattern: re.Pattern[str] | str, *found: Span) -> None:
        nonlocal plain
        if re.search(pattern, plain):
            plain = re.sub(pattern, " ", plain)
            spans.extend(found)

    for pattern in _DATES:
        while (at := pattern.search(plain)) is not None:
            day = _date(at["month"], at["day"], today)
            if day is None:
                return None, ()
            plain = plain[: at.start()] + " " + plain[at.end() :]
            spans.append(Span((day,)))
    plain, special = _named(plain, today, named)
    if special is not None:
        spans.append(special)
    take(r"\bday after tomorrow\b", Span((today + timedelta(2),)))
    take(r"\btomorrow\b", Span((today + timedelta(1),)))
    take(rf"\b(?:today|tonight|this (?:{_PART}))\b", Span((today,)))
    saturday = today + timedelta((5 - today.weekday()) % 7)
    take(
        r"\b(?:the |this |on |at )*week ?ends?\b",
        Span((saturday, saturday + timedelta(1)), weekly=True),
    )
    while (found := _WEEKDAY.search(plain)) is not None:
        day = today + timedelta((_DAYS.index(found["day"]) - today.weekday()) % 7)
        spans.append(Span((day,), weekly=found["which"] is None))
        plain = plain[: found.start()] + " " + plain[found.end() :]
    plain = _HOURS_OF_DAY.sub(" ", plain)
    return plain, tuple(spans)


def _date(month: str, day: str, today: date) -> date | None:
    digits = re.match(r"\d+", day)
    number = int(digits[0]) if digits else _ORDINAL.get(day) or _CARDINAL[day]
    return _next(_MONTHS.index(month) + 1, number, today)


def _next(month: int, day: int, today: date) -> date | None:
    for year in (today.year, today.year + 1):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found >= today:
            return found
    return None


def _named(plain: str, today: date, named: Sequence[tuple[str, date]]) -> tuple[str, Span | None]:
    """The special day whose whole name is said, the longest first; else one with a fixed date."""
    best: tuple[str, ...] = ()
    for name, _ in named:
        words = tuple(w for w in normalise(name).split() if w not in ("day", "the", "observed"))
        eve = "eve" in plain.split() and "eve" not in words
        if len(words) > len(best) and not eve and all(_said(w, plain) for w in words):
            best = words
    if best:
        days = [
            day
            for name, day in named
            if tuple(w for w in normalise(name).split() if w not in ("day", "the", "observed"))
            == best
        ]
        for word in (*best, "day"):
            plain = re.sub(rf"\b{word}s?\b", " ", plain)
        return plain, Span(tuple(_run(days)))
    for name, (month, day) in _FIXED.items():
        if named and re.search(rf"\b{name}\b", plain):
            found = _next(month, day, today)
            return re.sub(rf"\b{name}\b", " ", plain), Span((found,)) if found else None
    return plain, None


def _said(word: str, plain: str) -> bool:
    return re.search(rf"\b{re.escape(word)}s?\b", plain) is not None


def _run(days: Sequence[date]) -> Iterable[date]:
    """The first days of a list that follow each other."""
    for at, day in enumerate(days):
        if at and day != days[at - 1] + timedelta(1):
            return
        yield day


# --- wording --------------------------------------------------------------------------------


def minute(value: int) -> str:
    """A minute of the day: 480 → "8 a.m.", 720 → "12 noon", 1440 → "midnight"."""
    hour, rest = divmod(value, 60)
    if rest == 0 and hour in (0, 12, 24):
        return "12 noon" if hour == 12 else "midnight"
    half = "a.m." if hour % 24 < 12 else "p.m."
    return f"{hour % 12 or 12}{f':{rest:02}' if rest else ''} {half}"


def intervals(open_: Sequence[Interval]) -> str:
    """Open minutes: "from 8 a.m. to 12 noon and from 1 p.m. to 6 p.m."."""
    if open_ == ((0, 1440),):
        return "around the clock"
    return join([f"from {minute(start)} to {minute(end)}" for start, end in open_])


def join(parts: Sequence[str], word: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def weekday(number: int) -> str:
    """0 → "Monday"."""
    return _DAYS[number].capitalize()


def sentence(*parts: str) -> str:
    """Parts as one sentence, ended by one full stop: "… until 4 p.m."."""
    text = " ".join(filter(None, parts))
    return text if text.endswith(".") else f"{text}."


def weekdays(numbers: Sequence[int]) -> str:
    """Days of the week: "Monday to Thursday", "Saturday and Sunday"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    names = []
    for run in runs:
        if len(run) > 2:
            names.append(f"{weekday(run[0])} to {weekday(run[-1])}")
        else:
            names += [weekday(number) for number in run]
    return join(names)


def on_weekdays(numbers: Sequence[int]) -> str:
    """ "from Monday to Thursday", but "on Saturday"."""
    named = weekdays(numbers)
    return f"{'from' if ' to ' in named else 'on'} {named}"


def calendar_day(day: date) -> str:
    """ "Friday, December 25"."""
    return f"{weekday(day.weekday())}, {_MONTHS[day.month - 1].capitalize()} {day.day}"
