from __future__ import annotations

from pathlib import Path

import pytest

from asterisk_agent.brain.documents import LONGEST_WORDS, Passage, load_passages
from asterisk_agent.errors import ConfigError


def read(tmp_path: Path, name: str, text: str) -> list[Passage]:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    return list(load_passages(tmp_path, [name]))


def test_markdown_headings_become_passages_with_provenance(tmp_path: Path) -> None:
    text = (
        "# Shop\nWe sell *tea*.\n\n## Prices\n\n### How much is **green** tea? ###\nIt costs\n$4.\n"
    )
    assert read(tmp_path, "a/shop.md", text) == [
        Passage("We sell tea.", "Shop", "a/shop.md"),
        Passage("It costs $4.", "How much is green tea?", "a/shop.md", "Shop: Prices"),
    ]


def test_a_deeper_heading_does_not_leak_into_the_next_section(tmp_path: Path) -> None:
    found = read(tmp_path, "a.md", "## A\n### B\nb\n## C\nc\n")
    assert [(p.text, p.heading, p.topic) for p in found] == [("b.", "B", "A"), ("c.", "C", "")]


def test_question_headings_below_each_other_ask_the_same(tmp_path: Path) -> None:
    (found,) = read(tmp_path, "a.md", "## How much?\n## What is the price?\n\nFour dollars.\n")
    assert (found.heading, found.asked) == ("What is the price?", ("How much?",))
    assert found.titles == ("What is the price?", "How much?")


def test_empty_topics_are_no_questions(tmp_path: Path) -> None:
    found = read(tmp_path, "a.md", "## Still to write\n## Prices\nFour dollars.\n")
    assert [(p.heading, p.asked) for p in found] == [("Prices", ())]


def test_a_short_list_is_one_passage(tmp_path: Path) -> None:
    (found,) = read(tmp_path, "a.md", "# Tea\nWe have:\n- green tea\n- black tea,\n  from Assam\n")
    assert found.text == "We have: green tea. black tea, from Assam."


def test_a_long_list_is_cut_and_keeps_what_introduces_it(tmp_path: Path) -> None:
    items = "\n".join(
        f"{n}. Tea number {n} comes from a far garden in the hills" for n in range(12)
    )
    found = read(tmp_path, "a.md", f"# Tea\nOur teas:\n{items}\n")
    assert len(found) == 12
    assert found[3].text == "Our teas: Tea number 3 comes from a far garden in the hills."
    assert {p.heading for p in found} == {"Tea"}


def test_a_long_section_is_cut_at_its_paragraphs(tmp_path: Path) -> None:
    green = " ".join(["green"] * (LONGEST_WORDS - 10))
    black = " ".join(["black"] * (LONGEST_WORDS - 10))
    found = read(tmp_path, "a.md", f"# Tea\n{green}.\n\n{black}.\n")
    assert [len(p.text.split()) for p in found] == [LONGEST_WORDS - 10] * 2


def test_table_rows_become_sentences(tmp_path: Path) -> None:
    text = "# Prices\n| Tea | Cup | Pot |\n|---|---:|---|\n| Green | $4 | $9 |\n| Black | $3 | |\n"
    (found,) = read(tmp_path, "a.md", text)
    assert found.text == "Green, Cup: $4, Pot: $9. Black, Cup: $3."


def test_front_matter_comments_and_code_are_not_spoken(tmp_path: Path) -> None:
    text = "---\ntitle: x\n---\n# A\n<!-- secret -->\nYes.\n```\ncode\n```\n> Quoted.\n"
    assert [p.text for p in read(tmp_path, "a.md", text)] == ["Yes. Quoted."]


def test_plain_text_paragraphs(tmp_path: Path) -> None:
    found = read(tmp_path, "a.txt", "\ufeffOne\nline.\n\n \n\nTwo.\n")
    assert found == [Passage("One line.", "", "a.txt"), Passage("Two.", "", "a.txt")]
    assert found[0].titles == ()


def test_yaml_questions(tmp_path: Path) -> None:
    text = "- q: Open on NO day?\n  a: no\n- q: ['A?', 'B?']\n  a: >\n    Yes,\n    **sure**.\n"
    assert read(tmp_path, "a.yaml", text) == [
        Passage("no", "Open on NO day?", "a.yaml"),
        Passage("Yes, sure.", "A?", "a.yaml", asked=("B?",)),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("q: a", "expected a list of {q: question, a: answer}"),
        ("- q: a", "entry 1: expected q: a question (or a list) and a: a text"),
        ("- {q: a, a: b}\n- {q: [], a: b}", "entry 2: expected q"),
        ("- {q: [[x]], a: b}", "entry 1: expected q"),
        ("- just text", "entry 1: expected q"),
        ("- {q: a", "while parsing a flow mapping"),
    ],
)
def test_yaml_that_is_no_list_of_questions(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=r"a\.yaml") as caught:
        read(tmp_path, "a.yaml", text)
    assert problem in caught.value.problems[0]


def test_yaml_builds_no_objects(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        read(tmp_path, "a.yml", "- !!python/object/apply:os.getcwd []\n")


def test_every_problem_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "picture.png").write_bytes(b"x")
    with pytest.raises(ConfigError) as caught:
        load_passages(tmp_path, ["bad.txt", "picture.png", "missing", "../outside"])
    problems = caught.value.problems
    assert len(problems) == 4
    assert "missing: no such folder or file. Hint: create it under" in problems[1]
    assert "cannot read .png files; known are" in "".join(problems)
    assert "lies outside" in problems[2]
    assert "bad.txt: 'utf-8' codec" in problems[3]


def test_folders_are_read_in_order_and_overlaps_once(tmp_path: Path) -> None:
    for name in ("b/2.txt", "b/1.txt", "b/.hidden.txt", "b/notes.doc", "a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    found = load_passages(tmp_path, ["b", "b/2.txt", "a.txt"])
    assert [p.file for p in found] == ["b/1.txt", "b/2.txt", "a.txt"]
    assert {p.file for p in load_passages(tmp_path, [])} == {"a.txt", "b/1.txt", "b/2.txt"}


def test_a_company_without_documents(tmp_path: Path) -> None:
    assert load_passages(tmp_path / "knowledge", []) == ()
    with pytest.raises(ConfigError):
        load_passages(tmp_path / "knowledge", ["company"])


@pytest.mark.parametrize("text", ['- {q: "\\UFFFFFFFF", a: b}', "- " + "[" * 3000])
def test_impossible_yaml_is_named_with_its_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "faq.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"faq\.yaml: "):
        load_passages(tmp_path, ())
