"""The demo's script, and what counts as heard."""

from pathlib import Path

import pytest

from asterisk_agent.audio import read_wav
from asterisk_agent.errors import SandboxError
from asterisk_agent.sandbox.demo_script import missing, read_script

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("fact", "heard"),
    [
        (("89", "eighty nine"), "A visit costs $89."),
        (("89", "eighty nine"), "a visit costs Eighty-Nine dollars"),
        (("1450",), "It costs $1,450, with a tank."),
        (("dont have",), "I don\u2019t have that"),
        (("how can i help",), "How can I help you?"),
    ],
)
def test_a_fact_counts_in_any_wording(fact, heard):
    assert missing([fact], heard) == []


@pytest.mark.parametrize("heard", ["", "It costs $890.", "189 dollars", "8 and 9"])
def test_parts_of_other_words_do_not_count(heard):
    assert missing([("89", "eighty nine")], heard) == ["89 / eighty nine"]


def test_names_only_what_is_missing():
    assert missing([("thirty",), ("89",)], "It costs 89.") == ["thirty"]


def test_every_clip_of_the_demo_is_there_and_described():
    script = read_script(HERE / "data" / "demo.yaml")
    lines = [line for call in script.calls for line in (*call.turns, *call.talk)]
    table = (HERE / "clips" / "README.md").read_text(encoding="utf-8")
    for line in lines:
        pcm, rate_hz = read_wav(HERE / "clips" / line.clip)
        assert pcm
        assert rate_hz == 8000
        row = next(row for row in table.splitlines() if f"`{line.clip}`" in row)
        assert f'"{line.says}"' in row


@pytest.mark.parametrize(
    "text", ["", "calls: []", "number: [", "number: 5\nmember: x\ncalls: []\n"]
)
def test_what_is_no_script_is_refused(tmp_path, text):
    path = tmp_path / "demo.yaml"
    path.write_text(text)
    with pytest.raises(SandboxError, match="not a script"):
        read_script(path)
