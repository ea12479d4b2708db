"""Where files live."""

from pathlib import Path

import pytest

from asterisk_agent.config import paths


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The system's folder and the cache, neither of them made yet."""
    monkeypatch.delenv("ASTERISK_AGENT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(paths, "SYSTEM_DATA", tmp_path / "system")
    return tmp_path / "system", tmp_path / "cache" / "asterisk-agent"


def test_what_the_operator_chose_comes_first(
    places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    places[0].mkdir()
    monkeypatch.setenv("ASTERISK_AGENT_DATA", "/somewhere")
    assert paths.data_directory() == Path("/somewhere")


def test_the_systems_folder_is_used_where_it_is(places: tuple[Path, Path]) -> None:
    system, cache = places
    assert paths.data_directory() == cache
    system.mkdir()
    assert paths.data_directory() == system


def test_a_call_log_in_the_systems_folder_hides_no_models(places: tuple[Path, Path]) -> None:
    system, cache = places
    system.mkdir()
    (system / "calls.db").touch()
    (cache / "models").mkdir(parents=True)
    assert paths.data_directory() == cache
    (system / "models").mkdir()
    assert paths.data_directory() == system
