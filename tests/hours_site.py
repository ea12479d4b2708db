"""A site whose hours have every trait, and moments at which they matter.

``office`` has a lunch break and holidays, ``late`` is open past midnight, ``early`` on Sundays from
01:30 to 02:30, an hour that the clock skips in March and repeats in November.
"""

from dataclasses import dataclass
from pathlib import Path

from live_calls import MAILBOX, PERSON

OFFICE, LATE, EARLY = "+15550001", "+15550002", "+15550003"
MEMBERS = ("101", "102", "103", "104")

AGENT = "agent: {name: Ada, language: en, greeting: Hello.}\n"
CHANNEL = """\
  {id}:
    number: "{number}"
    hours: {id}
    in_hours:
      answer: agent
      greeting: "Hello. We are open."
      handoff: [people]
      unanswered: {{voicemail: people, message: nobody-free}}
    after_hours:
      answer: agent
      greeting: "Hello. We are closed."
      unanswered: {{voicemail: people, message: closed-now}}
"""
HOURS = """\
timezone: America/New_York
hours:
  office:
    mon-fri: ["08:00-12:00", "13:00-18:00"]
    holidays: [special]
  late:
    fri: ["22:00-02:00"]
  early:
    sun: ["01:30-02:30"]
holidays:
  special:
    - {date: 2026-12-24, name: Christmas Eve, hours: ["08:00-12:00"]}
    - {date: 2026-12-25, name: Christmas Day}
"""
TEAMS = f"""\
teams:
  people:
    extension: "600"
    members: [{", ".join(f"PJSIP/{member}" for member in MEMBERS)}]
    queue: {{strategy: rrmemory, ring: 10s, wait: 30s, announce_position: off}}
    voicemail: {{mailbox: "600"}}
messages:
  nobody-free: "Everybody is busy."
  closed-now: "We are closed."
"""


@dataclass(frozen=True)
class Moment:
    """What it is, when, and where a call to each of these channels ends then.

    ``again``: of the kind of another one.
    """

    name: str
    when: str
    ends: dict[str, str]
    again: bool = False


START = "2026-11-30T09:30-05:00"
MOMENTS = (
    Moment("open", "2026-11-30T10:00-05:00", {OFFICE: PERSON, LATE: MAILBOX}),
    Moment("lunch", "2026-11-30T12:30-05:00", {OFFICE: MAILBOX}),
    Moment("evening", "2026-11-30T20:00-05:00", {OFFICE: MAILBOX}, again=True),
    Moment("before midnight", "2026-12-04T23:30-05:00", {LATE: PERSON, OFFICE: MAILBOX}),
    Moment("past midnight", "2026-12-05T01:30-05:00", {LATE: PERSON}),
    Moment("the end past midnight", "2026-12-05T02:00:05-05:00", {LATE: MAILBOX}, again=True),
    Moment("holiday, in its hours", "2026-12-24T10:00-05:00", {OFFICE: PERSON}),
    Moment("holiday, behind its hours", "2026-12-24T15:00-05:00", {OFFICE: MAILBOX}, again=True),
    Moment("holiday", "2026-12-25T10:00-05:00", {OFFICE: MAILBOX}),
    Moment("before the skipped hour", "2027-03-14T01:59:20-05:00", {EARLY: PERSON}),
    Moment("behind the skipped hour", "2027-03-14T03:00:05-04:00", {EARLY: MAILBOX}),
    Moment("before the repeated hour", "2027-11-07T01:59:20-04:00", {EARLY: PERSON}),
    Moment("in the repeated hour", "2027-11-07T01:00:05-05:00", {EARLY: MAILBOX}),
    Moment("the same wall time again", "2027-11-07T01:45:00-05:00", {EARLY: PERSON}),
)
"""In their order, behind ``START``: a sandbox's clock goes forward only."""


def write(directory: Path) -> Path:
    """Write the four files into a new directory, and return it."""
    directory.mkdir()
    numbers = {"office": OFFICE, "late": LATE, "early": EARLY}
    channels = "".join(CHANNEL.format(id=id_, number=number) for id_, number in numbers.items())
    for name, text in (
        ("agent", AGENT),
        ("channels", f"channels:\n{channels}"),
        ("hours", HOURS),
        ("teams", TEAMS),
    ):
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
    return directory
