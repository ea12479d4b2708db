"""Onto a PBX that runs, a call, and off it again, with Debian's own files for Asterisk.

The Asterisk is a real one, and so are its files: those that the distribution ships. Only what would
reach outside this machine is ours: ports, modules, directories.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from install_site import tree

from asterisk_agent.config.paths import cache_directory
from asterisk_agent.sandbox.asterisk import PrivateAsterisk
from asterisk_agent.sandbox.derive import Machine, agent_yaml
from asterisk_agent.sandbox.processes import free_port, owned_ports, package_environment, spawn

pytestmark = [pytest.mark.asterisk, pytest.mark.models]

ROOT = Path(__file__).parent.parent
STOCK = (
    "extensions.conf",
    "queues.conf",
    "voicemail.conf",
    "manager.conf",
    "manager.d/README.conf",
)
NUMBER = "+15551230100"
TRUNK = b"\n[from-trunk]\ninclude => asterisk-agent\n"
GUIDE = (ROOT / "docs" / "sip-trunk.md").read_text(encoding="utf-8")
MORE_MODULES = "load=res_pjsip_outbound_registration.so\nload=res_srtp.so\n"


class StockAsterisk(PrivateAsterisk):
    """An Asterisk in a root folder, with the distribution's files as far as calls to us go."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.root = root
        self.directories = replace(self.directories, etc=root / "etc" / "asterisk")

    def _write(self) -> None:
        super()._write()
        etc = self.directories.etc
        shipped = Path(self.distribution.command[-1]).parents[2] / "etc" / "asterisk"
        for name in STOCK:
            (etc / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(shipped / name, etc / name)
        with (etc / "extensions.conf").open("ab") as file:
            file.write(TRUNK)
        manager = (etc / "manager.conf").read_text()
        (etc / "manager.conf").write_text(
            re.sub(r"(?m)^port = 5038$", f"port = {self.ami_port}", manager)
        )
        with (etc / "pjsip.conf").open("a") as file:
            file.write(self._trunk())
        with (etc / "modules.conf").open("a") as file:
            file.write(MORE_MODULES)
        program = self.root / "usr" / "sbin" / "asterisk"
        program.parent.mkdir(parents=True, exist_ok=True)
        command = " ".join(self.distribution.command)
        program.write_text(f'#!/bin/sh\nexec {command} -C {etc / "asterisk.conf"} "$@"\n')
        program.chmod(0o755)

    def _trunk(self) -> str:
        """The guide's example, with a provider that is nobody, on this machine."""
        example = re.findall(r"```ini\n(\[transport-tls\].*?)```", GUIDE, re.S)[0]
        key, certificate = self.root / "pbx.key", self.root / "pbx.crt"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
             "/CN=pbx", "-keyout", str(key), "-out", str(certificate)],
            check=True, capture_output=True,
        )  # fmt: skip
        for old, new in (
            ("0.0.0.0:5061", f"127.0.0.1:{free_port()}"),
            ("/etc/asterisk/keys/pbx.crt", str(certificate)),
            ("/etc/asterisk/keys/pbx.key", str(key)),
            ("sip.provider.example:5061", "127.0.0.1:9"),
            ("match = sip.provider.example", "match = 192.0.2.1"),
            ("/etc/ssl/certs/ca-certificates.crt", str(certificate)),
        ):
            assert old in example
            example = example.replace(old, new)
        return "\n" + example


@pytest.fixture
def asterisk(tmp_path):
    root = tmp_path / "root"
    for folder in ("etc/systemd/system", "var/lib"):
        (root / folder).mkdir(parents=True)
    with StockAsterisk(root) as asterisk:
        yield asterisk


def configuration(asterisk: StockAsterisk, folder: Path) -> dict[str, int]:
    """The example, open at any hour, for this machine; its ports."""
    root, ports = asterisk.root, {name: free_port() for name in ("fastagi", "media", "web")}
    machine = Machine(
        host="127.0.0.1",
        ami_port=asterisk.ami_port,
        ami_username="asterisk-agent",
        ami_secret="",
        fastagi_port=ports["fastagi"],
        media_port=ports["media"],
        web_port=ports["web"],
        database=f"sqlite:///{root}/var/lib/asterisk-agent/calls.db",
        dialplan=f"{root}/etc/asterisk/agent",
        state=f"{root}/var/lib/asterisk-agent",
    )
    shutil.copytree(ROOT / "etc", folder)
    text = (folder / "agent.yaml").read_text()
    (folder / "agent.yaml").write_text(agent_yaml(text, machine))
    channels = folder / "channels.yaml"
    channels.write_text(re.sub(r"(?m)^\s+hours:.*\n", "", channels.read_text()))
    return ports


def agent(*words: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "asterisk_agent.cli.main", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(env or os.environ),
    )


def lend_models(state: Path) -> None:
    """What is on this machine already need not be fetched, and not be spoken, again."""
    state.mkdir()
    chosen = os.environ.get("ASTERISK_AGENT_DATA")
    data = Path(chosen) if chosen else cache_directory()
    for name in ("models", "prompts", "spoken", "vectors"):
        (data / name).mkdir(parents=True, exist_ok=True)
        (state / name).symlink_to(data / name)


async def heard_by_caller(asterisk, new_phone, hear, name):
    phone = await new_phone(name)
    await phone.identify("+15559876543", name="Pat Caller")
    await phone.dial(f"sip:{NUMBER}@127.0.0.1:{asterisk.sip_port}")
    await phone.wait_for("connected", timeout_s=15)
    await phone.wait_for_sound(15)
    await phone.wait_for_quiet(1.5, timeout_s=30)
    said = hear(phone.heard())
    await phone.hangup()
    return said


async def test_install_check_call_and_uninstall(asterisk, tmp_path, new_phone, hear):
    root = asterisk.root
    lend_models(root / "var/lib/asterisk-agent")
    before = tree(root / "etc")
    ports = configuration(asterisk, tmp_path / "mine")

    done = agent("install", "--root", root, "--from", tmp_path / "mine", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok       the loaded dialplan is this configuration's" in done.stdout
    assert "ok       queue agent-support" in done.stdout
    assert "ok       mailbox 600" in done.stdout
    assert "problem" not in done.stdout

    unit = (root / "etc/systemd/system/asterisk-agent.service").read_text()
    command = re.findall(r"(?m)^ExecStart=(.*)$", unit)[0].split()
    data = {"ASTERISK_AGENT_DATA": f"{root}/var/lib/asterisk-agent"}
    service = spawn(
        command, log=tmp_path / "service.log", leashed=True, env=package_environment() | data
    )
    try:
        while ports["fastagi"] not in owned_ports(service.pid):
            assert service.alive, (tmp_path / "service.log").read_text()
            await asyncio.sleep(0.1)
        greeting = await heard_by_caller(asterisk, new_phone, hear, "caller")
        assert "automated assistant" in greeting
    finally:
        service.stop(20)
    # Nobody answers the dialplan now, so Asterisk starts the rescue program, which counts.
    without = await heard_by_caller(asterisk, new_phone, hear, "second")
    assert "other callers" in without, without
    assert (root / "var/lib/asterisk-agent/rescues").read_text().count("\n") >= 1

    gone = agent("uninstall", "--root", root, "--yes", "--purge")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert tree(root / "etc") == before
    assert "Context 'asterisk-agent'" not in asterisk.cli("dialplan show asterisk-agent")
    assert "agent-support" not in asterisk.cli("queue show")

    # What the guide to trunks shows was there all the time.
    assert re.search(r"transport-tls +tls", asterisk.cli("pjsip show transports"))
    trunk = asterisk.cli("pjsip show endpoint trunk")
    assert re.search(r"media_encryption +: sdes", trunk)
    assert re.search(r"media_encryption_optimistic +: false", trunk)
    assert "trunk/sip:127.0.0.1:9" in asterisk.cli("pjsip show registrations")


async def test_what_is_missing_takes_nothing_else_along(asterisk):
    """Why the line is a #tryinclude: with #include, Asterisk refuses the whole file."""
    conf = asterisk.directories.etc / "extensions.conf"
    mine = conf.read_text() + "\n[mine]\nexten => 1,1,NoOp(here)\n"
    for directive, expected in (("#include", False), ("#tryinclude", True)):
        conf.write_text(f'{mine}{directive} "{asterisk.root}/gone.conf"\n')
        asterisk.cli("dialplan reload")
        assert ("NoOp(here)" in asterisk.cli("dialplan show mine")) == expected
