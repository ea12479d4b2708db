"""*Edit hand-off*: a channel's hours, teams and messages, with a preview of what comes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from anyio import from_thread
from starlette.responses import HTMLResponse, RedirectResponse, Response

from asterisk_agent.config import edit
from asterisk_agent.config.schema import DAYS, Channel, Config
from asterisk_agent.errors import AgentError, ConfigError
from asterisk_agent.outlook import Forecast
from asterisk_agent.web import handoff
from asterisk_agent.web.asked import Asked
from asterisk_agent.web.audit import differences
from asterisk_agent.web.channels import channel_of, instant, zone_of
from asterisk_agent.web.desk import Desk
from asterisk_agent.web.handoff import Difference, HandOff, Row

FRIDAY, ASKED_AT = 4, time(16, 10)
DAY_NAMES = dict(
    zip(
        DAYS,
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        strict=True,
    )
)
SPANS = ("mon-fri", "mon-thu", "sat-sun", "mon-sat", "mon-sun")


@dataclass(frozen=True, slots=True)
class Editing:
    """A form being filled in. ``base`` is what it began with, ``seen`` the files' fingerprints.

    ``found`` is what somebody else has changed meanwhile; None where nobody has.
    """

    config: Config
    channel: Channel
    form: HandOff
    base: HandOff
    seen: Mapping[str, str]
    found: Sequence[Difference] | None = None


def show(desk: Desk, asked: Asked) -> Response:
    """The form, as the files stand."""
    seen = edit.fingerprints(desk.directory, handoff.FILES)
    config, channel = desk.config, channel_of(desk, asked)
    form = handoff.of_channel(config, channel)
    return _page(desk, asked, Editing(config, channel, form, form, seen))


def sent(desk: Desk, asked: Asked) -> Response:
    """What was sent: more rows, fewer, another schedule, or all of it to be saved."""
    now = edit.fingerprints(desk.directory, handoff.FILES)
    config, channel = desk.config, channel_of(desk, asked)
    base = handoff.of_json(asked.form.raw("base")) or handoff.of_channel(config, channel)
    seen = {name: asked.form.get(f"seen:{name}") for name in handoff.FILES}
    form = handoff.of_form(asked.form, config)
    do = asked.form.get("do")
    if do == "add":
        form = replace(form, rows=(*form.rows, _another(form.rows))[: handoff.MOST_ROWS])
    elif do.startswith("remove:"):
        rows = [row for index, row in enumerate(form.rows) if do != f"remove:{index}"]
        form = replace(form, rows=tuple(rows))
    editing = Editing(config, channel, form, base, seen)
    if do != "save":
        return _page(desk, asked, editing)
    if seen != now:
        return _conflict(desk, asked, editing, now)
    return _save(desk, asked, editing)


def _conflict(desk: Desk, asked: Asked, editing: Editing, now: Mapping[str, str]) -> Response:
    """Somebody else was quicker: theirs is shown, and nothing of it is overwritten unseen."""
    theirs = handoff.of_channel(editing.config, editing.channel)
    form, found = handoff.merged(editing.base, editing.form, theirs)
    editing = replace(editing, form=form, base=theirs, seen=now, found=found)
    return _page(desk, asked, editing, status=409)


def _save(desk: Desk, asked: Asked, editing: Editing) -> Response:
    changes = handoff.changes(editing.form, editing.config, editing.channel)
    drafted = _drafted(desk, editing)
    if isinstance(drafted, AgentError) or drafted.survey.problems:
        return _page(desk, asked, editing, status=422)
    try:
        written = edit.save(desk.directory, changes, editing.seen)
    except edit.Stale:  # between two looks
        now = edit.fingerprints(desk.directory, handoff.FILES)
        return _conflict(desk, asked, replace(editing, config=desk.config), now)
    if written:
        diff = differences(drafted.old, drafted.new)
        what = f"changed the hand-off of {editing.channel.id}"
        desk.audit.note(asked.user, what, " ".join(written), diff)
        from_thread.run_sync(desk.reload.begin)
    return RedirectResponse(f"/channels?saved={editing.channel.id}", 303)


def _another(rows: Sequence[Row]) -> Row:
    """A new row is for the day behind the last one."""
    if not rows:
        return Row("mon-fri", "08:00", "16:00")
    last = rows[-1].days.rpartition("-")[2]
    following = DAYS[(DAYS.index(last) + 1) % 7] if last in DAYS else "sat"
    return Row(following, "", "")


def _drafted(desk: Desk, editing: Editing) -> edit.Draft | AgentError:
    """What the files would hold, or why that cannot be told."""
    if editing.form == handoff.of_channel(editing.config, editing.channel):
        return edit.Draft({}, {}, desk.survey())  # as they are
    changes = handoff.changes(editing.form, editing.config, editing.channel)
    try:
        return edit.draft(desk.directory, changes)
    except AgentError as error:
        return error


def _page(desk: Desk, asked: Asked, editing: Editing, *, status: int = 200) -> Response:
    """The form with its problems beside the fields, and the preview."""
    config, channel, form = editing.config, editing.channel, editing.form
    drafted = _drafted(desk, editing)
    problems: dict[str, list[str]] = {}
    if isinstance(drafted, ConfigError):
        others = drafted.problems
    elif isinstance(drafted, AgentError):
        others = [drafted.message]
    else:
        found, rest = handoff.by_field(drafted.survey.problems, form, channel)
        problems = {name: [_said(p.what, p.hint) for p in some] for name, some in found.items()}
        others = [str(problem) for problem in rest]
    files = " ".join(handoff.FILES)
    changed = desk.audit.last_on(files) if editing.found is not None else None
    zone = zone_of(config, channel)
    at = asked.form.get("at")[:20] or f"{_friday(desk.moment(), zone):%Y-%m-%dT%H:%M}"
    return desk.page(
        asked, "channel_edit.html", status, editing=editing, channel=channel, form=form,
        config=config, problems=problems, others=others, changed=changed, at=at,
        days=_day_choices(form), shared=_shared(config, channel, form.hours),
        preview=_preview(desk, asked, editing, drafted),
    )  # fmt: skip


def _said(what: str, hint: str) -> str:
    end = "" if hint.endswith("?") else "."
    text = f"{what[:1].upper()}{what[1:]}."
    return f"{text} {hint[:1].upper()}{hint[1:]}{end}" if hint else text


def _day_choices(form: HandOff) -> dict[str, str]:
    choices = dict.fromkeys((*SPANS, *DAYS, *(row.days for row in form.rows)))
    return {
        key: " to ".join(DAY_NAMES.get(part, part) for part in key.split("-")) for key in choices
    }


def _shared(config: Config, channel: Channel, schedule: str) -> list[str]:
    """The other channels that these hours belong to."""
    others = [c for c in config.channels.values() if c.id != channel.id]
    return [other.label for other in others if schedule and other.hours == schedule]


def _friday(now: datetime, zone: ZoneInfo) -> datetime:
    """The next Friday at ten past four: when people wonder."""
    today = now.astimezone(zone).date()
    day = today + timedelta(days=(FRIDAY - today.weekday()) % 7)
    found = datetime.combine(day, ASKED_AT, zone)
    return found if found > now else found + timedelta(days=7)


# --- Preview ------------------------------------------------------------------------------------


def preview(desk: Desk, asked: Asked) -> Response:
    """Where a call would go with the form as it is filled in, not saved."""
    config, channel = desk.config, channel_of(desk, asked)
    form = handoff.of_form(asked.form, config)
    editing = Editing(config, channel, form, form, {})
    return HTMLResponse(_preview(desk, asked, editing, _drafted(desk, editing)))


def _preview(desk: Desk, asked: Asked, editing: Editing, drafted: edit.Draft | AgentError) -> str:
    found = None if isinstance(drafted, AgentError) else drafted.survey.config
    values: dict[str, object] = {"outlook": None, "problem": "", "then": None, "there": None}
    if found is not None:
        channel = found.channels[editing.channel.id]
        zone = zone_of(found, channel)
        at, problem = instant(asked.form.get("at"), zone, _friday(desk.moment(), zone))
        same = found is desk.survey().config
        outlook = (desk.forecast() if same else Forecast(found)).at(
            channel, at, desk.agent_at(channel, at)
        )
        values = {"outlook": outlook, "problem": problem, "then": at, "there": zone}
    teams = {team.id: team.label for team in editing.config.teams.values()}
    return desk.renderer.page("preview.html", channel=editing.channel, teams=teams, **values)
