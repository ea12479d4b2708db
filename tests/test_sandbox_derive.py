import stat
from pathlib import Path

import pytest
import yaml

from asterisk_agent.errors import ConfigError
from asterisk_agent.sandbox.derive import Machine, agent_yaml, derive, members

EXAMPLE = Path(__file__).parent.parent / "etc"
MACHINE = Machine(
    host="127.0.0.1",
    ami_port=25038,
    ami_username="asterisk-agent",
    ami_secret="s3cret",
    fastagi_port=24573,
    media_port=29092,
    web_port=28095,
    database="sqlite:////tmp/calls.db",
    dialplan="/srv/dialplan",
    state="/srv/state",
)


def test_supplies_what_belongs_to_the_machine(tmp_path):
    config = derive(EXAMPLE, tmp_path / "config", MACHINE)
    assert str(config.listen.fastagi) == "127.0.0.1:24573"
    assert str(config.listen.media) == "127.0.0.1:29092"
    assert config.asterisk.ami.port == 25038
    assert config.ami_secret() == "s3cret"
    assert config.asterisk.dialplan == "/srv/dialplan"
    assert config.overrides_directory == Path("/srv/state/overrides")
    assert config.records.database == "sqlite:////tmp/calls.db"
    secret = tmp_path / "config/ami.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_leaves_the_rest_as_it_is(tmp_path):
    text = "agent: {name: Nora, greeting: Hello, can_record: off}\nrecords: {transcripts: 7d}\n"
    tree = yaml.load(agent_yaml(text, MACHINE), Loader=yaml.BaseLoader)
    assert tree["agent"] == {"name": "Nora", "greeting": "Hello", "can_record": "off"}
    assert tree["records"] == {"transcripts": "7d", "database": "sqlite:////tmp/calls.db"}


def test_is_written_anew_each_time_and_leaves_the_original_alone(tmp_path):
    before = {path: path.read_bytes() for path in EXAMPLE.rglob("*") if path.is_file()}
    derive(EXAMPLE, tmp_path / "config", MACHINE)
    (tmp_path / "config/left-over.yaml").touch()
    derive(EXAMPLE, tmp_path / "config", MACHINE)
    assert not (tmp_path / "config/left-over.yaml").exists()
    assert {path: path.read_bytes() for path in EXAMPLE.rglob("*") if path.is_file()} == before


def test_mistakes_are_named_in_the_operators_own_files(tmp_path):
    original = tmp_path / "mine"
    original.mkdir()
    for path in EXAMPLE.glob("*.yaml"):
        (original / path.name).write_text(path.read_text())
    (original / "agent.yaml").write_text("agent: {name: Nora, greeting: Hi, colour: red}\n")
    with pytest.raises(ConfigError, match="colour") as error:
        derive(original, tmp_path / "config", MACHINE)
    assert all(str(original) in problem for problem in error.value.problems)


def test_members_are_the_phones_of_all_teams_once(tmp_path):
    config = derive(EXAMPLE, tmp_path / "config", MACHINE)
    assert members(config) == ["101", "102", "103", "104"]
