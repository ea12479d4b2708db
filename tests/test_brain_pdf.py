from __future__ import annotations

from pathlib import Path

import pytest

from asterisk_agent.brain import pdf
from asterisk_agent.brain.documents import fingerprint, load_passages
from asterisk_agent.errors import ConfigError

FUZZED = Path(__file__).parent / "data" / "fuzz" / "pdf" / "found-no-reader"
"""pypdf asserts that there is a document, where there is none."""


def write_pdf(file: Path, *pages: list[str]) -> None:
    """A PDF with these lines of text, written by hand."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    kids = []
    for lines in pages:
        shown = " ".join(f"({line}) Tj T*" for line in lines)
        stream = f"BT /F1 12 Tf 14 TL 50 700 Td {shown} ET"
        content = len(objects) + 2
        kids.append(f"{content - 1} 0 R")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /Contents {content} 0 R /MediaBox [0 0 600 800] "
            "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> "
            ">> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(pages)} >>"
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    out += (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
        f"startxref\n{len(out)}\n%%EOF\n"
    ).encode("latin-1")
    file.write_bytes(out)


def test_headings_paragraphs_and_pages(tmp_path: Path) -> None:
    write_pdf(
        tmp_path / "prices.pdf",
        [
            "Birch Museum",
            "How much is a ticket?",
            "A ticket costs $12. Chil-",
            "dren pay half of",
            "that.",
            "Guided tours",
            "There is a tour at 3 p.m.",
            "1 / 3",
        ],
        ["Birch Museum", "Parking", "You can park behind the house.", "2 / 3"],
        ["Birch Museum", "Dogs have to stay outside.", "3 / 3"],
    )
    found = load_passages(tmp_path, ["prices.pdf"])
    assert [(p.heading, p.text) for p in found] == [
        ("How much is a ticket?", "A ticket costs $12. Children pay half of that."),
        ("Guided tours", "There is a tour at 3 p.m."),
        ("Parking", "You can park behind the house. Dogs have to stay outside."),
    ]
    assert {p.file for p in found} == {"prices.pdf"}


def test_long_text_is_cut_at_sentences(tmp_path: Path) -> None:
    write_pdf(
        tmp_path / "a.pdf", ["Rules", *["Please do not touch any of the paintings here."] * 9]
    )
    parts = [text for _, text in pdf.sections(tmp_path / "a.pdf", 30)]
    assert len(parts) == 3
    assert all(len(part.split()) <= 30 for part in parts)


@pytest.mark.parametrize("content", [b"", b"no pdf", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"])
def test_what_is_no_pdf(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pdf").write_bytes(content)
    with pytest.raises(ConfigError, match=r"a\.pdf: "):
        load_passages(tmp_path, [])


def test_a_pdf_of_pictures(tmp_path: Path) -> None:
    write_pdf(tmp_path / "a.pdf", [])
    with pytest.raises(ConfigError, match="only pictures"):
        load_passages(tmp_path, [])


def test_a_changed_document_changes_the_fingerprint(tmp_path: Path) -> None:
    assert fingerprint(tmp_path, []) == ()
    file = tmp_path / "a.md"
    file.write_text("# A\na\n")
    before = fingerprint(tmp_path, [])
    assert before == fingerprint(tmp_path, ["."])
    file.write_text("# A\nab\n")
    assert fingerprint(tmp_path, []) != before
    (tmp_path / "b.png").write_bytes(b"x")
    assert len(fingerprint(tmp_path, [])) == 1


def test_a_page_in_the_place_of_nothing_is_no_readable_pdf(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(FUZZED.read_bytes())
    with pytest.raises(ConfigError, match="is no readable PDF"):
        load_passages(tmp_path, ())
