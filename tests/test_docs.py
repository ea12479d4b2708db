"""The documentation says what the code does: every key, its default, and the example messages."""

import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from asterisk_agent.config import schema
from asterisk_agent.config.load import load, survey
from asterisk_agent.errors import ConfigError
from asterisk_agent.sandbox import locks

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def rows(file: str) -> dict[str, str]:
    """The table of a file's section: key → its default as documented."""
    (section,) = re.findall(rf"^## {re.escape(file)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    found = re.findall(r"^\| `([^`]+)` \|[^|]+\|([^|]*)\|[^|]*\|$", section, re.M)
    assert len(found) == len(dict(found)), "a key is documented twice"
    assert len(found) == section.count("\n| `"), "a row has not four cells"
    return {key: default.strip() for key, default in found}


def keys(section: type[schema.Section], path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every key of the schema, written as the page writes it."""
    for name in schema.keys_at(section, path):
        here = (*path, name)
        yield ".".join(here).replace(".[]", "[]")
        yield from keys(section, here)
        yield from keys(section, (*here, "ID"))
        yield from keys(section, (*here, "ID", "[]"))


def expected(file: str) -> set[str]:
    days = {"hours.ID.DAYS"} if file == "hours.yaml" else set()
    return set(keys(schema.FILES[file])) | days


@pytest.mark.parametrize("file", schema.FILES)
def test_every_key_is_documented_and_every_documented_key_exists(file: str) -> None:
    documented, known = set(rows(file)), expected(file)
    assert known - documented == set(), "not documented"
    assert documented - known == set(), "documented, but not known"


def test_the_page_is_searched_for_enough_keys() -> None:
    known = set().union(*map(expected, schema.FILES))
    assert {
        "agent.name",
        "engines.stt.engine",
        "channels.ID.in_hours.unanswered.voicemail",
        "teams.ID.queue.wait",
        "teams.ID.existing.context",
        "messages.ID.sound",
        "channels.ID.agent.greeting",
        "channels.ID.after_hours.on_call.for",
        "hours.ID.holidays",
        "holidays.ID.country",
        "holidays.ID[].from",
    } <= known


def written(value: Any) -> str:
    """A default as an operator writes it; "" for none."""
    if value is None or value == () or isinstance(value, schema.Section):
        return ""
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    if isinstance(value, bool):
        return "`on`" if value else "`off`"
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        units = (("d", 86400), ("m", 60), ("s", 1))
        return next(f"`{seconds // n}{u}`" for u, n in units if seconds % n == 0 and seconds > n)
    return f"`{value}`"


@pytest.mark.parametrize("file", schema.FILES)
def test_documented_defaults_are_the_real_ones(file: str) -> None:
    for key, default in rows(file).items():
        *parents, name = key.replace("[]", ".[]").split(".")
        field = schema.fields_at(schema.FILES[file], parents).get(name)
        if name == "label":
            assert default == "the id"
        elif field is None or field.is_required() or field.default_factory is not None:
            assert default == "", key
        else:
            assert default == written(field.default), key


def test_the_messages_shown_are_the_messages_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "etc", "etc")
    for name, old, new in (
        ("agent", "language: en", "langauge: en"),
        ("channels", "hours: office", "hours: ofice"),
        ("teams", "wait: 60s", "wait: 60 sec"),
    ):
        path = Path("etc", f"{name}.yaml")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load(Path("etc"))
    assert "```text\n" + str(caught.value) + "\n```" in PAGE


def test_the_examples_shown_are_good(tmp_path: Path) -> None:
    """A block of YAML on the page is a whole file."""
    examples = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    assert examples
    for example in examples:
        shutil.copytree(ROOT / "etc", tmp_path / "etc", dirs_exist_ok=True)
        (tmp_path / "etc" / "hours.yaml").write_text(example)
        assert load(tmp_path / "etc").hours.keys() == {"office", "night"}


def test_the_example_of_the_repository_is_not_odd() -> None:
    found = survey(ROOT / "etc")
    assert found.problems == found.warnings == ()
    assert found.config is not None
    assert {"us", "company"} == found.config.holidays.keys()


# --- Installation -------------------------------------------------------------------------------

INSTALLATIONS = {"README.md": 1, "docs/install.md": 3, "docs/docker/Dockerfile": 1}
"""How often each tells to install the package: the guide also for an upgrade, and back again."""
BY_HASH = "--require-hashes"
PACKAGE = ["install", "--no-deps", "--no-build-isolation", "."]
COMPILERS = {"cmake", "ninja", "scikit-build-core", "setuptools"}
"""What llama-cpp-python, the sources among the packages, and our own are built with."""


def pip_commands(file: Path) -> list[list[str]]:
    """The words behind ``pip`` of each command that a document tells to run."""
    lines = re.findall(r"^ *(?:&& |RUN )*\S*\bpip3? (install .*)$", file.read_text(), re.M)
    return [shlex.split(line.removesuffix("\\")) for line in lines]


@pytest.mark.parametrize(("file", "times"), INSTALLATIONS.items())
def test_what_an_operator_installs_is_locked(file: str, times: int) -> None:
    """Tools, then packages built by them, each by its hash; then ours, which fetches nothing."""
    commands = pip_commands(ROOT / file)
    assert len(commands) == 3 * times
    for tools, packages, package in zip(*[iter(commands)] * 3, strict=True):
        assert tools == ["install", BY_HASH, "--only-binary", ":all:", "-r", str(locks.TOOLS)]
        assert packages == ["install", BY_HASH, "--no-build-isolation", "-r", str(locks.PRODUCT)]
        assert package == PACKAGE
    for lock in (locks.TOOLS, locks.PRODUCT):
        assert all("--hash=sha256:" in entry for entry in locks.read(ROOT, lock).values())


def test_no_document_installs_anything_else() -> None:
    """Neither a command of its own nor a word in passing fetches packages without hashes."""
    files = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*")]
    told = {
        str(file.relative_to(ROOT)): file.read_text().count("pip install")
        for file in files
        if file.suffix in (".md", "") and file.is_file() and "decisions" not in file.parts
    }
    assert {file: count for file, count in told.items() if count} == {
        file: 3 * times for file, times in INSTALLATIONS.items()
    }


def test_the_tools_are_all_that_building_needs() -> None:
    tools = locks.read(ROOT, locks.TOOLS)
    assert tools.keys() >= COMPILERS
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["build-system"]["requires"] == ["setuptools>=69"]
    assert int(locks.pinned(tools["setuptools"])[0].partition(".")[0]) >= 71  # has bdist_wheel


# --- Examples -----------------------------------------------------------------------------------

SERVERS = ROOT / "docs" / "examples" / "model-server"


@pytest.mark.parametrize(
    ("file", "port"), [("agent-llama-server.yaml", 8080), ("agent-vllm-ray.yaml", 8000)]
)
def test_the_examples_of_model_servers_are_good(tmp_path: Path, file: str, port: int) -> None:
    """Each is a whole agent.yaml: a server, a deadline, and a model of this machine's behind it."""
    shutil.copytree(ROOT / "etc", tmp_path / "etc")
    shutil.copyfile(SERVERS / file, tmp_path / "etc" / "agent.yaml")
    found = survey(tmp_path / "etc")
    assert found.problems == found.warnings == ()
    assert found.config is not None
    model = found.config.engines.llm
    assert model.engine == "openai"
    assert str(model.url).endswith(f":{port}/v1")
    assert model.deadline == timedelta(seconds=3)
    assert model.fallback == "smollm2-135m-instruct"


def test_the_cluster_serves_the_model_that_is_asked_for() -> None:
    served = yaml.safe_load((SERVERS / "serve.yaml").read_text())
    (application,) = served["applications"]
    (model,) = application["args"]["llm_configs"]
    asked = yaml.safe_load((SERVERS / "agent-vllm-ray.yaml").read_text())["engines"]["llm"]
    assert model["model_loading_config"]["model_id"] == asked["model"]
