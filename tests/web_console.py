"""A console without a service, for tests: its pages, a signed-in browser, and a call log."""

import re
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import yaml
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from asterisk_agent.config.load import load
from asterisk_agent.records import CallLog
from asterisk_agent.web.app import application
from asterisk_agent.web.chores import Chore
from asterisk_agent.web.desk import Desk
from asterisk_agent.web.users import Role, Users

EXAMPLE = Path(__file__).parent.parent / "etc"
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""A Monday, 10:00 in New York."""
PASSWORD = "correct horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def write_config(directory: Path, **agent: object) -> Path:
    """The example configuration, with its state and its call log beside it."""
    etc = directory / "etc"
    shutil.copytree(EXAMPLE, etc)
    tree = yaml.load((etc / "agent.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    tree["state"] = str(directory / "state")
    tree["records"] = {"database": f"sqlite:///{directory / 'calls.db'}"}
    tree["asterisk"]["dialplan"] = str(directory / "dialplan")
    tree |= agent
    (etc / "agent.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    return etc


class Noted(Chore):
    """A command that is not run, but counted."""

    begun = 0

    def begin(self) -> None:
        self.begun += 1


class Console:
    """The application, its clock, and what commands it wanted to run."""

    def __init__(self, directory: Path, **agent: object) -> None:
        self.etc = write_config(directory, **agent)
        self.config = load(self.etc)
        self.now = NOW
        self.users = Users(self.config.web_directory, QUICK)
        self.users.put("anna", PASSWORD, Role.EDIT)
        self.users.put("vera", PASSWORD, Role.VIEW)
        self.seconds = 0.0
        self.reload, self.check = Noted((), lambda: self.now), Noted((), lambda: self.now)
        self.desk = Desk(
            self.config,
            lambda: self.now,
            lambda: self.seconds,
            users=self.users,
            reload=self.reload,
            check=self.check,
        )
        CallLog(self.config.records.database).close()  # the service makes it
        self.app = application(self.desk)

    @contextmanager
    def browser(self, user: str | None = "anna"):
        """A browser, signed in unless ``user`` is None."""
        base = "https://testserver" if self.desk.secure else "http://testserver"
        with TestClient(self.app, base_url=base, follow_redirects=False) as client:
            if user is not None:
                assert sign_in(client, user).status_code == 303
            yield client

    def changes(self) -> list[str]:
        """What the audit log holds, the newest first."""
        return [f"{change.user} {change.what}" for change in self.desk.audit.latest()]

    def file(self, name: str) -> str:
        return (self.etc / name).read_text(encoding="utf-8")


def sign_in(client, user="anna", password=PASSWORD, **more):
    form = {"csrf": token_of(client.get("/sign-in").text), "user": user, "password": password}
    return client.post("/sign-in", data=form | more)


def token_of(html: str) -> str:
    """The token that stands in a page's forms."""
    return re.search(r'name="csrf" value="([^"]+)"', html)[1]


def form_of(html: str, form_id: str = "edit") -> list[tuple[str, str]]:
    """The fields of a form as a browser would send them, without its buttons."""
    from html import unescape

    (body,) = re.findall(rf'<form id="{form_id}".*?</form>', html, re.S)
    fields = []
    pattern = r"<(input|select|textarea)\b([^>]*)>(.*?)(?=<(?:input|select|textarea|/form)\b)"
    for tag, attributes, inside in re.findall(pattern, body + "</form", re.S):
        found = {
            key: unescape(value) for key, value in re.findall(r'([\w:-]+)="([^"]*)"', attributes)
        }
        name, value = found.get("name"), found.get("value", "on")
        if tag == "select":
            chosen = re.findall(r"<option([^>]*) selected>([^<]*)", inside) or re.findall(
                r"<option([^>]*)>([^<]*)", inside
            )
            marked = re.search(r'value="([^"]*)"', chosen[0][0])
            value = unescape(marked[1] if marked else chosen[0][1])
        elif tag == "textarea":
            value = unescape(inside.partition("</textarea>")[0])
        elif found.get("type") == "checkbox" and " checked" not in attributes:
            continue
        if name:
            fields.append((name, value))
    return fields


def changed(fields, **new):
    """The fields with some of them set anew; ``row0_start`` sets the first ``start``."""
    found = []
    counts: dict[str, int] = {}
    for name, value in fields:
        number = counts.get(name, 0)
        counts[name] = number + 1
        key = f"{name}_{number}"
        found.append((name, new.pop(key, new.get(name, value))))
    new = {key: value for key, value in new.items() if key not in dict(fields)}
    new = {key: value for key, value in new.items() if not key.endswith(tuple("0123456789"))}
    assert not [key for key in new if key != "do"], f"the form has no {new}"
    return found + ([("do", new["do"])] if "do" in new else [])
