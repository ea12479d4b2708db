"""Reading a configuration directory: what is taken, and how far a mistake reaches.

test_config_mistakes.py has the messages one by one.
"""

import pickle
from datetime import timedelta
from pathlib import Path

import pytest
from good_config import GOOD, write_good
from hypothesis import given, settings
from hypothesis import strategies as st

from asterisk_agent.config.load import load
from asterisk_agent.errors import ConfigError


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good configuration in ``etc``, relative, as an operator would name it."""
    monkeypatch.chdir(tmp_path)
    return write_good(Path("etc"))


def write(directory: Path, files: dict[str, str]) -> None:
    """Write these instead of what stands there."""
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text, encoding="utf-8")


def problems(directory: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(directory)
    return caught.value.problems


def test_the_good_one_is_good(etc: Path) -> None:
    config = load(etc)
    assert list(config.channels) == ["support", "billing"]
    assert config.channels["support"].id == "support"
    assert config.channels["support"].label == "support"
    assert config.channels["billing"].hours == "office"
    assert config.channels["billing"].in_hours.handoff == ("billing",)
    assert config.teams["support"].label == "Customer support"
    assert config.teams["support"].queue.ring == timedelta(seconds=15)
    assert config.hours["office"].days[4] == ((480, 960),)
    assert config.hours["office"].days[3] == ((480, 720), (780, 1080))
    assert config.messages["closed-now"].text == "We are closed."
    assert config.knowledge_directory == Path("etc/knowledge")


def test_the_example_of_the_repository_is_good() -> None:
    config = load(Path(__file__).parents[1] / "etc")
    assert [channel.number for channel in config.channels.values()] == [
        ("+15551230100",),
        ("+15551230200",),
    ]
    assert {team.id: (team.extension, team.members) for team in config.teams.values()} == {
        "support": ("600", ("PJSIP/101", "PJSIP/102")),
        "billing": ("610", ("PJSIP/103",)),
        "backoffice": ("620", ("PJSIP/104",)),
    }


def test_a_configuration_survives_pickling(etc: Path) -> None:
    config = load(etc)
    assert pickle.loads(pickle.dumps(config)) == config


def test_yaml_does_not_guess_types(etc: Path) -> None:
    channels = GOOD["channels.yaml"].replace('"+15551230200"', "+4721000000")
    channels = channels.replace("agent: on", "agent: off\n    label: NO")
    teams = GOOD["teams.yaml"].replace('"620"', "0620").replace('"699"', "0699")
    hours = GOOD["hours.yaml"].replace('["08:00-16:00"]', "[8:00-12:30]")
    agent = GOOD["agent.yaml"].replace("language: en", "language: no").replace("Nora", "12:30")
    write(
        etc,
        {
            "channels": channels,
            "teams": teams,
            "hours": hours,
            "agent": agent.replace("12:30", "1_000"),
        },
    )
    config = load(etc)
    assert config.agent.language == "no"
    assert config.agent.name == "1_000"
    assert config.channels["billing"].number == ("+4721000000",)
    assert config.channels["support"].agent is False
    assert config.channels["support"].label == "NO"
    assert config.teams["backoffice"].extension == "0620"
    assert config.teams["night"].voicemail is not None
    assert config.teams["night"].voicemail.mailbox == "0699"
    assert config.hours["office"].days[4] == ((480, 750),)


def test_agent_off_and_people_nowhere_needs_no_handoff(etc: Path) -> None:
    text = GOOD["channels.yaml"].replace("      handoff: billing\n", "")
    write(etc, {"channels": text.replace('200"', '200"\n    agent: off')})
    assert load(etc).channels["billing"].in_hours.handoff == ()


@pytest.mark.parametrize("state", ["in_hours", "after_hours"])
def test_agent_off_and_people_first_needs_a_handoff(etc: Path, state: str) -> None:
    text = GOOD["channels.yaml"].replace("      handoff: billing\n", "")
    before, billing, after = text.partition("  billing:")
    after = after.replace('200"', '200"\n    agent: off')
    after = after.replace(f"{state}:", f"{state}:\n      answer: team")
    write(etc, {"channels": before + billing + after})
    (only,) = problems(etc)
    assert "channels.billing.in_hours.handoff: expected at least one team, got none." in only


def test_a_mistake_in_a_team_is_not_blamed_on_its_channels(etc: Path) -> None:
    write(etc, {"teams": GOOD["teams.yaml"].replace("members: [PJSIP/101", "members: [101")})
    (only,) = problems(etc)
    assert only.startswith("etc/teams.yaml:5: teams.support.members: ")


def test_a_byte_order_mark_is_no_problem(etc: Path) -> None:
    (etc / "hours.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD["hours.yaml"].encode())
    assert load(etc).timezone == "America/New_York"


def test_anchors_and_merge_keys_work(etc: Path) -> None:
    teams = GOOD["teams.yaml"].replace("queue: {", "queue: &usual {")
    teams = teams.replace(
        '    extension: "620"\n',
        '    queue: {<<: *usual, wait: 90s}\n    extension: "620"\n',
    )
    write(etc, {"teams": teams})
    queue = load(etc).teams["backoffice"].queue
    assert (queue.ring, queue.wait) == (timedelta(seconds=15), timedelta(seconds=90))


def test_the_first_of_several_merged_mappings_wins(etc: Path) -> None:
    teams = GOOD["teams.yaml"].replace("queue: {", "queue: &usual {")
    teams = teams.replace(
        '    extension: "620"\n',
        '    extension: "620"\n    queue:\n      <<: [{wait: 7s}, *usual]\n',
    )
    write(etc, {"teams": teams})
    queue = load(etc).teams["backoffice"].queue
    assert (queue.ring, queue.wait) == (timedelta(seconds=15), timedelta(seconds=7))


def test_an_unprintable_key_does_not_break_the_line(etc: Path) -> None:
    write(etc, {"agent": GOOD["agent.yaml"].replace("  name:", '  "na\\nme": x\n  name:')})
    (only,) = problems(etc)
    assert only.startswith('etc/agent.yaml:2: agent."na\\nme": is not a known key.')


@settings(max_examples=300, deadline=None)
@given(
    file=st.sampled_from(["agent", "channels", "hours", "teams"]),
    position=st.floats(0, 1),
    cut=st.integers(0, 12),
    junk=st.text(
        alphabet=st.sampled_from(list("\t\n {}[]&*!|>'\"%@`:,-?#~<=a1\\\0é\u2028")), max_size=8
    ),
)
def test_any_damage_is_a_problem_or_none(
    tmp_path_factory: pytest.TempPathFactory, file: str, position: float, cut: int, junk: str
) -> None:
    etc = tmp_path_factory.getbasetemp() / "damaged"
    good = GOOD[f"{file}.yaml"]
    at = int(position * len(good))
    write_good(etc, **{file: good[:at] + junk + good[at + cut :]})
    found: list[str] = []
    try:
        load(etc)
    except ConfigError as error:
        found = error.problems
        assert found
    for line in found:
        assert line.startswith(f"{etc}/")
        assert "\n" not in line
        line.encode()
