"""The layers: imports go downward, and clocks, tasks and threads stay at the edge."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "asterisk_agent"
PACKAGE = ROOT.name
LAYERS = (
    {"errors", "events", "plan", "liveness"},
    {"redaction"},
    {"config"},
    {
        "capacity",
        "hours",
        "facts",
        "overrides",
        "routing",
        "route",
        "outlook",
        "logs",
        "notify",
        "rescue",
        "speech",
        "speech_english",
        "audio",
        "recording",
        "turn",
        "steady",
        "finished",
        "finished_english",
        "hearing",
        "dictated",
        "message_english",
        "message_parts",
        "echo",
        "pacer",
        "wire",
    }
    | {"dialplan"},
    {"brain", "engines"},
    {"net", "engine_process", "message", "console", "supervisor", "watched"}
    | {"speaking", "thinking"},
    {"brief", "call", "records", "prompts"},
    {"ceilings", "site", "visits", "reception", "status", "reindex", "control", "metrics"}
    | {"recovery", "survivors", "neighbours", "rehearsal"},
    {"service", "web", "install"},
    {"sandbox", "cli"},
)
WITHIN = {  # who may import whom of the same layer
    ("overrides", "hours"),
    ("facts", "hours"),
    ("facts", "overrides"),
    ("outlook", "overrides"),
    ("outlook", "route"),
    ("outlook", "routing"),
    ("route", "overrides"),
    ("route", "routing"),
    ("routing", "facts"),
    ("routing", "hours"),
    ("routing", "overrides"),
    ("rescue", "overrides"),
    ("rescue", "routing"),
    ("dialplan", "hours"),
    ("dialplan", "routing"),
    ("speech", "speech_english"),
    ("finished", "finished_english"),
    ("finished", "turn"),
    ("dictated", "message_english"),
    ("message_parts", "message_english"),
    ("message_parts", "dictated"),
    ("brain", "engines"),
    ("thinking", "speaking"),
    ("call", "brief"),
    ("call", "records"),
    ("site", "reindex"),
    ("visits", "site"),
    ("reception", "site"),
    ("reception", "visits"),
    ("reception", "recovery"),
    ("survivors", "recovery"),
    ("survivors", "site"),
    ("survivors", "visits"),
    ("rehearsal", "site"),
    ("rehearsal", "visits"),
    ("control", "visits"),
    ("sandbox", "cli"),
}
ALONE = {"liveness", "pacer", "steady", "turn"}
"""They import nothing of ours, and nothing that reads a clock or touches the machine."""
ALONE_MAY = {"__future__", "collections", "dataclasses", "enum"}
EDGE = (
    "net/",
    "call.py",
    "speaking.py",
    "thinking.py",
    "rescue.py",
    "service.py",
    "supervisor.py",
    "watched.py",
    "notify.py",
    "console.py",
    "web/process.py",
    "web/feed.py",  # follows the service
    "web/chores.py",  # other commands, as processes with a limit
    "engines/worker.py",
    "engines/remote.py",  # deadlines for answers of another process, which may never come
    "engines/keeper.py",  # pauses between attempts to start that process
    "engines/serving.py",  # that process's threads
    "sandbox/",
    "cli/",
)
CLOCK_MODULES = {"time", "threading", "sched", "multiprocessing"}
HARMLESS = {"threading.Lock"}
CLOCK_CALLS = {"create_task", "ensure_future", "TaskGroup", "run_in_executor", "to_thread"}
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


def imports(name: str) -> Iterator[str]:
    """Dotted names of what a module imports; ``from x import y`` gives ``x.y``."""
    for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(name: str) -> str:
    """``engines/worker.py`` → ``engines``, ``call.py`` → ``call``."""
    return name.partition("/")[0].removesuffix(".py")


def layer_of(part: str) -> int:
    (found,) = (index for index, parts in enumerate(LAYERS) if part in parts)
    return found


@pytest.mark.parametrize("name", [name for name in MODULES if part_of(name) != "__init__"])
def test_imports_go_downward(name: str) -> None:
    part = part_of(name)
    for imported in imports(name):
        package, _, rest = imported.partition(".")
        other = rest.partition(".")[0]
        if package != PACKAGE or other in ("", part, "__version__"):
            continue
        allowed = layer_of(other) < layer_of(part) or (part, other) in WITHIN
        assert allowed, f"{name} imports {imported}"


@pytest.mark.parametrize("part", sorted(ALONE))
def test_the_clockwork_of_a_call_imports_nothing(part: str) -> None:
    found = {imported.partition(".")[0] for imported in imports(f"{part}.py")}
    assert found <= ALONE_MAY


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith(EDGE)])
def test_clocks_tasks_and_threads_stay_at_the_edge(name: str) -> None:
    for imported in set(imports(name)) - HARMLESS:
        assert imported.partition(".")[0] not in CLOCK_MODULES, f"{name} imports {imported}"
    for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert node.attr not in CLOCK_CALLS, f"{name}:{node.lineno}: {node.attr}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in ("now", "utcnow", "today"), f"{name}:{node.lineno}"


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("wire/")])
def test_the_wire_knows_bytes_only(name: str) -> None:
    assert not {imported.partition(".")[0] for imported in imports(name)} & {
        "asyncio",
        "socket",
        "logging",
    }
