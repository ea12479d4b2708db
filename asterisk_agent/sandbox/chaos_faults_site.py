"""Engines that fail, clocks that jump, a broken configuration, and Asterisk's own reloads."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import ClassVar

from asterisk_agent.sandbox import chaos_engines
from asterisk_agent.sandbox.chaos_engines import MODEL, RECOGNISER, THINKING, VOICE, WAYS
from asterisk_agent.sandbox.chaos_fault import Fault, Setting, World
from asterisk_agent.sandbox.chaos_relay import Trouble

HOUR_S = 3600.0
RELOADED = ("res_pjsip", "app_queue", "app_voicemail", "pbx_config", "res_musiconhold", "logger")
BROKEN = "channels: [broken\n  : {"


class Engine(Fault):
    """An engine fails in the engine process."""

    engine: ClassVar[str]
    way: ClassVar[str]
    turns = 3  # who is not understood twice in a row goes to a person

    async def inject(self, world: World) -> None:
        world.switch.set(self.engine, self.way)

    async def lift(self, world: World) -> None:
        world.switch.set()


_HOW = {
    chaos_engines.RAISES: "the {} raises what it may not",
    chaos_engines.HANGS: "the {} does not return",
    chaos_engines.GARBAGE: "the {} returns nonsense",
    chaos_engines.NOTHING: "the {} returns nothing",
}
_WHAT = {
    RECOGNISER: "recogniser",
    THINKING: "embedder",
    MODEL: "language model",
    VOICE: "voice",
}


def _fault(engine: str, way: str) -> type[Fault]:
    about = _HOW[way].format(_WHAT[engine])
    name = f"{engine}-{way}"
    setting = Setting.WORDED if engine == MODEL else Setting.PLAIN
    members = {
        "__doc__": None,
        "name": name,
        "about": about,
        "engine": engine,
        "way": way,
        "setting": setting,
    }
    return type(name, (Engine,), members)


class ServerHangs(Fault):
    name, about = "server-hangs", "the remote model server takes questions and answers none"
    setting = Setting.SERVER
    turns = 2
    trouble: ClassVar[Trouble] = Trouble.SILENT

    async def inject(self, world: World) -> None:
        await world.server.fail(self.trouble)

    async def lift(self, world: World) -> None:
        await world.server.fail(Trouble.NONE)


class ServerRefuses(ServerHangs):
    name, about = "server-refuses", "the remote model server ends connections, and takes none"
    trouble = Trouble.REFUSED


class ServerGarbage(ServerHangs):
    name, about = "server-garbage", "the remote model server answers noise"
    trouble = Trouble.GARBAGE


class ServerFails(ServerHangs):
    name, about = "server-fails", "the remote model server answers HTTP 500"

    async def inject(self, world: World) -> None:
        world.model_server.fails = True

    async def lift(self, world: World) -> None:
        world.model_server.fails = False


class ClockForward(Fault):
    name, about = "clock-forward", "the service's clock jumps an hour ahead"
    setting = Setting.CLOCK
    seconds: ClassVar[float] = HOUR_S

    async def inject(self, world: World) -> None:
        assert world.clock is not None, "this setting has one"
        world.clock.step(self.seconds)

    async def lift(self, world: World) -> None:
        assert world.clock is not None, "this setting has one"
        world.clock.step(-self.seconds)


class ClockBack(ClockForward):
    name, about = "clock-back", "the service's clock jumps an hour back"
    seconds = -HOUR_S


class YamlBroken(Fault):
    name, about = "yaml-broken", "a configuration with mistakes is reloaded"

    async def inject(self, world: World) -> None:
        path = world.pbx.config_dir / "channels.yaml"
        self.original = path.resolve()
        path.unlink()
        path.write_text(BROKEN, encoding="utf-8")
        self._reload(world)

    async def lift(self, world: World) -> None:
        path = world.pbx.config_dir / "channels.yaml"
        path.unlink()
        path.symlink_to(self.original)
        self._reload(world)

    def _reload(self, world: World) -> None:
        os.kill(world.service.pid, signal.SIGHUP)


class Reload(Fault):
    name, about = "reload", "a good configuration is reloaded, Asterisk's part included"

    async def inject(self, world: World) -> None:
        os.kill(world.service.pid, signal.SIGHUP)


class AsteriskReload(Fault):
    name, about = "asterisk-reload", "core reload"
    commands: ClassVar[tuple[str, ...]] = ("core reload",)

    async def inject(self, world: World) -> None:
        for command in self.commands:
            await asyncio.to_thread(world.pbx.cli, command)


class AsteriskModules(AsteriskReload):
    name, about = "asterisk-modules", "module reload, of " + ", ".join(RELOADED)
    commands = tuple(f"module reload {module}" for module in RELOADED)


FAULTS: tuple[type[Fault], ...] = (
    *(_fault(engine, way) for engine in (RECOGNISER, THINKING, MODEL, VOICE) for way in WAYS),
    ServerHangs,
    ServerRefuses,
    ServerGarbage,
    ServerFails,
    ClockForward,
    ClockBack,
    YamlBroken,
    Reload,
    AsteriskReload,
    AsteriskModules,
)
