"""The form *Edit hand-off*: what a channel's YAML says, as fields, and back.

Values stay text, as they are typed. Whether they are good, the configuration's own checks say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from asterisk_agent.config.edit import Change
from asterisk_agent.config.problems import Problem
from asterisk_agent.config.schema import DAYS, Channel, Config, WeeklyHours
from asterisk_agent.web.asked import Form

FILES = ("channels.yaml", "hours.yaml", "teams.yaml")
ALWAYS, NEW = "", "+new"
"""No hours at all; hours of the channel's own, which do not exist yet."""
MOST_ROWS = 50
LABELS = {
    "hours": "Hours",
    "rows": "Opening times",
    "timezone": "Time zone",
    "open_answer": "Who answers while open",
    "handoff": "Teams",
    "open_voicemail": "Voicemail while open",
    "open_message": "Message while open",
    "closed_answer": "Who answers while closed",
    "on_call": "On-call phone",
    "on_call_for": "When the on-call phone rings",
    "closed_voicemail": "Voicemail while closed",
    "closed_message": "Message while closed",
    "texts": "Messages",
}
_PLACES = {
    ("hours",): "hours",
    ("in_hours", "answer"): "open_answer",
    ("in_hours", "handoff"): "handoff",
    ("in_hours", "unanswered", "voicemail"): "open_voicemail",
    ("in_hours", "unanswered", "message"): "open_message",
    ("after_hours", "answer"): "closed_answer",
    ("after_hours", "on_call", "for"): "on_call_for",
    ("after_hours", "on_call"): "on_call",
    ("after_hours", "unanswered", "voicemail"): "closed_voicemail",
    ("after_hours", "unanswered", "message"): "closed_message",
}
"""Where a problem of the channel's section is shown; the longest path that fits."""


@dataclass(frozen=True, slots=True)
class Row:
    """Opening times: ``days`` as in the file (``mon-thu``), ``start`` and ``end`` as typed."""

    days: str
    start: str
    end: str

    @property
    def span(self) -> str:
        """As it is written in the file."""
        return f"{self.start}-{self.end}"


@dataclass(frozen=True, slots=True)
class HandOff:
    """Every field of the form. ``rows_of`` is the schedule that the rows belong to."""

    hours: str = ALWAYS
    rows_of: str = ALWAYS
    rows: tuple[Row, ...] = ()
    timezone: str = ""
    open_answer: str = "agent"
    handoff: tuple[str, ...] = ()
    open_voicemail: str = ""
    open_message: str = ""
    closed_answer: str = "agent"
    on_call: str = ""
    on_call_for: tuple[str, ...] = ()
    closed_voicemail: str = ""
    closed_message: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> str:
        """For a hidden field: what somebody saw when they began."""
        return json.dumps(asdict(self))


def of_channel(config: Config, channel: Channel) -> HandOff:
    """What the files say."""
    on_call = channel.after_hours.on_call
    found = HandOff(
        open_answer=channel.in_hours.answer,
        handoff=channel.in_hours.handoff,
        open_voicemail=channel.in_hours.unanswered.voicemail,
        open_message=channel.in_hours.unanswered.message,
        closed_answer=channel.after_hours.answer,
        on_call=on_call.dial if on_call else "",
        on_call_for=on_call.purposes if on_call else ("emergency", "urgent"),
        closed_voicemail=channel.after_hours.unanswered.voicemail,
        closed_message=channel.after_hours.unanswered.message,
        texts={name: m.text for name, m in config.messages.items() if m.text is not None},
    )
    return with_schedule(found, config, channel.hours or ALWAYS)


def with_schedule(form: HandOff, config: Config, name: str) -> HandOff:
    """The form with the rows of another schedule; new hours begin with those that are shown."""
    if name == NEW:
        rows = form.rows or (Row("mon-fri", "08:00", "16:00"),)
        zone = form.timezone or config.timezone
        return replace(form, hours=NEW, rows_of=NEW, rows=rows, timezone=zone)
    week = config.hours.get(name)
    if week is None:
        return replace(form, hours=ALWAYS, rows_of=ALWAYS, rows=(), timezone=config.timezone)
    zone = week.timezone or config.timezone
    return replace(form, hours=name, rows_of=name, rows=tuple(_rows(week)), timezone=zone)


def of_form(sent: Form, config: Config) -> HandOff:
    """What was sent. Whatever is not among the choices is left as it is, to be refused."""
    rows = zip(sent.all("days"), sent.all("start"), sent.all("end"), strict=False)
    form = HandOff(
        hours=sent.get("hours"),
        rows_of=sent.get("rows_of"),
        rows=tuple(Row(*row) for row in rows)[:MOST_ROWS],
        timezone=sent.get("timezone"),
        open_answer=sent.get("open_answer"),
        handoff=tuple(dict.fromkeys(team for team in sent.all("handoff") if team)),
        open_voicemail=sent.get("open_voicemail"),
        open_message=sent.get("open_message"),
        closed_answer=sent.get("closed_answer"),
        on_call=sent.get("on_call"),
        on_call_for=tuple(sent.all("on_call_for")),
        closed_voicemail=sent.get("closed_voicemail"),
        closed_message=sent.get("closed_message"),
        texts={
            name: " ".join(sent.get(f"text:{name}").split())
            for name, message in config.messages.items()
            if message.text is not None
        },
    )
    return form if form.hours == form.rows_of else with_schedule(form, config, form.hours)


def of_json(text: str) -> HandOff | None:
    """What ``as_json`` gave; None for anything else."""
    try:
        found: dict[str, Any] = json.loads(text)
        found["rows"] = tuple(Row(**row) for row in found["rows"])
        for name in ("handoff", "on_call_for"):
            found[name] = tuple(map(str, found[name]))
        found["texts"] = {str(name): str(text) for name, text in found["texts"].items()}
        return HandOff(**found)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


# --- Two editors --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that somebody else changed meanwhile. ``kept`` where this editor changed it too."""

    label: str
    before: str
    theirs: str
    kept: bool


def merged(base: HandOff, mine: HandOff, theirs: HandOff) -> tuple[HandOff, list[Difference]]:
    """Mine, with what somebody else changed meanwhile where I changed nothing; and what that is."""
    values: dict[str, Any] = {}
    found = []
    for name, label in LABELS.items():
        before, own, other = (getattr(form, name) for form in (base, mine, theirs))
        values[name] = other if own == before else own
        if other != before:
            shown = (_shown(name, before), _shown(name, other))
            found.append(Difference(label, *shown, kept=own not in (before, other)))
    if mine.hours == base.hours:
        values["rows_of"] = values["hours"]
    else:
        values["rows_of"] = mine.rows_of
    return replace(mine, **values), found


def _shown(name: str, value: Any) -> str:
    if name == "rows":
        return ", ".join(f"{row.days} {row.span}" for row in value) or "closed"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {text}" for key, text in value.items())
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return value or ("always open" if name == "hours" else "none")


# --- Back into the files ------------------------------------------------------------------------


def changes(form: HandOff, config: Config, channel: Channel) -> dict[str, Change]:
    """How each file changes. What a form leaves as it is stays as it is written."""
    before = of_channel(config, channel)
    schedule = _free_id(config, channel) if form.hours == NEW else form.hours
    return {
        "channels.yaml": lambda tree: _channel(
            tree["channels"][channel.id], before, replace(form, hours=schedule)
        ),
        "hours.yaml": lambda tree: _hours(tree, form, schedule, config, channel),
        "teams.yaml": lambda tree: _texts(tree, form, before),
    }


def _channel(node: CommentedMap, before: HandOff, form: HandOff) -> None:
    if form.hours != before.hours:
        if form.hours:
            _put(node, "hours", form.hours, behind=("agent", "workspace", "label", "number"))
        else:
            node.pop("hours", None)
    opened, closed = node["in_hours"], node["after_hours"]
    _set(opened, "answer", before.open_answer, form.open_answer)
    if form.handoff != before.handoff:
        _put(opened, "handoff", _list(form.handoff), behind=("answer",))
    _set(opened["unanswered"], "voicemail", before.open_voicemail, form.open_voicemail)
    _set(opened["unanswered"], "message", before.open_message, form.open_message)
    _set(closed, "answer", before.closed_answer, form.closed_answer)
    _on_call(closed, before, form)
    _set(closed["unanswered"], "voicemail", before.closed_voicemail, form.closed_voicemail)
    _set(closed["unanswered"], "message", before.closed_message, form.closed_message)


def _on_call(node: CommentedMap, before: HandOff, form: HandOff) -> None:
    if not form.on_call:
        node.pop("on_call", None)
        return
    if not before.on_call:
        phone = CommentedMap({"dial": form.on_call, "for": _list(form.on_call_for)})
        phone.fa.set_flow_style()
        _put(node, "on_call", phone, behind=("greeting", "answer"))
        return
    _set(node["on_call"], "dial", before.on_call, form.on_call)
    if form.on_call_for != before.on_call_for:
        node["on_call"]["for"] = _list(form.on_call_for)


def _hours(
    tree: CommentedMap, form: HandOff, schedule: str, config: Config, channel: Channel
) -> None:
    if form.hours == ALWAYS:
        return
    if form.hours == NEW:
        node = CommentedMap(_days(form.rows))
        old = config.hours.get(channel.hours or "")
        if old is not None and old.holidays:
            node["holidays"] = _list(old.holidays)
        tree.setdefault("hours", CommentedMap())[schedule] = node
    else:
        node = tree.get("hours", {}).get(schedule)
        if node is None:
            return  # the channel's section is refused: there are no such hours
        if form.rows != tuple(_rows(config.hours[schedule])):
            _write_days(node, _days(form.rows))
    written = config.hours[schedule].timezone if schedule in config.hours else None
    if form.timezone != (written or config.timezone):
        node["timezone"] = form.timezone


def _write_days(node: CommentedMap, days: Mapping[str, Any]) -> None:
    for key in [key for key in node if key.partition("-")[0].partition(",")[0] in DAYS]:
        if key not in days:
            del node[key]
    for place, (key, spans) in enumerate(days.items()):
        if key in node:
            node[key] = spans
        else:
            node.insert(place, key, spans)


def _texts(tree: CommentedMap, form: HandOff, before: HandOff) -> None:
    for name, text in form.texts.items():
        if text != before.texts.get(name):
            node = tree["messages"]
            if isinstance(node[name], CommentedMap):
                node[name]["text"] = text
            else:
                node[name] = text


def _rows(week: WeeklyHours) -> list[Row]:
    """A week as rows: days in a row that are alike become one."""
    found: list[Row] = []
    first = 0
    for day in range(7):
        if day + 1 < 7 and week.days[day + 1] == week.days[first]:
            continue
        name = DAYS[first] if day == first else f"{DAYS[first]}-{DAYS[day]}"
        found += [Row(name, _clock(start), _clock(end)) for start, end in week.days[first]]
        first = day + 1
    return found


def _days(rows: Sequence[Row]) -> dict[str, Any]:
    """Rows as they are written: days → spans. No row at all is a week that is closed."""
    days: dict[str, list[str]] = {}
    for row in rows:
        days.setdefault(row.days, []).append(row.span)
    return {key: _list(spans) for key, spans in days.items()} or {"mon-sun": _list(())}


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _free_id(config: Config, channel: Channel) -> str:
    names = [channel.id, *(f"{channel.id[:28]}-{number}" for number in range(2, 100))]
    return next(name for name in names if name not in config.hours)


def _set(node: CommentedMap, key: str, before: str, value: str) -> None:
    if value != before:
        _put(node, key, value)


def _put(node: CommentedMap, key: str, value: Any, behind: Sequence[str] = ()) -> None:
    """Set a key; a new one goes behind the first of ``behind`` that is there, or to the start."""
    if key in node:
        node[key] = value
        return
    place = next((list(node).index(name) + 1 for name in behind if name in node), 0)
    node.insert(place, key, value)


def _list(values: Sequence[str]) -> CommentedSeq:
    found = CommentedSeq(values)
    found.fa.set_flow_style()
    return found


# --- Problems beside their fields ---------------------------------------------------------------


def by_field(
    problems: Sequence[Problem], form: HandOff, channel: Channel
) -> tuple[dict[str, list[Problem]], list[Problem]]:
    """Problems by the field in which they are mended, and those that belong to none."""
    found: dict[str, list[Problem]] = {}
    others = []
    for problem in problems:
        name = _field_of(problem, form, channel)
        if name is None:
            others.append(problem)
        else:
            found.setdefault(name, []).append(problem)
    return found, others


def _field_of(problem: Problem, form: HandOff, channel: Channel) -> str | None:
    match problem.path:
        case ("channels", channel.id, *rest):
            places = (tuple(rest[:length]) for length in range(len(rest), 0, -1))
            return next((_PLACES[place] for place in places if place in _PLACES), None)
        case ("hours", schedule, *rest) if schedule in (form.hours, channel.id):
            if rest == ["timezone"]:
                return "timezone"
            for index, row in enumerate(form.rows):
                if problem.what.endswith(f'got "{row.span}"'):
                    return f"row:{index}"
            return "rows"
        case ("messages", name, *_) if name in form.texts:
            return f"text:{name}"
    return None
