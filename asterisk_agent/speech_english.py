"""How English is said aloud: numbers, money, times, dates, phone numbers, addresses, units.

``speak_english`` is a chain of substitutions, the most specific first: what one has written out in
words, the next no longer sees as digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from re import Match

_ONE_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TEN_WORDS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety"
_MONTH_WORDS = (
    "January February March April May June July August September October November December"
)
_ONES, _TENS, _MONTHS = _ONE_WORDS.split(), _TEN_WORDS.split(), _MONTH_WORDS.split()
_GROUPS = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_DAYS = {
    "Mon": "Monday",
    "Tue": "Tuesday",
    "Tues": "Tuesday",
    "Wed": "Wednesday",
    "Thu": "Thursday",
    "Thur": "Thursday",
    "Thurs": "Thursday",
    "Fri": "Friday",
    "Sat": "Saturday",
    "Sun": "Sunday",
}
_MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
}
_CODES = {"usd": "$", "eur": "€", "gbp": "£"}
_UNITS = {
    "km": "kilometers",
    "cm": "centimeters",
    "mm": "millimeters",
    "m²": "square meters",
    "m2": "square meters",
    "m³": "cubic meters",
    "sq ft": "square feet",
    "ft": "feet",
    "mi": "miles",
    "kg": "kilograms",
    "g": "grams",
    "lb": "pounds",
    "lbs": "pounds",
    "oz": "ounces",
    "l": "liters",
    "ml": "milliliters",
    "gal": "gallons",
    "kw": "kilowatts",
    "kwh": "kilowatt hours",
    "h": "hours",
    "hr": "hours",
    "hrs": "hours",
    "min": "minutes",
    "mins": "minutes",
    "sec": "seconds",
    "°c": "degrees Celsius",
    "°f": "degrees Fahrenheit",
    "°": "degrees",
    "mbit/s": "megabits per second",
}
_ABBREVIATIONS = {
    r"e\.g\.": "for example",
    r"i\.e\.": "that is",
    r"etc\.": "et cetera",
    r"approx\.": "approximately",
    r"incl\.": "including",
    r"excl\.": "excluding",
    r"vs\.": "versus",
    r"nos?\.(?=\s*\d)": "number",
    r"ext\.(?=\s*\d)": "extension",
    r"tel\.": "telephone",
    r"Mr\.": "Mister",
    r"Mrs\.": "Missus",
    r"Dr\.(?=\s+[A-Z])": "Doctor",
}
_LONGEST_NUMBER = 9
"""Digits; a longer number is read digit by digit."""
_LONGEST_AMOUNT = 15
_DASH = r"\s*[-\N{EN DASH}\N{EM DASH}]\s*"
_AMOUNT = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_CLOCK = r"(\d{1,2})(?::([0-5]\d))?(?:\s*([ap])\.?\s?m\b\.?|(?=\s*(?:noon|midnight)\b))"


def cardinal(number: int) -> str:
    """12345 → "twelve thousand three hundred forty-five"."""
    if number < 0:
        return f"minus {cardinal(-number)}"
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
    for size, name in (*_GROUPS, (100, "hundred")):
        if number >= size:
            head, rest = divmod(number, size)
            return f"{cardinal(head)} {name}" + (f" {cardinal(rest)}" if rest else "")
    raise AssertionError(number)


def ordinal(number: int) -> str:
    """21 → "twenty-first"."""
    head, last = re.fullmatch(r"(.*[ -])?(\w+)", cardinal(number)).groups("")  # type: ignore[union-attr]
    return head + _ORDINALS.get(last, last[:-1] + "ieth" if last.endswith("y") else last + "th")


def digits(text: str) -> str:
    """The digits of ``text`` one by one: "0042" → "zero zero four two"."""
    return " ".join(_ONES[int(digit)] for digit in text if digit.isdecimal())


def year(number: int) -> str:
    """1998 → "nineteen ninety-eight", 2005 → "two thousand five"."""
    century, rest = divmod(number, 100)
    if rest == 0 and century % 10:
        return f"{cardinal(century)} hundred"
    if century % 10 == 0 and rest < 10:
        return cardinal(number)
    tail = f"oh {_ONES[rest]}" if rest < 10 else cardinal(rest)
    return f"{cardinal(century)} {tail}"


def _number(text: str) -> str:
    """A written number, with thousands separators and decimals, in words."""
    whole, _, decimals = text.replace(",", "").partition(".")
    if whole.startswith("-"):
        return f"minus {_number(whole[1:] + text.partition('.')[1] + decimals)}"
    if len(whole) > _LONGEST_NUMBER or (len(whole) > 1 and whole[0] == "0"):
        return digits(whole)
    return cardinal(int(whole)) + (f" point {digits(decimals)}" if decimals else "")


def _email(match: Match[str]) -> str:
    return _letters(match[0]).replace("@", " at ")


def _url(match: Match[str]) -> str:
    address = re.sub(r"^https?://", "", match[0]).rstrip("/")
    return _letters(re.sub(r"^www\.", "w w w dot ", address)).replace("/", " slash ")


def _letters(address: str) -> str:
    for sign, word in ((".", "dot"), ("-", "dash"), ("_", "underscore"), ("+", "plus")):
        address = address.replace(sign, f" {word} ")
    return re.sub(r"\d+", lambda number: f" {digits(number[0])} ", address).replace("  ", " ")


def _phone(match: Match[str]) -> str:
    text = match[0]
    groups = re.findall(r"\d+", text)
    if len(groups) == 1:
        groups = _phone_groups(groups[0])
    return ("plus " if text.startswith("+") else "") + ", ".join(map(digits, groups))


def _phone_groups(number: str) -> list[str]:
    """Cut a number written in one piece as its country does, or else into threes."""
    if len(number) == 11 and number[0] == "1":
        return [number[0], number[1:4], number[4:7], number[7:]]
    tail = 4 if len(number) % 3 == 1 else len(number) % 3 or 3
    head = number[: len(number) - tail]
    return [*(head[i : i + 3] for i in range(0, len(head), 3)), number[len(head) :]]


def _date(match: Match[str]) -> str:
    y, month, day = (int(part) for part in match.groups())
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return f"{_MONTHS[month - 1]} {ordinal(day)}, {year(y)}"


def _clock(match: Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2] or 0)
    if hour > 12:
        return match[0]
    return _hour(hour, minute) + (f" {match[3].lower()}.m." if match[3] else "")


def _clock_24(match: Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    if hour > 24:
        return match[0]
    if minute == 0 and hour in (0, 12, 24):
        return "noon" if hour == 12 else "midnight"
    half = "a.m." if hour % 24 < 12 else "p.m."
    return f"{_hour(hour % 12 or 12, minute)} {half}"


def _clock_bare(match: Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    if hour > 24:
        return match[0]
    return _hour(hour, minute) if minute else f"{cardinal(hour)} o'clock"


def _hour(hour: int, minute: int) -> str:
    if not minute:
        return cardinal(hour)
    return f"{cardinal(hour)} {'oh ' if minute < 10 else ''}{cardinal(minute)}"


def _times(text: str) -> str:
    text = re.sub(rf"(?<=\d|m|\.){_DASH}(?=\d{{1,2}}(?::\d\d|\s*[ap]\.?m\b))", " to ", text)
    text = re.sub(rf"\b{_CLOCK}", _clock, text, flags=re.IGNORECASE)
    clock = r"\b(\d{1,2}):([0-5]\d)\b"
    whole_day = any(h[0] == "0" or int(h) > 12 for h, _ in re.findall(clock, text))
    return re.sub(clock, _clock_24 if whole_day else _clock_bare, text)


def _money(match: Match[str]) -> str:
    sign = match["sign"] or match["sign2"] or _CODES[(match["code"] or match["code2"]).casefold()]
    amount, scale = match["amount"] or match["amount2"], match["scale"]
    one, many, cent, cents = _MONEY[sign]
    whole, _, decimals = amount.replace(",", "").partition(".")
    if scale or len(decimals) not in (0, 2) or len(whole) > _LONGEST_AMOUNT:
        return f"{_number(amount)}{f' {scale}' if scale else ''} {many}"
    parts = []
    if int(whole) or not decimals:
        parts.append(f"{cardinal(int(whole))} {one if int(whole) == 1 else many}")
    if int(decimals or 0):
        parts.append(f"{cardinal(int(decimals))} {cent if int(decimals) == 1 else cents}")
    return " and ".join(parts) or f"zero {many}"


def _unit(match: Match[str]) -> str:
    name = _UNITS[match[2].casefold()]
    if match[1] == "1":
        name = re.sub(r"^feet$", "foot", re.sub(r"s(?=$| )", "", name, count=1))
    return f"{match[1]} {name}"


_UNIT_NAMES = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_CODE_NAMES = "|".join(_CODES)
_SHORT_DAYS = "|".join(sorted(_DAYS, key=len, reverse=True))
_MONEY_AMOUNT = re.compile(
    rf"(?:(?P<sign>[$€£])\s?|\b(?P<code>{_CODE_NAMES})\s)(?P<amount>{_AMOUNT})"
    r"(?:\s(?P<scale>thousand|million|billion)\b)?"
    rf"|\b(?P<amount2>{_AMOUNT})\s?(?:(?P<sign2>[€£])|(?P<code2>{_CODE_NAMES})\b)",
    re.IGNORECASE,
)
_YEAR_AFTER = "in|since|from|until|till|of|by|before|after|year|" + "|".join(_MONTHS)

_Rule = tuple[str, str | Callable[[Match[str]], str]]
_ADDRESSES: tuple[_Rule, ...] = (
    (r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+", _email),
    (r"\b(?:https?://|www\.)[\w.-]+\.\w+(?:/[\w/.-]*\w)?/?", _url),
    (r"\b(\d{4})-(\d\d)-(\d\d)\b", _date),
    (
        r"\+\d[\d\s().-]{5,}\d|\(\d{2,4}\)\s?\d[\d\s.-]{3,}\d"
        r"|\b(?:\d[-. ])?\d{3}[-. ]\d{3}[-. ]\d{4}\b|\b\d{3}-\d{4}\b|\b0\d{2,4}[-/ ]\d[\d -]{3,}\d",
        _phone,
    ),
    (
        r"(?i)\b(call|dial|ring|press|extension|ext\.)\s+(\d{1,6})\b(?![:.,]\d|\s*[ap]\.?m)",
        lambda m: f"{m[1]} {digits(m[2])}",
    ),
    (r"\b(?:911|112|999)\b", lambda m: digits(m[0])),
    (r"\b24/7\b", "twenty-four seven"),
)
_WORDS: tuple[_Rule, ...] = (
    *((rf"(?i)(?<!\w){short}", full) for short, full in _ABBREVIATIONS.items()),
    (
        rf"\b({_SHORT_DAYS})\b\.?(?={_DASH}[A-Z]|:|,?\s+\d)"
        rf"|(?<=\w[-\N{{EN DASH}}])({_SHORT_DAYS})\b",
        lambda m: _DAYS[m[1] or m[2]],
    ),
    (rf"(?<=day){_DASH}(?=(?:{'|'.join(set(_DAYS.values()))})\b)", " to "),
    (r"\s*&\s*", " and "),
    (r"(?<=\d)\s?%", " percent"),
    (r"#(?=\d)", "number "),
)
_NUMBERS: tuple[_Rule, ...] = (
    (rf"([$€£])({_AMOUNT}){_DASH}(?=\d)", r"\1\2 to \1"),
    (rf"(?<=\d){_DASH}(?=[$€£]?\d)", " to "),
    (_MONEY_AMOUNT.pattern, _money),
    (
        r"(?i)(?<=\w)\s?/\s?(?=(?:hour|day|night|week|month|year|person|item|page|unit|h)\b)",
        " per ",
    ),
    (rf"(?i)\b({_AMOUNT})\s?({_UNIT_NAMES})(?!\w)", _unit),
    (r"\bper h\b", "per hour"),
    (
        rf"\b({'|'.join(_MONTHS)})\s(\d{{1,2}})\b(?!\s?%|:)",
        lambda m: f"{m[1]} {ordinal(int(m[2]))}",
    ),
    (r"\b(\d{1,4})(?:st|nd|rd|th)\b", lambda m: ordinal(int(m[1]))),
    (
        rf"(?i)\b({_YEAR_AFTER}|(?:{'|'.join(_MONTHS)})\s\S+)(,?)\s+((?:19|20)\d\d)\b(?![,.]?\d"
        rf"|\s+\w+s\b)",
        lambda m: f"{m[1]}{m[2]} {year(int(m[3]))}",
    ),
    (rf"(?<![\w.,-])-?(?:{_AMOUNT})(?!\w)", lambda m: _number(m[0])),
)


def speak_english(text: str) -> str:
    """``text`` with everything that is not a word written as it is said."""
    text = _apply(_WORDS, _apply(_ADDRESSES, text))
    text = _apply(_NUMBERS, _times(text))
    return re.sub(r"(?<=\.)\.(?!\.)|[ \t]+(?=[ \t])", "", text).strip()


def _apply(rules: tuple[_Rule, ...], text: str) -> str:
    for pattern, replacement in rules:
        flags = re.IGNORECASE if pattern == _MONEY_AMOUNT.pattern else 0
        text = re.sub(pattern, replacement, text, flags=flags)
    return text
