"""Changing the operator's YAML: what stays, what is refused, and what a crash would leave."""

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from good_config import GOOD, write_good
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml.comments import CommentedMap

from asterisk_agent.config import edit as editing
from asterisk_agent.config.edit import assign, edit
from asterisk_agent.config.load import load, survey
from asterisk_agent.config.round_trip import changed
from asterisk_agent.errors import AgentError, ConfigError

WRITTEN = """\
# Which number does what. "Ours" & <theirs>.
x: &usual {answer: agent,   handoff: [ support,backoffice ]}   # an anchor

channels:

    # the first one
    support:
        number:   +15551230100      # with its plus
        agent:    on                # on | off
        label: 'Support'
        hours: office
        # what it knows
        knowledge:
          - company
          - "support"               # quoted
        in_hours:
            <<: *usual
            unanswered: {voicemail: support, message: nobody-free}
        after_hours:
            greeting: >
                We are closed,
                but I am here.
            unanswered: {voicemail: support, message: closed-now}
    # the second one
    billing:
        number: 0600
        in_hours:
            handoff: billing
            unanswered: {voicemail: night, message: nobody-free}
        after_hours:
            unanswered: {voicemail: billing, message: closed-now}
        agent: {greeting: "Billing, hello."}
# the end
"""
USUAL = "&usual {answer: agent,   handoff: [ support,backoffice ]}"
OPERATORS = WRITTEN.replace(f"x: {USUAL}", "").replace("<<: *usual", f"<<: {USUAL}")
OLD, NEW = "agent:    on ", "agent:    off"


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    return write_good(tmp_path / "etc", channels=OPERATORS)


def text_of(etc: Path) -> str:
    return (etc / "channels.yaml").read_bytes().decode()


def test_only_the_word_changes(etc: Path) -> None:
    assert assign(etc, ["+15551230100"], agent=False).changed == ("support",)
    assert text_of(etc) == OPERATORS.replace(OLD, NEW)
    assert load(etc).channels["support"].agent is False
    assert assign(etc, ["+15551230100"], agent=True).changed == ("support",)
    assert text_of(etc) == OPERATORS


def test_what_differs_here_is_kept_for_later(etc: Path) -> None:
    assign(etc, ["billing"], agent=False)
    off = 'agent: {greeting: "Billing, hello.", assigned: off}'
    assert text_of(etc) == OPERATORS.replace('agent: {greeting: "Billing, hello."}', off)
    assert load(etc).channels["billing"].agent is False
    assert load(etc).channels["billing"].greeting == "Billing, hello."
    assign(etc, ["0600"], agent=True)
    assert text_of(etc) == OPERATORS.replace(
        'agent: {greeting: "Billing, hello."}', off.replace("off", "on")
    )
    assert load(etc).channels["billing"].agent is True


def test_a_key_that_was_not_there(etc: Path) -> None:
    (etc / "channels.yaml").write_text(GOOD["channels.yaml"])
    assert assign(etc, ["15551230200"], agent=False).changed == ("billing",)
    number = '    number: "+15551230200"\n'
    assert text_of(etc) == GOOD["channels.yaml"].replace(number, f"{number}    agent: off\n")


def test_already_so_touches_nothing(etc: Path) -> None:
    before = (etc / "channels.yaml").stat()
    done = assign(etc, ["15551230100", "0600", "support"], agent=True)
    assert (done.changed, done.already) == ((), ("support", "billing"))
    after = (etc / "channels.yaml").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert not (etc / "channels.yaml.bak").exists()


def test_several_at_once_in_one_step(etc: Path) -> None:
    assign(etc, ["billing"], agent=False)
    done = assign(etc, ["0600", "+15551230100"], agent=False)
    assert (done.changed, done.already) == (("support",), ("billing",))
    assert [channel.agent for channel in load(etc).channels.values()] == [False, False]


def test_one_unknown_number_and_nothing_happens(etc: Path) -> None:
    with pytest.raises(AgentError, match=r"no channel has the number 99 or \+7") as caught:
        assign(etc, ["support", "99", "+7"], agent=False)
    assert caught.value.hint == "known: +15551230100 (support); 0600 (billing)"
    assert text_of(etc) == OPERATORS


def test_the_last_version_is_kept(etc: Path) -> None:
    assign(etc, ["support"], agent=False)
    second = text_of(etc)
    assert (etc / "channels.yaml.bak").read_text() == OPERATORS
    assign(etc, ["billing"], agent=False)
    assert (etc / "channels.yaml.bak").read_text() == second
    assert sorted(path.name for path in etc.iterdir() if path.is_file()) == sorted(
        [*GOOD, "channels.yaml.bak"]
    )


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o444])
def test_the_mode_stays(etc: Path, mode: int) -> None:
    (etc / "channels.yaml").chmod(mode)
    assign(etc, ["support"], agent=False)
    assert stat.S_IMODE((etc / "channels.yaml").stat().st_mode) == mode
    assert stat.S_IMODE((etc / "channels.yaml.bak").stat().st_mode) == mode


def test_the_owner_stays(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    real = os.stat_result

    def fstat(handle: int) -> os.stat_result:
        found = list(os.stat(handle))
        found[4:6] = [12345, 54321]
        return real(found)

    monkeypatch.setattr(editing.os, "fstat", fstat)
    monkeypatch.setattr(editing.os, "fchown", lambda _, uid, gid: given.append((uid, gid)))
    assign(etc, ["support"], agent=False)
    assert given == [((etc / "agent.yaml").stat().st_uid, (etc / "agent.yaml").stat().st_gid)]


def test_a_link_stays_a_link(etc: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    for entry in etc.iterdir():
        (linked / entry.name).symlink_to(entry)
    assign(linked, ["support"], agent=False)
    assert (linked / "channels.yaml").is_symlink()
    assert "agent:    off" in text_of(etc)
    assert (etc / "channels.yaml.bak").read_text() == OPERATORS


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_stay(etc: Path, line_end: str, mark: str) -> None:
    whole = (mark + OPERATORS.replace("\n", line_end)).encode()
    (etc / "channels.yaml").write_bytes(whole)
    assign(etc, ["support"], agent=False)
    assert text_of(etc) == whole.decode().replace(OLD, NEW)


def change_hours(hours: str) -> Callable[[CommentedMap], None]:
    def change(tree: CommentedMap) -> None:
        tree["channels"]["support"]["hours"] = hours

    return change


def test_any_change_to_any_file(etc: Path) -> None:
    def change(tree: CommentedMap) -> None:
        tree["timezone"] = "Europe/Oslo"
        tree["hours"]["office"]["sat"] = "10:00-14:00"

    assert edit(etc, "hours.yaml", change)
    good = GOOD["hours.yaml"].replace("America/New_York", "Europe/Oslo")
    last = "    holidays: [us, company]\n"
    assert (etc / "hours.yaml").read_text() == good.replace(last, f"{last}    sat: 10:00-14:00\n")
    assert not edit(etc, "hours.yaml", change)


def test_a_change_that_makes_it_invalid_is_refused(etc: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        edit(etc, "channels.yaml", change_hours("ofice"))
    assert caught.value.problems == [
        f'{etc}/channels.yaml:11: channels.support.hours: "ofice" is not one of the hours.'
        ' Hint: did you mean "office"?'
    ]
    assert text_of(etc) == OPERATORS
    assert not (etc / "channels.yaml.bak").exists()


def test_a_change_that_mends_it_is_taken(etc: Path) -> None:
    (etc / "channels.yaml").write_text(OPERATORS.replace("hours: office", "hours: ofice"))
    assert edit(etc, "channels.yaml", change_hours("office"))
    assert text_of(etc) == OPERATORS


@pytest.mark.parametrize("broken", ["teams: {}", "teams: [", ""])
def test_nothing_is_written_beside_a_broken_file(etc: Path, broken: str) -> None:
    (etc / "teams.yaml").write_text(broken)
    for change in (
        lambda: edit(etc, "channels.yaml", change_hours("office2")),
        lambda: assign(etc, ["support"], agent=False),
    ):
        with pytest.raises(ConfigError, match=r"teams\.yaml"):
            change()
    assert text_of(etc) == OPERATORS


def test_a_file_that_cannot_be_read_is_not_edited(etc: Path) -> None:
    (etc / "channels.yaml").write_text("channels: [")
    with pytest.raises(ConfigError, match="is not YAML"):
        edit(etc, "channels.yaml", change_hours("office"))
    with pytest.raises(AgentError, match="cannot be opened: No such file"):
        edit(etc / "nowhere", "channels.yaml", change_hours("office"))


def test_who_reads_between_two_files_finds_no_mistake(
    etc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The console's preview did, and told of hours that were not there yet."""
    found: list[list[str]] = []

    def write(*arguments: Any) -> None:
        replace_file(*arguments)
        found.append([str(problem) for problem in survey(etc).problems])

    def new_hours(tree: CommentedMap) -> None:
        tree["hours"]["mornings"] = {"mon-fri": ["08:00-12:00"]}

    replace_file = editing.replace_file
    monkeypatch.setattr(editing, "replace_file", write)
    changes = {"channels.yaml": change_hours("mornings"), "hours.yaml": new_hours}
    seen = editing.fingerprints(etc, list(changes))
    assert set(editing.save(etc, changes, seen)) == set(changes)
    assert found == [[], []]


def test_somebody_else_saves_the_file_meanwhile(etc: Path) -> None:
    def change(tree: CommentedMap) -> None:
        change_hours("office")(tree)
        tree["channels"]["support"]["agent"] = "off"
        (etc / "channels.yaml").write_text(OPERATORS + "# saved by an editor\n")

    with pytest.raises(AgentError, match="was changed meanwhile"):
        edit(etc, "channels.yaml", change)
    assert text_of(etc) == OPERATORS + "# saved by an editor\n"
    assert not [path for path in etc.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("step", ["fsync", "fchmod", "replace"])
def test_a_failure_half_way_leaves_the_file(
    etc: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(editing.os, step, fail)
        with pytest.raises(AgentError, match="cannot be written: No space left on device"):
            assign(etc, ["support"], agent=False)
    assert text_of(etc) == OPERATORS
    assert not [path for path in etc.iterdir() if path.name.startswith(".")]


def test_two_editors_at_once_wait_for_each_other(etc: Path) -> None:
    """Each turns a channel of its own off and on; none of the changes is lost."""
    errors: list[Exception] = []

    def flip(channel: str) -> None:
        try:
            for agent in (False, True, False):
                assign(etc, [channel], agent=agent)
        except AgentError as error:
            errors.append(error)

    threads = [threading.Thread(target=flip, args=(name,)) for name in ("support", "billing")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [channel.agent for channel in load(etc).channels.values()] == [False, False]


# --- Text to text -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "change", "expected"),
    [
        ("a: 1\n", {"b": "x: y"}, 'a: 1\nb: "x: y"\n'),
        ("a: 1", {"b": "2"}, "a: 1\nb: 2"),
        ("a: {b: 1}\n", {"a": {"b": "1", "c": "#"}}, 'a: {b: 1, c: "#"}\n'),
        ("a: 'x'  # y\n", {"a": "it's"}, 'a: "it\'s" # y\n'),
        ("a: 'x'     # y\n", {"a": "z"}, "a: 'z'     # y\n"),
        ('a: "x"\n', {"a": "é"}, 'a: "é"\n'),
        ("a:\nb: 1\n", {"a": "on"}, "a: on\nb: 1\n"),
        ("a: on\n", {"a": ""}, 'a: ""\n'),
        ("a: 1\r\nb: 2\r\n", {"c": "3"}, "a: 1\r\nb: 2\r\nc: 3\r\n"),
        ("# top\na:   |\n  x\n  y\n# end\n", {"a": "z"}, "# top\na: |-\n  z\n# end\n"),
        ("a:\n  - x   # 1\n  - y\n", {"a": ["x"]}, "a:\n  - x   # 1\n"),
        ("a:   1 # one\nb: 2\n", {"b": {"c": "3"}}, "a: 1   # one\nb:\n  c: 3\n"),
    ],
)
def test_values_old_and_new(text: str, change: dict[str, Any], expected: str) -> None:
    def make(tree: CommentedMap) -> None:
        for key, value in change.items():
            if isinstance(value, list):
                del tree[key][len(value) :]
            elif isinstance(value, dict) and isinstance(tree[key], dict):
                tree[key].update(value)
            else:
                tree[key] = value

    assert changed(text, make) == expected


def test_a_key_that_is_taken_away() -> None:
    def change(tree: CommentedMap) -> None:
        del tree["b"]

    assert changed("# top\na: 0600  # keep\nb: 2\n", change) == "# top\na: 0600  # keep\n"


def test_what_is_merged_in_stays_merged() -> None:
    def change(tree: CommentedMap) -> None:
        tree["c"]["a"] = "3"

    text = "b: &b {a: 1, d: 2}\nc:\n  e: 4\n  <<: *b\n"
    assert changed(text, change) in (
        "b: &b {a: 1, d: 2}\nc:\n  e: 4\n  a: 3\n  <<: *b\n",
        "b: &b {a: 1, d: 2}\nc:\n  e: 4\n  <<: *b\n  a: 3\n",
    )


def nothing(tree: CommentedMap) -> None:
    """Leave it as it is."""


@pytest.mark.parametrize("text", [WRITTEN, OPERATORS, *GOOD.values()])
def test_no_change_is_no_change(text: str) -> None:
    assert changed(text, nothing) == text


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WRITTEN.splitlines()[2:]), max_size=3), st.integers(0, 3))
def test_only_what_is_changed_changes(comments: list[str], blank: int) -> None:
    """Whatever surrounds a value, in comments or blank lines, stays where it is."""
    noise = "".join(f"# {line}\n" for line in comments) + "\n" * blank
    text = f"{noise}a: 1\n{noise}b:   [ 1,2 ]   # {len(noise)}\n{noise}"

    def change(tree: CommentedMap) -> None:
        tree["a"] = "2"

    assert changed(text, change) == text.replace("a: 1\n", "a: 2\n")


def test_a_layout_that_cannot_be_kept_is_still_right() -> None:
    text = "a:\n    - 1\n    -\n      - 2\nb: >-\n  x\n\n\n  y\n"

    def change(tree: CommentedMap) -> None:
        tree["c"] = "3"

    assert changed(text, change).endswith("c: 3\n")


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "[" * 5000])
def test_text_that_is_no_yaml(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        changed(text, nothing)
