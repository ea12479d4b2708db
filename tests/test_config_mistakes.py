"""What an operator reads when the configuration is wrong: every message, word for word.

data/config_mistakes.txt is the table; here are the mistakes that would not look like themselves
in it, and those that take more than one file.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
from good_config import GOOD, write_good

from asterisk_agent.config.load import load, survey
from asterisk_agent.config.tree import MAX_VALUES
from asterisk_agent.errors import ConfigError

TABLE = Path(__file__).parent / "data" / "config_mistakes.txt"


@dataclass(frozen=True)
class Mistake:
    """A block of the table: lines of a file, what is written instead, what is said about it."""

    line: int
    file: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return f"line-{self.line}"

    def made_in(self, good: str) -> str:
        """The file with the mistake in it."""
        old, new = ("".join(f"{line}\n" for line in lines) for lines in (self.old, self.new))
        before, found, after = f"\n{good}".partition(f"\n{old}")
        assert found, f"{TABLE}:{self.line}: {self.file} has no such lines"
        return f"{before}\n{new}{after}".removeprefix("\n")


def mistakes() -> list[Mistake]:
    """The table. Anything in it that is not understood is an error."""
    found = []
    lines = enumerate(TABLE.read_text(encoding="utf-8").splitlines(), 1)
    for number, file in lines:
        if not file or file.startswith("#"):
            continue
        block = []
        for _, line in lines:
            if not line:
                break
            assert line[:2].strip() in ("-", "+", "=", ""), line
            block.append((line[0], line[2:]))
        old, new, problems = (
            tuple(text for mark, text in block if mark in marks) for marks in ("- ", "+ ", "=")
        )
        found.append(Mistake(number, file, old, new, problems))
    return found


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good configuration in ``etc``, relative, as an operator would name it."""
    monkeypatch.chdir(tmp_path)
    return write_good(Path("etc"))


def problems(directory: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(directory)
    return caught.value.problems


@pytest.mark.parametrize("mistake", mistakes(), ids=str)
def test_says_what_is_wrong_where_and_how_to_mend_it(etc: Path, mistake: Mistake) -> None:
    (etc / mistake.file).write_text(mistake.made_in(GOOD[mistake.file]), encoding="utf-8")
    assert mistake.problems
    assert problems(etc) == [f"etc/{line}" for line in mistake.problems]


def test_the_table_is_long_and_says_nothing_twice() -> None:
    table = mistakes()
    assert len(table) > 150
    assert len({(mistake.file, mistake.old, mistake.new) for mistake in table}) == len(table)
    assert {mistake.file for mistake in table} == set(GOOD)


def test_what_is_broken_is_otherwise_good(etc: Path) -> None:
    found = survey(etc)
    assert found.config is not None
    assert found.problems == found.warnings == ()


# --- More than one ------------------------------------------------------------------------------


def test_every_problem_of_every_file_at_once(etc: Path) -> None:
    write_good(
        etc,
        agent=GOOD["agent.yaml"].replace("10m", "10 min").replace("name:", "nme:", 1),
        channels=GOOD["channels.yaml"]
        .replace("agent: on", "agent: maybe")
        .replace("hours: office", "hours: x", 1),
        hours=GOOD["hours.yaml"].replace("US", "UK"),
        teams=GOOD["teams.yaml"].replace("102", "1 2").replace("60s", "60 sec"),
    )
    assert problems(etc) == [
        "etc/agent.yaml:1: agent.name: is missing. Hint: add name: under agent.",
        'etc/agent.yaml:2: agent.nme: is not a known key. Hint: did you mean "name"?',
        'etc/agent.yaml:11: limits.call: expected a duration such as 60s, got "10 min".'
        " Hint: write 10m.",
        'etc/channels.yaml:4: channels.support.agent: expected on or off, got "maybe".',
        'etc/channels.yaml:5: channels.support.hours: "x" is not one of the hours.'
        " Hint: hours.yaml has office.",
        "etc/hours.yaml:9: holidays.us.country: expected a country's two letters, such as US,"
        ' got "UK". Hint: write GB.',
        "etc/teams.yaml:5: teams.support.members: expected a device such as PJSIP/101,"
        ' got "PJSIP/1 2".',
        'etc/teams.yaml:6: teams.support.queue.wait: expected a duration such as 60s, got "60 sec".'
        " Hint: write 60s.",
    ]


def test_a_name_that_leads_into_a_broken_file_is_not_blamed(etc: Path) -> None:
    (etc / "teams.yaml").write_text("teams: [")
    (only,) = problems(etc)
    assert only.startswith("etc/teams.yaml:1: is not YAML: ")


def test_two_lists_of_one_schedule_may_not_contradict_each_other(etc: Path) -> None:
    text = GOOD["hours.yaml"].replace("[us, company]", "[us, company, works]")
    text += "  works:\n    - {date: 2026-12-24, name: Boiler day}\n"
    (etc / "hours.yaml").write_text(text)
    assert problems(etc) == [
        "etc/hours.yaml:15: holidays.works.date: 2026-12-24 is listed already in line 11."
        " Hint: delete one of the two."
    ]


def test_two_lists_of_two_schedules_may(etc: Path) -> None:
    text = GOOD["hours.yaml"].replace("hours:\n", "hours:\n  shop: {sat: [], holidays: works}\n", 1)
    text += "  works:\n    - {date: 2026-12-24, name: Boiler day}\n"
    (etc / "hours.yaml").write_text(text)
    assert survey(etc).problems == ()


def test_a_range_within_a_range_is_found_behind_a_short_one(etc: Path) -> None:
    days = ("2026-03-01 2026-03-31", "2026-03-02 2026-03-03", "2026-03-20 2026-04-02")
    spans = [span.split() for span in days]
    listed = "".join(f"    - {{from: {a}, to: {b}, name: Works}}\n" for a, b in spans)
    (etc / "hours.yaml").write_text(GOOD["hours.yaml"] + listed)
    whole = "2026-03-01 to 2026-03-31 in line 14. Hint: let one end before the other begins."
    assert problems(etc) == [
        f"etc/hours.yaml:15: holidays.company.from: 2026-03-02 to 2026-03-03 overlaps {whole}",
        f"etc/hours.yaml:16: holidays.company.from: 2026-03-20 to 2026-04-02 overlaps {whole}",
    ]


# --- Files that are none ------------------------------------------------------------------------


def test_no_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert problems(Path("etc")) == [
        "etc: no such directory. Hint: name the directory that holds agent.yaml with --config."
    ]


def test_an_empty_directory_lists_every_file(tmp_path: Path) -> None:
    names = ("agent", "channels", "hours", "teams")
    assert problems(tmp_path) == [
        f"{tmp_path}/{name}.yaml: no such file. Hint: etc/ of the source holds a complete example."
        for name in names
    ]


def test_a_missing_file_is_the_only_problem(etc: Path) -> None:
    (etc / "teams.yaml").rename(etc / "teams.yml")
    assert problems(etc) == ["etc/teams.yaml: no such file. Hint: rename teams.yml to teams.yaml."]


def test_a_file_that_is_none(etc: Path) -> None:
    (etc / "hours.yaml").unlink()
    (etc / "hours.yaml").mkdir()
    os.mkfifo(etc / "fifo")
    (etc / "teams.yaml").unlink()
    (etc / "teams.yaml").symlink_to("fifo")
    assert problems(etc) == ["etc/hours.yaml: is not a file.", "etc/teams.yaml: is not a file."]


def test_a_file_that_may_not_be_read(etc: Path) -> None:
    (etc / "hours.yaml").unlink()
    (etc / "hours.yaml").symlink_to("hours.yaml")
    (only,) = problems(etc)
    assert only == "etc/hours.yaml: cannot be read: Too many levels of symbolic links."


def test_not_utf8(etc: Path) -> None:
    (etc / "hours.yaml").write_bytes(GOOD["hours.yaml"].encode() + "  # Tromsø".encode("latin-1"))
    assert problems(etc) == ["etc/hours.yaml:14: is not UTF-8 text. Hint: save the file as UTF-8."]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_another_encoding(etc: Path, encoding: str) -> None:
    (etc / "hours.yaml").write_bytes(GOOD["hours.yaml"].encode(encoding))
    assert problems(etc) == ["etc/hours.yaml:1: is not UTF-8 text. Hint: save the file as UTF-8."]


def test_an_empty_file(etc: Path) -> None:
    (etc / "hours.yaml").write_text("# nothing yet\n")
    assert problems(etc) == [
        "etc/hours.yaml: is empty. Hint: known here: timezone:, close_grace:, hours:, holidays:."
    ]


@pytest.mark.parametrize(("text", "found"), [("- a\n- b\n", "a list"), ("hello\n", '"hello"')])
def test_a_file_of_something_else(etc: Path, text: str, found: str) -> None:
    (etc / "hours.yaml").write_text(text)
    assert problems(etc) == [f"etc/hours.yaml:1: expected keys and values, got {found}."]


# --- Hostile files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "    label: Customer",
            "\tlabel: Customer",
            "3: a tab stands where spaces belong. Hint: use spaces.",
        ),
        ("support:", "sup\aport:", "2: holds the control character U+0007. Hint: delete it."),
        ("Customer", "\0", "3: holds the control character U+0000. Hint: delete it."),
        ("Customer", "\x1b[2J", "3: holds the control character U+001B. Hint: delete it."),
    ],
)
def test_characters_that_cannot_be_seen(etc: Path, old: str, new: str, problem: str) -> None:
    (etc / "teams.yaml").write_text(GOOD["teams.yaml"].replace(old, new, 1), newline="")
    assert problems(etc) == [f"etc/teams.yaml:{problem}"]


def test_binary(etc: Path) -> None:
    (etc / "teams.yaml").write_bytes(bytes(range(256)))
    assert problems(etc) == ["etc/teams.yaml:2: is not UTF-8 text. Hint: save the file as UTF-8."]


def test_too_large(etc: Path) -> None:
    (etc / "hours.yaml").write_text("#" * (1 << 20) + "\n")
    assert problems(etc) == ["etc/hours.yaml: is larger than 1 MiB."]


def test_too_many_values(etc: Path) -> None:
    (etc / "hours.yaml").write_text("- a\n" * (MAX_VALUES + 1))
    assert problems(etc) == [
        f"etc/hours.yaml:{MAX_VALUES}: is not YAML: more than 50000 values."
        " Hint: split what is not configuration off."
    ]


def test_an_alias_bomb_is_refused(etc: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for n in range(1, 12):
        bomb += f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n"
    (etc / "hours.yaml").write_text(bomb)
    assert problems(etc) == [
        "etc/hours.yaml:1: unfolds to more than 50000 values. Hint: write it with fewer anchors."
    ]


def test_nested_deep(etc: Path) -> None:
    (etc / "hours.yaml").write_text("[" * 3000)
    assert problems(etc) == [
        "etc/hours.yaml:1: is not YAML: nested deeper than 20 levels."
        " Hint: look at the brackets and the indentation."
    ]


def test_nested_in_itself(etc: Path) -> None:
    (etc / "hours.yaml").write_text("timezone: &a [*a]\n")
    assert problems(etc) == [
        "etc/hours.yaml:1: unfolds to more than 20 levels. Hint: write it with fewer anchors."
    ]


def test_a_merge_bomb_is_refused(etc: Path) -> None:
    keys = ", ".join(f"k{n}: x" for n in range(9))
    bomb = f"a0: &a0 {{{keys}}}\n"
    for n in range(1, 12):
        bomb += f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n"
    (etc / "hours.yaml").write_text(bomb)
    assert problems(etc) == [
        "etc/hours.yaml:1: unfolds to more than 50000 values. Hint: write it with fewer anchors."
    ]


@pytest.mark.parametrize(
    "tag", ["!!python/object/new:os.system", "!!python/name:os.system", "!!binary", "!include"]
)
def test_tags_do_nothing(etc: Path, tag: str) -> None:
    text = GOOD["teams.yaml"].replace("Customer support", f"{tag} teams")
    (etc / "teams.yaml").write_text(text)
    assert problems(etc) == [
        f"etc/teams.yaml:3: teams.support.label: has the tag {tag}."
        " Hint: remove it: tags mean nothing here."
    ]


def test_a_long_list_is_read_in_no_time(etc: Path) -> None:
    members = ", ".join(f"PJSIP/{n}" for n in range(40_000))
    text = GOOD["teams.yaml"].replace("PJSIP/104", members)
    (etc / "teams.yaml").write_text(text)
    assert survey(etc).problems == ()


def test_no_name_breaks_the_line_that_tells_of_it(etc: Path) -> None:
    teams = '  "a\\nb": {voicemail: {mailbox: "1"}}\n  c: {voicemail: {mailbox: "1"}}\nmessages:'
    (etc / "teams.yaml").write_text(GOOD["teams.yaml"].replace("messages:", teams))
    found = problems(etc)
    assert all(line.isprintable() for line in found)
    assert r'"1" belongs to a\nb already' in found[-1]


def test_nothing_of_a_value_breaks_the_line_that_tells_of_it(etc: Path) -> None:
    text = GOOD["teams.yaml"].replace("Customer support", r'"a\nb\e[2J\u2028c"')
    (etc / "teams.yaml").write_text(text)
    (only,) = problems(etc)
    assert only.isprintable()
    assert only.endswith(r'got "a\nb\u001b[2J\u2028c".')


# --- Secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o601, 0o666, 0o777])
def test_a_secret_that_others_may_use(etc: Path, mode: int) -> None:
    secret = etc / "ami.secret"
    secret.touch()
    secret.chmod(mode)
    assert problems(etc) == [
        "etc/agent.yaml:9: asterisk.ami.secret_file: every user of this machine may use"
        f" etc/ami.secret (mode {mode:04o}). Hint: run: chmod 640 etc/ami.secret."
    ]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o400])
def test_a_secret_of_owner_and_group(etc: Path, mode: int) -> None:
    secret = etc / "ami.secret"
    secret.touch()
    secret.chmod(mode)
    assert survey(etc).problems == ()


def test_a_secret_elsewhere_and_the_line_that_names_it(etc: Path) -> None:
    (etc / "elsewhere").touch()
    (etc / "elsewhere").chmod(stat.S_IRUSR | stat.S_IROTH)
    text = GOOD["agent.yaml"].replace("host: 127.0.0.1", "secret_file: elsewhere")
    (etc / "agent.yaml").write_text(text)
    (only,) = problems(etc)
    assert only.startswith("etc/agent.yaml:9: asterisk.ami.secret_file: every user of ")


# --- Warnings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "warning"),
    [
        (
            "channels",
            "    hours: office\n    in_hours",
            "    in_hours",
            "channels.yaml:14: channels.billing: has no hours, so it is always open."
            " Hint: name its hours.",
        ),
        (
            "channels",
            "    agent: on",
            "    agent: off\n    ceiling: {minutes: 3000}",
            "channels.yaml:5: channels.support.ceiling: has no effect: the agent does not answer"
            " here. Hint: assign it with agent: on.",
        ),
        (
            "hours",
            "  office:",
            "  late: {fri: [], sat: []}\n  office:",
            "hours.yaml:4: hours.late: no channel has these hours."
            " Hint: name them in channels.yaml.",
        ),
        (
            "hours",
            "  office:",
            "  late: {fri: [], sat: []}\n  office:",
            "hours.yaml:4: hours.late: is closed on every day of the week."
            ' Hint: write hours such as mon-fri: "08:00-16:00".',
        ),
        (
            "hours",
            "[us, company]",
            "[us]",
            "hours.yaml:10: holidays.company: no hours take these holidays into account."
            " Hint: add holidays: [company] under the hours.",
        ),
        (
            "teams",
            "  night:",
            '  sales: {extension: "630", members: PJSIP/105}\n  night:',
            "teams.yaml:14: teams.sales: no channel sends calls to this team."
            " Hint: name it in a channel's in_hours.handoff or unanswered.voicemail, or delete it.",
        ),
        (
            "teams",
            "  night:",
            '  fax: {voicemail: {mailbox: "9"}, asks: fax}\n  night:',
            "teams.yaml:14: teams.fax: no channel sends calls to this team."
            " Hint: name it in a channel's in_hours.handoff or unanswered.voicemail, or delete it.",
        ),
        (
            "teams",
            "  billing:",
            "  billing:\n    queue: {wait: 90s, ring: 20s}",
            "teams.yaml:9: teams.billing.queue: has no effect but for wait: the PBX's own queue"
            " rings its phones in its own way. Hint: keep wait alone, or nothing.",
        ),
        (
            "teams",
            "messages:",
            "messages:\n  lunch: We are at lunch.",
            "teams.yaml:17: messages.lunch: no channel plays this message. Hint: delete it.",
        ),
    ],
)
def test_odd_but_allowed(etc: Path, file: str, old: str, new: str, warning: str) -> None:
    good = GOOD[f"{file}.yaml"]
    assert old in good
    (etc / f"{file}.yaml").write_text(good.replace(old, new, 1))
    found = survey(etc)
    assert found.config is not None
    assert f"etc/{warning}" in [str(each) for each in found.warnings]


def test_a_team_that_callers_may_ask_for_can_be_reached(etc: Path) -> None:
    sales = '  sales: {extension: "630", members: PJSIP/105, asks: buy}\n  night:'
    (etc / "teams.yaml").write_text(GOOD["teams.yaml"].replace("  night:", sales))
    assert survey(etc).warnings == ()
    agentless = GOOD["channels.yaml"].replace("    hours:", "    agent: off\n    hours:")
    (etc / "channels.yaml").write_text(agentless.replace("    agent: on\n", ""))
    (only,) = survey(etc).warnings
    assert only.path == ("teams", "sales")


def test_warnings_wait_until_the_problems_are_gone(etc: Path) -> None:
    text = GOOD["channels.yaml"].replace("    hours: office\n    in_hours", "    in_hours")
    (etc / "channels.yaml").write_text(text)
    assert len(survey(etc).warnings) == 1
    (etc / "teams.yaml").write_text("teams: {}")
    assert survey(etc).warnings == ()
