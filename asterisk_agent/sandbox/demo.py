"""``scripts/demo``: the whole product in one command, for somebody who has never seen it."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from asterisk_agent import hours
from asterisk_agent.cli.app import Json, print_json, reports_errors
from asterisk_agent.config.compiling import plan_for
from asterisk_agent.config.load import load
from asterisk_agent.config.paths import shared_file
from asterisk_agent.config.schema import Config
from asterisk_agent.engines.loader import load_recognizer
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.demo_call import DemoCall, Ear
from asterisk_agent.sandbox.demo_screen import Heard, Result, Screen
from asterisk_agent.sandbox.demo_script import Script, read_script
from asterisk_agent.sandbox.pbx import Pbx
from asterisk_agent.sandbox.pbx_state import base_directory
from asterisk_agent.sandbox.phone import Phone

PICK_UP_AFTER_S = 2.0
LONG_ENOUGH = timedelta(minutes=20)
"""The channel has to stay open for this long, or the clocks are moved to where it does."""

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
@reports_errors
def main(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where recordings and logs go."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Let scripted phones call the example company, and hear whether everything works."""
    directory = (
        out or base_directory().parent / "demo" / f"{datetime.now():%Y%m%d-%H%M%S}"
    ).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    screen = Screen(
        Console(file=sys.stderr if as_json else sys.stdout, highlight=False, soft_wrap=True)
    )
    script = read_script(shared_file("tests/data/demo.yaml"))
    result = asyncio.run(Demo(script, directory, screen).run())
    screen.summary(result)
    if as_json:
        print_json(result.as_json())
    raise typer.Exit(1 if result.failure else 0)


class Demo:
    """One run. Everything that it leaves behind is in ``directory``."""

    def __init__(self, script: Script, directory: Path, screen: Screen) -> None:
        self._script = script
        self._directory = directory
        self._screen = screen
        self._heard: list[Heard] = []
        self._recordings: list[Path] = []
        self._logs: list[Path] = []

    async def run(self) -> Result:
        """Play the script; what fails is in the result."""
        began = time.monotonic()
        failure = ""
        try:
            async with AsyncExitStack() as stack:
                await self._play(stack)
        except SandboxError as error:
            failure = error.message
        seconds = time.monotonic() - began
        return Result(self._heard, failure, sorted(self._recordings), self._logs, seconds)

    async def _play(self, stack: AsyncExitStack) -> None:
        example = shared_file("etc")
        config = load(example)
        moment = opening(config, self._script.number, datetime.now(UTC))
        if moment is not None:
            self._screen.note(
                f"It is outside office hours: the PBX's clocks start at {moment:%A %H:%M} UTC."
            )
        pbx = Pbx(example, self._directory / "pbx", faketime=moment)
        self._logs += [pbx.asterisk.log, pbx.service_log]
        with self._screen.busy("starting a private Asterisk, and the service with its models"):
            stack.enter_context(pbx)
            ear = Ear(load_recognizer(config.engines.stt, config.agent.language))
            stack.callback(ear.close)
        member = await self._phone(stack, "member")
        await member.register(
            self._script.member,
            pbx.password(self._script.member),
            host=pbx.asterisk.host,
            port=pbx.asterisk.sip_port,
        )
        await member.auto_answer(PICK_UP_AFTER_S)
        self._screen.note(f"Phone {self._script.member} has registered as a member of the team.")
        for index, call in enumerate(self._script.calls, 1):
            caller = await self._phone(stack, f"call-{index}")
            self._screen.call(f"Call {index}: {call.title}")
            await DemoCall(
                index,
                call,
                caller,
                member,
                clips=shared_file("tests/clips"),
                agent=config.agent.name,
                ear=ear,
                screen=self._screen,
                heard=self._heard,
            ).play(pbx.uri(self._script.number))

    async def _phone(self, stack: AsyncExitStack, name: str) -> Phone:
        """A phone whose recording is kept, however the demo ends."""
        log = self._directory / f"{name}.sip.log"
        phone = Phone(name, log=log)
        self._logs.append(log)
        recording = self._directory / f"{name}.wav"

        def save() -> None:
            phone.save_stereo(recording)
            self._recordings.append(recording)

        stack.callback(save)
        return await stack.enter_async_context(phone)


def opening(config: Config, number: str, now: datetime) -> datetime | None:
    """None where the number's channel is open now and stays so, else when it next opens."""
    channel = config.channel_by_number(number)
    if channel is None:
        raise SandboxError(f"no channel has the number {number}")
    plan = plan_for(config, now)
    schedule = plan.schedule_of(plan.channels[channel.id])
    moment = now
    for _ in range(40):  # open but soon closed, closed, a holiday, open but short, …
        found = hours.at(schedule, moment)
        lasts = found.until is None or found.until - moment > LONG_ENOUGH
        if found.state is hours.State.OPEN and lasts:
            return moment if moment != now else None
        if found.until is None:
            break
        moment = found.until
    raise SandboxError(f"the channel of {number} never opens", hint="see hours.yaml")


if __name__ == "__main__":
    app()
