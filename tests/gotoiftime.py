"""A model of Asterisk's dialplan, as far as our files use it: written from Asterisk's sources.

It reads the text that Asterisk reads and shares nothing with what writes it. ``Channel.run``
executes extensions; what a call would do outside (ring, record, ask) is told by hooks. A test
compares it with the real Asterisk. ``Timing`` is main/pbx_timing.c, ``_expression`` the part of
main/ast_expr2.y in use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LONGEST_RUN = 5_000


class NotModelled(Exception):
    """The dialplan uses something that this model does not know."""


# --- GotoIfTime ----------------------------------------------------------------------------------


def _range(text: str, names: tuple[str, ...], first: int, last: int) -> frozenset[int]:
    """``mon-fri&sun`` or ``1-5`` as numbers; ranges go round."""
    if text in ("", "*"):
        return frozenset(range(first, last + 1))
    found: set[int] = set()
    for part in text.split("&"):
        begin, _, end = part.partition("-")
        here, stop = _number(begin, names, first), _number(end or begin, names, first)
        found.add(stop)
        while here != stop:
            found.add(here)
            here = first if here == last else here + 1
    return frozenset(found)


def _number(text: str, names: tuple[str, ...], first: int) -> int:
    return names.index(text.lower()) + first if text.lower() in names else int(text)


def _minutes(text: str) -> frozenset[int]:
    """Minutes of the day; the last one of a range is inside, and a range may pass midnight."""
    if text in ("", "*"):
        return frozenset(range(1440))
    found: set[int] = set()
    for part in text.split("&"):
        begin, _, end = part.partition("-")
        here, stop = _minute(begin), _minute(end or begin)
        found.add(stop)
        while here != stop:
            found.add(here)
            here = (here + 1) % 1440
    return frozenset(found)


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    assert 0 <= int(hour) < 24, text
    assert 0 <= int(minute) < 60, text
    return int(hour) * 60 + int(minute)


@dataclass(frozen=True)
class Timing:
    """``times,weekdays,days,months[,zone]``. Weekdays begin with Sunday as 0."""

    minutes: frozenset[int]
    weekdays: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    zone: str

    def on(self, day: date) -> frozenset[int]:
        """The minutes of this local date that match."""
        weekday = (day.weekday() + 1) % 7
        fits = weekday in self.weekdays and day.day in self.days and day.month in self.months
        return self.minutes if fits else frozenset()

    def matches(self, instant: datetime) -> bool:
        """Whether a moment matches, seen in the zone."""
        local = instant.astimezone(ZoneInfo(self.zone))
        return local.hour * 60 + local.minute in self.on(local.date())


@lru_cache(maxsize=4096)
def timing(text: str) -> Timing:
    """Read the part of GotoIfTime before the question mark."""
    times, weekdays, days, months, zone = (*text.split(","), "UTC")[:5]
    return Timing(
        _minutes(times),
        _range(weekdays, DAYS, 0, 6),
        _range(days, (), 1, 31),
        _range(months, MONTHS, 1, 12),
        zone,
    )


# --- The text ------------------------------------------------------------------------------------


@dataclass
class Context:
    """Extensions with their lines as ``(label, application, arguments)``, hints and includes."""

    extensions: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    includes: list[str] = field(default_factory=list)


def parse(text: str) -> tuple[dict[str, Context], dict[str, str]]:
    """Contexts and globals. A ``;`` that is not escaped begins a comment."""
    contexts: dict[str, Context] = {}
    variables: dict[str, str] = {}
    name, extension = "", ""
    for raw in text.splitlines():
        line = re.split(r"(?<!\\);", raw)[0].strip()
        if not line or line.startswith("#include"):
            continue
        if found := re.fullmatch(r"\[([\w-]+)\]", line):
            name = found[1]
            if name != "globals":
                contexts.setdefault(name, Context())
        elif name == "globals":
            key, _, value = line.partition("=")
            variables[key.strip()] = value.strip()
        elif found := re.fullmatch(r"include => (.+)", line):
            contexts[name].includes.append(found[1])
        elif found := re.fullmatch(r"exten => ([^,]+),hint,(.+)", line):
            contexts[name].hints[found[1]] = found[2]
        elif found := re.fullmatch(r"exten => ([^,]+),1,(\w+)\((.*)\)", line):
            extension = found[1]
            assert extension not in contexts[name].extensions, f"{extension}@{name} begins twice"
            contexts[name].extensions[extension] = [("", found[2], found[3])]
        elif found := re.fullmatch(r"same => n(?:\(([\w-]+)\))?,(\w+)\((.*)\)", line):
            step = (found[1] or "", found[2], found[3])
            contexts[name].extensions[extension].append(step)
        else:
            raise NotModelled(f"[{name}] {raw}")
    return contexts, variables


# --- Expressions ---------------------------------------------------------------------------------

_TOKEN = re.compile(r'\s*("[^"]*"|!=|>=|<=|[=<>&|+-]|[^\s"=<>&|+!-]+)')
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("|",),
    ("&",),
    ("=", "!=", "<", ">", "<=", ">="),
    ("+", "-"),
)


def _expression(text: str) -> str:
    tokens = _TOKEN.findall(text)
    if "".join(tokens).replace(" ", "") != text.replace(" ", ""):
        raise NotModelled(f"$[{text}]")
    value, rest = _level(tokens, 0)
    if rest:
        raise NotModelled(f"$[{text}]")
    return value


def _level(tokens: list[str], level: int) -> tuple[str, list[str]]:
    if level == len(_LEVELS):
        if not tokens:
            raise NotModelled("an expression ends early")
        return tokens[0].strip('"'), tokens[1:]
    value, rest = _level(tokens, level + 1)
    while rest and rest[0] in _LEVELS[level]:
        operator = rest[0]
        right, rest = _level(rest[1:], level + 1)
        value = _operate(value, operator, right)
    return value, rest


def _operate(left: str, operator: str, right: str) -> str:
    if operator == "|":
        return left if true(left) else right
    if operator == "&":
        return left if true(left) and true(right) else "0"
    if operator in "+-":
        return str(int(left) + (int(right) if operator == "+" else -int(right)))
    numeric = bool(re.fullmatch(r"-?\d+", left) and re.fullmatch(r"-?\d+", right))
    one, two = (int(left), int(right)) if numeric else (left, right)
    results = {
        "=": one == two,
        "!=": one != two,
        "<": one < two,  # type: ignore[operator]
        ">": one > two,  # type: ignore[operator]
        "<=": one <= two,  # type: ignore[operator]
        ">=": one >= two,  # type: ignore[operator]
    }
    return "1" if results[operator] else "0"


def true(value: str) -> bool:
    """pbx_checkcondition(): empty and zero are false, other text is true."""
    if not value:
        return False
    return int(value) != 0 if value[0].isdigit() else True


# --- Running -------------------------------------------------------------------------------------

Hook = Callable[["Channel", str], str | None]
"""Stands for an application: gets the channel and the arguments; ``END`` ends the run."""
END = "end"


@dataclass
class Channel:
    """A call on its way through the dialplan. ``now`` is its clock."""

    plan: Dialplan
    now: datetime
    variables: dict[str, str] = field(default_factory=dict)
    context: str = ""
    extension: str = ""
    played: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    _priority: int = 0
    _stack: list[tuple[str, str, int]] = field(default_factory=list)

    def goto(self, target: str) -> None:
        """``[[context,]extension,]priority``, a priority being a number or a label."""
        *place, priority = target.split(",")
        if len(place) == 2:
            self.context, self.extension = place
        elif place:
            (self.extension,) = place
        if not self.plan.has(self.context, self.extension):
            self.extension, priority = "i", "1"
        lines = self.plan.find(self.context, self.extension)
        if priority.isdigit():
            self._priority = int(priority) - 1
        else:
            self._priority = [label for label, _, _ in lines].index(priority)

    def run(self, hooks: Mapping[str, Hook]) -> None:
        """Execute until an application ends the call, or a subroutine that was not called."""
        for _ in range(LONGEST_RUN):
            lines = self.plan.find(self.context, self.extension)
            if self._priority >= len(lines):
                self.trace.append("falls off the end")
                return
            _, application, raw = lines[self._priority]
            self._priority += 1
            self.trace.append(f"{self.extension}@{self.context} {application}({raw})")
            if self._execute(application, raw, hooks) == END:
                return
        raise AssertionError(f"goes round: {self.trace[-20:]}")

    def _execute(self, application: str, raw: str, hooks: Mapping[str, Hook]) -> str | None:
        arguments = self.substitute(raw)
        if application in hooks:
            return hooks[application](self, arguments)
        built_in = getattr(self, f"_do_{application.lower()}", None)
        if built_in is None:
            raise NotModelled(f"{application}({raw})")
        ended: str | None = built_in(arguments, hooks)
        return ended

    def _do_set(self, arguments: str, _: Mapping[str, Hook]) -> None:
        name, _, value = arguments.partition("=")
        name = name.lstrip("_")
        if found := re.fullmatch(r"SHARED\((\w+)(?:,.*)?\)", name):
            name = f"SHARED.{found[1]}"
        elif found := re.fullmatch(r"FILE\((.*)\)", name):
            Path(found[1]).write_text(value, encoding="ascii")
            return
        self.variables[name] = value

    def _do_noop(self, arguments: str, hooks: Mapping[str, Hook]) -> None:
        pass

    _do_answer = _do_stopplaytones = _do_playtones = _do_wait = _do_userevent = _do_noop

    def _do_playback(self, arguments: str, _: Mapping[str, Hook]) -> None:
        self.played.append(arguments)

    def _do_hangup(self, _: str, __: Mapping[str, Hook]) -> str:
        return END

    def _do_goto(self, arguments: str, _: Mapping[str, Hook]) -> None:
        self.goto(arguments)

    def _do_gotoif(self, arguments: str, _: Mapping[str, Hook]) -> None:
        condition, _, targets = arguments.partition("?")
        first, _, second = targets.partition(":")
        if target := first if true(condition) else second:
            self.goto(target)

    def _do_gotoiftime(self, arguments: str, _: Mapping[str, Hook]) -> None:
        when, _, target = arguments.partition("?")
        if timing(when).matches(self.now):
            self.goto(target)

    def _do_gosub(self, arguments: str, _: Mapping[str, Hook]) -> None:
        found = re.fullmatch(r"(.*?)(?:\((.*)\))?", arguments)
        assert found is not None
        self._stack.append((self.context, self.extension, self._priority))
        for index, value in enumerate((found[2] or "").split(",") if found[2] else ()):
            self.variables[f"ARG{index + 1}"] = value
        self.goto(found[1])

    def _do_gosubif(self, arguments: str, hooks: Mapping[str, Hook]) -> None:
        condition, _, targets = arguments.partition("?")
        first, _, second = targets.partition(":")
        if target := first if true(condition) else second:
            self._do_gosub(target, hooks)

    def _do_return(self, _: str, __: Mapping[str, Hook]) -> str | None:
        if not self._stack:
            return END
        self.context, self.extension, self._priority = self._stack.pop()
        return None

    def _do_execif(self, arguments: str, hooks: Mapping[str, Hook]) -> str | None:
        condition, _, what = arguments.partition("?")
        if not true(condition):
            return None
        application, _, inner = what.removesuffix(")").partition("(")
        return self._execute(application, inner, hooks)

    def _do_tryexec(self, arguments: str, hooks: Mapping[str, Hook]) -> str | None:
        application, _, inner = arguments.removesuffix(")").partition("(")
        self.variables["TRYSTATUS"] = "SUCCESS"
        return self._execute(application, inner, hooks)

    # --- variables and functions ---

    def substitute(self, text: str) -> str:
        """Replace ``${…}`` and ``$[…]``, from the inside out."""
        out, place = "", 0
        while place < len(text):
            if text[place : place + 2] in ("${", "$["):
                end = _closing(text, place + 1)
                inner = text[place + 2 : end]
                if text[place + 1] == "{":
                    out += self._value(self.substitute(inner))
                else:
                    out += _expression(self.substitute(inner))
                place = end + 1
            else:
                out += text[place]
                place += 1
        return out

    def _value(self, name: str) -> str:
        found = re.fullmatch(r"(\w+)\((.*)\)", name, re.DOTALL)
        if found:
            function = getattr(self, f"_get_{found[1].lower()}", None)
            if function is None:
                raise NotModelled(name)
            value: str = function(found[2])
            return value
        name, *cut = name.split(":")
        value = {"EPOCH": str(int(self.now.timestamp())), "UNIQUEID": "1.1"}.get(name)
        if value is None:
            value = self.variables.get(name, self.plan.variables.get(name, ""))
        start = int(cut[0]) if cut else 0
        return value[start : start + int(cut[1])] if len(cut) > 1 else value[start:]

    def _get_strftime(self, arguments: str) -> str:
        seconds, zone, form = arguments.split(",", 2)
        moment = datetime.fromtimestamp(int(seconds), UTC) if seconds else self.now
        return moment.astimezone(ZoneInfo(zone or "UTC")).strftime(form)

    def _get_if(self, arguments: str) -> str:
        condition, _, values = arguments.partition("?")
        first, _, second = values.partition(":")
        return first if true(condition) else second

    def _get_stat(self, arguments: str) -> str:
        kind, _, path = arguments.partition(",")
        assert kind == "f"
        return "1" if Path(path).is_file() else "0"

    def _get_file(self, arguments: str) -> str:
        path, offset, length = arguments.split(",")
        assert offset == "0"
        written = Path(path).read_bytes()[: int(length)].partition(b"\0")[0]
        return written.decode("latin-1")

    def _get_len(self, text: str) -> str:
        return str(len(text))

    def _get_regex(self, arguments: str) -> str:
        pattern, text = re.fullmatch(r'"([^"]*)" ?(.*)', arguments, re.DOTALL).groups()  # type: ignore[union-attr]
        python = pattern.replace("[[:space:]]", r"\s").removesuffix("$") + r"\Z"
        return "1" if re.search(python, text) else "0"

    def _get_filter(self, arguments: str) -> str:
        allowed, _, text = arguments.partition(",")
        plain = re.sub(r"\\x([0-9a-f]{2})", lambda hexa: "\\" + chr(int(hexa[1], 16)), allowed)
        return "".join(re.findall(f"[{plain}]", text))

    def _get_fieldnum(self, arguments: str) -> str:
        name, separator, wanted = arguments.split(",")
        parts = self.variables.get(name, "").split(separator)
        return str(parts.index(wanted) + 1 if wanted in parts else 0)

    def _get_dialplan_exists(self, arguments: str) -> str:
        context, extension, _ = arguments.split(",")
        return "1" if self.plan.has(context, extension) else "0"

    def _get_shared(self, arguments: str) -> str:
        return self.variables.get(f"SHARED.{arguments.partition(',')[0]}", "")

    def _get_callerid(self, what: str) -> str:
        return self.variables.get(f"CALLERID({what})", "")


def _closing(text: str, opening: int) -> int:
    """Where the bracket at ``opening`` closes."""
    pairs = {"{": "}", "[": "]"}
    open_, close, depth = text[opening], pairs[text[opening]], 0
    for place in range(opening, len(text)):
        depth += (text[place] == open_) - (text[place] == close)
        if depth == 0:
            return place
    raise NotModelled(f"unbalanced: {text}")


class Dialplan:
    """Parsed files. ``variables`` are the globals."""

    def __init__(self, text: str) -> None:
        self.contexts, self.variables = parse(text)

    def find(self, context: str, extension: str) -> list[tuple[str, str, str]]:
        """The lines of an extension: the context's own before those that it includes."""
        here = self.contexts[context]
        if extension in here.extensions:
            return here.extensions[extension]
        for name, lines in here.extensions.items():
            if name.startswith("_") and _matches(name[1:], extension):
                return lines
        for included in here.includes:
            if found := self.find(included, extension):
                return found
        return []

    def has(self, context: str, extension: str) -> bool:
        """Whether this extension can be gone to."""
        return context in self.contexts and bool(self.find(context, extension))

    def channel(self, now: datetime, **variables: str) -> Channel:
        """A call that has not begun."""
        return Channel(self, now, dict(variables))

    def states_on(self, context: str, day: date, zone: str) -> dict[int, str]:
        """AGENT_STATE for every minute of a local date, by a context of opening hours.

        What ``run`` does for one minute, for all of them at once: GotoIfTime divides them.
        """
        # The date alone counts for every line but GotoIfTime: noon stands for the day.
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
        known = {"AGENT_NOW": str(int(noon.timestamp())), "AGENT_DATE": f"{day:%Y%m%d}"}
        division = _Division(self.channel(noon, **known), context, zone)
        division.follow("s", frozenset(range(1440)))
        return division.found


@dataclass
class _Division:
    """The minutes of one date on their way through a context of opening hours."""

    channel: Channel
    context: str
    zone: str
    found: dict[int, str] = field(default_factory=dict)

    def follow(self, extension: str, minutes: frozenset[int]) -> None:
        priority = 0
        while minutes:
            _, application, raw = self.channel.plan.find(self.context, extension)[priority]
            priority += 1
            text = self.channel.substitute(raw)
            target = text.partition("?")[2].split(",")[0]
            match application:
                case "Set" if text.startswith("AGENT_STATE="):
                    self.found.update(dict.fromkeys(minutes, text.partition("=")[2]))
                case "Set":
                    assert text == f"AGENT_DATE={self.channel.variables['AGENT_DATE']}", text
                case "Goto":
                    extension, priority = text.split(",")[0], 0
                case "GotoIf":
                    if true(text.partition("?")[0]):
                        extension, priority = target, 0
                case "GotoIfTime":
                    when = timing(text.partition("?")[0])
                    assert when.zone == self.zone, text
                    inside = minutes & when.on(self.channel.now.date())
                    self.follow(target, inside)
                    minutes -= inside
                case "Return":
                    return
                case _:
                    raise NotModelled(f"{application}({raw})")


def _matches(pattern: str, extension: str) -> bool:
    """``!`` stands for anything, ``[0-9]`` for one of these; no other pattern is in use."""
    return fnmatchcase(extension, pattern.replace("!", "*"))
