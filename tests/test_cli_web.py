"""``web``: users of the console."""

import json

import pytest
from typer.testing import CliRunner
from web_console import PASSWORD, write_config

from asterisk_agent.cli import web
from asterisk_agent.cli.app import app
from asterisk_agent.config.load import load
from asterisk_agent.errors import AgentError
from asterisk_agent.web.users import Role, Users


@pytest.fixture
def etc(tmp_path):
    return write_config(tmp_path, web={"phones": {"anna": "PJSIP/101"}})


def run(etc, *arguments, **more):
    assert web.commands is not None
    return CliRunner().invoke(app, ["web", *arguments, "--config", str(etc)], **more)


def test_users_come_and_go(etc):
    assert "Nobody may sign in yet" in run(etc).output
    done = run(etc, "password", "anna", input=PASSWORD + "\n")
    assert done.output == "anna may sign in now, to change things.\n"
    run(etc, "password", "vera", "--role", "view", input=PASSWORD + "\n")
    users = Users(load(etc).web_directory)
    assert users.check("anna", PASSWORD).role is Role.EDIT
    assert users.check("vera", PASSWORD).role is Role.VIEW
    told = json.loads(CliRunner().invoke(app, ["web", "--json", "--config", str(etc)]).stdout)
    assert told["address"] == "http://127.0.0.1:8095"
    assert told["users"][1] == {"name": "vera", "role": "view"}
    assert "PJSIP/101" in run(etc).output
    assert run(etc, "remove", "vera").output == "vera cannot sign in any more.\n"
    assert run(etc, "remove", "vera").exit_code == 1


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [("anna", "short", "10 to 200 printable"), ("Anna!", PASSWORD, "no user's name")],
)
def test_what_is_no_password_or_name_is_refused(etc, name, password, said):
    done = run(etc, "password", name, input=password + "\n")
    assert done.exit_code == 1
    assert said in done.output
    assert PASSWORD not in done.output


def test_a_password_is_asked_for_twice(etc, monkeypatch):
    typed = iter([PASSWORD, PASSWORD + "x", PASSWORD, PASSWORD])
    monkeypatch.setattr(web.getpass, "getpass", lambda _: next(typed))
    monkeypatch.setattr(web.sys, "stdin", type("Terminal", (), {"isatty": lambda _: True})())
    with pytest.raises(AgentError, match="the two are not the same"):
        web._password("anna")
    assert web._password("anna") == PASSWORD
