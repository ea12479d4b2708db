"""The generated files of the example configuration, read back as Asterisk would."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
from gotoiftime import Dialplan

from asterisk_agent import dialplan, plan
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import (
    Address,
    Channel,
    Config,
    Existing,
    Node,
    OnCallSettings,
)
from asterisk_agent.dialplan import reading
from asterisk_agent.errors import AgentError

CONFIG = load(Path(__file__).parent.parent / "etc")
TODAY = date(2026, 11, 23)
DIRECTORY = Path("/etc/asterisk/agent")


def generate(config: Config = CONFIG) -> dict[str, str]:
    return dialplan.files(config, DIRECTORY, dialplan.plan_for(config, TODAY))


def with_team(**changes: object) -> Config:
    """The example with a changed billing team."""
    billing = CONFIG.teams["billing"].model_copy(update=changes)
    return CONFIG.model_copy(update={"teams": {**CONFIG.teams, "billing": billing}})


def read(files: dict[str, str]) -> Dialplan:
    hand_written = "".join(files[name] for name in dialplan.HAND_WRITTEN)
    return Dialplan(files["extensions.conf"] + hand_written)


FILES = generate()
PLAN = read(FILES)
STEPS = [
    (name, f"{application}({arguments})")
    for name, context in PLAN.contexts.items()
    for lines in context.extensions.values()
    for _, application, arguments in lines
]
GOTO = re.compile(r"^(?:Goto|Gosub)\(([^()]*?)(?:\(.*\))?\)$")
# What follows the question mark of a GotoIf: "?target" or "?target:otherwise".
GOTO_IF = re.compile(r"^GotoIf(?:Time)?\(.*\?([^?]*)\)$")


def targets(step: str) -> list[str]:
    if found := GOTO_IF.search(step):
        return [target for target in found[1].split(":") if target]
    found = GOTO.search(step)
    return [found[1]] if found else []


def lines(context: str, extension: str, plan: Dialplan = PLAN) -> list[str]:
    return [f"{name}({arguments})" for _, name, arguments in plan.find(context, extension)]


@pytest.mark.parametrize("channel", CONFIG.channels.values(), ids=lambda channel: channel.id)
def test_every_number_is_known_with_and_without_plus(channel: Channel) -> None:
    (number,) = channel.number
    for extension in (number, number.removeprefix("+")):
        assert lines("asterisk-agent", extension) == [
            f"Set(AGENT_CHANNEL={channel.id})",
            f"Set(AGENT_LABEL={channel.label})",
            "Goto(agent-start,s,1)",
        ]


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".conf")])
def test_no_line_is_cut_by_a_semicolon(name: str) -> None:
    """Asterisk takes everything behind an unescaped semicolon for a comment."""
    for line in FILES[name].splitlines():
        assert ";" not in line or line.startswith(";"), line
        assert len(line) < 250, line


def test_every_line_has_balanced_brackets() -> None:
    for _, line in STEPS:
        for opening, closing in ("()", "[]", "{}"):
            assert line.count(opening) == line.count(closing), line
        assert line.count('"') % 2 == 0, line


def test_every_goto_has_a_target() -> None:
    checked = 0
    for name, step in STEPS:
        for target in targets(step):
            *place, priority = target.split(",")
            if "${" in target or not place:
                continue  # known only in a call, or a label
            context, extension = [name, *place][-2:]
            if name == "agent-static" and not PLAN.has(context, extension):
                # What each channel has of its own.
                owners = [f"agent-static-{channel}" for channel in CONFIG.channels]
                assert all(PLAN.has(owner, extension) for owner in owners), step
            else:
                assert PLAN.has(context, extension), f"[{name}] {step}"
            assert priority == "1"
            checked += 1
    assert checked > 60


def test_every_label_is_there() -> None:
    for context in PLAN.contexts.values():
        for steps in context.extensions.values():
            labels = {label for label, _, _ in steps}
            for _, name, arguments in steps:
                for target in targets(f"{name}({arguments})"):
                    assert "," in target or target in labels, arguments


def test_every_include_exists() -> None:
    for context in PLAN.contexts.values():
        assert all(included in PLAN.contexts for included in context.includes)
    for name in dialplan.HAND_WRITTEN:
        assert f"#include {DIRECTORY}/{name}" in FILES["extensions.conf"]


def test_a_channel_has_every_stage_that_a_call_can_be_lost_in() -> None:
    for channel in CONFIG.channels:
        for stage in ("arrival", "agent", "team", "on-call", "voicemail", "mailbox", "hours"):
            assert PLAN.has(f"agent-static-{channel}", stage)
        for state in ("open", "closed", "holiday"):
            assert PLAN.has(f"agent-static-{channel}", state)


def test_no_word_of_a_caller_reaches_what_executes() -> None:
    """Names, numbers and keys of callers never stand in an application that runs things."""
    danger = re.compile(r"^(System|TrySystem|TryExec|Exec|EVAL|Dial|AGI|Originate|SoftHangup)\(")
    for name, step in STEPS:
        if danger.search(step):
            assert not re.search(r"CALLERID|AGENT_NAME|EXTEN|CONNECTEDLINE", step), (
                f"{name}: {step}"
            )


@pytest.mark.parametrize("phone", ["PJSIP/150", None])
def test_the_on_call_phone_stands_in_the_text_alone(phone: str | None) -> None:
    channel = CONFIG.channels["support"]
    on_call = OnCallSettings.model_validate({"dial": phone}) if phone else None
    after = channel.after_hours.model_copy(update={"on_call": on_call})
    changed = channel.model_copy(update={"after_hours": after})
    plan = read(generate(CONFIG.model_copy(update={"channels": {"support": changed}})))
    assert plan.has("agent-on-call", "support") == (phone is not None)
    dials = [step for step in lines("agent-on-call", "support", plan) if step.startswith("Dial")]
    assert len(dials) == (phone is not None)
    assert all(dial.startswith("Dial(PJSIP/150,30,grb(agent-brief^s^1)") for dial in dials)


def test_a_channel_without_hours_is_always_open() -> None:
    channel = CONFIG.channels["support"].model_copy(update={"hours": None})
    plan = read(generate(CONFIG.model_copy(update={"channels": {"support": channel}})))
    assert lines("agent-static-support", "hours", plan) == ["Set(AGENT_STATE=open)", "Return()"]


def test_an_existing_queue_is_entered_on_a_line_of_its_own() -> None:
    existing = Existing(context="ext-queues", extension="610")
    found = generate(with_team(existing=existing, members=(), extension=None))
    plan = read(found)
    assert "Set(AGENT_WAIT=60)" in lines("agent-team-billing", "s", plan)
    assert lines("agent-team-billing", "s", plan)[-1] == "Goto(agent-queue,other-billing,1)"
    assert "Gosub(agent-to-existing,s,1(${AGENT_WAIT}))" in lines("agent-queue", "_other-!", plan)
    assert lines("agent-existing", "billing", plan)[-1] == "Goto(ext-queues,610,1)"
    assert "[agent-billing]" not in found["queues.conf"]
    assert not plan.has("agent-existing", "support")


def test_a_team_that_is_only_a_mailbox_is_not_rung() -> None:
    plan = read(generate(with_team(members=(), extension=None)))
    assert "agent-team-billing" not in plan.contexts
    assert "agent-team-billing" not in "".join(lines("agent-static-billing", "people", plan))
    assert plan.has("agent-voicemail", "billing")


def test_queues_hold_the_teams() -> None:
    sections = FILES["queues.conf"].split("\n[")
    (support,) = (text for text in sections if text.startswith("agent-support]"))
    assert "strategy=rrmemory\ntimeout=15\n" in support
    assert re.findall(r"member => (.*)", support) == ["PJSIP/101", "PJSIP/102"]
    assert "announce-position=yes" in support


def test_a_team_rings_no_longer_than_it_should() -> None:
    assert lines("agent-team-backoffice", "620") == [
        "Set(AGENT_TEAM=backoffice)",
        "Set(AGENT_WAIT=45)",
        "Goto(agent-queue,team-backoffice,1)",
    ]
    (queue,) = (step for step in lines("agent-queue", "_team-!") if "Queue(" in step)
    # Nothing behind the timeout: the order of what follows differs between versions.
    options = "crb(agent-brief^s^1)"
    assert queue == (
        f"TryExec(Queue(agent-${{AGENT_TEAM}},{options},,${{AGENT_BRIEF}},${{AGENT_WAIT}}))"
    )


def test_mailboxes_hold_the_teams() -> None:
    assert FILES["voicemail.conf"].splitlines()[-4:] == [
        "[agent]",
        "600 => ,Customer support,support@example.com,,attach=yes",
        "610 => ,Billing,billing@example.com,,attach=yes",
        "620 => ,Back office,,,attach=no",
    ]


def test_every_mailbox_plays_the_message_it_is_told_to() -> None:
    boxes = PLAN.contexts["agent-voicemail"].extensions
    assert boxes.keys() == CONFIG.teams.keys()
    for team in boxes:
        assert any(
            step.endswith("?agent-message,${AGENT_MESSAGE},1)")
            for step in lines("agent-voicemail", team)
        )
    for message in CONFIG.messages:
        assert lines("agent-message", message) == [
            f"Playback(${{AGENT_SOUNDS}}/message-{message})",
            "Return()",
        ]
    assert not PLAN.has("agent-message", "")
    # A reload may take the line away that a call is in: each mailbox has as many.
    assert len({len(lines("agent-voicemail", team)) for team in boxes}) == 1


def test_no_call_stays_for_long_in_a_context_that_a_reload_can_take_away() -> None:
    lasting = ("AudioSocket(", "Queue(", "Dial(", "VoiceMail(", "Originate(")
    of_one = [name for name in PLAN.contexts if name.startswith(("agent-team-", "agent-static-"))]
    assert len(of_one) == 5  # three teams, two channels
    for name in of_one:
        for extension in PLAN.contexts[name].extensions:
            assert not [s for s in lines(name, extension) if any(app in s for app in lasting)]


def test_feature_codes_are_out_of_a_trunks_reach() -> None:
    assert {"*28", "*280", "*281", "*282", "*283"} <= PLAN.contexts[
        "agent-features"
    ].extensions.keys()
    assert PLAN.contexts["agent-features"].hints["*28"] == "Custom:agent-night"
    assert PLAN.contexts["agent-features"].hints["600"] == "Queue:agent-support"
    for context in ("asterisk-agent", "asterisk-agent-unknown", "agent-start", "agent-end"):
        for code in ("*28", "*281", "*283"):
            assert not PLAN.has(context, code)
    assert not any("agent-features" in context.includes for context in PLAN.contexts.values())


def test_the_plan_lies_beside_the_dialplan() -> None:
    written = plan.from_json(FILES["plan.json"])
    assert written == dialplan.plan_for(CONFIG, TODAY)
    assert written.first_date == date(2025, 1, 1)
    assert PLAN.variables["AGENT_PLAN"] == f"{DIRECTORY}/plan.json"
    assert PLAN.variables["AGENT_RESCUE"].endswith("/bin/asterisk-agent-rescue")


def test_a_path_that_would_be_cut_in_a_dialplan_is_refused() -> None:
    for name in ("a;b", "a,b", "a b", "${EXTEN}", "a\nb"):
        folder = Path("/etc") / name
        with pytest.raises(AgentError, match="cannot stand in a dialplan"):
            dialplan.files(CONFIG, folder, dialplan.plan_for(CONFIG, TODAY))


def test_writing_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"state": str(tmp_path / "state")})
    directory = tmp_path / "a" / "b"
    written = dialplan.write(config, directory, TODAY)
    assert {path.name for path in written} == FILES.keys()
    assert (directory / "sounds").is_dir()
    assert (tmp_path / "state" / "overrides").is_dir()
    assert (
        json.loads((directory / "plan.json").read_text())["channels"].keys()
        == CONFIG.channels.keys()
    )
    before = {path: path.stat().st_mtime_ns for path in written}
    assert dialplan.write(config, directory, TODAY) == []
    assert {path: path.stat().st_mtime_ns for path in written} == before


def test_a_changed_file_is_written_again_and_nothing_else_is_left(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"state": str(tmp_path / "state")})
    directory = tmp_path / "files"
    dialplan.write(config, directory, TODAY)
    (directory / "queues.conf").write_text("mine")
    assert dialplan.write(config, directory, TODAY) == [directory / "queues.conf"]
    assert "agent-support" in (directory / "queues.conf").read_text()
    assert {path.name for path in directory.iterdir()} == {*FILES, "sounds"}


def with_nodes(*names: str) -> Config:
    nodes = {
        name: Node(
            fastagi=Address(f"10.0.0.{number}", 4573), media=Address(f"10.0.0.{number}", 9092)
        )
        for number, name in enumerate(names, 1)
    }
    asterisk = CONFIG.asterisk.model_copy(update={"nodes": nodes})
    return CONFIG.model_copy(update={"asterisk": asterisk})


def globals_of(config: Config) -> dict[str, str]:
    _, variables = reading.read(generate(config)["extensions.conf"])
    return {name: variables[name] for name in variables if re.match("AGENT_(NODE|FAST|MED)", name)}


def test_one_service_is_asked_by_its_address() -> None:
    assert globals_of(CONFIG) == {
        "AGENT_NODES": "1",
        "AGENT_FASTAGI": "127.0.0.1:4573",
        "AGENT_MEDIA": "127.0.0.1:9092",
    }
    assert globals_of(with_nodes("a"))["AGENT_FASTAGI"] == "10.0.0.1:4573"


def test_several_services_are_numbered_in_their_order() -> None:
    assert globals_of(with_nodes("second", "first")) == {
        "AGENT_NODES": "2",
        "AGENT_FASTAGI": "10.0.0.1:4573",
        "AGENT_MEDIA": "10.0.0.1:9092",
        "AGENT_FASTAGI_1": "10.0.0.1:4573",
        "AGENT_MEDIA_1": "10.0.0.1:9092",
        "AGENT_FASTAGI_2": "10.0.0.2:4573",
        "AGENT_MEDIA_2": "10.0.0.2:9092",
    }
