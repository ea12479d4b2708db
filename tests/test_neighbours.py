"""Services that look after each other: whom they find silent, and what they do about it."""

import pytest

from asterisk_agent.config.schema import Address, Node
from asterisk_agent.errors import AsteriskError
from asterisk_agent.neighbours import LIMIT_S, MISSES, Neighbours

NODES = {
    name: Node(fastagi=Address("10.0.0.1", port), media=Address("10.0.0.1", port + 1))
    for name, port in (("a", 10), ("b", 20), ("c", 30))
}


def channel(name, node, application="AudioSocket"):
    data = f"0b8f1c2e-1111-4222-8333-444455556666,{NODES[node].media}"
    return {"channel": name, "application": application, "applicationdata": data}


class World:
    """Three services and an Asterisk; ``silent`` do not answer."""

    def __init__(self, own):
        self.silent, self.told, self.broken = set(), [], False
        self.now, self.asking_s = 0.0, 0.0
        self.marks = {}
        self.channels = [
            {"response": "Success"},
            channel("PJSIP/1", "a"),
            channel("PJSIP/2", "b"),
            channel("PJSIP/3", "a", "Queue"),
        ]
        self.neighbours = Neighbours(
            lambda: NODES, own, self.action, self.ask, clock=lambda: self.now
        )

    async def looks(self, times):
        for _ in range(times):
            await self.neighbours.look()

    async def ask(self, address, limit_s):
        self.now += self.asking_s
        return not any(NODES[name].fastagi == address for name in self.silent)

    async def action(self, name, **headers):
        if self.broken:
            raise AsteriskError("not connected")
        if name == "CoreShowChannels":
            return self.channels
        if name == "Getvar":
            mark = self.marks.get(headers["Variable"])
            return [{"response": "Success", **({"value": mark} if mark else {})}]
        if name == "Setvar":
            self.marks[headers["Variable"]] = headers["Value"]
        self.told.append((name, *headers.values()))
        return []


REDIRECT = ("Redirect", "PJSIP/1", "agent-ask", "next", "1")


async def test_while_all_answer_nothing_is_done():
    world = World("a")
    await world.looks(MISSES + 1)
    assert (world.told, world.neighbours.silent) == ([], ())


async def test_a_silent_one_is_passed_over_and_its_callers_are_taken_out():
    world = World("b")
    world.silent = {"a"}
    await world.looks(MISSES - 1)
    assert world.told == []  # that is no proof yet
    await world.looks(1)
    assert world.neighbours.silent == ("a",)
    assert world.told == [("Setvar", "AGENT_DOWN_1", "1"), REDIRECT]
    world.channels.clear()
    await world.looks(1)
    assert len(world.told) == 2  # told once
    world.silent.clear()
    await world.looks(1)
    assert world.told[2:] == [("Setvar", "AGENT_DOWN_1", "")]
    assert world.neighbours.silent == ()


async def test_only_the_first_that_answers_takes_callers_out():
    world = World("c")
    world.silent = {"a"}
    await world.looks(MISSES)
    assert world.told == [("Setvar", "AGENT_DOWN_1", "1")]
    world.silent = {"a", "b"}
    await world.looks(MISSES)
    redirected = [told[1] for told in world.told if told[0] == "Redirect"]
    assert set(redirected) == {"PJSIP/1", "PJSIP/2"}


async def test_one_that_stood_still_itself_blames_nobody():
    world = World("b")
    world.silent, world.asking_s = {"a"}, LIMIT_S
    await world.looks(MISSES + 1)
    assert (world.told, world.neighbours.silent) == ([], ())


async def test_an_asterisk_that_is_gone_stops_nobody():
    world = World("b")
    world.silent, world.broken = {"a"}, True
    await world.looks(MISSES + 1)
    assert world.neighbours.silent == ("a",)


@pytest.mark.parametrize(("own", "asked"), [("a", True), ("", False), ("elsewhere", False)])
async def test_one_that_is_none_of_them_looks_after_nobody(monkeypatch, own, asked):
    world, looked = World(own), []

    class Enough(Exception):
        pass

    async def look():
        looked.append(own)

    async def sleep(_):
        raise Enough

    monkeypatch.setattr(world.neighbours, "look", look)
    monkeypatch.setattr("asterisk_agent.neighbours.asyncio.sleep", sleep)
    with pytest.raises(Enough):
        await world.neighbours.watch()
    assert bool(looked) is asked


async def test_one_that_asterisk_reaches_keeps_its_callers():
    """Only the way between two services is broken: each thinks that the other is gone."""
    world = World("b")
    world.silent = {"a"}
    await world.looks(MISSES)
    assert world.told[-1] == REDIRECT  # nobody can know better at first
    world.marks.clear()  # Asterisk asked it again, and it answered
    world.told.clear()
    await world.looks(5)
    assert world.told == []
    world.silent = set()
    await world.looks(1)
    world.silent = {"a"}
    await world.looks(MISSES + 1)
    assert world.told.count(REDIRECT) == 2  # this time it is gone


async def test_one_that_falls_silent_for_asterisk_too_is_left_by_its_callers():
    world = World("b")
    world.silent = {"a"}
    await world.looks(MISSES)
    world.marks.clear()
    await world.looks(1)
    world.told.clear()
    world.marks["AGENT_DOWN_1"] = "1795500000"  # as the dialplan marks it
    await world.looks(2)
    assert world.told == [REDIRECT, REDIRECT]
