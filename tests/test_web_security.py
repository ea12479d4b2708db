"""The console's door: no page without signing in, no form that is not ours, no guessing."""

import re
import stat

import pytest
from starlette.routing import Route
from web_console import NOW, PASSWORD, Console, changed, form_of, sign_in, token_of

from asterisk_agent.web.app import ACTIONS, PAGES
from asterisk_agent.web.sessions import IDLE
from asterisk_agent.web.users import Role

HOSTILE = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>"
PATHS = {"channel": "support", "call": "11111111-2222-3333-4444-555555555555"}
FOR_ANYBODY = {("/", "GET"), ("/sign-in", "GET"), ("/sign-in", "POST")} | {
    ("/health", "GET"),
    ("/metrics", "GET"),
}


@pytest.fixture
def console(tmp_path):
    return Console(tmp_path)


def path_of(route: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: PATHS[found[1]], route)


def test_every_address_is_known_here(console):
    routes = {
        (route.path, method)
        for route in console.app.routes
        if isinstance(route, Route)
        for method in route.methods - {"HEAD"}
    }
    guarded = {(path, "GET") for path in PAGES} | {(path, "POST") for path in ACTIONS}
    assert routes == guarded | FOR_ANYBODY | {("/sign-out", "POST")}


@pytest.mark.parametrize("path", PAGES)
def test_no_page_without_signing_in(console, path):
    with console.browser(None) as browser:
        response = browser.get(path_of(path))
        assert response.status_code == 303
        assert response.headers["location"].startswith("/sign-in?next=%2F")
        part = browser.get(path_of(path), headers={"hx-request": "true"})
        assert part.status_code == 401
        assert part.text == ""


@pytest.mark.parametrize("path", [*ACTIONS, "/sign-out"])
def test_no_form_without_its_token_or_from_another_site(console, path):
    with console.browser(None) as browser:
        assert browser.post(path_of(path), data={"csrf": ""}).headers["location"] == "/sign-in"
    with console.browser() as browser:
        token = token_of(browser.get("/channels").text)
        for sent in ({"csrf": ""}, {"csrf": token[:-1]}, {"csrf": "å"}):
            response = browser.post(path_of(path), data=sent)
            assert (response.status_code, "not ours" in response.text) == (403, True)
        for headers in (
            {"origin": "https://evil.example"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ):
            response = browser.post(path_of(path), data={"csrf": token}, headers=headers)
            assert (response.status_code, "not sent from here" in response.text) == (403, True)
        assert browser.get("/channels").status_code == 200
    assert console.changes() == ["anna signed in"]


@pytest.mark.parametrize("path", ACTIONS)
def test_who_may_look_may_not_change(console, path):
    with console.browser("vera") as browser:
        token = token_of(browser.get("/channels").text)
        response = browser.post(path_of(path), data={"csrf": token})
        assert (response.status_code, "not change anything" in response.text) == (403, True)
    assert console.reload.begun == console.check.begun == 0


def test_who_may_look_sees_no_buttons(console):
    with console.browser("vera") as browser:
        for path in ("/channels", "/channels/support", "/knowledge", "/health/details"):
            page = browser.get(path).text
            assert re.findall(r'<form[^>]*method="post" action="([^"]*)"', page) in (
                ["/sign-out"],
                ["/sign-out", "/channels/support"],  # disabled as a whole
            )
        assert '<fieldset class="plain" disabled>' in browser.get("/channels/support").text


@pytest.mark.parametrize("path", ["/sign-in", "/channels", "/nothing", "/health", "/static/app.js"])
def test_browsers_are_told_what_to_refuse(console, path):
    with console.browser() as browser:
        headers = browser.get(path).headers
    csp = dict(
        part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";")
    )
    assert csp["default-src"] == "'none'"
    assert csp["script-src"] == csp["style-src"] == csp["form-action"] == "'self'"
    assert csp["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in headers
    if not path.startswith("/static"):
        assert headers["cache-control"] == "no-store"


def test_pages_hold_no_script_no_style_and_nothing_from_elsewhere(console):
    with console.browser() as browser:
        for path in PAGES:
            if path in ("/live/stream",):
                continue
            page = browser.get(path_of(path)).text
            assert re.findall(r"<script(?![^>]*src=)", page) == []
            assert re.findall(r"\sstyle=|\son\w+=|javascript:|<style", page) == []
            assert re.findall(r'(?:src|href|action)="(?!/|#|\?|tel:)[^"]*"', page) == []


# --- Passwords ----------------------------------------------------------------------------------


def test_the_cookie_is_for_our_pages_alone(console):
    with console.browser(None) as browser:
        cookie = sign_in(browser).headers["set-cookie"]
    assert re.match(r"session=[\w-]{43}; HttpOnly; Max-Age=604800; Path=/; SameSite=strict", cookie)
    assert "Secure" not in cookie


def test_behind_tls_the_cookie_and_the_browser_are_held_to_it(tmp_path):
    console = Console(tmp_path, web={"behind_proxy": "on"})
    with console.browser(None) as browser:
        response = sign_in(browser)
        assert re.search(r"__Host-session=[\w-]{43};[^,]*; Secure", response.headers["set-cookie"])
        assert "max-age=31536000" in response.headers["strict-transport-security"]
        assert browser.get("/channels").status_code == 200


def test_a_wrong_name_or_password_says_nothing_more(console):
    with console.browser(None) as browser:
        wrong = sign_in(browser, password="correct horse batterie")
        unknown = sign_in(browser, user="nobody")
        for response in (wrong, unknown):
            assert response.status_code == 403
            assert "do not go together" in response.text
            assert "session=" not in response.headers["set-cookie"]
        assert PASSWORD not in wrong.text
    assert console.changes() == ["nobody could not sign in", "anna could not sign in"]


def test_guessing_is_slowed_down(console):
    with console.browser(None) as browser:
        codes = [sign_in(browser, password="guess").status_code for _ in range(6)]
        assert codes == [403] * 5 + [429]
        refused = sign_in(browser)  # the right password does not help now
        assert (refused.status_code, "Try again in 2 seconds" in refused.text) == (429, True)
        console.seconds += 2.5
        assert sign_in(browser, password="guess").status_code == 403
        console.seconds += 2.5
        assert sign_in(browser).status_code == 429  # now it takes four seconds
        console.seconds += 2
        assert sign_in(browser).status_code == 303


@pytest.mark.parametrize(
    ("next_", "goes_to"),
    [
        ("/calls?search=x", "/calls?search=x"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("/\r\nSet-Cookie: x=y", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_nowhere_else(console, next_, goes_to):
    with console.browser(None) as browser:
        assert sign_in(browser, next=next_).headers["location"] == goes_to


def test_sessions_end(console):
    with console.browser() as browser:
        console.now += IDLE / 2
        assert browser.get("/channels").status_code == 200
        console.now += IDLE * 0.9
        assert browser.get("/channels").status_code == 200  # it was used meanwhile
        console.now += IDLE
        assert browser.get("/channels").status_code == 303
        sign_in(browser)
        console.users.put("anna", PASSWORD, Role.VIEW)  # another password, or another role
        assert browser.get("/channels").status_code == 303
        sign_in(browser)
        kept = dict(browser.cookies)
        browser.post("/sign-out", data={"csrf": token_of(browser.get("/channels").text)})
        browser.cookies.update(kept)
        assert browser.get("/channels").status_code == 303
        sign_in(browser)
        console.users.remove("anna")
        assert browser.get("/channels").status_code == 303


def test_what_is_kept_of_sessions_and_users_opens_no_door(console):
    with console.browser() as browser:
        token = browser.cookies["session"]
        files = list(console.config.web_directory.iterdir())
        assert {file.name for file in files} == {"users.json", "sessions.json", "changes.jsonl"}
        for file in files:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            text = file.read_text()
            assert token not in text
            assert PASSWORD not in text
        assert '"$argon2id$' in (console.config.web_directory / "users.json").read_text()
        again = Console.__new__(Console)  # behind a restart of the console
        again.__dict__ |= console.__dict__
        from asterisk_agent.web.sessions import Sessions

        fresh = Sessions(console.config.web_directory, console.users, lambda: NOW)
        assert fresh.of(token).user == "anna"


# --- What callers and operators wrote -----------------------------------------------------------


def hostile_call(console) -> str:
    story = {
        "id": PATHS["call"],
        "channel": HOSTILE,
        "caller": HOSTILE,
        "state": "open",
        "started": NOW.isoformat(),
        "answered": NOW.isoformat(),
        "ended": NOW.isoformat(),
        "outcome": "abandoned",
        "reason": "unanswered",
        "team": HOSTILE,
        "picked_up_by": HOSTILE,
        "turns": [
            {"who": "caller", "text": HOSTILE, "at_s": 1, "heard_s": 1},
            {
                "who": "agent",
                "text": HOSTILE,
                "at_s": 3,
                "heard_s": 1,
                "source": {"file": HOSTILE, "heading": HOSTILE},
                "delay_ms": {"total": 1.0},
                "unanswered": True,
            },
        ],
        "path": [{"to": f"team:{HOSTILE}", "at_s": 0, "because": HOSTILE, "result": HOSTILE}],
        "attempts": [
            {"team": HOSTILE, "at_s": 5, "waited_s": 1, "result": HOSTILE, "picked_up_by": HOSTILE}
        ],
        "events": [{"kind": "error", "at_s": 6, "detail": HOSTILE}],
        "message": HOSTILE,
        "brief": HOSTILE,
        "tasks": ["call_back"],
        "recording": "../../../../etc/passwd",
    }
    console.desk.log().write(story)
    return story["id"]


def test_a_script_in_a_callers_words_or_name_is_text(console):
    call = hostile_call(console)
    console.desk.audit.note(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    live = {
        "id": call,
        "channel": "support",
        "label": HOSTILE,
        "caller": HOSTILE,
        "started": HOSTILE,
        "stage": f"team:{HOSTILE}",
        "where": HOSTILE,
        "picked_up_by": HOSTILE,
        "on_call": False,
        "turns": [
            {
                "who": "caller",
                "text": HOSTILE,
                "at_s": 1,
                "heard_s": 1,
                "source": {"file": HOSTILE, "heading": HOSTILE},
                "action": None,
                "delay_ms": 1.0,
            }
        ],
        "saying": HOSTILE,
        "hearing": True,
    }
    console.desk.feed.calls[call] = live
    paths = ["/calls", f"/calls/{call}", "/insights", "/changes", "/live"]
    paths += [f"/calls?search={HOSTILE}", f"/knowledge/passage?question={HOSTILE}"]
    paths += [f"/knowledge?search={HOSTILE}", f"/live?problem={HOSTILE}", f"/calls?since={HOSTILE}"]
    with console.browser() as browser:
        for path in paths:
            page = browser.get(path).text
            assert "alert(" in page, path
            assert "<script>alert" not in page, path
            assert "<img src=x" not in page, path


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static/..%2f..%2fapp.py",
        "/knowledge/passage?file=../agent.yaml&heading=x",
        "/knowledge/passage?file=/etc/passwd&heading=x",
        "/calls/..%2f..%2fetc%2fpasswd",
        "/channels/..",
        "/channels/nobody/test",
    ],
)
def test_no_path_leads_out(console, path):
    with console.browser() as browser:
        response = browser.get(path)
        assert response.status_code in (303, 404)
        assert "root:" not in response.text
        assert "def " not in response.text


def test_a_recording_is_only_taken_from_its_own_folder(console):
    call = hostile_call(console)
    with console.browser() as browser:
        assert browser.get(f"/calls/{call}/audio").status_code == 404


def test_a_recording_without_sound_is_none(console):
    call = hostile_call(console)
    file = console.config.state_directory / "recordings" / "call.wav"
    file.parent.mkdir(parents=True, exist_ok=True)
    told = console.desk.log().story(call) | {"recording": str(file)}
    console.desk.log().write(told)
    with console.browser() as browser:
        for size, status in ((0, 404), (44, 404), (48, 200)):
            file.write_bytes(bytes(size))
            assert browser.get(f"/calls/{call}/audio").status_code == status


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"csrf=" + b"x" * 300_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a=b" for _ in range(3000)), "application/x-www-form-urlencoded", 400),
        (b"csrf=\xff", "application/x-www-form-urlencoded", 400),
        (b"csrf=%ff", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"", "multipart/form-data; boundary=x", 415),
    ],
)
def test_what_is_no_form_of_sane_size_is_refused(console, content, kind, status):
    with console.browser() as browser:
        for path in ("/channels/support", "/sign-in"):
            response = browser.post(path, content=content, headers={"content-type": kind})
            assert response.status_code == status


def test_a_form_of_the_past_is_refused(console):
    with console.browser() as browser:
        fields = form_of(browser.get("/channels/support").text)
        browser.post("/sign-out", data={"csrf": dict(fields)["csrf"]})
        sign_in(browser)
        old = dict(changed(fields, do="save"))
        assert browser.post("/channels/support", data=old).status_code == 403


def test_half_an_origin_is_no_origin(console):
    with console.browser() as browser:
        token = token_of(browser.get("/channels").text)
        response = browser.post(
            "/health/check", data={"csrf": token}, headers={"origin": "http://["}
        )
    assert (response.status_code, console.check.begun) == (403, 0)
