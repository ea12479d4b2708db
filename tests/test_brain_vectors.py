from __future__ import annotations

from pathlib import Path

import numpy as np
from brain_fakes import WordEmbedder

from asterisk_agent.brain.vectors import VectorStore


def test_nothing_is_embedded_twice(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    first = VectorStore(embedder, tmp_path).passages(["tea", "coffee", "tea"])
    assert embedder.embedded == 2
    again = VectorStore(embedder, tmp_path).passages(["coffee", "tea"])
    assert embedder.embedded == 2
    assert np.array_equal(first[[1, 0]], again)
    VectorStore(embedder, tmp_path).queries(["tea"])
    assert embedder.embedded == 3, "a question's vector is not a passage's"


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    VectorStore(embedder, tmp_path).passages(["tea"])
    (file,) = tmp_path.iterdir()
    for damage in (b"", b"PK\x03\x04 not a zip", file.read_bytes()[:100]):
        file.write_bytes(damage)
        assert VectorStore(embedder, tmp_path).passages(["tea"]).shape == (1, 512)


def test_a_directory_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert VectorStore(WordEmbedder(), blocked / "vectors").passages(["tea"]).shape == (1, 512)


def test_no_texts_no_vectors() -> None:
    assert VectorStore(WordEmbedder()).passages([]).shape == (0, 512)
