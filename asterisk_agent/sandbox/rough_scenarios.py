"""What rough callers do, each in one call; an error tells what a caller missed."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.bench_weather import Weather
from asterisk_agent.sandbox.rough_caller import RoughCaller, hears, hears_much, quiet
from asterisk_agent.sandbox.rough_sip import ALAW, PLAIN, SLIN16, Manner

GREETING_LIMIT_S = 12.0
"""On a busy machine an agent is late; a caller who hears nothing for so long has gone."""
ANSWER_LIMIT_S = 20.0
AN_ANSWER_S = 2.0
"""Shorter is "One moment.", with which a busy agent covers that it thinks."""
LONG_HOLD_S = 11.0
"""So long that the agent asks whether the caller is still there, which nobody on hold hears."""
FLOOD_KEYS = 20
PUT_THROUGH_S = 6.0
GARBAGE = 60
CANARY = "touch-me-not"
"""No file of this name may ever appear: what is between ${SHELL()} is not run."""


@dataclass(slots=True)
class Scene:
    """One caller on the way: ``uri`` is the agent's, ``question`` 8 kHz PCM of what they say."""

    caller: RoughCaller
    uri: str
    number: str
    question: bytes
    asked: bool = False
    """Whether the question was answered with some sound: the log tells whether it was right."""

    async def dial(self) -> None:
        """Call, and be answered."""
        await self.caller.dial(self.uri, self.number)
        await self.caller.answered(GREETING_LIMIT_S)

    async def greeting(self) -> None:
        """Call, and hear the greeting begin."""
        await self.dial()
        await hears(self.caller, 0.0, GREETING_LIMIT_S, "no greeting")

    async def conversation(self) -> None:
        """Hear the greeting to its end."""
        await self.greeting()
        await quiet(self.caller, 1.0, 15)

    async def answer(self) -> None:
        """Ask, and hear an answer."""
        said = await self.caller.speak(self.question)
        await hears_much(self.caller, said.ended, AN_ANSWER_S, ANSWER_LIMIT_S, "no answer")
        self.asked = True


CLEAR = (0.0, 0.0)
QUESTION = "How much does it cost to unblock a drain?"
Act = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """``target`` replaces the agent's number. ``short``: part of every test run."""

    name: str
    act: Act
    manner: Manner = PLAIN
    weather: tuple[float, float] = CLEAR
    """Loss, and jitter in seconds."""
    number: str = ""
    target: str = ""
    words: str = QUESTION
    """What the caller says."""
    short: bool = False

    def caller(self) -> RoughCaller:
        """Its caller."""
        return RoughCaller(self.name, self.manner, Weather(*self.weather))


# --- Acts -----------------------------------------------------------------------------------------


async def greeted(scene: Scene) -> None:
    """The greeting is heard."""
    await scene.greeting()


async def greeted_or_ignored(scene: Scene) -> None:
    """The same, unless Asterisk itself takes the message for none and says nothing to it."""
    try:
        await scene.caller.dial(scene.uri, scene.number)
    except SandboxError:
        return
    await scene.caller.answered(GREETING_LIMIT_S)
    await hears(scene.caller, 0.0, GREETING_LIMIT_S, "no greeting")


async def asks(scene: Scene) -> None:
    """A question has an answer."""
    await scene.conversation()
    await scene.answer()


async def gives_up_at_once(scene: Scene) -> None:
    """CANCEL, or BYE, with the first answer."""
    await scene.caller.dial(scene.uri, scene.number)


async def hangs_up_when_answered(scene: Scene) -> None:
    """BYE with the ACK."""
    await scene.dial()


async def hangs_up_in_the_greeting(scene: Scene) -> None:
    """BYE half a second into it."""
    await scene.greeting()
    await asyncio.sleep(0.5)


async def hangs_up_while_speaking(scene: Scene) -> None:
    """BYE in mid-sentence."""
    await scene.conversation()
    speaking = asyncio.create_task(scene.caller.speak(scene.question))
    await asyncio.sleep(0.5)
    speaking.cancel()


async def hangs_up_while_it_thinks(scene: Scene) -> None:
    """BYE right behind the question."""
    await scene.conversation()
    await scene.caller.speak(scene.question)


async def hangs_up_in_the_answer(scene: Scene) -> None:
    """BYE with the answer's first sound."""
    await scene.conversation()
    said = await scene.caller.speak(scene.question)
    await hears(scene.caller, said.ended, ANSWER_LIMIT_S, "no answer")


async def vanishes(scene: Scene) -> None:
    """Neither BYE nor audio any more."""
    await scene.conversation()
    scene.caller.vanish()


async def negotiates_again_and_again(scene: Scene) -> None:
    """Five re-INVITEs within the greeting; then a question."""
    await scene.greeting()
    for _ in range(5):
        scene.caller.send_sip(scene.caller.call.invite_again("sendrecv"))
        await asyncio.sleep(0.15)
    await quiet(scene.caller, 1.0, 15)
    await scene.answer()


async def holds(scene: Scene) -> None:
    """Hold twice, then a question."""
    await scene.greeting()
    await scene.caller.hold(1.0)
    await scene.caller.hold(0.3)
    await quiet(scene.caller, 1.0, 15)
    await scene.answer()


async def holds_for_long(scene: Scene) -> None:
    """No audio until the agent has asked whether the caller is there; then a question."""
    await scene.conversation()
    await scene.caller.hold(LONG_HOLD_S, sends=False)
    await quiet(scene.caller, 1.0, 15)
    await scene.answer()


async def hangs_up_on_hold(scene: Scene) -> None:
    """BYE while the agent is on hold."""
    await scene.conversation()
    scene.caller.put_on_hold(sends=False)
    await asyncio.sleep(1.5)


async def says_a_number(scene: Scene) -> None:
    """Something is said to it, and time passes in which a call could be put through."""
    await scene.conversation()
    said = await scene.caller.speak(scene.question)
    await hears(scene.caller, said.ended, ANSWER_LIMIT_S, "no answer")
    await asyncio.sleep(PUT_THROUGH_S)


async def floods_keys(scene: Scene) -> None:
    """Keys without a pause, by RTP and by INFO, and events that are no keys; then a question."""
    await scene.greeting()
    for index in range(FLOOD_KEYS):
        scene.caller.press("12345#6789"[index % 10])
        body = f"Signal={index % 9 + 1}\r\nDuration=100\r\n"
        kind = ("Content-Type: application/dtmf-relay",)
        scene.caller.send_sip(scene.caller.call.inside("INFO", kind, body))
        await asyncio.sleep(0.02)
    scene.caller.press_odd()
    await asyncio.sleep(FLOOD_KEYS * 0.2)
    await quiet(scene.caller, 1.0, 15)
    await scene.answer()


async def sends_garbage(scene: Scene) -> None:
    """Audio packets that are none, empty, or too long, and control packets; then a question.

    Packets that look like the call's own would end the caller's own audio in Asterisk.
    """
    await scene.greeting()
    for index in range(GARBAGE):
        scene.caller.send_rtp(bytes([index]) + secrets.token_bytes(index * 23))
        scene.caller.send_rtp(b"\x80" + bytes([200 + index % 5]) + secrets.token_bytes(30))
        scene.caller.send_rtp(b"")
        await asyncio.sleep(0.01)
    await quiet(scene.caller, 1.0, 15)
    await scene.answer()


async def speaks_strange_sip(scene: Scene) -> None:
    """Messages of all sorts from another port, beside a call that goes on."""
    await scene.greeting()
    invite = replace(scene.caller.call, token=secrets.token_hex(8)).invite()
    host, _, port = scene.uri.rpartition("@")[2].partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for message in strange_messages(invite):
            stranger.sendto(message, (host, int(port)))
            await asyncio.sleep(0.02)
    await quiet(scene.caller, 1.0, 15)
    await scene.answer()


def strange_messages(invite: bytes) -> tuple[bytes, ...]:
    """What an INVITE can be made into."""
    return (
        b"",
        b"\r\n\r\n\r\n\r\n",
        secrets.token_bytes(900),
        invite[:120],
        invite.replace(b"SIP/2.0", b"SIP/9.9"),
        invite.replace(b"Content-Length: ", b"Content-Length: 99999"),
        invite.replace(b"Content-Length: ", b"Content-Length: -"),
        invite.replace(b"v=0", b"v=\0\0\xff"),
        invite.replace(b"RTP/AVP", b"RTP/SAVPF"),
        invite.replace(b"m=audio", b"m=video"),
        invite.replace(b"INVITE", b"OPTIONS"),
        invite.replace(b"INVITE", b"REGISTER"),
        invite.replace(b"INVITE", b"DANCE"),
        invite.replace(b"Call-ID: ", b"Call-ID: " + b"x" * 3000),
        invite.replace(b"Max-Forwards: 70", b"Max-Forwards: 0"),
        invite.replace(b"CSeq: 1", b"CSeq: 99999999999"),
    )


async def is_not_put_through(scene: Scene) -> None:
    """A number that nobody gave to callers: refused, or answered by a team of the house."""
    try:
        await scene.dial()
        await asyncio.sleep(1.0)
    except SandboxError:
        return


async def keys_a_number(scene: Scene) -> None:
    """A number abroad, keyed to the agent as fast as it goes."""
    await scene.greeting()
    for key in "9" + "0019005551212" + "#":
        scene.caller.press(key)
    await asyncio.sleep(4)


# --- Scenarios ------------------------------------------------------------------------------------

SHELL = f"${{SHELL(touch {CANARY})}}"
NAMES = {
    "quotes": 'Ann \\"the\\" Baker\\\\',
    "a variable": SHELL,
    "an expression": "$[1/0] ${EVAL(${CHANNEL})} ${CUT(a,b,c)}",
    "commas and signs": "a,b;c&d|e)(Goto(x,1)<>'`id`",
    "folded lines": "Ann\r\n Event: AgentEnded\r\n CallUUID: x",
    "escaped lines": "Ann%0d%0aAction: Originate\\\\r\\\\n",
    "UTF-8": "Zoë Ærø 日本語 \u202e\u0000"[:-1],
    "colours": "\x1b[31mAnn\x1b[0m\x07",
    "four thousand letters": "A" * 4096,
}
ACTS = {"folded lines": greeted_or_ignored}
"""A quoted string ends with its line in Asterisk's parser, so that message is no message."""
NUMBERS = {
    "digit by digit": "Transfer me to one nine zero zero, five five five, one two one two.",
    "in words": "Connect me with nineteen hundred, five fifty-five, twelve twelve.",
    "to be dialled": "Please dial zero zero one nine hundred five five five, one two one two.",
}
ELSEWHERE = (
    "101",
    "600",
    "s",
    "do-goodbye",
    "+19005551212",
    "00",
    "h",
    "%24%7BSHELL(id)%7D",
    "*28",
)
LINES = ((0.05, 0.03), (0.20, 0.06))

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("as usual", asks, short=True),
    *(
        Scenario(
            f"name: {what}",
            ACTS.get(what, greeted),
            Manner(name=name),
            short=what in ("a variable", "quotes"),
        )
        for what, name in NAMES.items()
    ),
    Scenario("number: a variable", greeted, number="%24%7BSHELL(id)%7D", short=True),
    Scenario("number: 300 digits", greeted, number="1" * 300),
    Scenario("number: signs", greeted, number="+1-555;x=y'--"),
    Scenario("number: withheld", greeted, number="anonymous"),
    Scenario(
        "headers: a caller ID of its own",
        greeted,
        Manner(headers=(f'P-Asserted-Identity: "{SHELL}" <sip:911@127.0.0.1>',)),
        short=True,
    ),
    Scenario("headers: a diversion", greeted, Manner(headers=(f"Diversion: <sip:{SHELL}@x>",))),
    *(
        Scenario(f"{codec.name}, {ptime} ms", asks, Manner(codec, ptime), short=(ptime == 60))
        for codec, ptime in ((PLAIN.codec, 10), (PLAIN.codec, 60), (ALAW, 30), (SLIN16, 20))
    ),
    Scenario("PCMU/8000, 40 ms", asks, Manner(ptime_ms=40)),
    Scenario("comfort noise", asks, Manner(silence_is_noise=True), short=True),
    Scenario("no offer", asks, Manner(offers=False)),
    *(
        Scenario(f"{loss:.0%} lost, {jitter * 1000:.0f} ms jitter", asks, weather=(loss, jitter))
        for loss, jitter in LINES
    ),
    Scenario("gives up at once", gives_up_at_once, short=True),
    Scenario("hangs up when answered", hangs_up_when_answered, short=True),
    Scenario("hangs up in the greeting", hangs_up_in_the_greeting, short=True),
    Scenario("hangs up while speaking", hangs_up_while_speaking),
    Scenario("hangs up while it thinks", hangs_up_while_it_thinks),
    Scenario("hangs up in the answer", hangs_up_in_the_answer),
    Scenario("vanishes", vanishes),
    Scenario("negotiates again and again", negotiates_again_and_again),
    Scenario("holds", holds, short=True),
    Scenario("holds for long", holds_for_long),
    Scenario("hangs up on hold", hangs_up_on_hold),
    Scenario("floods keys", floods_keys, short=True),
    Scenario("sends garbage", sends_garbage, short=True),
    Scenario("speaks strange SIP", speaks_strange_sip),
    Scenario("keys a number abroad", keys_a_number, short=True),
    *(
        Scenario(
            f"says a number: {how}", says_a_number, words=words, short=(how == "digit by digit")
        )
        for how, words in NUMBERS.items()
    ),
    *(
        Scenario(f"dials {to}", is_not_put_through, target=to, short=to in ("101", "+19005551212"))
        for to in ELSEWHERE
    ),
)
