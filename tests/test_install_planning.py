"""The plan, and taking it: every step once, in a safe order, undone by what was written down."""

import json
import os
from pathlib import Path

import pytest
from install_site import OLD_NS, STOCK, installer, make_root, site_of, tree

from asterisk_agent.config.load import load
from asterisk_agent.errors import ConfigError, InstallError
from asterisk_agent.install import files
from asterisk_agent.install.lines import includes
from asterisk_agent.install.machine import Ran
from asterisk_agent.install.planning import notes, plan
from asterisk_agent.install.steps import Line

ETC = Path("etc/asterisk")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def pbx(tmp_path):
    return installer(tmp_path)


def kinds(root):
    return [type(step).__name__ for step in plan(site_of(root)) if step.needed]


def test_what_is_included_comes_before_the_line(tmp_path):
    order = kinds(make_root(tmp_path))
    assert order.index("Generate") < order.index("Line") < order.index("Reload")
    assert order[-1] == "File", "the unit, last"


def test_a_plan_changes_nothing(tmp_path):
    root = make_root(tmp_path)
    before = tree(root)
    plan(site_of(root))
    assert tree(root) == before


def test_an_installation_leads_asterisk_to_our_files(pbx):
    assert pbx.install()
    etc = pbx.root / ETC
    for name in ("extensions", "queues", "voicemail"):
        content = (etc / f"{name}.conf").read_bytes()
        assert content.startswith(STOCK[f"{name}.conf"])
        assert includes(content, etc / "agent" / f"{name}.conf", etc)
        assert files.has(etc / f"{name}.conf", None, 0o640)
    assert (etc / "manager.conf").read_bytes() == STOCK["manager.conf"], "it includes manager.d"
    account = (etc / "manager.d/asterisk-agent.conf").read_text()
    secret = (pbx.root / "etc/asterisk-agent/ami.secret").read_text().strip()
    assert len(secret) >= 32
    assert f"\nsecret = {secret}\n" in account
    assert "[general]" not in account, "the interface was switched on already"
    assert [line for line in pbx.run.said if " -rx " in line][1:5] == [
        f"{pbx.root}/usr/sbin/asterisk -rx {what}"
        for what in ("manager reload", "dialplan reload", "queue reload all", "voicemail reload")
    ]


def test_the_starting_configuration_is_good(pbx):
    pbx.install()
    config = load(pbx.root / "etc/asterisk-agent")
    assert config.asterisk.dialplan == str(pbx.root / "etc/asterisk/agent")
    assert config.state_directory == pbx.root / "var/lib/asterisk-agent"
    assert [channel.number for channel in config.channels.values()] == [("+10000000000",)]


def test_the_start_may_be_told(tmp_path):
    root = make_root(tmp_path, {**STOCK, "manager.conf": b"[general]\nenabled=yes\nport=5099\n"})
    (root / "etc/timezone").write_text("Europe/Oslo\n")
    config = site_of(root, number="+4721000000", phone="PJSIP/7").config
    assert config.channels["main"].number == ("+4721000000",)
    assert config.teams["office"].members == ("PJSIP/7",)
    assert config.timezone == "Europe/Oslo"
    assert config.asterisk.ami.port == 5099


def test_secrets_are_for_those_who_need_them(pbx):
    pbx.install()
    for path, mode in (
        ("etc/asterisk-agent", 0o750),
        ("etc/asterisk-agent/ami.secret", 0o640),
        ("etc/asterisk/manager.d/asterisk-agent.conf", 0o640),
        ("var/lib/asterisk-agent", 0o710),
        ("var/lib/asterisk-agent/overrides", 0o2770),
        ("etc/asterisk/agent", 0o2750),
        ("var/backups/asterisk-agent", 0o700),
        ("var/backups/asterisk-agent/ledger.json", 0o600),
    ):
        assert files.has(pbx.root / path, None, mode), path


def test_a_second_time_changes_nothing(pbx):
    pbx.install()
    before = tree(pbx.root)
    pbx.run.said.clear()
    assert not pbx.install()
    assert tree(pbx.root) == before
    assert not any(" reload" in line for line in pbx.run.said)


def test_an_existing_configuration_is_never_overwritten(pbx):
    pbx.install()
    channels = pbx.root / "etc/asterisk-agent/channels.yaml"
    channels.write_text(channels.read_text().replace("+10000000000", "+4721000000"))
    secret = (pbx.root / "etc/asterisk-agent/ami.secret").read_bytes()
    pbx.install()
    assert "+4721000000" in channels.read_text()
    assert (pbx.root / "etc/asterisk-agent/ami.secret").read_bytes() == secret


def test_a_broken_configuration_is_told_and_nothing_is_done(pbx):
    folder = pbx.root / "etc/asterisk-agent"
    folder.mkdir()
    (folder / "agent.yaml").write_text("agent: {}\n")
    before = tree(pbx.root)
    with pytest.raises(ConfigError, match=r"agent\.yaml"):
        pbx.install()
    assert tree(pbx.root) == before


def test_everything_is_as_before_afterwards(pbx):
    before = tree(pbx.root)
    pbx.install()
    assert tree(pbx.root) != before
    pbx.uninstall(purge=True)
    assert tree(pbx.root) == before


def test_configuration_and_calls_stay_unless_told_otherwise(pbx):
    before = tree(pbx.root)
    pbx.install()
    (pbx.root / "var/lib/asterisk-agent/calls.db").write_text("calls")
    pbx.uninstall()
    after = tree(pbx.root)
    assert {name: after[name] for name in before} == before
    left = set(after) - set(before)
    assert {"etc/asterisk-agent/channels.yaml", "var/lib/asterisk-agent/calls.db"} <= left
    assert not any(name.startswith("etc/asterisk/") for name in left)
    assert pbx.install(), "it can be installed again"
    pbx.uninstall()
    pbx.uninstall(purge=True)
    assert tree(pbx.root) == before


def test_out_of_a_changed_file_our_line_alone_is_taken(pbx):
    pbx.install()
    extensions = pbx.root / ETC / "extensions.conf"
    with extensions.open("ab") as file:
        file.write(b"[mine]\nexten => 2,1,Hangup()\n")
    pbx.uninstall()
    assert extensions.read_bytes() == STOCK["extensions.conf"] + b"[mine]\nexten => 2,1,Hangup()\n"
    assert any("was changed since" in note for note in pbx.notes)


def test_a_line_that_was_there_stays(tmp_path):
    mine = STOCK["extensions.conf"] + b"#tryinclude agent/extensions.conf\n"
    pbx = installer(tmp_path, {**STOCK, "extensions.conf": mine})
    pbx.install()
    assert (pbx.root / ETC / "extensions.conf").read_bytes() == mine
    pbx.uninstall()
    assert (pbx.root / ETC / "extensions.conf").read_bytes() == mine


def test_a_line_in_a_file_that_is_included_counts(tmp_path):
    stock = {
        **STOCK,
        "extensions.conf": b"[x]\n#include site.d/*.conf\n",
        "site.d/agent.conf": b"#include agent/extensions.conf\n",
    }
    steps = plan(site_of(make_root(tmp_path, stock)))
    needed = [step.target.name for step in steps if isinstance(step, Line) and step.needed]
    assert needed == ["queues.conf", "voicemail.conf"]


def test_freepbx_gets_the_line_where_it_leaves_it_alone(tmp_path):
    stock = {
        **STOCK,
        "extensions.conf": b"#include extensions_other.conf\n#include extensions_custom.conf\n",
        "extensions_custom.conf": b"; mine\n",
        "manager.conf": b"[general]\nenabled = yes\n#include manager_custom.conf\n",
        "manager_custom.conf": b"",
    }
    pbx = installer(tmp_path, stock)
    pbx.install()
    etc = pbx.root / ETC
    assert (etc / "extensions.conf").read_bytes() == stock["extensions.conf"]
    assert includes(
        (etc / "extensions_custom.conf").read_bytes(), etc / "agent/extensions.conf", etc
    )
    account = etc / "asterisk-agent-manager.conf"
    assert includes((etc / "manager_custom.conf").read_bytes(), account, etc)
    assert account.exists()
    pbx.uninstall()
    assert (etc / "extensions_custom.conf").read_bytes() == b"; mine\n"


def test_a_file_behind_a_link_is_changed_there(tmp_path):
    pbx = installer(tmp_path)
    real = pbx.root / "etc/elsewhere.conf"
    link = pbx.root / ETC / "extensions.conf"
    link.rename(real)
    link.symlink_to(real)
    before = tree(pbx.root)
    pbx.install()
    assert link.is_symlink()
    assert b"#tryinclude" in real.read_bytes()
    pbx.uninstall(purge=True)
    assert tree(pbx.root) == before


def test_files_that_asterisk_lacks_are_made_and_go_again(tmp_path):
    pbx = installer(tmp_path, {"asterisk.conf": b""})
    pbx.install()
    etc = pbx.root / ETC
    assert includes((etc / "queues.conf").read_bytes(), etc / "agent/queues.conf", etc)
    account = (etc / "asterisk-agent-manager.conf").read_text()
    assert "[general]\nenabled = yes\nbindaddr = 127.0.0.1\n" in account
    pbx.uninstall()
    assert sorted(path.name for path in etc.iterdir()) == ["asterisk.conf"]


def test_the_manager_is_switched_on_without_a_change_to_its_lines(tmp_path):
    manager = b"[general]\nenabled = no\nbindaddr = 0.0.0.0\n"
    pbx = installer(tmp_path, {**STOCK, "manager.conf": manager})
    assert any("manager interface is off" in note for note in notes(site_of(pbx.root)))
    pbx.install()
    account = (pbx.root / ETC / "asterisk-agent-manager.conf").read_text()
    assert "[general](+)\nenabled = yes\nbindaddr = 127.0.0.1\n" in account
    assert (pbx.root / ETC / "manager.conf").read_bytes().startswith(manager)
    assert not pbx.install()


def test_an_account_that_was_made_by_hand_is_left_alone(tmp_path):
    manager = b"[general]\nenabled = yes\n[asterisk-agent]\nsecret = x\n"
    pbx = installer(tmp_path, {**STOCK, "manager.conf": manager})
    assert any("left as it is" in note for note in notes(site_of(pbx.root)))
    pbx.install()
    assert (pbx.root / ETC / "manager.conf").read_bytes() == manager
    assert not (pbx.root / "etc/asterisk-agent/ami.secret").exists()


def test_a_comment_without_an_end_is_told_before_anything_is_done(tmp_path):
    pbx = installer(tmp_path, {**STOCK, "queues.conf": b"[general]\n;-- old\n[x]\n"})
    before = tree(pbx.root)
    with pytest.raises(InstallError, match=r"queues\.conf: the comment that begins in line 2"):
        pbx.install()
    assert tree(pbx.root) == before


def test_without_asterisk_there_is_nothing_to_install_on(tmp_path):
    (tmp_path / "root").mkdir()
    with pytest.raises(InstallError, match="no configuration of Asterisk") as caught:
        plan(site_of(tmp_path / "root"))
    assert "--asterisk-etc" in caught.value.hint


@pytest.mark.parametrize("at", range(1, 40, 2))
def test_an_interrupted_installation_can_be_undone_or_gone_on_with(tmp_path, monkeypatch, at):
    pbx = installer(tmp_path)
    before = tree(pbx.root)
    left = at

    class Interrupt(BaseException):
        pass

    def then(real):
        def wrapped(*arguments, **options):
            nonlocal left
            left -= 1
            if left == 0:
                raise Interrupt
            return real(*arguments, **options)

        return wrapped

    with monkeypatch.context() as patched:
        for name in ("write", "edit", "make_folder"):
            patched.setattr(files, name, then(getattr(files, name)))
        with pytest.raises(Interrupt):
            pbx.install()
    if at % 4 == 1:
        assert pbx.install()
        assert not pbx.install()
        done = json.loads((pbx.root / "var/backups/asterisk-agent/ledger.json").read_text())
        assert not done["reload_due"]
    if (pbx.root / "var/backups/asterisk-agent/ledger.json").exists():
        pbx.uninstall(purge=True)
        assert tree(pbx.root) == before
    else:
        assert {name for name in tree(pbx.root) if "backups" not in name} == set(before)


def test_where_asterisk_does_not_take_it_its_files_come_back(pbx):
    before = tree(pbx.root / ETC)
    pbx.run.answers["dialplan show"] = Ran(0, "There is no existence of 'asterisk-agent' context\n")
    with pytest.raises(InstallError, match="did not take our dialplan over"):
        pbx.install()
    after = tree(pbx.root / ETC)
    assert {name: after[name] for name in before} == before
    pbx.run.answers.clear()
    assert pbx.install()


def test_an_asterisk_that_does_not_run_is_told(pbx):
    pbx.run.answers["core show uptime"] = Ran(1, "", "Unable to connect to remote asterisk")
    pbx.install()
    assert pbx.notes == ["Asterisk does not run; it reads its files when it starts."]


def test_a_command_that_fails_is_told_and_the_rest_waits(pbx):
    pbx.run.answers["models pull"] = Ran(1, "", "no route to host")
    with pytest.raises(InstallError, match=r"could not fetch the models.*no route to host"):
        pbx.install()
    assert not any("#tryinclude" in path.read_text() for path in (pbx.root / ETC).glob("e*.conf"))


def test_callers_are_not_left_in_a_dialplan_that_goes(pbx):
    pbx.install()
    row = "PJSIP/t-1!agent-ask!do-agent!6!Up!TryExec!…!1!!!3!9!!1.1\n"
    pbx.run.answers["core show channels"] = Ran(0, row)
    before = tree(pbx.root)
    with pytest.raises(InstallError, match="1 channels are in our dialplan now"):
        pbx.uninstall()
    assert tree(pbx.root) == before
    pbx.uninstall(force=True)
    assert b"#tryinclude" not in (pbx.root / ETC / "extensions.conf").read_bytes()


def test_without_a_ledger_there_is_nothing_to_undo(pbx):
    with pytest.raises(InstallError, match="nothing is on record"):
        pbx.uninstall()


def test_a_ledger_that_was_damaged_is_told(pbx):
    pbx.install()
    (pbx.root / "var/backups/asterisk-agent/ledger.json").write_text('{"version": 7}')
    with pytest.raises(InstallError, match="cannot be understood: version 7, expected 1"):
        pbx.uninstall()


def test_a_copy_that_was_damaged_is_told(pbx):
    pbx.install()
    (copy,) = (pbx.root / "var/backups/asterisk-agent").glob("*-extensions.conf")
    copy.write_text("other")
    with pytest.raises(InstallError, match=r"the copy of .*extensions\.conf .* is not whole"):
        pbx.uninstall()


def test_generated_files_of_somebody_else_come_back(pbx):
    mine = pbx.root / ETC / "agent" / "queues.conf"
    mine.parent.mkdir(mode=0o755)
    mine.write_text("; by hand\n")
    os.utime(mine, ns=(OLD_NS, OLD_NS))
    before = tree(pbx.root)

    pbx.run.overwrites = mine
    pbx.install()
    assert mine.read_text() == "; generated\n"
    pbx.uninstall(purge=True)
    assert tree(pbx.root) == before


def test_a_root_of_its_own_keeps_to_itself(tmp_path):
    root = make_root(tmp_path)
    folder = root / "etc/asterisk-agent"
    folder.mkdir()
    site = site_of(make_root(tmp_path / "other"))
    for name, content in site.starting.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with pytest.raises(InstallError, match=r"asterisk\.dialplan is .*, which is not in"):
        site_of(root)
