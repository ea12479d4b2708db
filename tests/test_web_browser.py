"""The console in a real browser, beside a real Asterisk: from signing in to a call taken over."""

import asyncio
import contextlib
import re
import shutil
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect
from real_models import spoken
from web_console import PASSWORD, QUICK

from asterisk_agent.web.users import Role, Users

pytestmark = [pytest.mark.asterisk, pytest.mark.models]

EXAMPLE = Path(__file__).parent.parent / "etc"
AXE = (Path(__file__).parent / "data" / "axe" / "axe.min.js").read_text(encoding="utf-8")
SUPPORT = "+15551230100"
DRAIN = "How much does it cost to unblock a drain?"
PAGES = (
    *("/channels", "/channels/support", "/channels/support/test", "/live", "/calls", "/insights"),
    *("/knowledge", "/knowledge/passage", "/health/details", "/changes"),
)


@pytest.fixture
def etc(tmp_path):
    """The example, always open, with nobody assigned to its first number, and a phone for anna."""
    directory = tmp_path / "etc"
    shutil.copytree(EXAMPLE, directory)
    channels = directory / "channels.yaml"
    text = re.sub(r"(?m)^ +hours:.*\n", "", channels.read_text(encoding="utf-8"))
    channels.write_text(text.replace("agent: on", "agent: off", 1), encoding="utf-8")
    agent = directory / "agent.yaml"
    more = "\nweb: {phones: {anna: PJSIP/102}}\n"
    text = agent.read_text(encoding="utf-8").replace("audio: off", "audio: 30d")
    text = text.replace("can_record: false", "can_record: on")
    agent.write_text(text + more, encoding="utf-8")
    return directory


@contextlib.asynccontextmanager
async def chromium():
    """Debian's browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        await browser.close()


async def nothing_serious(page, where=""):
    """axe finds nothing serious on this page, and it is not wider than the screen."""
    await page.evaluate(AXE + "\n;0")  # by the debugger, which no policy of the page forbids
    found = await page.evaluate("axe.run({resultTypes: ['violations']})")
    serious = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"]) for v in serious] == [], where
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wide) <= 0, where


async def test_from_signing_in_to_a_call_that_is_taken_over(etc, start_pbx, new_phone):
    pbx = start_pbx(etc)
    Users(pbx.config.web_directory, QUICK).put("anna", PASSWORD, Role.EDIT)
    url = pbx.info()["web"]
    said = spoken(DRAIN)
    desk = await new_phone("anna")
    await desk.register("102", pbx.password("102"), port=pbx.asterisk.sip_port)
    await desk.auto_answer(0.3)
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(15_000)
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await sign_in(page, url)
        await assign(page)
        await edit_hours(page)
        caller = await call_and_read_along(page, pbx, new_phone, said)
        await take_over(page, desk, caller)
        await find_in_the_log(page, url)
        assert [text for text in complaints if "status of 422" not in text] == []
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            for path in PAGES:
                await page.goto(url + path)
                await nothing_serious(page, f"{path} at {width}")


async def sign_in(page, url):
    for _ in range(100):  # the console starts behind the service
        with contextlib.suppress(Exception):
            await page.goto(url)
            break
        await asyncio.sleep(0.1)
    await expect(page).to_have_title("Sign in · Asterisk Agent")
    await nothing_serious(page)
    await page.get_by_label("Name").fill("anna")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Channels")).to_be_visible()


async def taken_over_by_the_service(page):
    told = page.get_by_text("The service uses the new configuration for new calls.")
    await expect(told).to_be_visible(timeout=60_000)


async def assign(page):
    row = page.locator("#channel-support")
    await expect(row).to_contain_text("Not assigned")
    await row.get_by_role("button", name="Assign").click()
    await expect(row.get_by_role("button", name="Unassign")).to_be_visible()
    await taken_over_by_the_service(page)


async def edit_hours(page):
    """Hours of its own from now on; the preview follows what is typed, before it is saved."""
    await page.get_by_role("link", name="Edit hand-off of Customer support").click()
    preview = page.get_by_role("complementary", name="Preview")
    await expect(preview).to_contain_text("Open no hours are set, so always open")
    await page.locator("[name=hours]").select_option("+new")
    await page.locator("[name=days]").select_option("mon-sun")
    await page.locator("[name=start]").fill("00:00")
    await page.locator("[name=end]").fill("16:00")
    await page.locator("[name=at]").fill("2026-11-27T16:10")
    await expect(preview).to_contain_text("On Friday, 27 November 2026 at 16:10 a call goes")
    await expect(preview).to_contain_text("Closed fri 16:10 is outside hours")
    await page.locator("[name=end]").fill("25:00")
    await expect(preview).to_contain_text("There is a mistake in the form")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".problem")).to_contain_text('got "00:00-25:00"')
    await page.locator("[name=end]").fill("24:00")
    await expect(preview).to_contain_text("Open hours of fri 00:00-24:00")
    await page.get_by_role("button", name="Save").click()
    await taken_over_by_the_service(page)
    await expect(page.locator("#channel-support")).to_contain_text("Open Agent answers")


async def call_and_read_along(page, pbx, new_phone, said):
    """What the preview says is what the call does: the agent answers, and is read along."""
    await page.get_by_role("link", name="Live").click()
    await expect(page.get_by_text("No calls at the moment.")).to_be_visible()
    await expect(page.get_by_text("Taking calls")).to_be_visible()
    caller = await new_phone("caller")
    await caller.identify("+15559876543", name="Pat <script>")
    await caller.dial(pbx.uri(SUPPORT))
    await caller.wait_for("connected")
    card = page.get_by_role("article", name="Call to Customer support")
    await expect(card).to_contain_text("+15559876543", timeout=10_000)
    await expect(card).to_contain_text("I am Nora, an automated assistant", timeout=10_000)
    await caller.wait_for_sound(10)
    await caller.wait_for_quiet(1.0)
    await caller.play(said, 16_000)
    await expect(card.locator(".from-caller").first).to_contain_text("drain", timeout=20_000)
    await expect(card.locator(".from-agent").last).to_contain_text("165", timeout=20_000)
    await nothing_serious(page)
    return caller


async def take_over(page, desk, caller):
    card = page.get_by_role("article", name="Call to Customer support")
    await card.locator("select").select_option(label="My phone")
    await card.get_by_role("button", name="Take over").click()
    await desk.wait_for("connected", 20)
    tone = b"".join(
        (9000 if (n // 20) % 2 else -9000).to_bytes(2, "little", signed=True) for n in range(16_000)
    )
    await asyncio.sleep(0.5)
    played = await caller.play(tone, 16_000)
    await desk.wait_for_sound(5, after=played.start)
    await expect(page.get_by_role("article", name="Call to Customer support")).to_contain_text(
        "PJSIP/102"
    )
    await caller.hangup()
    ended = page.get_by_role("link", name="The call has ended. Show it in the log")
    await expect(ended).to_be_visible(timeout=10_000)


async def find_in_the_log(page, url):
    await page.goto(url + "/calls")
    await page.get_by_label("Search").fill("drain")
    await page.get_by_role("button", name="Find").click()
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.locator("tbody tr")).to_contain_text("Handed over")
    await page.locator("tbody th a").click()
    main = page.locator("main")
    await expect(main).to_contain_text("anna took the call over")
    await expect(main).to_contain_text("taken over from the console")
    await expect(page.get_by_role("img", name="Who spoke when")).to_be_visible()
    plays = "document.querySelector('audio').duration > 5"  # the browser has read the recording
    await page.wait_for_function(plays)
    await nothing_serious(page)
