"""Channels: the table, assigning, testing, and *Edit hand-off* with its preview."""

import json
import re
import shutil
from datetime import timedelta
from html import unescape

import pytest
from typer.testing import CliRunner
from web_console import Console, changed, form_of, token_of

from asterisk_agent.cli import main as cli
from asterisk_agent.cli.app import app
from asterisk_agent.config.load import load


@pytest.fixture
def console(tmp_path):
    return Console(tmp_path)


@pytest.fixture
def browser(console):
    with console.browser() as browser:
        yield browser


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def fields_of(browser, channel="support"):
    return form_of(browser.get(f"/channels/{channel}").text)


def save(browser, fields, channel="support"):
    return post(browser, f"/channels/{channel}", [*fields, ("do", "save")])


def post(browser, path, fields):
    from urllib.parse import urlencode

    headers = {"content-type": "application/x-www-form-urlencoded"}
    return browser.post(path, content=urlencode(fields), headers=headers)


# --- The table ----------------------------------------------------------------------------------


def test_the_table_tells_each_channels_state_and_next_change(console, browser):
    page = text_of(browser.get("/channels").text)
    assert "Customer support +15551230100 helpdesk Assigned Open Agent answers today 12:00" in page
    console.now += timedelta(hours=10)
    assert "Closed Agent answers tomorrow 08:00" in text_of(browser.get("/channels").text)
    (console.config.overrides_directory).mkdir(parents=True)
    (console.config.overrides_directory / "billing").write_text("people 0")
    assert "override: people answer until it is reset" in browser.get("/channels").text


def test_a_workspace_narrows_the_table(console, browser):
    text = console.file("channels.yaml").replace("helpdesk", "inbox", 1)
    (console.etc / "channels.yaml").write_text(text)
    page = browser.get("/channels?workspace=inbox").text
    assert 'id="channel-support"' in page
    assert 'id="channel-billing"' not in page


def test_the_agent_is_assigned_and_taken_away(console, browser):
    before = console.file("channels.yaml")
    for agent, said in (("off", "Not assigned"), ("on", "Assigned")):
        csrf = token_of(browser.get("/channels").text)
        response = post(browser, "/channels/support/agent", [("csrf", csrf), ("agent", agent)])
        assert response.headers["location"] == "/channels"
        assert f"helpdesk {said}" in text_of(browser.get("/channels").text)
        assert load(console.etc).channels["support"].agent is (agent == "on")
    assert console.file("channels.yaml") == before
    assert console.reload.begun == 2
    assert console.changes()[:2] == [
        "anna assigned the agent to support",
        "anna took the agent from support",
    ]


def test_mistakes_in_the_files_are_told_in_place_of_the_pages(console, browser):
    (console.etc / "hours.yaml").write_text("timezone: Mars/Olympus\n")
    page = text_of(browser.get("/channels").text)
    assert 'expected a time zone such as America/New_York, got "Mars/Olympus"' in page
    assert browser.get("/channels/support").status_code == 503
    assert browser.get("/health/details").status_code == 200
    assert browser.get("/calls").status_code == 200
    assert browser.get("/live").status_code == 200


# --- Editing ------------------------------------------------------------------------------------


def test_nothing_changes_where_nothing_was_changed(console, browser):
    before = [console.file(name) for name in ("channels.yaml", "hours.yaml", "teams.yaml")]
    for channel in ("support", "billing"):
        response = save(browser, fields_of(browser, channel), channel)
        assert response.headers["location"] == f"/channels?saved={channel}"
    after = [console.file(name) for name in ("channels.yaml", "hours.yaml", "teams.yaml")]
    assert after == before
    assert console.reload.begun == 0


def comments(text: str) -> list[str]:
    return re.findall(r"#.*", text)


def test_everything_can_be_changed_and_comments_stay(console, browser):
    before = {name: console.file(name) for name in ("channels.yaml", "hours.yaml", "teams.yaml")}
    fields = changed(
        fields_of(browser),
        start_2="09:00",
        end_2="15:30",
        open_answer="team",
        handoff_0="billing",
        handoff_1="support",
        handoff_2="backoffice",
        open_voicemail="billing",
        open_message="closed-now",
        closed_answer="voicemail",
        on_call="PJSIP/151",
        closed_message="nobody-free",
    )
    fields = [f for f in fields if f != ("on_call_for", "urgent")]
    fields = [(n, "We are shut." if n == "text:closed-now" else v) for n, v in fields]
    assert save(browser, fields).status_code == 303
    config = load(console.etc)
    channel = config.channels["support"]
    assert config.hours["office"].days[4] == ((540, 930),)
    assert config.hours["office"].days[0] == ((480, 720), (780, 1080))
    assert channel.in_hours.answer == "team"
    assert channel.in_hours.handoff == ("billing", "support", "backoffice")
    assert channel.in_hours.unanswered.voicemail == "billing"
    assert channel.after_hours.answer == "voicemail"
    assert channel.after_hours.on_call.dial == "PJSIP/151"
    assert channel.after_hours.on_call.purposes == ("emergency",)
    assert config.messages["closed-now"].text == "We are shut."
    for name, text in before.items():
        assert comments(console.file(name)) == comments(text), name
    billing = console.file("channels.yaml").partition("  billing:")[2]
    assert billing == before["channels.yaml"].partition("  billing:")[2]
    assert console.changes()[0] == "anna changed the hand-off of support"
    detail = console.desk.audit.latest(1)[0].detail
    assert '+    fri: ["09:00-15:30"]' in detail or "09:00-15:30" in detail
    assert console.reload.begun == 1


def test_hours_are_added_and_removed(console, browser):
    page = post(browser, "/channels/support", [*fields_of(browser), ("do", "add")])
    fields = form_of(page.text)
    assert [value for name, value in fields if name == "days"][-1] == "sat"
    assert console.reload.begun == 0
    fields = changed(fields, start_3="10:00", end_3="14:00")
    page = post(browser, "/channels/support", [*fields, ("do", "remove:1")])
    assert save(browser, form_of(page.text)).status_code == 303
    week = load(console.etc).hours["office"].days
    assert week[0] == ((480, 720),)
    assert week[5] == ((600, 840),)


def test_a_channel_gets_hours_of_its_own_or_none(console, browser):
    page = post(browser, "/channels/support", changed(fields_of(browser), hours="+new"))
    fields = changed(form_of(page.text), end_2="13:00", timezone="America/Chicago")
    assert save(browser, fields).status_code == 303
    config = load(console.etc)
    assert config.channels["support"].hours == "support"
    assert config.hours["support"].days[4] == ((480, 780),)
    assert config.hours["support"].timezone == "America/Chicago"
    assert config.hours["support"].holidays == config.hours["office"].holidays
    assert config.hours["office"].days[4] == ((480, 960),)
    assert save(browser, changed(fields_of(browser), hours="")).status_code == 303
    assert load(console.etc).channels["support"].hours is None
    assert "Always open" in browser.get("/channels/support").text


def test_an_on_call_phone_comes_and_goes(console, browser):
    fields = [*changed(fields_of(browser, "billing"), on_call="PJSIP/150")]
    assert save(browser, fields, "billing").status_code == 303
    assert load(console.etc).channels["billing"].after_hours.on_call.dial == "PJSIP/150"
    assert save(browser, changed(fields_of(browser, "billing"), on_call=""), "billing")
    assert load(console.etc).channels["billing"].after_hours.on_call is None


@pytest.mark.parametrize(
    ("new", "beside", "said"),
    [
        ({"start_0": "8 am"}, "row-0", 'Expected hours such as "08:00-12:00", got "8 am-12:00".'),
        ({"end_2": "25:00"}, "row-2", 'got "08:00-25:00"'),
        ({"end_1": ""}, "row-1", 'got "13:00-"'),
        ({"days_2": "mon"}, "rows", "mon is given twice"),
        ({"days_2": "someday"}, "rows", "expected days such as mon"),
        ({"timezone": "Oslo"}, "timezone", "Write Europe/Oslo"),
        ({"hours": "ofice", "rows_of": "ofice"}, "hours", 'did you mean "office"?'),
        ({"open_answer": "nobody"}, "open_answer", "Expected agent or team"),
        ({"handoff_0": "nobody"}, "handoff", '"nobody" is not one of the teams'),
        ({"handoff_0": "", "handoff_1": ""}, "handoff", "expected at least one team, got none"),
        ({"open_voicemail": "x"}, "open_voicemail", "is not one of the teams"),
        ({"open_message": "x"}, "open_message", "is not one of the messages"),
        ({"closed_answer": ""}, "closed_answer", "Expected agent, voicemail or team"),
        ({"closed_voicemail": "x"}, "closed_voicemail", "is not one of the teams"),
        ({"closed_message": ""}, "closed_message", "Expected an id of up to 31"),
        ({"on_call": "151"}, "on_call", "Write PJSIP/151"),
        ({"on_call": "PJSIP/1&Local/911@x"}, "on_call", "Expected a device such as PJSIP/101"),
        ({"text:closed-now": ""}, "text-closed-now", "text of 1 to 2000 printable characters"),
        ({"text:closed-now": "a\0b"}, "text-closed-now", "printable characters"),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_nothing_is_written(
    *, console, browser, new, beside, said
):
    before = [console.file(name) for name in ("channels.yaml", "hours.yaml", "teams.yaml")]
    response = save(browser, changed(fields_of(browser), **new))
    assert response.status_code == 422
    found = re.findall(r'<p class="problem" id="problem-([^"]*)">([^<]*)</p>', response.text)
    assert [(name, said.lower() in unescape(text).lower()) for name, text in found] == [
        (beside, True)
    ], found
    after = [console.file(name) for name in ("channels.yaml", "hours.yaml", "teams.yaml")]
    assert after == before
    assert console.reload.begun == 0


def test_hours_that_are_shared_say_so(browser):
    page = text_of(browser.get("/channels/support").text)
    assert "These hours also hold for Billing." in page


# --- Two editors --------------------------------------------------------------------------------


def test_the_second_editor_is_shown_the_firsts_change(console, browser):
    with console.browser("anna") as other:
        mine, theirs = fields_of(browser), fields_of(other)
        assert save(other, changed(theirs, end_2="14:00", closed_answer="voicemail"))
        response = save(browser, changed(mine, open_answer="team", closed_answer="team"))
        assert response.status_code == 409
        said = text_of(response.text)
        assert "anna changed this meanwhile" in said
        assert "Opening times : was mon-thu 08:00-12:00" in said
        assert "fri 08:00-14:00" in said
        assert "Who answers while closed : was agent, is now voicemail . You changed it too" in said
        merged = form_of(response.text)
        assert ("end", "14:00") in merged  # theirs, where I changed nothing
        assert ("open_answer", "team") in merged  # mine
        assert ("closed_answer", "team") in merged  # mine, after I was told
        assert load(console.etc).channels["support"].after_hours.answer == "voicemail"
        assert save(browser, merged).status_code == 303
    config = load(console.etc)
    assert config.hours["office"].days[4] == ((480, 840),)
    assert config.channels["support"].after_hours.answer == "team"


def test_a_file_that_was_changed_on_disk_meanwhile_is_not_overwritten(console, browser):
    fields = fields_of(browser)
    path = console.etc / "teams.yaml"
    path.write_text(path.read_text() + "# by hand\n")
    response = save(browser, changed(fields, open_answer="team"))
    assert response.status_code == 409
    assert "It was nothing in this form." in response.text
    assert path.read_text().endswith("# by hand\n")
    assert load(console.etc).channels["support"].in_hours.answer == "agent"
    assert save(browser, form_of(response.text)).status_code == 303
    assert path.read_text().endswith("# by hand\n")


@pytest.mark.parametrize("base", ["", "{", "[]", "null", '{"rows": 1}', '{"rows": [], "x": 1}'])
def test_what_a_form_began_with_is_not_trusted(console, browser, base):
    fields = changed(fields_of(browser), base=base, open_answer="team")
    assert save(browser, fields).status_code == 303
    assert load(console.etc).channels["support"].in_hours.answer == "team"


# --- Preview, route -----------------------------------------------------------------------------


def preview(browser, **new) -> str:
    fields = changed(fields_of(browser), **{k: v for k, v in new.items() if k != "at"})
    response = post(browser, "/channels/support/preview", [*fields, ("at", new.get("at", ""))])
    assert response.status_code == 200
    return text_of(response.text)


def test_the_preview_follows_the_form_and_writes_nothing(console, browser):
    told = preview(browser)
    assert told.startswith("On Friday, 06 March 2026 at 16:10 a call goes Closed")
    told = preview(browser, end_2="17:00", open_answer="team")
    assert "Open hours of fri 08:00-17:00, until Fri 06 Mar, 17:00 Team Customer support" in told
    assert "There is a mistake in the form" in preview(browser, end_2="x")
    assert "That is no date and time." in preview(browser, at="soon")
    assert "The year must be from 2000 to 2100." in preview(browser, at="1999-01-01T10:00")
    assert load(console.etc).hours["office"].days[4] == ((480, 960),)


def test_preview_test_page_and_route_agree(console, browser):
    for name in cli.COMMAND_MODULES:
        __import__(f"asterisk_agent.cli.{name}")
    times = ["2026-03-06T16:10", "2026-03-04T10:00", "2026-03-04T12:30", "2026-12-25T10:00"]
    for at in times:
        command = ["route", "+15551230100", "--at", at, "--config", str(console.etc), "--json"]
        route = json.loads(CliRunner().invoke(app, command).stdout)
        teams = {"support": "Customer support", "billing": "Billing", "backoffice": "Back office"}
        for html in (
            post(browser, "/channels/support/preview", [*fields_of(browser), ("at", at)]).text,
            browser.get(f"/channels/support/test?at={at}").text,
        ):
            shown = re.findall(
                r'<li><span class="strong">([^<]*)</span>.*?<span class="sub">([^<]*)</span></li>',
                html,
                re.S,
            )
            expected = []
            for step in route["path"]:
                kind, _, target = step["to"].partition(":")
                words = {"agent": "Agent", "on-call": "On-call phone", "goodbye": "Goodbye"}
                name = words.get(kind) or f"{kind.capitalize()} {teams[target]}"
                expected.append((name, step["when"]))
            assert [(unescape(a), unescape(b)) for a, b in shown] == expected
            assert route["state"].capitalize() in html
            assert route["because"] in unescape(html)


def test_the_test_page_tells_how_to_dial(browser):
    page = browser.get("/channels/support/test?agent=down").text
    assert 'href="tel:+15551230100"' in page
    assert "Team Customer support" in text_of(page)


def test_a_configuration_that_may_not_be_written_is_told(console, browser, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("asterisk_agent.config.edit.replace_file", refuse)
    response = save(browser, changed(fields_of(browser), open_answer="team"))
    assert response.status_code == 503
    assert "cannot be written: Permission denied" in response.text
    assert "run this as a user who may write the configuration" in response.text


def test_links_stay_links(console, browser, tmp_path):
    real = tmp_path / "elsewhere" / "channels.yaml"
    real.parent.mkdir()
    shutil.move(console.etc / "channels.yaml", real)
    (console.etc / "channels.yaml").symlink_to(real)
    assert save(browser, changed(fields_of(browser), open_answer="team")).status_code == 303
    assert (console.etc / "channels.yaml").is_symlink()
    assert "answer: team" in real.read_text()
