"""``asterisk-agent dialplan``: what it writes, what it tells, and how it ends."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from asterisk_agent import dialplan
from asterisk_agent.cli import dialplan as commands  # noqa: F401 - registers them
from asterisk_agent.cli.app import app

EXAMPLE = Path(__file__).parent.parent / "etc"


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example, with everything that it writes under ``tmp_path``; nobody speaks the prompts."""
    etc = tmp_path / "etc"
    shutil.copytree(EXAMPLE, etc)
    agent = etc / "agent.yaml"
    kept = [line for line in agent.read_text().splitlines() if "ami:" not in line]
    text = "\n".join(kept) + f"\nstate: {tmp_path}/state\n"
    # Nobody listens on port 1.
    ours = f"asterisk:\n  dialplan: {tmp_path}/default\n  ami: {{port: 1}}\n"
    agent.write_text(text.replace("asterisk:\n", ours))
    (etc / "ami.secret").write_text("secret\n")
    (etc / "ami.secret").chmod(0o600)
    monkeypatch.setattr("asterisk_agent.prompts.render", lambda *_: [])
    return etc


def run(etc: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["dialplan", *arguments, "--config", str(etc)])


def test_write_and_diff(etc: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    before = run(etc, "diff", str(folder), "--json")
    assert before.exit_code == 1
    assert f"+++ {dialplan.PLAN_FILE} (new)" in json.loads(before.stdout)["diff"]
    written = run(etc, "write", str(folder), "--json")
    assert written.exit_code == 0
    changed = json.loads(written.stdout)["changed"]
    assert f"{folder}/extensions.conf" in changed
    again = run(etc, "write", str(folder))
    assert again.stdout == f"nothing has changed in {folder}\n"
    same = run(etc, "diff", str(folder))
    assert (same.exit_code, same.stdout) == (0, "")
    assert "Asterisk was not asked what it has loaded: " in same.stderr
    told = json.loads(run(etc, "diff", str(folder), "--json").stdout)
    assert told["changed"] is False
    assert told["loaded"] is None
    assert "cannot be reached at 127.0.0.1:1" in told["not_asked"]


def test_without_a_folder_it_is_the_configured_one(etc: Path, tmp_path: Path) -> None:
    assert run(etc, "write").exit_code == 0
    assert (tmp_path / "default" / "plan.json").exists()
    assert run(etc, "diff").exit_code == 0
    hours = etc / "hours.yaml"
    hours.write_text(hours.read_text().replace('"08:00-16:00"', '"08:00-15:00"'))
    changed = run(etc, "diff")
    assert changed.exit_code == 1
    assert "+ same => n,GotoIfTime(08:00-14:59,fri,*,*,America/New_York?open,1)" in changed.stdout


def test_a_folder_that_cannot_be_written(etc: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(etc, "write", str(tmp_path / "file" / "below"))
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    spaces = run(etc, "write", str(tmp_path / "two words"))
    assert spaces.exit_code == 1
    assert "cannot stand in a dialplan" in spaces.stderr
