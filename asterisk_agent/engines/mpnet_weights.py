"""Brings MPNet's published weights into CTranslate2's format, in 8 bits: a quarter of their size.

CTranslate2 has no loader for MPNet, but all the parts: BERT's layers, normalised behind each, and
T5's bias by relative position, which MPNet shares between its layers. It takes the one or the
other way of telling positions, and MPNet has both: its table of absolute positions is given to it
as that of the token types, which MPNet has none of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2 import converters, specs
from ctranslate2.specs.common_spec import LinearSpec
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from asterisk_agent.engines.loading import engine_errors
from asterisk_agent.engines.mpnet import CONVERTED

Weights = Mapping[str, Any]
"""Arrays by the names that their authors gave them."""

_FURTHEST = np.int32(128)
"""Positions so far apart share one bias (``relative_position_bucket`` of the original)."""
_FIRST_POSITION = 2
"""Rows of the table of positions that are never used: they follow the padding's number."""


def convert(folder: Path) -> None:
    """Make ``folder/int8`` from the published files in ``folder``. Takes about three seconds.

    Raises EngineError where they are no MPNet, OSError where there is no room.
    """
    hint = f"run: asterisk-agent models pull {folder.name}"
    with engine_errors(f"{folder.name}: its weights cannot be converted", hint):
        shape = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        spec = specs.TransformerEncoderModelSpec(
            _encoder(shape, load_file(folder / "model.safetensors"))
        )
        size = shape["vocab_size"]
        spec.register_vocabulary([tokenizer.id_to_token(n) or f"[none {n}]" for n in range(size)])
        spec.config.unk_token = "[UNK]"  # noqa: S105 - no password
        spec.config.layer_norm_epsilon = shape["layer_norm_eps"]
        spec.validate()
        spec.optimize(quantization="int8")
    (folder / CONVERTED).mkdir(exist_ok=True)
    spec.save(str(folder / CONVERTED))


def _encoder(shape: Mapping[str, Any], weights: Weights) -> specs.TransformerEncoderSpec:
    encoder = specs.TransformerEncoderSpec(
        shape["num_hidden_layers"],
        shape["num_attention_heads"],
        pre_norm=False,
        activation=specs.Activation.GELU,
        layernorm_embedding=True,
        num_source_embeddings=2,
        embeddings_merge=specs.EmbeddingsMerge.ADD,
        relative_attention_bias=True,
    )
    encoder.scale_embeddings = False
    words, positions = encoder.embeddings
    words.weight = weights["embeddings.word_embeddings.weight"]
    positions.weight = weights["embeddings.position_embeddings.weight"][_FIRST_POSITION:]
    _norm(encoder.layernorm_embedding, "embeddings.LayerNorm", weights)
    for number, layer in enumerate(encoder.layer):
        _layer(layer, f"encoder.layer.{number}", weights)
    return encoder


def _layer(layer: Any, name: str, weights: Weights) -> None:
    attention, parts = layer.self_attention, [LinearSpec() for _ in "qkv"]
    for part, letter in zip(parts, "qkv", strict=True):
        _linear(part, f"{name}.attention.attn.{letter}", weights)
    converters.utils.fuse_linear(attention.linear[0], parts)
    _linear(attention.linear[1], f"{name}.attention.attn.o", weights)
    _norm(attention.layer_norm, f"{name}.attention.LayerNorm", weights)
    attention.relative_attention_bias = weights["encoder.relative_attention_bias.weight"]
    attention.relative_attention_max_distance = _FURTHEST
    _linear(layer.ffn.linear_0, f"{name}.intermediate.dense", weights)
    _linear(layer.ffn.linear_1, f"{name}.output.dense", weights)
    _norm(layer.ffn.layer_norm, f"{name}.output.LayerNorm", weights)


def _linear(part: Any, name: str, weights: Weights) -> None:
    part.weight, part.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _norm(part: Any, name: str, weights: Weights) -> None:
    part.gamma, part.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]
