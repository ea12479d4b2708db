"""A small site for calls by the hundred: short words, many phones, and channels that never change.

``open`` rings people; ``shut`` is closed now; ``chain`` rings a team without phones before people;
``alone`` rings only that team.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from asterisk_agent.plan import DAYS

OPEN, SHUT, CHAIN, ALONE = "+15550001", "+15550002", "+15550003", "+15550004"
MEMBERS = 7

AGENT = "agent: {name: Ada, language: en, greeting: Hello there.}\n"
CHANNEL = """\
  {id}:
    number: "{number}"
    hours: {hours}
    in_hours: {{answer: agent, handoff: {teams}, unanswered: {{voicemail: {box}, message: short}}}}
    after_hours: {{answer: agent, unanswered: {{voicemail: {box}, message: short}}}}
"""
CHANNELS = (
    ("open", OPEN, "always", "[people]", "people"),
    ("shut", SHUT, "seldom", "[people]", "people"),
    ("chain", CHAIN, "always", "[absent, people]", "people"),
    ("alone", ALONE, "always", "[absent]", "absent"),
)
HOURS = """\
timezone: UTC
hours:
  always: {{mon-sun: ["00:00-24:00"]}}
  seldom: {{{day}: ["03:00-03:01"]}}
"""
TEAMS = """\
teams:
  people:
    extension: "600"
    members: [{members}]
    queue: {{strategy: rrmemory, ring: 10s, wait: 40s}}
    voicemail: {{mailbox: "600"}}
  absent:
    extension: "610"
    members: [PJSIP/199]
    queue: {{wait: 5s}}
    voicemail: {{mailbox: "610"}}
messages:
  short: "Speak."
"""


def write(directory: Path) -> Path:
    """Write the four files into a new directory, and return it."""
    directory.mkdir()
    # A day that is neither today nor tomorrow for as long as a test lasts.
    day = DAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()]
    names = ("id", "number", "hours", "teams", "box")
    channels = "".join(CHANNEL.format(**dict(zip(names, row, strict=True))) for row in CHANNELS)
    members = ", ".join(f"PJSIP/{101 + index}" for index in range(MEMBERS))
    for name, text in (
        ("agent", AGENT),
        ("channels", f"channels:\n{channels}"),
        ("hours", HOURS.format(day=day)),
        ("teams", TEAMS.format(members=members)),
    ):
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
    return directory
