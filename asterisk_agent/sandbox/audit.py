"""Part of ``scripts/check``: known vulnerabilities of the locked packages, and their licences.

pip-audit asks an index of advisories, which is not to be had everywhere. It calls packages sound
that an index does not know, so it is asked first about one with a well-known flaw: only an index
that finds that one is believed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import locks
from asterisk_agent.sandbox.licences import problems

SERVICES = ("pypi", "osv")
"""Indexes of advisories, by pip-audit's names for them."""
CANARY = "jinja2==3.1.2 --hash=sha256:" + "0" * 64
"""Has had published vulnerabilities since 2024."""
PROBE_LIMIT_S = 5.0
AUDIT_LIMIT_S = 300.0
QUIET_S = 3
"""How long pip-audit waits for one answer."""


def ask(service: str, file: Path, limit_s: float) -> list[str] | None:
    """One line for each vulnerability of a requirements file; None where nobody could be asked."""
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    options += ["--vulnerability-service", service, "--timeout", str(QUIET_S), "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *options, "-r", str(file)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
        audited = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None
    return [
        f"{package['name']} {package.get('version')}: {flaw['id']}"
        f" (mended in {', '.join(flaw['fix_versions']) or 'no version yet'})"
        for package in audited
        for flaw in package.get("vulns", ())
    ]


def reachable(folder: Path) -> str | None:
    """The first index of advisories that knows the canary's flaws."""
    canary = folder / "canary.txt"
    canary.write_text(f"{CANARY}\n", encoding="utf-8")
    return next((name for name in SERVICES if ask(name, canary, PROBE_LIMIT_S)), None)


def vulnerabilities(entries: locks.Entries) -> list[str] | None:
    """One line for each known vulnerability; None where no index of advisories can be reached.

    Raises SandboxError where one answers at first, and then not.
    """
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        service = reachable(Path(folder))
        if service is None:
            return None
        found = ask(service, locks.write(Path(folder) / "locked.txt", entries), AUDIT_LIMIT_S)
    if found is None:
        raise SandboxError("the index of advisories stopped answering", hint="run it again")
    return found


def main(root: Path) -> int:
    """Exit status 1 where a package is vulnerable, or its licence is unknown or unfit."""
    try:
        entries = locks.read(root, locks.PRODUCT, locks.DEVELOPMENT)
        flaws = vulnerabilities(entries)
    except SandboxError as error:
        print(f"audit: {error.message}")
        return 1
    if flaws is None:
        print("audit: no index of advisories can be reached; vulnerabilities were not looked up")
    _say("is vulnerable", flaws or ())
    unfit = problems(entries)
    _say("has a licence that does not do", unfit)
    if flaws or unfit:
        return 1
    looked_up = "licences" if flaws is None else "vulnerabilities and licences"
    print(f"audit: {looked_up} of {len(entries)} packages: nothing to object to")
    return 0


def _say(what: str, lines: Sequence[str]) -> None:
    for line in lines:
        print(f"audit: {what}: {line}")


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[2]))
