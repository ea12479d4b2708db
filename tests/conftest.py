"""Fixtures for tests with a real Asterisk, and the count of tests that were real."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from asterisk_agent.engines.loader import load_recognizer
from asterisk_agent.sandbox.asterisk import PrivateAsterisk
from asterisk_agent.sandbox.pbx import Pbx
from asterisk_agent.sandbox.phone import Phone

EXAMPLE = Path(__file__).parent.parent / "etc"
REAL = {"asterisk": "the real Asterisk", "models": "the real models"}

BENCH_DIALPLAN = """
[from-trunk]
exten => hello,1,Answer()
 same => n,Wait(0.5)
 same => n,Playback(hello-world)
 same => n,Hangup()
exten => echo,1,Answer()
 same => n,Echo()
exten => tone,1,Answer()
 same => n,Milliwatt()
exten => early,1,Progress()
 same => n,Playback(hello-world,noanswer)
 same => n,Answer()
 same => n,Wait(5)
exten => keys,1,Answer()
 same => n,Read(KEYS,,4,,1,5)
 same => n,SendDTMF(${KEYS},100,200)
 same => n,Wait(2)
exten => mailbox,1,Answer()
 same => n,TryExec(VoiceMail(100@agent,s))
 same => n,Playback(vm-goodbye)
exten => team,1,Set(CALLERID(name)=Support: ${CALLERID(name)})
 same => n,Dial(PJSIP/101,20,b(brief^s^1))
exten => queue,1,Answer()
 same => n,Queue(bench,,,,20)
exten => busy,1,Busy(5)
exten => silent,1,Answer()
 same => n,Wait(60)

[brief]
exten => s,1,Set(PJSIP_HEADER(add,X-Channel)=helpdesk)
 same => n,Return()

[from-phones]
include => from-trunk
"""
BENCH_FILES = {
    "extensions.conf": BENCH_DIALPLAN,
    "voicemail.conf": "[general]\nformat=wav\nmailcmd=/bin/true\n[agent]\n100 => 1234,Bench\n",
    "queues.conf": "[general]\n[bench]\nstrategy=ringall\ntimeout=10\nmember => PJSIP/101\n",
}

StartPbx = Callable[..., Pbx]
NewPhone = Callable[..., Awaitable[Phone]]


@pytest.fixture(scope="session")
def bench_asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateAsterisk]:
    """A real Asterisk with a small dialplan of its own, without agent or service."""
    state_dir = tmp_path_factory.mktemp("bench")
    with PrivateAsterisk(state_dir, members=["101", "102"], files=BENCH_FILES) as asterisk:
        yield asterisk


@pytest.fixture(scope="session")
def example_pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    """The example configuration on a real Asterisk, with the service and its real models."""
    with Pbx(EXAMPLE, tmp_path_factory.mktemp("example")) as pbx:
        yield pbx


@pytest.fixture
def start_pbx(tmp_path: Path) -> Iterator[StartPbx]:
    """Start PBXs of the test's own: ``start_pbx(config_dir, service=False, faketime=…)``."""
    with contextlib.ExitStack() as stack:

        def start(config_dir: Path = EXAMPLE, **options: Any) -> Pbx:
            pbx = Pbx(config_dir, tmp_path / f"pbx{len(started)}", **options)
            started.append(pbx)
            return stack.enter_context(pbx)

        started: list[Pbx] = []
        yield start


@pytest.fixture
async def new_phone(tmp_path: Path) -> AsyncIterator[NewPhone]:
    """Start phones: ``await new_phone("caller")``. Their SIP logs are in ``tmp_path``."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(name: str = "phone", **options: Any) -> Phone:
            phone = Phone(name, log=tmp_path / f"{name}.sip.log", **options)
            return await stack.enter_async_context(phone)

        yield start


@pytest.fixture(scope="session")
def hear() -> Callable[[bytes], str]:
    """A clip at 16 kHz to text in lower case: all that two hearings of it understand.

    The recogniser mishears a word in a hundred, and with more silence around the clip another.
    """
    recogniser = load_recognizer()

    def listen(pcm: bytes) -> str:
        hearings = []
        for silence in (b"", bytes(16_000)):
            session = recogniser.session()
            session.feed(silence + pcm + silence)
            hearings.append(session.result().text.lower())
        return " / ".join(dict.fromkeys(hearings))

    return listen


# --- How many tests were real ---------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-real",
        action="append",
        default=[],
        choices=sorted(REAL),
        help="fail unless tests ran against the real one, and none was skipped",
    )


NOT_REAL = 6
"""The exit code where a test of a required real part could not run; pytest itself ends at 5."""


class RealTests:
    """Counts the tests with each marker of ``REAL`` that passed, failed or were skipped."""

    def __init__(self, required: Collection[str]) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._required = required

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # A test counts once: in its call, or in the set-up that kept it from being called.
        if report.when == "call" or (report.when == "setup" and not report.passed):
            for marker in REAL:
                if marker in report.keywords:
                    self.counts[marker, report.outcome] += 1

    def missing(self) -> list[str]:
        """What no test could show."""
        return [
            what
            for marker, what in REAL.items()
            if marker in self._required
            and (not self.counts[marker, "passed"] or self.counts[marker, "skipped"])
        ]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.missing():
            session.exitstatus = NOT_REAL

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for marker, what in REAL.items():
            passed = self.counts[marker, "passed"]
            ran = passed + self.counts[marker, "failed"]
            terminalreporter.write_line(f"against {what}: {ran} tests ran, {passed} passed")
        for what in self.missing():
            terminalreporter.write_line(f"FAILED: not every test against {what} could run")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(RealTests(config.getoption("--require-real")), "real-tests")
