"""The other pages: live calls, the log, insights, knowledge, health."""

import asyncio
import json
import re
from datetime import timedelta
from html import unescape
from types import SimpleNamespace

import pytest
from many_calls import LAST, fill
from prometheus_client.parser import text_string_to_metric_families
from web_console import NOW, PASSWORD, Console, token_of

from asterisk_agent.errors import AgentError
from asterisk_agent.net.control import ControlServer
from asterisk_agent.records import Question
from asterisk_agent.web import live
from asterisk_agent.web.asked import Asked
from asterisk_agent.web.chores import Chore, Ran
from asterisk_agent.web.feed import Feed, News
from asterisk_agent.web.insights import grouped
from asterisk_agent.web.knowledge import Writing, sections, with_passage
from asterisk_agent.web.sessions import Session
from asterisk_agent.web.users import Role
from asterisk_agent.wire.control import Figures, TakeOver

HEALTH = {"calls": 1, "talking": 1, "most": 8, "ready": True, "connected": True, "waiting": 2} | {
    "state": "up",
    "stopping": False,
    "records": "ok",
    "watched": "supervisor",
    "losses": 0,
    "lost_at": "",
    "lost_because": "",
    "lag_ms": 3.4,
}
CALL = {
    "id": "11111111-2222-3333-4444-555555555555",
    "channel": "support",
    "label": "Customer support",
    "caller": "+15559876543",
    "started": NOW.isoformat(),
    "stage": "agent",
    "where": "",
    "picked_up_by": None,
    "on_call": True,
    "turns": [],
    "saying": "Thank you for calling.",
    "hearing": False,
}


@pytest.fixture
def console(tmp_path):
    return Console(tmp_path, web={"phones": {"anna": "PJSIP/101"}})


@pytest.fixture
def browser(console):
    with console.browser() as browser:
        yield browser


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def story(number: int, **more):
    return {
        "id": f"{number:08d}-2222-3333-4444-555555555555",
        "channel": "support",
        "caller": "+15559876543",
        "state": "open",
        "started": (NOW - timedelta(minutes=number)).isoformat(),
        "answered": None,
        "ended": NOW.isoformat(),
        "outcome": "resolved",
        "reason": "hangup",
        "team": None,
        "picked_up_by": None,
        "turns": [],
        "path": [],
        "attempts": [],
        "events": [],
        "message": None,
        "tasks": [],
        "recording": None,
    } | more


# --- Live ---------------------------------------------------------------------------------------


def asked(console, role=Role.EDIT, user="anna"):
    session = Session(user, role, "", "token", 0, 0)
    token = console.desk.sessions.begin("anna")
    return Asked(SimpleNamespace(cookies={"session": token}), session)


async def test_a_browser_is_told_what_happens_and_no_more(console):
    """A call that is new, that changes, that ends; the service that goes and comes."""
    told = asyncio.Queue()
    done = asyncio.Event()

    async def connect(_path, _request):
        while True:
            message = await told.get()
            if message is None:
                done.set()
                raise AgentError("the service has ended")
            yield message
            done.set()

    feed = console.desk.feed = Feed(
        console.config.control_socket, console.desk.renderer.call, connect
    )
    task = asyncio.create_task(feed.run())

    async def tell(message):
        done.clear()
        told.put_nowait(message)
        await done.wait()

    events = live._events(console.desk, asked(console))

    async def next_event():
        kind, data = re.fullmatch(r"event: (\w+)\ndata: (.*)\n\n", await anext(events)).groups()
        return kind, json.loads(data)

    try:
        kind, data = await next_event()
        assert (kind, "does not answer" in data["html"]) == ("health", True)
        await tell({"health": HEALTH})
        assert "1 of 8 conversations" in (await next_event())[1]["html"]
        await tell({"health": HEALTH})  # the same: nobody is told
        await tell({"call": CALL})
        kind, data = await next_event()
        assert (kind, data["id"]) == ("new", CALL["id"])
        assert 'name="csrf" value="token"' in data["html"]
        assert "Thank you for calling." in data["html"]
        await tell({"call": CALL | {"saying": "", "hearing": True}})
        kind, data = await next_event()
        assert kind == "call"
        assert "csrf" not in data["html"]
        assert "the caller speaks" in data["html"]
        await tell({"gone": CALL["id"]})
        assert await next_event() == ("gone", {"id": CALL["id"], "html": ""})
        await tell({"call": CALL})
        await next_event()
        await tell(None)
        assert "does not answer" in (await next_event())[1]["html"]
        assert (await next_event())[0] == "gone"
        assert feed.calls == {}
        assert feed.health is None
        await events.aclose()
        assert feed.browsers == 0
    finally:
        task.cancel()


def test_a_browser_that_does_not_read_is_hung_up_on(console):
    feed = console.desk.feed
    with feed.watching() as slow, feed.watching() as quick:
        for number in range(600):
            feed._take({"call": CALL | {"saying": str(number)}})
            quick.get_nowait()
        assert feed.browsers == 1
        waiting = [slow.get_nowait() for _ in range(slow.qsize())]
    assert waiting[-1] is None
    assert isinstance(waiting[0], News)
    assert len(waiting) == 502


def test_where_a_user_may_send_a_call(console):
    config = console.config
    assert live.destinations(config, "anna", CALL) == {
        "phone:anna": "My phone",
        "team:support": "Customer support",
        "team:billing": "Billing",
        "team:backoffice": "Back office",
        "on-call:support": "On-call phone",
    }
    assert "phone:vera" not in live.destinations(config, "vera", CALL)
    assert "on-call:support" not in live.destinations(config, "anna", CALL | {"on_call": False})


def serve(console, answers):
    """A service that answers the console's socket, on the browser's own event loop."""
    return ControlServer(console.config.control_socket, answers)


@pytest.mark.parametrize(
    ("to", "status"),
    [("team:support", 303), ("team:broken", 409), ("PJSIP/911", 422), ("", 422)],
)
def test_taking_over_asks_the_service_and_is_noted(console, browser, to, status):
    wanted = []

    async def answers(request):
        wanted.append(request)
        if request.target == "broken":
            raise AgentError("this call has ended", hint="too late")
        yield {"done": True}

    server = serve(console, answers)
    browser.portal.call(server.start)
    try:
        form = {"csrf": token_of(browser.get("/live").text), "to": to}
        response = browser.post(f"/live/{CALL['id']}/take-over", data=form)
    finally:
        browser.portal.call(server.stop)
    assert response.status_code == status
    if status == 422:
        assert wanted == []
        return
    assert isinstance(wanted[0], TakeOver)
    assert wanted[0].by == "anna"
    if status == 303:
        assert console.changes()[0] == "anna took a call over, to team:support"
    else:
        assert "this call has ended" in response.text
        assert console.changes()[0] == "anna could not take a call over: this call has ended"


def test_with_the_service_gone_pages_say_so(console, browser):
    form = {"csrf": token_of(browser.get("/live").text), "to": "team:support"}
    response = browser.post(f"/live/{CALL['id']}/take-over", data=form)
    assert (response.status_code, "the service does not run" in response.text) == (409, True)
    assert "The service does not answer. Calls go to people" in browser.get("/live").text
    assert "Does not answer" in browser.get("/health/details").text
    for path in ("/channels", "/channels/support", "/calls", "/insights", "/knowledge"):
        assert browser.get(path).status_code == 200


# --- The log ------------------------------------------------------------------------------------


def test_calls_are_found_and_one_is_told(console, browser):
    log = console.desk.log()
    fill(log, 120)
    page = browser.get("/calls").text
    assert "120 calls" in text_of(page)
    assert page.count("<tr>") == 51
    second = browser.get("/calls?page=2").text
    assert set(re.findall(r"/calls/[0-9a-f-]{36}", page)).isdisjoint(
        re.findall(r"/calls/[0-9a-f-]{36}", second)
    )
    found = browser.get("/calls?outcome=voicemail").text
    assert "Voicemail" in found
    assert "Abandoned" not in re.sub(r"<option.*?</option>", "", found)
    assert "No call is like that." in browser.get("/calls?search=xylophone").text
    wrong = browser.get("/calls?since=soon&page=-1&until=9999-12-31").text
    assert "soon is not a date." in wrong
    assert browser.get("/calls?page=999999999999").status_code == 200
    assert browser.get("/calls?search=%22%27)%20OR%201=1--").status_code == 200
    assert browser.get("/calls/00000000-0000-0000-0000-000000000000").status_code == 404


def test_a_calls_timeline_tells_who_spoke_when_and_why(console, browser):
    turn = {"who": "caller", "text": "How much is it?", "at_s": 5.0, "heard_s": 2.0}
    answer = {
        "who": "agent",
        "text": "It is $165.",
        "at_s": 8.0,
        "heard_s": 1.5,
        "source": {"file": "support/prices.md", "heading": "Drains"},
        "delay_ms": {"recognise": 190.0, "model": 80.0, "total": 1002.0},
        "confidence": 0.81,
        "interrupted": True,
    }
    console.desk.log().write(
        story(
            1,
            turns=[turn, answer],
            path=[{"to": "agent", "at_s": 0.1, "because": "open", "result": "person"}],
            attempts=[
                {"team": "support", "at_s": 12, "waited_s": 9, "result": "", "picked_up_by": None}
            ],
            events=[{"kind": "barge_in", "at_s": 9.5, "detail": ""}],
            message="Please call back.",
        )
    )
    page = browser.get(f"/calls/{story(1)['id']}").text
    said = text_of(page)
    order = ["0:00 Agent open", "0:05 Caller How much is it?", "0:08 Agent It is $165."]
    order += ["The caller interrupted", "Rang Customer support for 0:09"]
    places = [said.index(part) for part in order]
    assert places == sorted(places)
    assert "interrupted after 1.5 s" in said
    assert "support/prices.md: Drains , confidence 0.81" in said
    assert "after 1.00 s recognise 0.19 s, model 0.08 s" in said
    assert "Please call back." in said
    assert '<rect class="who-caller"' in page
    assert "who-agent interrupted" in page
    assert "answered after 1.00 s" in page


def test_a_log_that_cannot_be_read_is_told_on_every_page_that_needs_it(console, browser):
    def broken():
        raise AgentError("the call log cannot be opened: disk I/O error", hint="look at the disk")

    console.desk.log = broken
    for path in ("/channels", "/calls", "/insights", "/health/details"):
        response = browser.get(path)
        assert response.status_code == 200
        assert "disk I/O error" in response.text
    response = browser.get(f"/calls/{CALL['id']}")
    assert (response.status_code, "disk I/O error" in response.text) == (503, True)


# --- Insights and knowledge ---------------------------------------------------------------------


def test_insights_count_plot_and_lead_to_writing_the_answer(console, browser):
    fill(console.desk.log(), 200)
    console.now = LAST + timedelta(hours=1)
    page = browser.get("/insights?days=90&channel=nobody").text
    said = text_of(page)
    assert 190 <= int(re.search(r"Calls (\d+) Resolved", said)[1]) <= 200
    assert page.count('<svg class="plot"') == 2
    assert "Write the answer" in said
    link = unescape(re.search(r'href="(/knowledge/passage\?question=[^"]*)"', page)[1])
    form = browser.get(link).text
    assert re.search(r'name="heading" value="What about the [^"]+"', form)
    assert browser.get("/insights?days=7").status_code == 200


def test_questions_that_are_alike_are_grouped():
    asked = ["do you repair saunas", "Can you repair my sauna?", "where do I park", "ja"]
    groups = grouped([Question(text, "id", "support", NOW.isoformat()) for text in asked])
    assert [[one.text for one in group.questions] for group in groups] == [
        asked[:2],
        asked[2:3],
        asked[3:],
    ]
    assert grouped([]) == []


DOCUMENT = """# Prices

How we charge.

## What does a visit cost?

$89.

```
# no heading
```

## Discounts ##

None.
"""


def test_a_document_is_taken_apart_and_put_together():
    assert [(part.heading, part.level) for part in sections(DOCUMENT)] == [
        ("Prices", 1),
        ("What does a visit cost?", 2),
        ("Discounts", 2),
    ]
    new = Writing("x.md", "Discounts", "Discounts?", "Ten per cent.", "")
    changed = with_passage(DOCUMENT, new)
    assert changed == DOCUMENT.replace("## Discounts ##\n\nNone.", "## Discounts?\n\nTen per cent.")
    added = with_passage(DOCUMENT, Writing("x.md", "", "Saunas?", "No.", ""))
    assert added == DOCUMENT + "\n## Saunas?\n\nNo.\n"
    assert with_passage("", Writing("x.md", "", "Saunas?", "No.", "")) == "## Saunas?\n\nNo.\n"


def passage(browser, **fields):
    form = {"csrf": token_of(browser.get("/channels").text), "was": "", "seen": ""} | fields
    return browser.post("/knowledge/passage", data=form)


def test_an_answer_is_written_and_a_passage_edited(console, browser):
    good = {"file": "support/answers.md", "heading": "Do you do saunas?", "text": "No, we don't."}
    assert passage(browser, **good).headers["location"] == "/knowledge?saved=1"
    file = console.etc / "knowledge" / "support" / "answers.md"
    assert file.read_text() == "## Do you do saunas?\n\nNo, we don't.\n"
    assert console.reload.begun == 1
    page = browser.get("/knowledge/passage?file=support/answers.md&heading=Do you do saunas?").text
    seen = re.search(r'name="seen" value="(\w+)"', page)[1]
    edit = good | {"was": good["heading"], "seen": seen, "text": "Yes, we do."}
    assert passage(browser, **edit).status_code == 303
    assert "Yes, we do." in file.read_text()
    stale = passage(browser, **edit)
    assert (stale.status_code, "changed this document meanwhile" in stale.text) == (409, True)
    assert console.changes()[:2] == ["anna changed a passage", "anna wrote an answer"]
    assert "Do you do saunas?" in browser.get("/knowledge?search=saunas").text


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ({"file": "../agent.yaml"}, "Choose one of the documents."),
        ({"file": "support/../../x.md"}, "Choose one of the documents."),
        ({"file": "/etc/passwd"}, "Choose one of the documents."),
        ({"file": ""}, "Choose one of the documents."),
        ({"heading": ""}, "Write the question"),
        ({"heading": "x" * 201}, "Write the question"),
        ({"heading": "# more"}, "Write plain text"),
        ({"heading": "a\0b"}, "Write plain text"),
        ({"text": ""}, "Write the answer"),
        ({"text": "x" * 4001}, "Write the answer"),
        ({"text": "Yes.\n# Another"}, "An answer is one passage"),
        ({"text": "```\ncode\n```"}, "An answer is one passage"),
        ({"text": "a\x1bb"}, "characters that cannot be seen"),
    ],
)
def test_what_is_no_answer_is_refused_beside_its_field(console, browser, new, said):
    good = {"file": "support/answers.md", "heading": "Saunas?", "text": "No."}
    response = passage(browser, **(good | new))
    assert response.status_code == 422
    (problem,) = re.findall(r'<p class="problem" id="problem-\w+">([^<]*)</p>', response.text)
    assert said in problem
    assert not (console.etc / "knowledge" / "support" / "answers.md").exists()
    assert console.reload.begun == 0


def test_a_link_out_of_the_documents_is_no_document(console, browser, tmp_path):
    (tmp_path / "secret.md").write_text("# Secret\n\nword\n")
    (console.etc / "knowledge" / "link.md").symlink_to(tmp_path / "secret.md")
    assert "Secret" not in browser.get("/knowledge").text
    assert browser.get("/knowledge/passage?file=link.md&heading=Secret").status_code == 404


# --- Health -------------------------------------------------------------------------------------


def test_health_tells_what_check_found(console, browser):
    assert "Not looked at yet." in browser.get("/health/part").text
    browser.get("/health/details")
    assert console.check.begun == 1
    finding = {"where": "asterisk.ami", "problem": "refused", "hint": "check the secret"}
    told = {"ok": False, "checked": ["documents"], "problems": [finding], "warnings": []}
    console.check.last = Ran(False, told, "", NOW)
    console.desk.feed.health = HEALTH
    said = text_of(browser.get("/health/details").text)
    assert "asterisk.ami refused check the secret" in said
    assert "2 questions waiting" in said
    assert "3 ms late at most, in the last minute" in said
    problem = {"records": "database is locked; 3 calls wait in memory"}
    console.desk.feed.health = HEALTH | problem
    assert "Not written database is locked" in text_of(browser.get("/health/details").text)
    assert "The call log is not written" in browser.get("/live").text
    lost = {"losses": 2, "lost_at": "2026-11-23T20:15:00.000+00:00"}
    lost["lost_because"] = "no sign of life for 1.5 s"
    console.desk.feed.health = HEALTH | lost
    said = text_of(browser.get("/health/details").text)
    assert "started again 2 times, last 23 Nov" in said
    assert "no sign of life for 1.5 s" in said
    console.desk.feed.health = HEALTH | {"watched": ""}
    assert "nobody watches it" in text_of(browser.get("/health/details").text)
    assert console.check.begun == 1
    console.now += timedelta(minutes=3)
    browser.get("/health/details")
    assert console.check.begun == 2
    csrf = token_of(browser.get("/channels").text)
    browser.post("/health/check", data={"csrf": csrf})
    browser.post("/health/reload", data={"csrf": csrf})
    assert (console.check.begun, console.reload.begun) == (3, 1)


@pytest.mark.parametrize(
    ("health", "status", "state"),
    [
        (None, 503, "down"),
        (HEALTH, 200, "up"),
        (HEALTH | {"state": "full"}, 200, "full"),
        (HEALTH | {"state": "down"}, 503, "down"),
        (HEALTH | {"stopping": True}, 503, "stopping"),
    ],
)
def test_load_balancers_need_no_password(console, health, status, state):
    console.desk.feed.health = health
    with console.browser(None) as browser:
        response = browser.get("/health")
    assert (response.status_code, response.json()) == (status, {"state": state})


def test_prometheus_reads_from_this_machine_or_with_a_password(console):
    async def answers(request):
        assert request == Figures()
        yield {"text": "# TYPE asterisk_agent_calls_now gauge\nasterisk_agent_calls_now 3\n"}

    def read(browser, **headers):
        response = browser.get("/metrics", headers=headers)
        if response.status_code != 200:
            return response.status_code
        families = text_string_to_metric_families(response.text)
        return {sample.name: sample.value for family in families for sample in family.samples}

    server = serve(console, answers)
    with console.browser(None) as browser:
        assert read(browser) == 401  # the test client is not this machine
        basic = {"authorization": "Basic " + _base64(f"vera:{PASSWORD}")}
        assert read(browser, **basic) == {
            "asterisk_agent_up": 0,
            "asterisk_agent_browsers": 0,
        }
        browser.portal.call(server.start)
        try:
            assert read(browser, **basic)["asterisk_agent_calls_now"] == 3
            for wrong in ("Basic " + _base64("vera:guess"), "Basic å", "Bearer x", "Basic"):
                assert read(browser, authorization=wrong.encode()) == 401
            console.seconds += 1000
            for _ in range(5):
                read(browser, authorization="Basic " + _base64("anna:guess"))
            assert read(browser, authorization="Basic " + _base64(f"anna:{PASSWORD}")) == 429
        finally:
            browser.portal.call(server.stop)


def test_only_this_machine_itself_reads_figures_without_a_password(console):
    from starlette.testclient import TestClient

    with TestClient(console.app, client=("127.0.0.1", 5)) as browser:
        assert browser.get("/metrics").status_code == 200
        for header in ("x-forwarded-for", "forwarded", "x-real-ip"):
            assert browser.get("/metrics", headers={header: "1.2.3.4"}).status_code == 401


def _base64(text: str) -> str:
    from base64 import b64encode

    return b64encode(text.encode()).decode()


# --- Commands -----------------------------------------------------------------------------------


async def test_a_command_tells_its_json_and_runs_once_more_when_asked_meanwhile(tmp_path):
    import sys

    counter = tmp_path / "runs"
    code = f"open({str(counter)!r}, 'a').write('x'); print('{{\"ok\": true}}')"
    chore = Chore((sys.executable, "-c", code), lambda: NOW)
    chore.begin()
    assert chore.running
    await asyncio.sleep(0)  # it has begun now
    chore.begin()
    chore.begin()
    await chore._task
    assert not chore.running
    assert counter.read_text() == "xx"
    assert chore.last == Ran(True, {"ok": True}, "", NOW)
    failing = Chore((sys.executable, "-c", "raise SystemExit('no')"), lambda: NOW)
    failing.begin()
    await failing._task
    assert failing.last == Ran(False, None, "no", NOW)


def test_the_last_reload_is_told_on_every_page(console, browser):
    console.reload.last = Ran(True, {"restart_for": ["listen"], "asterisk": "ok"}, "", NOW)
    assert "Only with a restart: listen." in text_of(browser.get("/calls").text)
    console.reload.last = Ran(False, None, "etc/teams.yaml:1: no", NOW)
    assert "has not taken it over" in browser.get("/reloading").text
    console.now += timedelta(minutes=1)
    assert "taken it over" not in browser.get("/reloading").text
