"""Where each caller is, by what Asterisk tells of its own steps."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from asterisk_agent.errors import SandboxError
from asterisk_agent.net.ami import AsteriskManager
from asterisk_agent.sandbox.pbx import Pbx

ACCOUNT = "chaos"
LOGIN_LIMIT_S = 10.0
_INNER = re.compile(r"(\w+)\(")
_MAILBOX = re.compile(r"VoiceMail\((\w+)@")
_PROMPT = re.compile(r"([\w-]+)\)?$")
_MEMBER = re.compile(r"PJSIP/(.+)-[0-9a-f]+$")
STRANGER = "anonymous"
"""The endpoint that everybody is who is no phone of the house."""
STEPS = ("Queue", "AudioSocket", "VoiceMail", "Playback", "Dial")
"""Applications that last; the others are on the way to these."""


@dataclass(slots=True)
class Trail:
    """One caller's way. Monotonic seconds."""

    channel: str = ""
    step: str = ""
    """The application that lasts, or "asking" between two of them; "" before the first."""
    since: float = 0.0
    mailbox: str = ""
    prompt: str = ""
    """The recorded sentence that was played last."""
    prompt_since: float = 0.0
    bridges: set[str] = field(default_factory=set)
    person: str = ""
    """The member to whom the caller talks."""
    person_since: float = 0.0
    gone: bool = False
    ways: list[tuple[float, str]] = field(default_factory=list)

    def at(self, step: str, now: float) -> None:
        """The caller comes to a step."""
        if step != self.step:
            self.step, self.since = step, now
            self.ways.append((now, step))


class Tracker:
    """Follows every caller, by number, through an account of its own at Asterisk's manager."""

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx
        self._secret = secrets.token_hex(12)
        self._trails: dict[str, Trail] = {}
        self._members: dict[str, str] = {}
        """Bridges in which a member is, by the bridge's id."""
        self._manager: AsteriskManager | None = None

    async def __aenter__(self) -> Self:
        self.write_account()
        asterisk = self._pbx.asterisk
        self._manager = AsteriskManager(
            asterisk.host, asterisk.ami_port, ACCOUNT, self._secret, self.take
        )
        await self._manager.start()
        try:
            async with asyncio.timeout(LOGIN_LIMIT_S):
                async for _ in self._manager.sessions():
                    break
        except TimeoutError:
            await self._manager.stop()
            raise SandboxError("Asterisk's manager interface does not answer") from None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._manager is not None:
            await self._manager.stop()

    def write_account(self) -> None:
        """Put our account into the manager's configuration, behind what is there."""
        path = self._pbx.asterisk.directories.etc / "manager.conf"
        text = path.read_text(encoding="utf-8").partition(f"[{ACCOUNT}]")[0]
        account = f"[{ACCOUNT}]\nsecret={self._secret}\nread=call,agent,dialplan,user\nwrite=call\n"
        path.write_text(text + account, encoding="utf-8")
        self._pbx.cli("manager reload")

    def trail(self, number: str) -> Trail:
        """The way of this number's call, as far as it is known."""
        return self._trails.setdefault(number, Trail())

    def take(self, event: Mapping[str, str]) -> None:
        """An event of the manager's."""
        name, channel = event.get("event", ""), event.get("channel", "")
        found = _MEMBER.match(channel)
        if found is None:
            return
        if found[1] != STRANGER:
            self._member(found[1], name, event)
            return
        trail = self._of(channel, event.get("calleridnum", ""))
        if trail is None:
            return
        now = time.monotonic()
        match name:
            case "Newexten":
                self._step(trail, event, now)
            case "BridgeEnter":
                trail.bridges.add(event.get("bridgeuniqueid", ""))
            case "BridgeLeave":
                trail.bridges.discard(event.get("bridgeuniqueid", ""))
                trail.person = ""
            case "Hangup":
                trail.gone, trail.person = True, ""
                trail.at("gone", now)
        self._connect()

    def _of(self, channel: str, number: str) -> Trail | None:
        for trail in self._trails.values():
            if trail.channel == channel:
                return trail
        new = self._trails.get(number)
        if new is not None and not new.channel:
            new.channel = channel
            return new
        return None

    def _step(self, trail: Trail, event: Mapping[str, str], now: float) -> None:
        application, data = event.get("application", ""), event.get("appdata", "")
        if application in ("TryExec", "ExecIf"):
            inner = _INNER.search(data.rpartition("?")[2])
            application = inner[1] if inner is not None else application
            if event.get("application") == "ExecIf" and not data.startswith("1"):
                return
        if application == "VoiceMail":
            mailbox = _MAILBOX.search(data)
            trail.mailbox = mailbox[1] if mailbox is not None else data
        if application == "Playback" and (prompt := _PROMPT.search(data)) is not None:
            trail.prompt, trail.prompt_since = prompt[1], now
        trail.at(application if application in STEPS else "asking", now)

    def _member(self, user: str, name: str, event: Mapping[str, str]) -> None:
        bridge = event.get("bridgeuniqueid", "")
        if name == "BridgeEnter":
            self._members[bridge] = user
        elif name == "BridgeLeave":
            self._members.pop(bridge, None)
        self._connect()

    def _connect(self) -> None:
        """Who shares a bridge talks to each other."""
        for trail in self._trails.values():
            met = next((self._members[one] for one in trail.bridges if one in self._members), "")
            if met and not trail.person:
                trail.person_since = time.monotonic()
                trail.ways.append((trail.person_since, f"person {met}"))
            if met:
                trail.person = met
