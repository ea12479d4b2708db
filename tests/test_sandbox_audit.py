"""What scripts/check says of the packages' vulnerabilities and licences."""

import sys
from pathlib import Path

import pytest

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox import audit

ROOT = Path(__file__).parent.parent
SOUND = '{"dependencies": [{"name": "jinja2", "version": "3.1.2", "vulns": []}]}'
FLAWED = SOUND.replace("[]}]", '[{"id": "PYSEC-1", "fix_versions": ["3.1.3"]}]}]')
NO_HASH = "0" * 64
"""What the canary has for a hash."""
UNKNOWN = '{"dependencies": [{"name": "jinja2", "skip_reason": "not found"}]}'


@pytest.fixture
def pip_audit(tmp_path, monkeypatch):
    """A pip-audit that answers by shell: the index asked is $service, the file $file."""

    def answers(body: str) -> None:
        fake = tmp_path / "python"
        fake.write_text(
            "#!/bin/sh\n"
            'while [ $# -gt 0 ]; do case "$1" in'
            " --vulnerability-service) service=$2 ;; -r) file=$2 ;; esac; shift; done\n"
            f"{body}\n"
        )
        fake.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(fake))

    return answers


@pytest.mark.parametrize(
    "body", ["exit 1", f"echo '{UNKNOWN}'", f"echo '{SOUND}'", "echo '[]'", "echo; exit 0"]
)
def test_an_index_that_does_not_know_the_canary_is_not_believed(pip_audit, body, capsys):
    pip_audit(body)
    assert audit.main(ROOT) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert "no index of advisories can be reached" in first
    assert last.startswith("audit: licences of ")


def test_an_index_that_hangs_costs_seconds(pip_audit, monkeypatch):
    monkeypatch.setattr(audit, "PROBE_LIMIT_S", 0.1)
    pip_audit("exec sleep 60")
    assert audit.vulnerabilities({}) is None


def test_a_vulnerable_package_fails_the_check(pip_audit, capsys):
    pip_audit(f"[ $service = osv ] && echo '{FLAWED}'; exit 1")
    assert audit.main(ROOT) == 1
    said = capsys.readouterr().out
    assert said == "audit: is vulnerable: jinja2 3.1.2: PYSEC-1 (mended in 3.1.3)\n"


def test_sound_packages_pass(pip_audit, capsys):
    pip_audit(f"grep -q {NO_HASH} $file && echo '{FLAWED}' || echo '{SOUND}'")
    assert audit.main(ROOT) == 0
    assert "vulnerabilities and licences of " in capsys.readouterr().out


def test_an_index_that_stops_answering_is_said(pip_audit):
    pip_audit(f"grep -q {NO_HASH} $file && echo '{FLAWED}'")
    with pytest.raises(SandboxError, match="stopped answering"):
        audit.vulnerabilities({"a": "a==1 \\\n    --hash=sha256:11\n"})


def test_an_unknown_licence_fails_the_check(pip_audit, monkeypatch, capsys):
    pip_audit("exit 1")
    monkeypatch.setattr(audit, "problems", lambda _: ["new-package: no licence"])
    assert audit.main(ROOT) == 1
    assert "new-package: no licence" in capsys.readouterr().out
