"""The language model: pieces, cancelling, limits, broken files, and a quiet standard error."""

import pytest
from real_models import folder

from asterisk_agent.engines.llama import LlamaModel
from asterisk_agent.errors import EngineError

NAME = "smollm2-135m-instruct"
QUESTION = [
    {"role": "system", "content": "Answer in one sentence."},
    {"role": "user", "content": "Count from one to twenty in words."},
]


@pytest.fixture(scope="module")
def model():
    return LlamaModel(folder(NAME))


@pytest.mark.models
def test_knows_its_size_and_name(model):
    assert model.name == NAME
    assert 130e6 < model.parameters < 140e6


@pytest.mark.models
def test_answers_piece_by_piece_and_always_the_same(model):
    first = list(model.generate(QUESTION, max_tokens=20))
    assert 5 <= len(first) <= 20
    assert any(letter.isalpha() for letter in "".join(first))
    assert list(model.generate(QUESTION, max_tokens=20)) == first


def test_counts_the_tokens_that_it_reads_and_writes(model):
    before = model.tokens
    pieces = list(model.generate([{"role": "user", "content": "Say yes."}], max_tokens=4))
    assert len(pieces) < model.tokens - before < 100


@pytest.mark.models
def test_stops_when_cancelled(model):
    got = []
    for piece in model.generate(QUESTION, max_tokens=200, cancelled=lambda: len(got) >= 3):
        got.append(piece)
    assert len(got) == 3


@pytest.mark.models
def test_cancelled_before_it_began(model):
    assert list(model.generate(QUESTION, max_tokens=20, cancelled=lambda: True)) == []


@pytest.mark.models
def test_closing_early_frees_it_for_the_next(model):
    answer = model.generate(QUESTION, max_tokens=100)
    next(answer)
    answer.close()
    assert list(model.generate(QUESTION, max_tokens=2))


@pytest.mark.models
def test_more_than_the_context_holds(model):
    long = [{"role": "user", "content": "word " * 5000}]
    with pytest.raises(EngineError, match=f"{NAME} failed"):
        list(model.generate(long, max_tokens=5))
    assert list(model.generate(QUESTION, max_tokens=2))


@pytest.mark.models
def test_says_nothing_on_standard_error(capfd):
    fresh = LlamaModel(folder(NAME))
    list(fresh.generate(QUESTION, max_tokens=2))
    assert capfd.readouterr() == ("", "")


def test_folder_without_a_model(tmp_path):
    with pytest.raises(EngineError, match="0 models") as raised:
        LlamaModel(tmp_path)
    assert "models pull" in raised.value.hint


@pytest.mark.parametrize("data", [b"", b"GGUF", b"not a model at all"])
def test_broken_file(tmp_path, data):
    path = tmp_path / "broken.gguf"
    path.write_bytes(data)
    with pytest.raises(EngineError, match="cannot be loaded") as raised:
        LlamaModel(path)
    assert raised.value.hint == "run: asterisk-agent models pull broken"
