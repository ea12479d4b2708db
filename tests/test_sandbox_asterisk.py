"""The private Asterisk itself."""

import asyncio
import socket
import time
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.asterisk import PrivateAsterisk
from asterisk_agent.sandbox.processes import ProcessId

pytestmark = pytest.mark.asterisk


def test_starts_with_a_clean_log_and_stops(tmp_path):
    asterisk = PrivateAsterisk(tmp_path, members=["101"])
    began = time.monotonic()
    with asterisk:
        ready_s = time.monotonic() - began
        process = asterisk.identity
        assert asterisk.cli("core show version").startswith("Asterisk ")
        assert "101/101" in asterisk.cli("pjsip show endpoints")
    assert not process.alive
    assert ready_s < 15
    log = asterisk.log.read_text()
    assert "Asterisk Ready" in log
    assert [line for line in log.splitlines() if "ERROR[" in line or "WARNING[" in line] == []


def test_what_the_dialplan_needs_is_there(bench_asterisk):
    applications = bench_asterisk.cli("core show applications")
    for name in (
        "AGI:",
        "AudioSocket:",
        "TryExec:",
        "Queue:",
        "VoiceMail:",
        "GotoIfTime:",
        "Read:",
    ):
        assert f" {name}" in applications, name
    functions = bench_asterisk.cli("core show functions")
    for name in ("FILTER", "TIMEOUT", "PJSIP_HEADER", "DIALPLAN_EXISTS", "QUEUE_MEMBER", "SHA1"):
        assert f"\n{name} " in functions, name


def test_only_loopback_can_reach_it(bench_asterisk):
    connections = psutil.Process(bench_asterisk.pid).net_connections(kind="inet")
    listening = {c.laddr.port: c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}
    assert listening == {bench_asterisk.ami_port: "127.0.0.1"}
    sip = [c.laddr.ip for c in connections if c.laddr.port == bench_asterisk.sip_port]
    assert sip == ["127.0.0.1"]


def test_manager_lets_us_in_and_nobody_else(bench_asterisk):
    def login(secret: str) -> str:
        with socket.create_connection(("127.0.0.1", bench_asterisk.ami_port), 5) as connection:
            request = (
                f"Action: Login\r\nUsername: {bench_asterisk.ami_username}\r\n"
                f"Secret: {secret}\r\nEvents: off\r\n\r\n"
            )
            connection.sendall(request.encode())
            stream = connection.makefile(encoding="utf-8")
            stream.readline()  # the greeting
            return stream.readline().strip()

    assert login(bench_asterisk.ami_secret) == "Response: Success"
    assert login("wrong") == "Response: Error"


def test_several_run_side_by_side(bench_asterisk, tmp_path):
    with PrivateAsterisk(tmp_path) as other:
        assert other.sip_port != bench_asterisk.sip_port
        assert "there is no dialplan" not in other.cli("dialplan show from-trunk")
        assert "hello" not in other.cli("dialplan show from-trunk")
        assert "'hello'" in bench_asterisk.cli("dialplan show from-trunk")


def test_its_clock_starts_when_told(tmp_path):
    with PrivateAsterisk(tmp_path, faketime="2031-12-24T11:59:00+00:00") as asterisk:
        seconds = datetime(2031, 12, 24, 11, 59, tzinfo=UTC).timestamp()
        shown = asterisk.cli("dialplan eval function STRFTIME(,UTC,%s)")
        moment = float(shown.rsplit("Result:", 1)[1].strip().splitlines()[0])
        assert moment == pytest.approx(seconds, abs=60)


def test_takes_another_port_where_one_was_taken_meanwhile(tmp_path, monkeypatch):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as squatter:
        squatter.bind(("127.0.0.1", 0))
        taken = squatter.getsockname()[1]
        ports = iter([taken, 20_001, 20_002, 20_003])
        monkeypatch.setattr("asterisk_agent.sandbox.asterisk.free_port", lambda *_: next(ports))
        with PrivateAsterisk(tmp_path) as asterisk:
            assert (asterisk.sip_port, asterisk.ami_port) == (20_002, 20_003)


def test_a_long_path_is_no_obstacle(tmp_path):
    with PrivateAsterisk(tmp_path / ("x" * 60) / ("y" * 60)) as asterisk:
        assert "System uptime" in asterisk.cli("core show uptime")
        run = asterisk.directories.run
    assert not run.exists()


def test_a_broken_configuration_says_what_is_wrong(tmp_path):
    asterisk = PrivateAsterisk(tmp_path, files={"modules.conf": "[modules]\nrequire=none.so\n"})
    with pytest.raises(SandboxError, match=r"none\.so"):
        asterisk.start(timeout_s=5)
    with pytest.raises(SandboxError, match="not running"):
        _ = asterisk.pid


def test_its_console_is_silent_when_it_is_gone(tmp_path):
    asterisk = PrivateAsterisk(tmp_path)
    asterisk.start()
    process = ProcessId.of(asterisk.pid)
    asterisk.stop()
    asterisk.stop()
    assert not process.alive
    with pytest.raises(SandboxError, match="Unable to connect"):
        asterisk.cli("core show uptime")


async def test_its_timers_keep_time_where_its_clock_was_moved(tmp_path, new_phone):
    dialplan = (
        "[from-trunk]\nexten => 1,1,Answer()\n same => n,Queue(empty,r,,,2)\n"
        " same => n,Playback(hello-world)\n same => n,Hangup()\n"
    )
    files = {"extensions.conf": dialplan, "queues.conf": "[empty]\njoinempty=yes\n"}
    with PrivateAsterisk(tmp_path, files=files, faketime="2031-12-24T11:59:00+00:00") as asterisk:
        phone = await new_phone("caller")
        await phone.identify("+15550001111")
        await phone.dial(f"sip:1@127.0.0.1:{asterisk.sip_port}")
        connected = (await phone.wait_for("connected")).at
        ended = (await phone.wait_for("disconnected")).at
    # Two seconds of queue, which counts whole ones, and 1.4 of speech.
    assert 2.2 < ended - connected < 5.0


async def test_its_clock_is_put_forward_while_it_runs(tmp_path, new_phone):
    """Audio keeps its pace, phones stay registered, and what Asterisk starts sees the new time."""
    script, seen = tmp_path / "what-time", tmp_path / "seen"
    script.write_text(f"#!/bin/sh\ndate -u +%s > {seen}\n")
    script.chmod(0o755)
    dialplan = (
        "[from-trunk]\nexten => tone,1,Answer()\n same => n,Milliwatt()\n"
        f"exten => team,1,AGI({script})\n same => n,Queue(empty,r,,,2)\n"
        " same => n,Dial(PJSIP/101,20)\n"
    )
    files = {"extensions.conf": dialplan, "queues.conf": "[empty]\njoinempty=yes\n"}
    moment = datetime(2031, 3, 30, 0, 59, tzinfo=UTC)
    with PrivateAsterisk(tmp_path, members=["101"], files=files, faketime=moment) as asterisk:
        assert asterisk.clock is not None
        member = await new_phone("member")
        await member.register("101", asterisk.passwords["101"], port=asterisk.sip_port)
        await member.auto_answer(0.1)
        caller = await new_phone("caller")
        await caller.identify("+15550001111")
        await caller.dial(f"sip:tone@127.0.0.1:{asterisk.sip_port}")
        began = await caller.wait_for_sound()
        await asyncio.sleep(1)
        asterisk.clock.set(moment + timedelta(hours=2))
        await asyncio.sleep(1)
        (tone,) = caller.spoken_segments(pause_s=0.06)
        assert tone.end - began > 1.9
        await caller.hangup()
        later = moment + timedelta(days=400)
        asterisk.clock.set(later)
        dialled = time.monotonic()
        await caller.dial(f"sip:team@127.0.0.1:{asterisk.sip_port}")
        connected = (await member.wait_for("connected")).at
        assert 0.9 < connected - dialled < 5.0
        assert float(seen.read_text()) == pytest.approx(later.timestamp(), abs=30)
