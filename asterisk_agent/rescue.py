"""One step of a call, decided by a process of its own while the service gives no answer.

    AGI(asterisk-agent-rescue,PLAN_FILE,OVERRIDES_DIRECTORY,start,CHANNEL,WAITED)
    AGI(…,next,CHANNEL,UUID,STAGE,STATE,STATUS,TRIED,ARRIVED,TURNS)

The dialplan asks this script when the service did not answer, with the service's own questions,
and takes the same answer from it: channel variables, the last of them ``AGENT_READY=1``. It works
from the plan that was written with the dialplan, so broken YAML cannot disturb it, and it takes
the service for dead. Where it cannot answer it says why on standard error and sets nothing that
counts: then the dialplan decides by itself.

A caller waits in silence meanwhile, so nothing is imported that takes long: Python's own modules,
the plan, routing, and pyst2's AGI.
"""

from __future__ import annotations

import io
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from asterisk.agi import AGI, AGIException

from asterisk_agent import overrides
from asterisk_agent.overrides import Override
from asterisk_agent.plan import Plan, from_json
from asterisk_agent.routing import (
    AgentHealth,
    Decision,
    Facts,
    Kind,
    Outcome,
    Stage,
    State,
    decide,
)

LIMIT_S = 3
"""Then the dialplan has gone on without us, whatever kept us."""
MAX_PLAN_BYTES = 16 << 20
"""Three years of holidays for a hundred schedules are one MiB."""
MAX_REASON = 300
RESCUES = "rescues"
"""The file beside the overrides' directory, for ``metrics``."""
MAX_COUNTED_BYTES = 1 << 20
SENSELESS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What a question, or a plan that somebody changed by hand, can raise."""

_PLAIN = re.compile(r"[A-Za-z0-9._-]{0,200}")
"""What an answer is made of: ids. pyst2 does not escape quotes, so none may come to it."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"[0-9]{1,11}")
_POSSIBLE = frozenset((Kind.TEAM, Kind.ON_CALL, Kind.VOICEMAIL, Kind.GOODBYE))
"""Where a call can go without the service."""


def main() -> int:
    """Answer Asterisk, which speaks on standard input and output. Exit status 1: no answer."""
    signal.signal(signal.SIGALRM, _too_late)
    signal.alarm(LIMIT_S)
    try:
        answer = answer_to(sys.argv[1:], datetime.now(UTC))
        _send(answer)
        _count(Path(sys.argv[2]).parent / RESCUES)
    except (AGIException, OSError, *SENSELESS) as error:
        print(f"asterisk-agent-rescue: {repr(error)[:MAX_REASON]}", file=sys.stderr)
        return 1
    return 0


def _count(file: Path) -> None:
    """Add a line to the file by which rescues are counted; one that has grown begins again."""
    with suppress(OSError):
        grown = file.exists() and file.stat().st_size > MAX_COUNTED_BYTES
        with file.open("w" if grown else "a", encoding="utf-8") as stream:
            stream.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n")


def answer_to(arguments: Sequence[str], now: datetime) -> dict[str, str]:
    """The variables to set, in order, for a command line at the aware instant ``now``.

    Raises one of ``SENSELESS`` for a question or a plan that makes no sense, OSError where there
    is no plan.
    """
    if len(arguments) < 4:
        raise ValueError(f"{len(arguments)} arguments, expected at least 4")
    plan_file, overrides_directory, question, channel_id, *rest = arguments
    plan = read_plan(Path(plan_file))
    if channel_id not in plan.channels:
        raise ValueError(f"no channel {channel_id!r} in the plan")
    override = overrides.read(Path(overrides_directory), channel_id)
    facts, uuid = facts_of(question, rest, override, plan)
    return variables(decide(facts, plan.channels[channel_id], plan, now), uuid)


def read_plan(file: Path) -> Plan:
    """The plan that was written with the dialplan. Raises OSError or ValueError."""
    with file.open("rb") as stream:
        text = stream.read(MAX_PLAN_BYTES + 1)
    if len(text) > MAX_PLAN_BYTES:
        raise ValueError(f"{file}: more than {MAX_PLAN_BYTES} bytes")
    return from_json(text.decode())


def facts_of(
    question: str, rest: Sequence[str], override: Override | None, plan: Plan
) -> tuple[Facts, str]:
    """What ``start`` or ``next`` tells, as facts, and the conversation's id, empty if unknown.

    ``rest`` are the arguments behind the channel: missing ones count as empty, more do not count.
    Raises ValueError.
    """
    if question == "start":
        waited = _padded(rest, 1)[0]
        facts = Facts(
            Stage.ARRIVAL, agent=AgentHealth.DOWN, override=override, waited=waited == "1"
        )
        return facts, ""
    if question != "next":
        raise ValueError(f"question {question!r}, expected 'start' or 'next'")
    uuid, stage, state, status, tried, arrived, turns = _padded(rest, 7)
    came_from = Stage(stage)
    facts = Facts(
        stage=came_from,
        state=State(state) if state else None,
        arrived=datetime.fromtimestamp(_number(arrived), UTC) if arrived else None,
        override=override,
        agent=AgentHealth.DOWN,
        # Whoever ended the conversation took its outcome along.
        outcome=Outcome.LOST if came_from is Stage.AGENT else None,
        tried=tuple(id_ for id_ in tried.split(".") if id_ in plan.teams),
        status=status,
        turns=_number(turns) if turns else 0,
    )
    return facts, uuid if _UUID.fullmatch(uuid) else ""


def variables(decision: Decision, uuid: str) -> dict[str, str]:
    """A decision as channel variables, ``AGENT_READY`` last. Raises ValueError for odd ones."""
    if decision.kind not in _POSSIBLE:
        raise ValueError(f"decision {decision.kind!r} needs the service")
    answer = {
        "AGENT_ACTION": str(decision.kind),
        "AGENT_TARGET": decision.target,
        "AGENT_MESSAGE": decision.message,
        "AGENT_PROMPT": decision.prompt,
        "AGENT_STATE": str(decision.state),
        "AGENT_UUID": uuid,
        "AGENT_BRIEF": "",
        "AGENT_BYPASSED": "1" if decision.bypassed else "",
        "AGENT_FIRST": "1" if decision.first_in_line else "",
        "AGENT_READY": "1",
    }
    for name, value in answer.items():
        if not _PLAIN.fullmatch(value):
            raise ValueError(f"{name} would be {value!r}")
    return answer


def _send(answer: Mapping[str, str]) -> None:
    """Set the variables. Raises AGIException or OSError where Asterisk, or the caller, is gone."""
    # A caller's name may be in any encoding, and pyst2 would copy it to standard error.
    assert isinstance(sys.stdin, io.TextIOWrapper)
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    asterisk = AGI(stdin=sys.stdin, stdout=sys.stdout, stderr=io.StringIO())
    for name, value in answer.items():
        asterisk.set_variable(name, value)


def _padded(arguments: Sequence[str], length: int) -> list[str]:
    return [*arguments, *[""] * length][:length]


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"not a number: {text!r}")
    return int(text)


def _too_late(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"no answer from Asterisk within {LIMIT_S} s")


if __name__ == "__main__":
    sys.exit(main())
