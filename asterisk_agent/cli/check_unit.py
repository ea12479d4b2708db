"""What ``check`` asks systemd: does the service run, and can it reach nothing but this machine?"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from asterisk_agent.cli.findings import Finding, Report
from asterisk_agent.install.places import UNIT

SYSTEMD_RUNS = Path("/run/systemd/system")
LIMIT_S = 5.0
ASKED = ("LoadState", "ActiveState", "IPAddressDeny", "IPAddressAllow")
EVERYTHING = {"0.0.0.0/0", "::/0"}
LOCAL = {"127.0.0.0/8", "::1/128"}

Ask = Callable[[], Mapping[str, str]]
"""The unit's properties; {} where nobody can be asked."""


def check_unit(report: Report, ask: Ask | None = None) -> None:
    """Note what the kernel lets the service reach; nothing where systemd has no such unit."""
    told = (ask or show)()
    if told.get("LoadState") != "loaded":
        return
    if told.get("ActiveState") != "active":
        problem = f"{UNIT} is {told.get('ActiveState') or 'unknown'}"
        hint = f"journalctl -u {UNIT} tells why; systemctl start {UNIT}"
        report.warnings.append(Finding("systemd", problem, hint))
    denied = set(told.get("IPAddressDeny", "").split())
    others = sorted(set(told.get("IPAddressAllow", "").split()) - LOCAL)
    if not denied >= EVERYTHING:
        report.warnings.append(
            Finding(
                "systemd",
                f"nothing keeps {UNIT} from other machines",
                "run: sudo asterisk-agent install, which writes a unit with IPAddressDeny=any",
            )
        )
    elif others:
        report.checked.append(f"the kernel keeps {UNIT} on this machine and {', '.join(others)}")
    else:
        report.checked.append(f"the kernel lets no packet of {UNIT} leave this machine")


def show() -> Mapping[str, str]:
    """Ask systemd."""
    if not SYSTEMD_RUNS.is_dir() or shutil.which("systemctl") is None:
        return {}
    try:
        done = subprocess.run(
            ["systemctl", "show", UNIT, f"--property={','.join(ASKED)}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
