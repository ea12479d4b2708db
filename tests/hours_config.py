"""A configuration with hours in two zones, holidays and an on-call phone, and a fixed clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from asterisk_agent.cli import hours, moment, override, route  # noqa: F401 - they register
from asterisk_agent.cli.app import app

MONDAY_10 = datetime(2026, 6, 1, 14, 0, tzinfo=UTC)
"""10:00 in New York, 19:30 in Kolkata."""

FILES = {
    "agent.yaml": "agent: {name: Ada, greeting: Hello.}\nlimits: {call: 5m}\n",
    "channels.yaml": """\
channels:
  front:
    number: ["+15550100", "200"]
    label: Front desk
    hours: office
    knowledge: faq.md
    in_hours: {handoff: [desk, store], unanswered: {voicemail: desk, message: sorry}}
    after_hours:
      on_call: {dial: PJSIP/150, for: [emergency, urgent]}
      unanswered: {voicemail: desk, message: sorry}
  night:
    number: "300"
    hours: late
    knowledge: faq.md
    in_hours: {answer: team, handoff: desk, unanswered: {voicemail: desk, message: sorry}}
    after_hours: {answer: voicemail, unanswered: {voicemail: desk, message: sorry}}
  always:
    number: "400"
    agent: off
    in_hours: {handoff: desk, unanswered: {voicemail: desk, message: sorry}}
    after_hours: {unanswered: {voicemail: desk, message: sorry}}
""",
    "hours.yaml": """\
timezone: America/New_York
hours:
  office: {mon-fri: ["08:00-12:00", "13:00-18:00"], holidays: company}
  late: {fri-sat: "22:00-02:00", timezone: Asia/Kolkata}
  unused: {sat: "10:30-14:00"}
holidays:
  company:
    - {date: 2026-06-03, name: A day with a name so long that it does not stand in one line}
    - {date: 2026-06-05, name: Short Friday, hours: "08:00-12:00"}
""",
    "teams.yaml": """\
teams:
  desk:
    extension: "700"
    members: PJSIP/701
    queue: {wait: 90s}
    voicemail: {mailbox: "700"}
  store: {existing: {context: ext-queues, extension: "710"}}
messages: {sorry: Please leave a message.}
""",
    "knowledge/faq.md": "# Where are you?\nHere.\n",
}

Run = Callable[..., Result]


def write_files(directory: Path) -> Path:
    """Write the configuration into a directory."""
    for name, text in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory


def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run commands on the configuration at ``MONDAY_10``: ``run("route", "200", stdin="")``."""
    etc = write_files(tmp_path / "etc")
    monkeypatch.setenv("ASTERISK_AGENT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ASTERISK_AGENT_CONFIG", str(etc))
    monkeypatch.setattr(moment, "now", lambda: MONDAY_10)

    def run(*arguments: str, stdin: str | None = None, **options: Any) -> Result:
        return CliRunner().invoke(app, list(arguments), input=stdin, **options)

    return run
