"""The generated dialplan of the example configuration, read back as Asterisk would."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from asterisk_agent import dialplan, hours
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Channel, Existing

CONFIG = load(Path(__file__).parent.parent / "etc")
DIRECTORY = Path("/etc/asterisk/agent")
FILES = dialplan.files(CONFIG, DIRECTORY)
GOTO = re.compile(r"(?<![A-Za-z])Goto\(([^()]*)\)")
# What follows the question mark of a GotoIf: "?target" or "?target:otherwise".
GOTO_IF = re.compile(r"GotoIf(?:Time)?\(.*\?([^?]*)\)$")


@dataclass
class Context:
    """A context's extensions with their lines, and what it includes."""

    extensions: dict[str, list[str]] = field(default_factory=dict)
    includes: list[str] = field(default_factory=list)


def parse(text: str) -> dict[str, Context]:
    """Read extensions as Asterisk does: a ``;`` that is not escaped begins a comment."""
    contexts: dict[str, Context] = {}
    context, extension = Context(), ""
    for raw in text.splitlines():
        line = raw.split(";")[0].strip()
        if found := re.fullmatch(r"\[([\w-]+)\]", line):
            context = contexts.setdefault(found[1], Context())
        elif found := re.fullmatch(r"exten => ([^,]+),1,(.+)", line):
            extension = found[1]
            assert extension not in context.extensions, f"{extension} begins twice"
            context.extensions[extension] = [found[2]]
        elif found := re.fullmatch(r"same => n,(.+)", line):
            context.extensions[extension].append(found[1])
        elif found := re.fullmatch(r"include => (.+)", line):
            context.includes.append(found[1])
    return contexts


CONTEXTS = parse(FILES["extensions.conf"] + FILES["agent.conf"])
LINES = [
    (name, line)
    for name, context in CONTEXTS.items()
    for lines in context.extensions.values()
    for line in lines
]


def targets(line: str) -> list[str]:
    found = GOTO_IF.search(line)
    if found:
        return [target for target in found[1].split(":") if target]
    return GOTO.findall(line)


@pytest.mark.parametrize("channel", CONFIG.channels.values(), ids=lambda channel: channel.id)
def test_every_number_is_known_with_and_without_plus(channel: Channel) -> None:
    entry = CONTEXTS["asterisk-agent"].extensions
    (number,) = channel.number
    for extension in (number, number.removeprefix("+")):
        assert entry[extension] == [
            f"Set(AGENT_CHANNEL={channel.id})",
            "Goto(agent-start,s,1)",
        ]


@pytest.mark.parametrize("name", FILES)
def test_no_line_is_cut_by_a_semicolon(name: str) -> None:
    """Asterisk takes everything behind an unescaped semicolon for a comment."""
    for line in FILES[name].splitlines():
        assert ";" not in line or line.startswith(";"), line


def test_every_line_has_balanced_brackets() -> None:
    for _, line in LINES:
        for opening, closing in ("()", "[]", "{}"):
            assert line.count(opening) == line.count(closing), line
        assert line.count('"') % 2 == 0, line
        assert line.endswith(")"), line


def test_every_goto_has_a_target() -> None:
    checked = 0
    for name, line in LINES:
        for target in targets(line):
            context, extension, _ = [name, *target.split(",")][-3:]
            if "${" in target:
                continue  # known only in a call
            assert context in CONTEXTS, line
            assert extension in CONTEXTS[context].extensions, line
            checked += 1
    assert checked > 40


def test_a_channels_static_context_has_every_stage_that_a_call_can_be_lost_in() -> None:
    for channel in CONFIG.channels:
        static = CONTEXTS[f"agent-static-{channel}"].extensions
        assert {"arrival", "agent", "team", "voicemail", "message"} <= static.keys()


def test_every_include_exists() -> None:
    for context in CONTEXTS.values():
        assert all(included in CONTEXTS for included in context.includes)
    assert f"#include {DIRECTORY}/agent.conf" in FILES["extensions.conf"]


@pytest.mark.parametrize("channel", CONFIG.channels.values(), ids=lambda channel: channel.id)
def test_static_contexts_hold_the_weekly_hours(channel: Channel) -> None:
    arrival = CONTEXTS[f"agent-static-{channel.id}"].extensions["arrival"]
    spans = hours.weekly_spans(CONFIG.hours[channel.hours])
    assert [line for line in arrival if "GotoIfTime" in line] == [
        f"GotoIfTime({start}-{end},{days},*,*,America/New_York?open,1)"
        for days, start, end in spans
    ]
    assert arrival[-1] == "Goto(closed,1)"
    assert "GotoIfTime(08:00-11:59,mon-thu,*,*,America/New_York?open,1)" in arrival


def test_a_channel_without_hours_is_always_open() -> None:
    channel = CONFIG.channels["support"].model_copy(update={"hours": None})
    config = CONFIG.model_copy(update={"channels": {"support": channel}})
    text = dialplan.files(config, DIRECTORY)["extensions.conf"]
    assert parse(text)["agent-static-support"].extensions["arrival"][-1] == "Goto(open,1)"
    assert "GotoIfTime" not in text


def test_an_existing_queue_is_gone_to() -> None:
    billing = CONFIG.teams["billing"].model_copy(
        update={"existing": Existing(context="ext-queues", extension="610"), "members": ()}
    )
    config = CONFIG.model_copy(update={"teams": {**CONFIG.teams, "billing": billing}})
    found = dialplan.files(config, DIRECTORY)
    assert "Goto(ext-queues,610,1)" in found["extensions.conf"]
    assert "[agent-billing]" not in found["queues.conf"]


def test_queues_hold_the_teams() -> None:
    sections = FILES["queues.conf"].split("\n[")
    (support,) = (text for text in sections if text.startswith("agent-support]"))
    assert "strategy=rrmemory\ntimeout=15\n" in support
    assert re.findall(r"member => (.*)", support) == ["PJSIP/101", "PJSIP/102"]
    assert "announce-position=yes" in support


def test_a_team_rings_no_longer_than_it_should() -> None:
    (queue,) = (
        line for line in CONTEXTS["agent-team-backoffice"].extensions["620"] if "Queue(" in line
    )
    assert queue.endswith(",45))")


def test_mailboxes_hold_the_teams() -> None:
    assert FILES["voicemail.conf"].splitlines()[-4:] == [
        "[agent]",
        "600 => ,Customer support,support@example.com,,attach=yes",
        "610 => ,Billing,billing@example.com,,attach=yes",
        "620 => ,Back office,,,attach=no",
    ]


def test_every_mailbox_plays_the_message_it_is_told_to() -> None:
    boxes = CONTEXTS["agent-voicemail"].extensions
    assert boxes.keys() == CONFIG.teams.keys()
    for lines in boxes.values():
        played = [line for line in lines if "Playback(${AGENT_SOUNDS}/message-" in line]
        assert len(played) == len(CONFIG.messages)


def test_writing_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    written = dialplan.write(CONFIG, directory)
    assert {path.name for path in written} == FILES.keys()
    assert (directory / "sounds").is_dir()
    before = {path: path.stat().st_mtime_ns for path in written}
    assert dialplan.write(CONFIG, directory) == []
    assert {path: path.stat().st_mtime_ns for path in written} == before


def test_a_changed_file_is_written_again_and_nothing_else_is_left(tmp_path: Path) -> None:
    dialplan.write(CONFIG, tmp_path)
    (tmp_path / "queues.conf").write_text("mine")
    assert dialplan.write(CONFIG, tmp_path) == [tmp_path / "queues.conf"]
    assert "agent-support" in (tmp_path / "queues.conf").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {*FILES, "sounds"}
