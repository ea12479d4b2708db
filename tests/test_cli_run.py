"""`run` with something wrong: every problem in one go, the remedy named, exit status 1."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

EXAMPLE = Path(__file__).parent.parent / "etc"


def run(config, **environment):
    return subprocess.run(
        [sys.executable, "-m", "asterisk_agent.cli.main", "run", "--config", str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
        check=False,
    )


def test_an_empty_configuration_lists_every_problem(tmp_path):
    ended = run(tmp_path)
    assert ended.returncode == 1
    for name in ("agent.yaml", "channels.yaml", "hours.yaml", "teams.yaml"):
        assert name in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_broken_configuration_lists_every_problem(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "etc")
    channels = tmp_path / "etc/channels.yaml"
    text = channels.read_text(encoding="utf-8")
    channels.write_text(text.replace("hours: office", "hours: ofice"), encoding="utf-8")
    agent = tmp_path / "etc/agent.yaml"
    agent.write_text(agent.read_text(encoding="utf-8") + "\nnonsense: 1\n", encoding="utf-8")
    ended = run(tmp_path / "etc")
    assert ended.returncode == 1
    assert "ofice" in ended.stderr
    assert "nonsense" in ended.stderr


def test_a_missing_model_names_the_command_that_mends_it(tmp_path):
    ended = run(EXAMPLE, ASTERISK_AGENT_DATA=str(tmp_path))
    assert ended.returncode == 1
    assert "models pull" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.models
def test_a_port_in_use_is_named_and_by_whom(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "etc")
    agent = tmp_path / "etc/agent.yaml"
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        socket.create_server(("127.0.0.1", 0)) as free,
    ):
        port, other = taken.getsockname()[1], free.getsockname()[1]
        free.close()
        settings = yaml.safe_load(agent.read_text(encoding="utf-8"))
        settings["listen"] = {"fastagi": f"127.0.0.1:{port}", "media": f"127.0.0.1:{other}"}
        settings["records"] = {"database": f"sqlite:///{tmp_path}/calls.db"}
        agent.write_text(yaml.safe_dump(settings), encoding="utf-8")
        ended = run(tmp_path / "etc")
    assert ended.returncode == 1
    assert f"listen.fastagi: port {port} is in use by" in ended.stderr
    assert str(os.getpid()) in ended.stderr
