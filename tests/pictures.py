"""Pictures of the console for docs/pictures: two widths, light and dark, with made-up calls.

``scripts/pictures`` runs this. It prints what axe finds serious, and pages wider than the screen.
"""

import asyncio
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import many_calls
import uvicorn
from playwright.async_api import async_playwright
from web_console import PASSWORD, Console

from asterisk_agent.web.chores import Ran

ROOT = Path(__file__).parents[1]
AXE = (ROOT / "tests" / "data" / "axe" / "axe.min.js").read_text(encoding="utf-8")
TOLD = "33333333-3333-3333-3333-333333333333"
PAGES = {
    "channels": "/channels",
    "hand-off": "/channels/support",
    "live": "/live",
    "calls": "/calls",
    "call": f"/calls/{TOLD}",
    "insights": "/insights",
    "health": "/health/details",
    "passage": "/knowledge/passage?question=do+you+install+saunas&channel=support",
    "changes": "/changes",
    "test": "/channels/support/test",
    "knowledge": "/knowledge",
}
KEPT = ("channels", "hand-off", "live", "call", "insights", "health")
"""Those that docs/pictures shows; all are looked at."""
RENAME = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    node.data = node.data.replace(/\\S*[/]etc$/, "/etc/asterisk-agent");
  }
}"""
"""The folder of a picture's configuration is none that anybody has."""
WIDTHS = {"wide": (1280, 860), "narrow": (390, 844)}
HEALTH = {"calls": 2, "talking": 1, "most": 8, "ready": True, "connected": True, "waiting": 0} | {
    "state": "up",
    "stopping": False,
    "records": "ok",
    "watched": "supervisor",
    "losses": 0,
    "lost_at": "",
    "lost_because": "",
    "lag_ms": 3.4,
}


def said(who, text, at_s, heard_s, heading=None):
    answered = heading is not None
    return {
        "who": who,
        "text": text,
        "at_s": at_s,
        "heard_s": heard_s,
        "source": {"file": "support/prices.md", "heading": heading} if answered else None,
        "action": "answer" if answered else None,
        "delay_ms": 1002.0 if answered else None,
    }


TURNS = [
    said(
        *(
            "agent",
            "Thank you for calling Brightwater Plumbing. I am Nora, an automated assistant.",
        ),
        *(0.5, 5.0),
    ),
    said("caller", "How much does it cost to unblock a drain?", 7.0, 2.5),
    said(
        *("agent", "Clearing a blocked drain has a fixed price of $165.", 10.5, 4.0),
        "How much does it cost to clear a drain?",
    ),
    said("caller", "Do you give a guarantee on your work?", 15.2, 2.5),
    said("agent", "We give two years of warranty on our work.", 18.7, 3.0, "What warranty?"),
    said("caller", "I would like to speak to a person please.", 23.0, 2.4),
]


def live_calls(now):
    call = {
        "id": "11111111-1111-1111-1111-111111111111",
        "channel": "support",
        "label": "Customer support",
        "caller": "+15559876543",
        "state": "open",
        "started": (now - timedelta(seconds=48)).isoformat(),
        "stage": "agent",
        "where": "",
        "picked_up_by": None,
        "on_call": True,
        "turns": TURNS[:4],
        "saying": "We give two years of warranty on our work.",
        "hearing": False,
    }
    other = {"id": "22222222-2222-2222-2222-222222222222", "channel": "billing", "label": "Billing"}
    other |= {"caller": "+15551112222", "stage": "team:billing", "where": "Billing", "saying": ""}
    other |= {"picked_up_by": "PJSIP/103", "turns": TURNS[:2]}
    return [call, call | other]


def told_call(now):
    parts = {"end_of_turn": 480.0, "recognise": 190.0, "model": 110.0, "voice": 120.0}
    turns = [
        turn
        | {
            "delay_ms": turn["delay_ms"] and parts | {"total": turn["delay_ms"]},
            "confidence": 0.82 if turn["source"] else None,
            "interrupted": turn["at_s"] == 10.5,
        }
        for turn in TURNS
    ]
    return many_calls.told(many_calls.random.Random(1), now - timedelta(minutes=20)) | {
        "id": TOLD,
        "channel": "support",
        "caller": "+15559876543",
        "outcome": "answered",
        "reason": "person",
        "team": "support",
        "picked_up_by": "PJSIP/101",
        "turns": turns,
        "path": [
            {"to": "agent", "at_s": 0.1, "because": "open: the agent answers", "result": "person"},
            {"to": "team:support", "at_s": 29.0, "because": "asked for a person", "result": ""},
        ],
        "attempts": [
            {"team": "support", "at_s": 29.0, "waited_s": 9.0, "result": "CONTINUE"}
            | {"picked_up_by": "PJSIP/101"}
        ],
        "events": [{"kind": "barge_in", "at_s": 14.5, "detail": ""}],
        "brief": "The caller asks about a blocked drain and your guarantee.",
    }


def prepared(folder):
    """A console with something in every page."""
    console = Console(folder)
    console.now = now = many_calls.LAST + timedelta(hours=1)
    many_calls.CHANNELS, many_calls.TEAMS = (
        ("support", "billing", "support"),
        ("support", "billing"),
    )
    log = console.desk.log()
    many_calls.fill(log, 3000)
    log.write(told_call(now))
    console.users.put("anna", PASSWORD, console.users.all()["anna"].role)
    console.desk.audit.note("vera", "signed in", "127.0.0.1")
    diff = '--- hours.yaml\n+++ hours.yaml\n-    fri: ["08:00-16:00"]\n+    fri: ["08:00-15:00"]'
    console.desk.audit.note("anna", "changed the hand-off of support", "hours.yaml", diff)
    checked = ["configuration (channels: 2, teams: 3)", "documents of support", "voice en_US-joe"]
    warning = {"where": "plan.json", "problem": "is not of this configuration"}
    warning["hint"] = "run: asterisk-agent dialplan write"
    found = {"ok": True, "checked": checked, "problems": [], "warnings": [warning]}
    console.check.last = Ran(True, found, "", now)

    async def service(_path, _request):
        yield {"health": HEALTH}
        for call in live_calls(datetime.now(UTC)):
            yield {"call": call}
        await asyncio.sleep(3600)

    console.desk.feed._connect = service
    return console


async def look(page, name, problems):
    """What is wrong with a page as it is shown."""
    await page.evaluate(AXE + "\n;0")
    found = await page.evaluate("axe.run({resultTypes: ['violations']})")
    for violation in found["violations"]:
        if violation["impact"] in ("serious", "critical"):
            problems.append(f"{name}: {violation['id']}: {violation['nodes'][0]['html'][:120]}")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    if (over := await page.evaluate(wide)) > 0:
        problems.append(f"{name}: {over} px wider than the screen")


async def take(url, folder):
    """Every page at two widths in both themes; return what is wrong with them."""
    problems = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for size, (width, height) in WIDTHS.items():
            for theme in ("light", "dark"):
                context = await browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=theme
                )
                page = await context.new_page()
                await page.goto(url + "/sign-in")
                await page.get_by_label("Name").fill("anna")
                await page.get_by_label("Password").fill(PASSWORD)
                await page.get_by_role("button", name="Sign in").click()
                await page.wait_for_url("**/channels")
                for name, path in PAGES.items():
                    await page.goto(url + path)
                    await page.wait_for_timeout(200)
                    await look(page, f"{name}-{size}-{theme}", problems)
                    if name in KEPT:
                        await page.evaluate(RENAME)
                        await page.screenshot(path=folder / f"{name}-{size}-{theme}.png")
                await context.close()
        await browser.close()
    return problems


async def main(folder):
    with tempfile.TemporaryDirectory() as temporary:
        console = prepared(Path(temporary))
        server = uvicorn.Server(
            uvicorn.Config(console.app, port=0, log_level="warning", lifespan="off")
        )
        async with asyncio.TaskGroup() as group:
            feed = group.create_task(console.desk.feed.run())
            serving = group.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 - it has no event for that
                await asyncio.sleep(0.05)
            port = server.servers[0].sockets[0].getsockname()[1]
            problems = await take(f"http://127.0.0.1:{port}", folder)
            server.should_exit = True
            await serving
            feed.cancel()
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
