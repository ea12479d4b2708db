"""The whole installation as root, on a machine made for it: nothing of this one is changed.

    sudo .venv/bin/python tests/fresh_machine.py

Namespaces of its own for mounts, network, processes and control groups; ``/etc``, ``/var``,
``/usr`` and ``/opt`` lie on top of this machine's, and what is written there is gone with the last
process. systemd is its process 1. Onto it come Debian's Asterisk, with Debian's files and unit, and
this package, from a wheel, under ``/opt``. There is no network but loopback, which has a second
address that counts as another machine's. Then: ``install``, ``check``, a call, a call with the
service stopped, ``uninstall --purge``, and every file compared with what it was before: the exit
status is 0 if all are the same. Needs systemd, iproute2 and unshare.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent
OVERLAID = ("etc", "var", "usr", "opt")
SYSTEMD = "/lib/systemd/systemd"
PROGRAM = "/usr/local/bin/asterisk-agent"
PBX = Path("/opt/asterisk-pbx")
LENT_MODELS = Path("/opt/models")
LENT_PACKAGES = Path("/opt/packages")
ELSEWHERE = "10.9.9.9"
NUMBER = "+15551230100"
PJSIP = """
[transport]
type=transport
protocol=udp
bind=127.0.0.1:5060
[global]
type=global
endpoint_identifier_order=username,anonymous
[anonymous]
type=endpoint
context=from-trunk
disallow=all
allow=ulaw
direct_media=no
"""
PROBE = f"""
import socket
for address in ("127.0.0.1", "{ELSEWHERE}"):
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (address, 9))
        print(address, "is reached")
    except OSError as error:
        print(address, "is not:", error)
"""
NOT_COMPARED = re.compile(
    r"/(var/(log|spool/asterisk|lib/asterisk|cache|tmp|lib/systemd)(/|$)|etc/machine-id"
    r"|etc/(passwd|group|shadow|gshadow|subuid|subgid)-$|etc/\.pwd\.lock)"
)
"""Written by Asterisk and systemd while they run, or by useradd as its own backups."""


def main() -> int:
    """Begin in this machine, boot the new one, go on inside it."""
    if sys.argv[1:2] == ["boot"]:
        boot(Path(sys.argv[2]))
    if sys.argv[1:2] == ["inside"]:
        sys.path[:0] = [str(SOURCE)]
        return prove()
    out = Path(tempfile.mkdtemp(prefix="fresh-machine-"))
    namespaces = (
        "--mount",
        "--net",
        "--pid",
        "--fork",
        "--mount-proc",
        "--cgroup",
        "--uts",
        "--ipc",
    )
    command = ["unshare", *namespaces, sys.executable, __file__, "boot", str(out)]
    with (out / "console").open("wb") as console:
        subprocess.run(command, stdout=console, stderr=console, check=False)
    told = out / "told"
    print(told.read_text() if told.exists() else (out / "console").read_text())
    status = out / "status"
    code = int(status.read_text()) if status.exists() else 1
    shutil.rmtree(out)
    return code


def boot(out: Path) -> None:
    """Make the machine, and become its process 1."""
    sys.path[:0] = [str(SOURCE)]
    make_machine()
    units = Path("/etc/systemd/system")
    inside = f"{sys.executable} {__file__} inside"
    (units / "proof.service").write_text(
        "[Unit]\nDefaultDependencies=no\nWants=systemd-journald.socket\n"
        "After=systemd-journald.socket\n[Service]\nType=oneshot\nWorkingDirectory=/\n"
        f"Environment=HOME={Path.home()} PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1\n"
        f"ExecStart=/bin/sh -c '{inside}; echo $? > {out}/status'\n"
        "ExecStopPost=/bin/systemctl --no-block exit 0\n"
        f"StandardOutput=append:{out}/told\nStandardError=append:{out}/told\n"
    )
    os.execve(
        SYSTEMD,
        [SYSTEMD, "--system", "--unit=proof.service", "--log-target=console", "--show-status=0"],
        {**os.environ, "container": "unshare"},
    )


def prove() -> int:
    """What an operator would do, and what is left of it afterwards."""
    print("#", subprocess.getoutput("/usr/sbin/asterisk -V"))
    run("systemctl", "start", "asterisk.service")
    run("/usr/sbin/asterisk", "-rx", "core waitfullybooted")
    before = tree()
    wishes = ("--models", str(LENT_MODELS), "--number", NUMBER, "--phone", "PJSIP/101")
    told(PROGRAM, "install", "--dry-run", *wishes)
    told(PROGRAM, "install", "--yes", *wishes)
    told(PROGRAM, "install", "--yes", *wishes)
    told("systemctl", "show", "asterisk-agent", "--property=ActiveState,SubState,NRestarts,User")
    told("runuser", "-u", "asterisk-agent", "--", PROGRAM, "check")
    told("journalctl", "--no-pager", "--lines=3", "--output=cat", "--unit=asterisk-agent")
    probe_from_within()
    print("# A call. Heard:", asyncio.run(call()))
    run("systemctl", "stop", "asterisk-agent")
    print("# The service stopped, a call. Heard:", asyncio.run(call()))
    rescues = Path("/var/lib/asterisk-agent/rescues").read_text(encoding="utf-8").count("\n")
    print(f"# Decisions of the rescue program, started by Asterisk's user: {rescues}")
    time.sleep(3)  # until that call is gone from our dialplan
    told(PROGRAM, "uninstall", "--yes", "--purge")
    after = tree()
    differs = sorted({path for path in before | after if before.get(path) != after.get(path)})
    print(f"# {len(before)} files and folders before, {len(after)} after; changed: {len(differs)}")
    for path in differs:
        print(f"  {path}: {before.get(path, 'not there')} -> {after.get(path, 'not there')}")
    return 1 if differs else 0


def probe_from_within() -> None:
    """Try to send a packet to another machine, as a process of the service's own control group."""
    group = Path("/sys/fs/cgroup/system.slice/asterisk-agent.service/cgroup.procs")
    command = ["runuser", "-u", "asterisk-agent", "--", "/usr/bin/python3", "-c", PROBE]
    print(f"# A packet from the service's control group ({ELSEWHERE} counts as another machine):")
    subprocess.run(command, check=False, preexec_fn=lambda: group.write_text(str(os.getpid())))


def make_machine() -> None:
    """Debian with systemd and Asterisk, and our package under /opt."""
    run("mount", "-t", "tmpfs", "-o", "size=6g", "tmpfs", "/mnt")
    from asterisk_agent.config.paths import models_directory
    from asterisk_agent.sandbox.distribution import fetched

    models, distribution = models_directory().resolve(), fetched()
    assert distribution is not None, "run scripts/setup"
    pbx = Path(distribution.command[-1]).parents[2]
    packages = shared_packages()
    for part in OVERLAID:
        upper, work = Path(f"/mnt/{part}.upper"), Path(f"/mnt/{part}.work")
        upper.mkdir()
        work.mkdir()
        options = f"lowerdir=/{part},upperdir={upper},workdir={work}"
        run("mount", "-t", "overlay", "overlay", "-o", options, f"/{part}")
    for source, target in ((pbx, PBX), (models, LENT_MODELS), (packages, LENT_PACKAGES)):
        target.mkdir()
        run("mount", "--bind", str(source), str(target))
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    subprocess.run(["umount", "--recursive", "/sys/fs/cgroup"], check=False)
    run("mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup")
    run("ip", "link", "set", "lo", "up")
    run("ip", "address", "add", f"{ELSEWHERE}/32", "dev", "lo")
    run("systemd-machine-id-setup")
    install_asterisk()
    install_package()


def install_asterisk() -> None:
    """As Debian's package does: program, modules, files, unit, user, folders."""
    libraries = next(PBX.glob("usr/lib/*-linux-gnu"))
    modules = Path("/") / libraries.relative_to(PBX) / "asterisk"
    modules.symlink_to(libraries / "asterisk")
    Path("/usr/share/asterisk").symlink_to(PBX / "usr/share/asterisk")
    loader = next(libraries.glob("ld-linux*.so.*"))
    program = Path("/usr/sbin/asterisk")
    inner = PBX / "usr/sbin/asterisk"
    program.write_text(f'#!/bin/sh\nexec {loader} --library-path {libraries} {inner} "$@"\n')
    program.chmod(0o755)
    shutil.copy(PBX / "usr/lib/systemd/system/asterisk.service", "/etc/systemd/system")
    run("useradd", "--system", "--user-group", "--home-dir", "/var/lib/asterisk", "asterisk")
    shutil.copytree(PBX / "etc/asterisk", "/etc/asterisk")
    for place in ("/var/lib/asterisk", "/var/spool/asterisk", "/var/log/asterisk"):
        if (PBX / place[1:]).exists():
            shutil.copytree(PBX / place[1:], place, dirs_exist_ok=True)
        Path(place).mkdir(exist_ok=True)
        run("chown", "-R", "asterisk:asterisk", place)
    Path("/run/asterisk").mkdir()
    run("chown", "asterisk:asterisk", "/run/asterisk")
    with open("/etc/asterisk/pjsip.conf", "a", encoding="utf-8") as file:
        file.write(PJSIP)
    with open("/etc/asterisk/extensions.conf", "a", encoding="utf-8") as file:
        file.write("\n[from-trunk]\ninclude => asterisk-agent\n")
    run("chown", "-R", "root:asterisk", "/etc/asterisk")


def install_package() -> None:
    """From a wheel of this tree; its dependencies are lent, since there is no network."""
    environment = Path("/opt/asterisk-agent/.venv")
    run("python3", "-m", "venv", str(environment))
    packages = next(environment.glob("lib/python3*/site-packages"))
    (packages / "lent.pth").write_text(f"{LENT_PACKAGES}\n")
    copy = Path("/opt/asterisk-agent/source")
    kept = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "build", "*.egg-info")
    shutil.copytree(SOURCE, copy, ignore=kept)
    pip = (str(environment / "bin/pip"), "install", "--quiet", "--no-deps", "--no-build-isolation")
    run(*pip, str(copy))
    shutil.rmtree(copy)
    Path(PROGRAM).symlink_to(environment / "bin/asterisk-agent")


async def call() -> str:
    """What a caller hears at first, as text."""
    from asterisk_agent.engines.loader import load_recognizer
    from asterisk_agent.sandbox.phone import Phone

    async with Phone("caller", log=Path("/run/sip.log")) as phone:
        await phone.dial(f"sip:{NUMBER}@127.0.0.1:5060")
        await phone.wait_for("connected", timeout_s=15)
        await phone.wait_for_sound(15)
        await phone.wait_for_quiet(1.5, timeout_s=30)
        session = load_recognizer().session()
        session.feed(phone.heard())
        return f"“{session.result().text}”"


def tree() -> dict[str, str]:
    """Every file, link and folder below /etc and /var: mode, owner, time, content."""
    from install_site import tree as tree_of

    found = {}
    for part in ("etc", "var"):
        for name, what in tree_of(Path("/") / part).items():
            if not NOT_COMPARED.match(path := f"/{part}/{name}"):
                found[path] = what
    return found


def told(*words: str) -> None:
    """Run a command, and show it with what it says."""
    print(f"$ {' '.join(words)}")
    done = subprocess.run(words, check=False)
    print(f"# exit status {done.returncode}")


def shared_packages() -> Path:
    """The packages that this tree's environment sees."""
    import numpy as np

    return Path(np.__file__).parents[1]


def run(*command: str) -> None:
    """A step of the preparation, which must succeed."""
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
