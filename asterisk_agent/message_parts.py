"""What one utterance holds of a message: a name, a telephone number, a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass

from asterisk_agent.dictated import LEAST_DIGITS, MOST_DIGITS, SURELY, Dictated, numbers_in
from asterisk_agent.message_english import MessageRules

MOST_NAME_WORDS = 4
LEAST_SPELLED = 3
"""Fewer letters in a row are initials."""
LONGEST = 2_000
"""Characters of an utterance that are looked at."""
_WORD = re.compile(r"[^\W\d_](?:[\w'.-]*\w)?\.?")
_CAPITALS = re.compile(r"(?:[A-Z][\w'-]*[a-z]\.? ){1,3}[A-Z][\w'-]*[a-z]\.?")
_SPELLED = re.compile(
    r"(?<!')\b(?:(?:double |triple )?[^\W\d_](?: as in \w+| like \w+| for \w+)?[\s,.;:-]+)"
    r"+(?:double |triple )?[^\W\d_](?: as in \w+| like \w+| for \w+)?\b(?!')",
    re.IGNORECASE,
)
_LETTER = re.compile(
    r"(?P<times>double |triple )?\b(?P<letter>[^\W\d_])\b(?: (?:as in|like|for) \w+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What was found; "" and None where there is none. ``words`` counts what tells a reason."""

    name: str = ""
    number: Dictated | None = None
    reason: str = ""
    words: int = 0


def parts_of(text: str, rules: MessageRules, *, asked: str = "") -> Parts:
    """Take an utterance apart. ``asked`` is what was asked for last: "name", "number" or ""."""
    text = plain(text)
    number = _number(text, rules, asked)
    rest = text
    if number is not None:
        lead = rules.number_lead.search(text[: number.start])
        start = lead.start() if lead is not None else number.start
        rest = f"{text[:start]} | {text[number.end :]}"
    name, rest = _name(rest, rules, asked)
    return Parts(name, number, _tidy(rest, rules), _telling(rest, rules))


def plain(text: str) -> str:
    """Single spaces, plain apostrophes, nothing that cannot be spoken, of bearable length."""
    text = text[:LONGEST].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("|", " ")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


# --- The number -----------------------------------------------------------------------------------


def _number(text: str, rules: MessageRules, asked: str) -> Dictated | None:
    """The telephone number among the numbers said, the last where there are several."""
    found = [number for number in numbers_in(text, rules) if _may_be(number, text, rules, asked)]
    return found[-1] if found else None


def _may_be(number: Dictated, text: str, rules: MessageRules, asked: str) -> bool:
    size, before = len(number.digits.lstrip("+")), text[: number.start]
    if size > MOST_DIGITS or rules.number_other.search(before):
        return False
    if asked == "number":
        return size > 1 or number.mends or len(text.split()) == 1
    led = rules.number_lead.search(before)
    if led is None:
        return size >= SURELY
    begun = size > 1 and "number" in led[0] and not re.search(r"\w", text[number.end :])
    return begun or size >= LEAST_DIGITS


# --- The name -------------------------------------------------------------------------------------


def _name(text: str, rules: MessageRules, asked: str) -> tuple[str, str]:
    """The name, and the text without it."""
    spelt = _SPELLED.search(text)
    letters = _letters(spelt[0]) if spelt is not None else ""
    if spelt is None or len(letters) < LEAST_SPELLED:
        spelt, letters = None, ""
    said = text if spelt is None else f"{text[: spelt.start()]} | {text[spelt.end() :]}"
    found = _led(said, rules, asked) or _tailed(said, rules)
    if found is None and asked == "name":
        found = _bare(said, rules)
    if found is None:
        if asked == "name" and letters:
            return letters.title(), said
        return "", text
    name, start, end = found
    return _with_spelling(name, letters), f"{said[:start]} | {said[end:]}"


def _led(text: str, rules: MessageRules, asked: str) -> tuple[str, int, int] | None:
    """A name behind words that announce one."""
    for lead in rules.name_lead.finditer(text):
        name, end = _name_at(text, lead.end(), rules)
        if name:
            return name, lead.start(), end
    for lead in rules.name_weak.finditer(text):
        name, end = _name_at(text, lead.end(), rules)
        if name and (asked == "name" or text[lead.end()].isupper()):
            return name, lead.start(), end
    return None


def _tailed(text: str, rules: MessageRules) -> tuple[str, int, int] | None:
    """A name before "here" or "speaking", at the beginning or behind a greeting."""
    tail = rules.name_tail.search(text)
    if tail is None:
        return None
    words = list(_WORD.finditer(text[: tail.start()]))[-MOST_NAME_WORDS:]
    while words and not _fits(words[0][0], rules):
        del words[0]
    if not words:
        return None
    name, end = _name_at(text, words[0].start(), rules)
    return (name, words[0].start(), tail.end()) if name and end == tail.start() else None


def _bare(text: str, rules: MessageRules) -> tuple[str, int, int] | None:
    """An answer that is a name and nothing else: "Ann Smith", "yes, Smith"."""
    if _CAPITALS.fullmatch(text):
        return text.rstrip("."), 0, len(text)  # "Will Grant"
    for word in _WORD.finditer(text):
        if _fits(word[0], rules):
            name, end = _name_at(text, word.start(), rules)
            return (name, word.start(), end) if name and not _telling(text[end:], rules) else None
        if word[0].lower().strip(".") not in rules.opener:
            return None
    return None


def _name_at(text: str, at: int, rules: MessageRules) -> tuple[str, int]:
    """The name that begins at ``at``, with the company where one is told, and its end."""
    words: list[str] = []
    end = at
    for word in _WORD.finditer(text, at):
        gap = text[end : word.start()]
        if gap.strip() or not _fits(word[0], rules) or len(words) == MOST_NAME_WORDS:
            break
        words.append(word[0])
        end = word.end()
        if word[0].endswith(".") and not _shortened(word[0], rules):
            break
    if not words or words[0].lower().endswith("ing"):
        return "", at
    name = " ".join(_cased(word, rules) for word in words)
    return _with_company(name, text, end, rules)


def _with_company(name: str, text: str, end: int, rules: MessageRules) -> tuple[str, int]:
    """``name`` "from the library", where it says so."""
    joined = re.match(rf"[ ,]+(?:{'|'.join(rules.company)})[ ]+((?:the |a )?)", text[end:])
    if joined is None:
        return name, end
    start = end + joined.end()
    words: list[str] = []
    last = start
    for word in _WORD.finditer(text, start):
        if text[last : word.start()].strip() or not _fits(word[0], rules) or len(words) == 5:
            break
        words.append(word[0].rstrip("."))
        last = word.end()
        if word[0].endswith("."):
            break
    if not words:
        return name, end
    link = next(word for word in rules.company if word in joined[0])
    return f"{name} {link} {joined[1]}{' '.join(words)}", last


def _fits(word: str, rules: MessageRules) -> bool:
    """Whether a name may hold this word."""
    bare = word.lower().rstrip(".")
    if len(bare) == 1 and word.endswith("."):
        return True  # an initial
    return not any(bare in words for words in (rules.not_name, rules.company, rules.digits))


def _shortened(word: str, rules: MessageRules) -> bool:
    bare = word.rstrip(".").lower()
    return len(bare) == 1 or bare in rules.title


def _cased(word: str, rules: MessageRules) -> str:
    """A word of a name as it is written, also from a recogniser without capitals."""
    word = word if _shortened(word, rules) else word.rstrip(".")
    return word if any(map(str.isupper, word)) else word[:1].upper() + word[1:]


def _letters(text: str) -> str:
    times = {"": 1, "double ": 2, "triple ": 3}
    found = _LETTER.finditer(text)
    return "".join(m["letter"] * times[(m["times"] or "").lower()] for m in found)


def _with_spelling(name: str, letters: str) -> str:
    """The name with the word of it that was spelled as it was spelled."""
    if not letters:
        return name
    words = name.split()
    for index in reversed(range(len(words))):
        if words[index][0].lower() == letters[0].lower():
            words[index] = letters.title()
            return " ".join(words)
    return f"{name} {letters.title()}"


# --- The reason -----------------------------------------------------------------------------------


def _telling(text: str, rules: MessageRules) -> int:
    """How many words tell something."""
    return sum(w.lower().strip(".'") not in rules.filler for w in _WORD.findall(text))


def _tidy(rest: str, rules: MessageRules) -> str:
    """What is left of an utterance, without the pieces that tell nothing and the loose ends."""
    kept = []
    for piece in rest.split("|"):
        bare = re.sub(r"^[\s,.;:!-]+(?:and\b|but\b|so\b)?", "", piece)
        bare = re.sub(r"(?:[\s,.;:-]+(?:and|my|the|it's|is)\b)?[\s,;:-]*$", "", bare).strip(" ,")
        if _telling(bare, rules):
            kept.append(bare)
    return " ".join(" ".join(kept).split())
