"""The whole installation as root, on a machine made for it: nothing of this one is changed.

    sudo .venv/bin/python tests/fresh_machine.py

Namespaces of its own for mounts, network and processes. First of all, every file system of this
machine becomes read-only there, and the script goes on only after a look that it did. ``/etc``,
``/var``, ``/usr`` and ``/opt`` then get a layer in memory, which is gone with the last process. No
other system's process 1 is started: one would tidy up what it takes for its own. Onto this machine
come Debian's Asterisk, with Debian's files, under its own user, and this package, from a wheel,
under ``/opt``; there is no network but loopback. Then: ``install``, ``check``, a call, a call with
the service stopped, ``uninstall --purge``, and every file compared with what it was before. The
exit status is 0 if all are the same, no command failed, and both callers heard what they should:
the agent, and the mailbox's announcement. Needs iproute2 and unshare. docs/install.md tells what
it showed.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent
OVERLAID = ("etc", "var", "usr", "opt")
PROGRAM = "/usr/local/bin/asterisk-agent"
PBX = Path("/opt/asterisk-pbx")
LENT_MODELS = Path("/opt/models")
LENT_PACKAGES = Path("/opt/packages")
AS_SERVICE = (
    *("setpriv", "--reuid=asterisk-agent", "--regid=asterisk-agent", "--clear-groups"),
    *("env", "-u", "TMPDIR", "-u", "ASTERISK_AGENT_DATA", "HOME=/var/lib/asterisk-agent"),
)
NUMBER = "+15551230100"
LOOKS = 5
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
NOT_COMPARED = re.compile(
    r"/(var/(log|spool/asterisk|lib/asterisk|cache|tmp|run)(/|$)"
    r"|etc/(passwd|group|shadow|gshadow|subuid|subgid)-$|etc/\.pwd\.lock)"
)
"""Written by Asterisk while it runs, or by useradd as its own backups."""
ACCOUNTS = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")
TIME = re.compile(r" \d{19}")
"""useradd and userdel leave the same bytes, of a later time."""
AUTOLOAD = "\nautoload=yes\n"
MODULES = """\
; The private Asterisk brings several kinds of voicemail; Debian's packages bring one.
noload => app_voicemail_imap.so
noload => app_voicemail_odbc.so
"""
WRONG: list[str] = []
"""What was not as it should be."""


def main() -> int:
    """Begin in this machine, go on in the new one."""
    if sys.argv[1:] == ["inside"]:
        sys.path[:0] = [str(SOURCE)]
        make_machine()
        return prove()
    namespaces = ("--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child")
    command = ["unshare", *namespaces, sys.executable, "-u", __file__, "inside"]
    return subprocess.run(command, check=False).returncode


def lock_this_machine() -> None:
    """Make everything read-only that is mounted, in this namespace; raise unless it is."""
    run("mount", "--make-rprivate", "/")
    with open("/proc/self/mountinfo", encoding="ascii") as file:
        points = [line.split()[4] for line in file]
    for point in points:
        if not point.startswith("/proc"):
            run("mount", "--options", "remount,bind,ro", point)
    for folder in ("/", "/etc", "/home", "/opt", "/root", "/tmp", "/usr", "/var", str(SOURCE)):
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            if error.errno == errno.EROFS:
                continue
        raise SystemExit(f"{folder} is not read-only: nothing was done")


def prove() -> int:
    """What an operator would do, and what is left of it afterwards."""
    print("#", subprocess.getoutput("/usr/sbin/asterisk -V"))
    asterisk = start_asterisk()
    before = tree()
    wishes = ("--models", str(LENT_MODELS), "--number", NUMBER, "--phone", "PJSIP/101")
    told(PROGRAM, "install", "--dry-run", *wishes)
    told(PROGRAM, "install", "--yes", *wishes)
    told(PROGRAM, "install", "--yes", *wishes)
    with open("/run/service.log", "wb") as log:
        service = subprocess.Popen(
            [*AS_SERVICE, PROGRAM, "run", "--supervise"], stdout=log, stderr=log
        )
    wait_for_port(4573)
    told(*AS_SERVICE, PROGRAM, "check")
    heard("A call", "automated assistant")
    told(*AS_SERVICE, PROGRAM, "calls")
    told("/usr/sbin/asterisk", "-rx", "module show like voicemail")
    service.terminate()
    service.wait(60)
    heard("The service stopped, a call", "leave a message after the tone")
    rescues = Path("/var/lib/asterisk-agent/rescues").read_text(encoding="utf-8").count("\n")
    print(f"# Decisions of the rescue program, started by Asterisk's user: {rescues}")
    if not rescues:
        WRONG.append("the rescue program decided nothing")
    time.sleep(3)  # until that call is gone from our dialplan
    told(PROGRAM, "uninstall", "--yes", "--purge")
    print((Path("/run/service.log")).read_text(errors="replace")[-3000:])
    after = tree()
    differs = sorted({path for path in before | after if before.get(path) != after.get(path)})
    print(f"# {len(before)} files and folders before, {len(after)} after; changed: {len(differs)}")
    asterisk.terminate()
    for path in differs:
        print(f"  {path}: {before.get(path, 'not there')} -> {after.get(path, 'not there')}")
    for what in WRONG:
        print(f"# Wrong: {what}")
    return 1 if differs or WRONG else 0


def make_machine() -> None:
    """Debian with systemd and Asterisk, and our package under /opt."""
    lock_this_machine()
    run("mount", "-t", "tmpfs", "-o", "size=4g", "tmpfs", "/mnt")
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
    run("mount", "-t", "tmpfs", "tmpfs", "/dev/shm")
    os.environ |= {"TMPDIR": "/run", "HOME": "/run", "ASTERISK_AGENT_DATA": str(LENT_MODELS.parent)}
    run("ip", "link", "set", "lo", "up")
    install_asterisk()
    install_package()


def install_asterisk() -> None:
    """As Debian's package does: program, modules, files, user, folders."""
    libraries = next(PBX.glob("usr/lib/*-linux-gnu"))
    modules = Path("/") / libraries.relative_to(PBX) / "asterisk"
    modules.symlink_to(libraries / "asterisk")
    Path("/usr/share/asterisk").symlink_to(PBX / "usr/share/asterisk")
    loader = next(libraries.glob("ld-linux*.so.*"))
    program = Path("/usr/sbin/asterisk")
    inner = PBX / "usr/sbin/asterisk"
    program.write_text(f'#!/bin/sh\nexec {loader} --library-path {libraries} {inner} "$@"\n')
    program.chmod(0o755)
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
    modules_conf = Path("/etc/asterisk/modules.conf")
    stock = modules_conf.read_text(encoding="utf-8")
    assert stock.count(AUTOLOAD) == 1
    modules_conf.write_text(stock.replace(AUTOLOAD, AUTOLOAD + MODULES), encoding="utf-8")
    run("chown", "-R", "root:asterisk", "/etc/asterisk")


def install_package() -> None:
    """From a wheel of this tree; its dependencies are lent, since there is no network."""
    environment = Path("/opt/asterisk-agent/.venv")
    # One that every user may start; with the pip and setuptools that are locked, not its own.
    run("/usr/bin/python3", "-m", "venv", "--without-pip", str(environment))
    packages = next(environment.glob("lib/python3*/site-packages"))
    (packages / "lent.pth").write_text(f"{LENT_PACKAGES}\n")
    copy = Path("/opt/asterisk-agent/source")
    kept = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "build", "*.egg-info")
    shutil.copytree(SOURCE, copy, ignore=kept)
    pip = (str(environment / "bin/python"), "-m", "pip", "install", "--quiet")
    run(*pip, "--no-deps", "--no-build-isolation", str(copy))
    shutil.rmtree(copy)
    Path(PROGRAM).symlink_to(environment / "bin/asterisk-agent")


def start_asterisk() -> subprocess.Popen[bytes]:
    """As its unit does."""
    console = Path("/run/asterisk.console")
    with console.open("wb") as log:
        asterisk = subprocess.Popen(
            ["/usr/sbin/asterisk", "-f", "-U", "asterisk", "-G", "asterisk"], stdout=log, stderr=log
        )
    for _ in range(300):
        said = subprocess.getoutput("/usr/sbin/asterisk -rx 'core waitfullybooted'")
        if "fully booted" in said:
            return asterisk
        time.sleep(0.1)
    raise SystemExit(console.read_text(errors="replace")[-2000:])


def wait_for_port(port: int) -> None:
    """Until somebody listens there."""
    import psutil

    for _ in range(1200):
        if any(each.laddr.port == port for each in psutil.net_connections("tcp")):
            return
        time.sleep(0.1)
    raise SystemExit(Path("/run/service.log").read_text(errors="replace")[-2000:])


async def call() -> str:
    """What a caller hears at first, as text."""
    from asterisk_agent.engines.loader import load_recognizer
    from asterisk_agent.sandbox.phone import Phone

    async with Phone("caller", log=Path("/run/sip.log")) as phone:
        await phone.identify("+15559876543", name="Pat Caller")
        await phone.dial(f"sip:{NUMBER}@127.0.0.1:5060")
        await phone.wait_for("connected", timeout_s=15)
        await phone.wait_for_sound(15)
        await phone.wait_for_quiet(1.5, timeout_s=30)
        session = load_recognizer().session()
        session.feed(phone.heard())
        return str(session.result().text)


def tree() -> dict[str, str]:
    """Every file, link and folder below /etc and /var: mode, owner, time, content.

    Looked at again where one vanished meanwhile, as the journal of Asterisk's database does.
    """
    for _ in range(LOOKS):
        with suppress(FileNotFoundError):
            return looked_at()
        time.sleep(1)
    return looked_at()


def looked_at() -> dict[str, str]:
    """What ``tree`` tells. Raises FileNotFoundError."""
    from install_site import tree as tree_of

    found = {}
    for part in ("etc", "var"):
        for name, what in tree_of(Path("/") / part).items():
            if NOT_COMPARED.match(path := f"/{part}/{name}"):
                continue
            found[path] = TIME.sub("", what) if path in ACCOUNTS else what
    return found


def heard(when: str, expected: str) -> None:
    """Call, and show what the caller heard; part of it is expected, and no regret behind it."""
    words = asyncio.run(call())
    print(f"# {when}. Heard: “{words}”")
    if expected not in words or "nobody could" in words:
        WRONG.append(f"{when}: {expected} was not heard")


def told(*words: str) -> None:
    """Run a command that must succeed, and show it with what it says."""
    print(f"$ {' '.join(words)}")
    done = subprocess.run(words, check=False)
    print(f"# exit status {done.returncode}")
    if done.returncode != 0:
        WRONG.append(f"exit status {done.returncode} of {' '.join(words)}")


def shared_packages() -> Path:
    """The packages that this tree's environment sees."""
    import numpy as np

    return Path(np.__file__).parents[1]


def run(*command: str) -> None:
    """A step of the preparation, which must succeed."""
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
