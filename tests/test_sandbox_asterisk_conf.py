from dataclasses import replace
from pathlib import Path

import pytest

from asterisk_agent.sandbox.asterisk_conf import (
    Directories,
    Plan,
    files,
    module_names,
)


@pytest.fixture
def plan(tmp_path) -> Plan:
    directories = Directories(
        *(tmp_path / name for name in ("etc", "data", "lib", "spool", "run", "log"))
    )
    modules = tmp_path / "modules"
    modules.mkdir()
    for name in ("chan_pjsip", "func_cut", "func_odbc", "app_voicemail", "app_voicemail_odbc"):
        (modules / f"{name}.so").touch()
    return Plan(
        directories=directories,
        modules=modules,
        sip_port=21000,
        ami_port=21001,
        ami_secret="s3cret",
        members={"101": "pw101", "102": "pw102"},
        generated=Path("/generated"),
    )


def test_loads_only_what_is_wanted_and_there(plan):
    assert module_names(plan.modules) == ["app_voicemail", "chan_pjsip", "func_cut"]
    assert files(plan)["modules.conf"] == (
        "[modules]\nautoload=no\nload=app_voicemail.so\nload=chan_pjsip.so\nload=func_cut.so\n"
    )


def test_everything_listens_on_loopback(plan):
    written = files(plan)
    assert "bind=127.0.0.1:21000" in written["pjsip.conf"]
    assert "bindaddr=127.0.0.1\nport=21001" in written["manager.conf"]
    assert "enabled=no" in written["http.conf"]
    assert not any("0.0.0.0:" in text for text in written.values())


def test_manager_has_the_least_rights(plan):
    manager = files(plan)["manager.conf"]
    # system: to reload the dialplan and the queues.
    assert "read=call,agent,user\nwrite=call,reporting,user,system\n" in manager
    assert "deny=0.0.0.0/0.0.0.0\npermit=127.0.0.1/255.255.255.255\n" in manager


def test_each_member_has_an_account(plan):
    pjsip = files(plan)["pjsip.conf"]
    assert pjsip.count("[101]\n") == pjsip.count("[102]\n") == 3
    assert "username=102\npassword=pw102" in pjsip


def test_generated_files_are_included(plan):
    written = files(plan)
    for name in ("extensions.conf", "queues.conf", "voicemail.conf"):
        assert f'#include "/generated/{name}"' in written[name]
    assert (
        "include => asterisk-agent\ninclude => asterisk-agent-unknown"
        in (written["extensions.conf"])
    )


def test_without_generated_files_nothing_is_included(plan):
    bare = Plan(plan.directories, plan.modules, 21000, 21001, "s3cret")
    assert not any("include" in text for text in files(bare).values())


def test_a_clock_that_is_put_forward_ends_no_registration(plan):
    assert "expiration" not in files(plan)["pjsip.conf"]
    lasting = files(replace(plan, moving_clock=True))["pjsip.conf"]
    assert lasting.count("minimum_expiration=315360000\n") == len(plan.members)
