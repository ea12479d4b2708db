"""The private PBX, with a stand-in for the service: it opens the port and does nothing."""

import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from asterisk_agent.errors import ConfigError, SandboxError
from asterisk_agent.sandbox import pbx as pbx_module
from asterisk_agent.sandbox.pbx import Pbx

pytestmark = pytest.mark.asterisk

EXAMPLE = Path(__file__).parent.parent / "etc"
STAND_IN = """
import os, pathlib, socket, sys, time
from asterisk_agent.config.load import load
config = load(pathlib.Path(sys.argv[-1]))
if os.fork():  # a supervisor, and the process that holds the calls
    os.wait()
    sys.exit()
server = socket.create_server((config.listen.fastagi.host, config.listen.fastagi.port))
print("it is", time.time(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(pbx_module, "SERVICE_COMMAND", (sys.executable, "-c", STAND_IN))


def test_starts_both_and_says_how_to_reach_them(start_pbx, stand_in):
    pbx = start_pbx()
    info = pbx.info()
    assert set(info) >= {
        "host", "sip_port", "ami_port", "fastagi_port", "media_port", "web", "asterisk_pid",
        "service_pid", "members", "state_dir", "logs",
    }  # fmt: skip
    assert info["members"]["101"] == {"password": pbx.password("101")}
    assert psutil.pid_exists(info["asterisk_pid"])
    assert set(info["logs"]) == {"asterisk", "service"}
    assert pbx.uri("+15551230100") == f"sip:+15551230100@127.0.0.1:{info['sip_port']}"


def test_service_pid_is_the_process_that_holds_the_calls(start_pbx, stand_in):
    pbx = start_pbx()
    supervisor, asterisk = pbx.processes()
    assert pbx.service_pid != supervisor.pid
    assert psutil.Process(pbx.service_pid).ppid() == supervisor.pid
    assert asterisk.pid == pbx.asterisk.pid


def test_stops_everything(tmp_path, stand_in):
    with Pbx(EXAMPLE, tmp_path / "pbx") as pbx:
        processes = pbx.processes()
        held = pbx.service_pid
    assert not any(process.alive for process in processes)
    assert not psutil.pid_exists(held) or psutil.Process(held).status() == psutil.STATUS_ZOMBIE


def test_the_service_can_be_killed_frozen_and_started_again(start_pbx, stand_in):
    pbx = start_pbx()
    first = pbx.service_pid
    pbx.freeze_service()
    assert psutil.Process(first).status() == psutil.STATUS_STOPPED
    pbx.kill_service()
    assert pbx.service_pid is None
    with pytest.raises(SandboxError, match="not running"):
        pbx.freeze_service()
    pbx.start_service()
    assert pbx.service_pid not in (None, first)
    os.kill(pbx.service_pid, signal.SIGKILL)


def test_without_the_service_the_dialplan_is_there(start_pbx):
    pbx = start_pbx(service=False)
    assert pbx.info()["service_pid"] is None
    shown = pbx.cli("dialplan show 15551230100@from-trunk")
    assert "AGENT_CHANNEL=support" in shown
    assert "agent-support" in pbx.cli("queue show agent-support")
    assert "600" in pbx.cli("voicemail show users")


def test_the_log_of_a_start_is_clean(start_pbx):
    pbx = start_pbx(service=False)
    lines = pbx.asterisk.log.read_text().splitlines()
    assert [line for line in lines if "ERROR[" in line or "WARNING[" in line] == []


def test_needs_neither_asterisk_nor_listen(start_pbx, tmp_path):
    config = tmp_path / "config"
    config.mkdir()
    for name in ("channels", "hours", "teams"):
        (config / f"{name}.yaml").write_text((EXAMPLE / f"{name}.yaml").read_text())
    (config / "agent.yaml").write_text("agent: {name: Ada, greeting: Hello}\n")
    (config / "knowledge").symlink_to(EXAMPLE / "knowledge")
    pbx = start_pbx(config, service=False)
    assert pbx.config.agent.name == "Ada"
    assert pbx.config.listen.fastagi.port == pbx.fastagi_port
    assert pbx.config.asterisk.ami.port == pbx.asterisk.ami_port


def test_both_clocks_start_when_told(start_pbx, stand_in):
    pbx = start_pbx(faketime="2031-12-24T11:59:00+00:00")
    asterisk = (
        pbx.cli("dialplan eval function STRFTIME(,UTC,%s)").rsplit("Result:", 1)[1].split()[0]
    )
    service = pbx.service_log.read_text().split()[-1]
    moment = datetime(2031, 12, 24, 11, 59, tzinfo=UTC).timestamp()
    assert float(asterisk) == pytest.approx(moment, abs=60)
    assert float(service) == pytest.approx(moment, abs=60)


def test_a_broken_configuration_starts_nothing(tmp_path):
    with pytest.raises(ConfigError):
        Pbx(tmp_path, tmp_path / "pbx")


def test_a_service_that_fails_takes_asterisk_with_it(tmp_path, monkeypatch):
    failing = (sys.executable, "-c", "print('no model'); raise SystemExit(1)")
    monkeypatch.setattr(pbx_module, "SERVICE_COMMAND", failing)
    pbx = Pbx(EXAMPLE, tmp_path / "pbx")
    with pytest.raises(SandboxError, match="the service did not start: no model"):
        pbx.start()
    with pytest.raises(SandboxError, match="not running"):
        _ = pbx.asterisk.pid


def test_a_service_that_never_gets_ready_is_given_up(start_pbx, monkeypatch):
    idle = (sys.executable, "-c", "import time; time.sleep(600)")
    monkeypatch.setattr(pbx_module, "SERVICE_COMMAND", idle)
    pbx = start_pbx(service=False)
    began = time.monotonic()
    with pytest.raises(SandboxError, match="did not start: it wrote nothing"):
        pbx.start_service(timeout_s=0.5)
    assert time.monotonic() - began < 10


def test_its_clock_is_put_forward_for_all_of_it(start_pbx):
    pbx = start_pbx(service=False, faketime="2031-12-24T11:59:00+00:00")
    pbx.set_clock("2032-02-29T00:00:00+00:00")
    shown = pbx.cli("dialplan eval function STRFTIME(,UTC,%Y-%m-%d)")
    assert shown.rsplit("Result:", 1)[1].split()[0] == "2032-02-29"
    with pytest.raises(SandboxError, match="cannot go back"):
        pbx.set_clock("2031-12-24T11:59:00+00:00")


def test_without_a_clock_of_its_own_it_goes_by_the_machine_s(start_pbx):
    with pytest.raises(SandboxError, match="machine's own"):
        start_pbx(service=False).set_clock("2032-02-29T00:00:00+00:00")
