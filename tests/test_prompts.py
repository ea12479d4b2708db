"""The recorded prompts: each that anything plays is there, and is made only once."""

import re
from datetime import date
from pathlib import Path

import pytest

from asterisk_agent import audio, dialplan, prompts
from asterisk_agent.config.load import load
from asterisk_agent.config.schema import Message
from asterisk_agent.dialplan.features import SWITCHES

CONFIG = load(Path(__file__).parent.parent / "etc")
BY_ROUTING = {"connecting", "apology", "emergency", "no-message-taken"}


class Voice:
    """Says everything as a tenth of a second of silence."""

    rate_hz = 8_000

    def __init__(self) -> None:
        self.said: list[str] = []

    def synthesize(self, text: str, *, pace: float = 1.0) -> list[bytes]:
        self.said.append(text)
        return [audio.silence(0.1, self.rate_hz)]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTERISK_AGENT_DATA", str(tmp_path / "data"))


def test_whatever_the_dialplan_plays_is_recorded() -> None:
    plan = dialplan.plan_for(CONFIG, date(2026, 11, 23))
    text = dialplan.included(dialplan.files(CONFIG, Path("/etc/asterisk/agent"), plan))
    played = set(re.findall(r"\$\{AGENT_SOUNDS\}/([\w-]+)\)", text))
    switched = {f"switched-{switch}" for switch in SWITCHES.values()}
    assert {"connecting", "apology", "switch-failed"} <= played
    assert played | switched | BY_ROUTING <= prompts.recorded(CONFIG).keys()


def test_a_message_that_is_a_sound_already_is_not_recorded() -> None:
    messages = {**CONFIG.messages, "closed-now": Message(sound="custom/closed")}
    found = prompts.recorded(CONFIG.model_copy(update={"messages": messages}))
    assert "message-nobody-free" in found
    assert "message-closed-now" not in found


def test_only_what_is_new_is_spoken(tmp_path: Path) -> None:
    voice, folder = Voice(), tmp_path / "sounds"
    first = prompts.render(CONFIG, folder, lambda: voice)
    assert {path.stem for path in first} == prompts.recorded(CONFIG).keys()
    assert all(audio.read_wav(path)[1] == 8_000 for path in first)
    said = len(voice.said)
    assert prompts.render(CONFIG, folder, lambda: voice) == []
    # Another folder takes what was spoken before.
    assert len(prompts.render(CONFIG, tmp_path / "other", lambda: voice)) == len(first)
    assert len(voice.said) == said
    messages = {**CONFIG.messages, "closed-now": Message(text="We are closed.")}
    changed = CONFIG.model_copy(update={"messages": messages})
    assert prompts.render(changed, folder, lambda: voice) == [folder / "message-closed-now.wav"]
    assert len(voice.said) == said + 1
