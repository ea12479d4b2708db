"""Users, throttle, audit: the parts behind the door."""

import pytest
from web_console import NOW, PASSWORD, QUICK

from asterisk_agent.errors import AgentError
from asterisk_agent.web.audit import MAX_BYTES, Audit, differences
from asterisk_agent.web.throttle import FORGET_S, LONGEST_S, MOST_KEYS, Throttle
from asterisk_agent.web.users import Role, Users


def test_a_password_opens_for_its_own_user_alone(tmp_path):
    users = Users(tmp_path, QUICK)
    users.put("anna", PASSWORD, Role.EDIT)
    users.put("vera", PASSWORD + "!", Role.VIEW)
    assert users.check("anna", PASSWORD).role is Role.EDIT
    assert users.check("vera", PASSWORD) is None
    assert users.check("nobody", PASSWORD) is None
    assert users.check("anna", "") is None
    assert users.all()["anna"].hash != users.all()["vera"].hash


def test_another_process_may_change_the_file(tmp_path):
    console, command = Users(tmp_path, QUICK), Users(tmp_path, QUICK)
    assert console.all() == {}
    command.put("anna", PASSWORD, Role.EDIT)
    before = console.all()["anna"].mark
    command.put("anna", PASSWORD + "!", Role.EDIT)
    assert console.all()["anna"].mark != before
    command.remove("anna")
    assert console.all() == {}
    with pytest.raises(AgentError, match="nobody is called"):
        command.remove("anna")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"anna": {}}', '{"anna": {"hash": "x"}}', "\0"])
def test_with_a_broken_file_nobody_gets_in(tmp_path, text):
    (tmp_path / "users.json").write_text(text)
    users = Users(tmp_path, QUICK)
    assert users.all() == {}
    assert users.check("anna", PASSWORD) is None


def test_a_broken_hash_is_nobodys(tmp_path):
    (tmp_path / "users.json").write_text('{"anna": {"hash": "x", "role": "edit"}}')
    assert Users(tmp_path, QUICK).check("anna", "x") is None


@pytest.mark.parametrize("name", ["", "Anna", "1st", "an na", "x" * 40, "å", "a/b", "anna\n"])
def test_a_users_name_is_plain(tmp_path, name):
    with pytest.raises(AgentError, match="no user's name"):
        Users(tmp_path, QUICK).put(name, PASSWORD, Role.EDIT)


@pytest.mark.parametrize("password", ["", "short", "x" * 201, "tab\tin the middle"])
def test_a_password_has_a_sane_length(tmp_path, password):
    with pytest.raises(AgentError, match="10 to 200 printable"):
        Users(tmp_path, QUICK).put("anna", password, Role.EDIT)


def test_each_failure_behind_the_fifth_doubles_the_wait():
    throttle, keys = Throttle(), ("user anna", "address ::1")
    waits = []
    for _ in range(16):
        waits.append(throttle.wait_s(keys, 0))
        throttle.failed(keys, 0)
    assert waits == [0] * 5 + [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert throttle.wait_s(("user vera", "address ::1"), 0) == LONGEST_S
    assert throttle.wait_s(("user vera",), 0) == 0
    assert throttle.wait_s(keys, LONGEST_S) == 0
    throttle.failed(keys, FORGET_S + 1)
    assert throttle.wait_s(keys, FORGET_S + 1) == 0
    throttle.succeeded(keys)
    assert throttle.wait_s(keys, 0) == 0


def test_many_names_do_not_fill_the_memory():
    throttle = Throttle()
    for number in range(MOST_KEYS + 10):
        throttle.failed((f"user {number}",), 0)
    assert len(throttle._failures) == MOST_KEYS


def test_changes_are_kept_newest_first_and_the_file_does_not_grow_for_ever(tmp_path):
    audit = Audit(tmp_path, lambda: NOW)
    assert audit.latest() == []
    audit.note("anna", "changed", "channels.yaml hours.yaml", "-a\n+b")
    audit.note("vera", "signed in")
    assert [change.user for change in audit.latest()] == ["vera", "anna"]
    assert audit.last_on("hours.yaml teams.yaml").user == "anna"
    assert audit.last_on("agent.yaml") is None
    file = tmp_path / "changes.jsonl"
    file.write_text(file.read_text() + "no JSON\n{}\n" + "x" * MAX_BYTES + "\n")
    audit.note("anna", "again")
    assert [change.what for change in audit.latest()] == ["again"]
    assert (tmp_path / "changes.jsonl.1").exists()


def test_a_change_is_told_as_a_diff():
    told = differences({"a.yaml": b"one\ntwo\n"}, {"a.yaml": b"one\n2\n", "b.md": b"new\n"})
    assert "-two\n+2" in told
    assert "+new" in told
