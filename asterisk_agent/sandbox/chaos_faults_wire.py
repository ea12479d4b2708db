"""Connections between Asterisk and the service that end, stand still, or bring nonsense."""

from __future__ import annotations

from typing import ClassVar

from asterisk_agent.sandbox.chaos_fault import Fault, World
from asterisk_agent.sandbox.chaos_relay import Relay, Trouble


class Wire(Fault):
    """One of the three connections is in trouble."""

    trouble: ClassVar[Trouble]
    wire: ClassVar[str]

    async def inject(self, world: World) -> None:
        await self._relay(world).fail(self.trouble)

    async def lift(self, world: World) -> None:
        await self._relay(world).fail(Trouble.NONE)

    def _relay(self, world: World) -> Relay:
        relays = {"ami": world.manager, "agi": world.fastagi, "media": world.media}
        return relays[self.wire]


_WIRES = {
    "ami": ("the manager interface", (
        Trouble.REFUSED, Trouble.RESET, Trouble.SILENT, Trouble.SLOW, Trouble.GARBAGE,
    )),
    "agi": ("FastAGI", (
        Trouble.REFUSED, Trouble.RESET, Trouble.SILENT, Trouble.HALF, Trouble.HALF_BACK,
        Trouble.SLOW, Trouble.GARBAGE, Trouble.GARBAGE_BACK, Trouble.FLOOD,
    )),
    "media": ("AudioSocket", (
        Trouble.REFUSED, Trouble.RESET, Trouble.SILENT, Trouble.HALF, Trouble.HALF_BACK,
        Trouble.SLOW, Trouble.GARBAGE, Trouble.GARBAGE_BACK, Trouble.FLOOD,
    )),
}  # fmt: skip
_HOW = {
    Trouble.REFUSED: "{}: connections end, and none is taken",
    Trouble.RESET: "{}: connections end by RST",
    Trouble.SILENT: "{}: nothing arrives any more, on either side",
    Trouble.HALF: "{}: the answering side stops in the middle of a message",
    Trouble.HALF_BACK: "{}: the asking side stops in the middle of a message",
    Trouble.SLOW: "{}: 480 bytes a second",
    Trouble.GARBAGE: "{}: noise instead of what the answering side says",
    Trouble.GARBAGE_BACK: "{}: noise instead of what the asking side says",
    Trouble.FLOOD: "{}: the answering side is flooded for four seconds",
}


def _fault(wire: str, what: str, trouble: Trouble) -> type[Fault]:
    return type(
        f"{wire}-{trouble}",
        (Wire,),
        {
            "__doc__": None,
            "name": f"{wire}-{trouble.replace(' ', '-')}",
            "about": _HOW[trouble].format(what),
            "wire": wire,
            "trouble": trouble,
            "routed": wire != "ami",
        },
    )


class BlindAndDeaf(Fault):
    name, about = "ami-refused-media-silent", "no manager interface, and AudioSocket stands still"
    routed = True

    async def inject(self, world: World) -> None:
        await world.manager.fail(Trouble.REFUSED)
        await world.media.fail(Trouble.SILENT)

    async def lift(self, world: World) -> None:
        await world.media.fail(Trouble.NONE)
        await world.manager.fail(Trouble.NONE)


class ManagerPassword(Fault):
    name, about = "ami-password", "the manager's password is changed, and connections end"

    async def inject(self, world: World) -> None:
        secret = world.pbx.asterisk.ami_secret
        self._write(world, secret, f"{secret}-changed")
        await world.manager.fail(Trouble.RESET)

    async def lift(self, world: World) -> None:
        secret = world.pbx.asterisk.ami_secret
        self._write(world, f"{secret}-changed", secret)
        await world.manager.fail(Trouble.NONE)

    def _write(self, world: World, old: str, new: str) -> None:
        path = world.pbx.asterisk.directories.etc / "manager.conf"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(f"secret={old}\n", f"secret={new}\n"), encoding="utf-8")
        world.pbx.cli("manager reload")


FAULTS: tuple[type[Fault], ...] = (
    *(
        _fault(wire, what, trouble)
        for wire, (what, troubles) in _WIRES.items()
        for trouble in troubles
    ),
    BlindAndDeaf,
    ManagerPassword,
)
