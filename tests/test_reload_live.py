"""Reload on a real Asterisk and service: mistakes change nothing, new calls get what is new."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from conftest import EXAMPLE

from asterisk_agent.records import CallLog
from asterisk_agent.sandbox.processes import package_environment
from asterisk_agent.status import read

pytestmark = [pytest.mark.asterisk, pytest.mark.models]


@pytest.fixture
def pbx(tmp_path, start_pbx):
    company = tmp_path / "company"
    shutil.copytree(EXAMPLE, company)
    return start_pbx(company)


def reload(pbx):
    command = [sys.executable, "-m", "asterisk_agent.cli.main", "reload", "--json", "--config"]
    return subprocess.run(
        [*command, pbx.config_dir],
        env=package_environment(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def change(pbx, file, old, new):
    path = pbx.config_dir / file  # agent.yaml is the sandbox's own, the others are links
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def greetings(pbx):
    """What the agent said first in each call so far, the newest call first."""
    log = CallLog(pbx.config.records.database)
    try:
        return [call["turns"][0]["text"] for call in log.latest()]
    finally:
        log.close()


async def call(pbx, new_phone, name):
    phone = await new_phone(name)
    await phone.identify("+15559876543")
    await phone.dial(pbx.uri("+15551230100"))
    await phone.wait_for_sound(15)
    await phone.wait_for_quiet(1.0)
    return phone


async def test_a_reload_changes_new_calls_and_asterisk_and_a_mistake_changes_nothing(
    pbx, new_phone
):
    early = await call(pbx, new_phone, "early")

    change(pbx, "teams.yaml", "wait: 60s", "wait: 61 sec")
    refused = reload(pbx)
    assert refused.returncode == 1
    assert "teams.yaml:" in refused.stderr
    assert "61 sec" in refused.stderr
    # The same by signal alone, as systemd sends it: the service itself looks, and says why not.
    before = read(pbx.config.state_directory)
    os.kill(pbx.service_pid, signal.SIGHUP)
    for _ in range(100):
        report = read(pbx.config.state_directory)
        if report.reloads > before.reloads:
            break
        await asyncio.sleep(0.05)
    assert "61 sec" in " ".join(report.problems)
    assert report.loaded == before.loaded

    change(pbx, "teams.yaml", "wait: 61 sec", "wait: 77s")
    change(pbx, "agent.yaml", "Thank you for calling", "Welcome to")
    done = reload(pbx)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["reloaded"] is True
    assert told["asterisk"] == "ok"
    assert told["restart_for"] == []
    loaded = pbx.cli("dialplan show agent-team-support")
    assert "AGENT_WAIT=77" in loaded

    await early.hangup()  # fails if the reload had cut it off
    late = await call(pbx, new_phone, "late")
    await late.hangup()
    for _ in range(100):
        if len(greetings(pbx)) == 2:
            break
        await asyncio.sleep(0.05)
    new, old = greetings(pbx)
    assert new.startswith("Welcome to")
    assert old.startswith("Thank you for calling")
