"""The supervisor: a small process that starts the service, and again whenever it is lost.

``asterisk-agent run --supervise`` becomes ``python -m asterisk_agent.supervisor COMMAND...``. The
service shows life through a socket whose number is added to its command. One that is frozen is
killed with all its processes: then Asterisk sees its callers' audio connections end, and they go to
people at once. Nothing is imported here that the service needs and this does not.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from asterisk_agent import logs
from asterisk_agent.config.paths import environment_of_child
from asterisk_agent.liveness import Backoff, Limits, Watch
from asterisk_agent.notify import Notifier
from asterisk_agent.wire.lifeline import MAX_BYTES, WHERE, Beat, Losses, Word, decode, encode_losses

log = logging.getLogger(__name__)

LIFELINE = "--lifeline"
"""The option by which a service learns the number of its end of the socket."""
LOOK_S = 0.1
STOOD_STILL_S = 0.5
"""Who looks so much later than it wanted was held up itself, and perhaps the whole machine was."""
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Service:
    """A service's process, with those that it starts itself: one process group."""

    def __init__(self, command: Sequence[str], losses: Losses) -> None:
        """Start it. Raises OSError where no process can be started."""
        self._life, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._life.setblocking(False)
            self._life.send(encode_losses(losses))
            try:
                self._process = subprocess.Popen(
                    [*command, LIFELINE, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    env=environment_of_child(),
                    process_group=0,  # a terminal's Ctrl-C is for us
                )
            except OSError:
                self._life.close()
                raise
        self._open = True
        self._waited_ns = 0

    @property
    def pid(self) -> int:
        """The process that holds the calls."""
        return self._process.pid

    @property
    def readable(self) -> list[socket.socket]:
        """What ``select`` should look at."""
        return [self._life] if self._open else []

    @property
    def ended(self) -> bool:
        """Whether it is over. It is not reaped yet, so that nobody else gets its number."""
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PID, self.pid, flags) is not None
        except ChildProcessError:  # it was reaped, whoever did it
            return True

    def said(self) -> list[Beat | Word]:
        """What it has told since the last time this was asked."""
        found = []
        while self._open:
            try:
                data = self._life.recv(MAX_BYTES)
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            self._open = bool(data)
            if (message := decode(data)) is not None:
                found.append(message)
        return found

    def starved_s(self) -> float:
        """How long its main thread waited for a processor since this was last asked.

        0 where the kernel does not say: it counts when the thread gets its turn.
        """
        try:
            waited_ns = int(Path(f"/proc/{self.pid}/schedstat").read_bytes().split()[1])
        except (OSError, ValueError, IndexError):
            return 0.0
        before_ns, self._waited_ns = self._waited_ns, waited_ns
        return max(0, waited_ns - before_ns) / 1e9

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the service itself."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)  # Popen would reap it here, if it has just ended

    def bury(self) -> int:
        """Kill what is left of it, and return its exit status, negative for a signal. Blocks."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._life.close()
        return self._process.wait()


@dataclass(frozen=True, slots=True)
class End:
    """How a service ended. ``why`` it had to be killed, empty where it ended by itself."""

    code: int
    why: str
    healthy_s: float
    was_ready: bool
    longest_s: float

    def __str__(self) -> str:
        if self.why:
            return self.why
        if self.code < 0:
            return f"killed by {signal.Signals(-self.code).name}"
        return f"ended with status {self.code}"


class Supervisor:
    """``run`` it until a signal stops it."""

    def __init__(
        self,
        command: Sequence[str],
        notifier: Notifier,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._notifier = notifier
        self._limits = limits
        self._clock = clock
        self._signals: deque[int] = deque()
        self._losses = Losses()
        self._stopping = self._reload = False
        self._alive_at = self._looked_at = clock()
        self._woken = socket.socketpair()
        for end in self._woken:
            end.setblocking(False)

    def run(self) -> int:
        """Keep a service running; return the exit status. It is the service's own where that did
        not want to start, and where it was told to stop.
        """
        for number in FORWARDED:
            signal.signal(number, self._signalled)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # so that it wakes us
        signal.set_wakeup_fd(self._woken[1].fileno(), warn_on_full_buffer=False)
        backoff, before = Backoff(), False
        while True:
            end = self._attend()
            if self._stopping:
                log.info("supervisor: service stopped: %s", end, extra=_figures(end))
                return 0 if end.code in (0, *(-number for number in FORWARDED)) else 1
            if not before and not end.was_ready and end.code > 0:
                return end.code  # it has said what is wrong, and who may mend it
            before = before or end.was_ready
            pause_s = backoff.pause_s(end.healthy_s)
            self._lost(end, pause_s)
            if not self._pause(pause_s):
                return 0

    def _attend(self) -> End:
        """Start a service, and mind it until it is gone."""
        try:
            service = Service(self._command, self._losses)
        except OSError as error:
            return End(0, f"could not be started: {error}", 0.0, False, 0.0)
        watch = Watch(self._limits, self._clock())
        log.info("supervisor: service started", extra={"pid": service.pid})
        while not (why := self._look(service, watch)) and not service.ended:
            pass
        healthy_s = watch.healthy_s(self._clock())
        self._hear(service, watch)
        return End(service.bury(), why, healthy_s, watch.ready, watch.longest_s)

    def _look(self, service: Service, watch: Watch) -> str:
        """Wait a moment, do what is to be done; why the service must be killed, if it must."""
        held_up_s = self._wait(LOOK_S, service.readable)
        watch.stood_still(held_up_s)
        watch.starved(max(0.0, service.starved_s() - held_up_s))
        self._hear(service, watch)
        now = self._clock()
        while self._signals:
            self._forward(service, watch, signal.Signals(self._signals.popleft()))
        if watch.asks(now):
            log.warning("supervisor: the service is silent", extra={"pid": service.pid})
            service.send(WHERE)
        return watch.dead(now)

    def _hear(self, service: Service, watch: Watch) -> None:
        for said in service.said():
            now = self._clock()
            match said:
                case Beat():
                    watch.heard(said.playout_s, said.engines_s, now)
                case Word.READY:
                    watch.is_ready(now)
                    self._notifier.ready(self._status())
                    if self._reload:
                        service.send(signal.SIGHUP)
                        self._reload = False
                case Word.RELOADED:
                    self._notifier.ready(self._status())
                case Word.QUIET:
                    watch.is_quiet(now)

    def _forward(self, service: Service, watch: Watch, number: signal.Signals) -> None:
        if number is signal.SIGHUP:
            self._notifier.reloading()
            self._reload = not watch.ready  # until then the signal would end it
            if self._reload:
                return
        else:
            self._stopping = True
            self._notifier.stopping()
            watch.stops(self._clock())
        service.send(number)

    def _lost(self, end: End, pause_s: float) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._losses = Losses(self._losses.count + 1, at, str(end))
        log.error(
            "supervisor: service lost, calls go to people until it is back: %s",
            end,
            extra={"losses": self._losses.count, "again_in_s": pause_s, **_figures(end)},
        )
        self._notifier.status(f"calls go to people; the service was lost: {end}")

    def _pause(self, pause_s: float) -> bool:
        """Wait; False where we were told to stop. A reload wants the service at once."""
        until = self._clock() + pause_s
        while (left_s := until - self._clock()) > 0 or self._signals:
            self._wait(max(0.0, min(LOOK_S, left_s)), [])
            while self._signals:
                if self._signals.popleft() != signal.SIGHUP:
                    self._notifier.stopping()
                    return False
                until = self._clock()
        return True

    def _wait(self, seconds: float, readable: Sequence[socket.socket]) -> float:
        """Wait for news, and tell systemd that we live; for how long we were held up ourselves."""
        ours = self._woken[0]
        if ours in select.select([ours, *readable], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                ours.recv(MAX_BYTES)
        now, before = self._clock(), self._looked_at
        self._looked_at = now
        watchdog_s = self._notifier.watchdog
        if watchdog_s is not None and now - self._alive_at > watchdog_s / 4:
            self._alive_at = now
            self._notifier.alive()
        late_s = now - before - seconds
        return late_s if late_s > STOOD_STILL_S else 0.0

    def _status(self) -> str:
        if not self._losses.count:
            return "taking calls"
        return f"taking calls; lost {self._losses.count} times, last: {self._losses.why}"

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)


def _figures(end: End) -> dict[str, float]:
    """For the log: how long it was well, and how near it came to its limit."""
    return {
        "healthy_s": round(end.healthy_s),
        "longest_between_beats_s": round(end.longest_s, 2),
    }


def command_of(config: str) -> list[str]:
    """The program that ``run --supervise`` becomes, for a configuration directory."""
    service = [sys.executable, "-P", "-m", "asterisk_agent.cli.main", "run", "--config", config]
    return [sys.executable, "-P", "-m", "asterisk_agent.supervisor", *service]


def main() -> int:
    """Run the command line's program for as long as we are not told to stop."""
    logs.to_stderr()
    return Supervisor(sys.argv[1:], Notifier.of_environment(), Limits()).run()


if __name__ == "__main__":
    sys.exit(main())
