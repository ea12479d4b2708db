"""Every kept hostile input again, and what is near it: each is taken, or refused as documented.

``scripts/fuzz`` looks for new ones.
"""

import random

import pytest
from fuzzing.harness import CORPUS, TARGETS, attempt
from fuzzing.mutation import mutated

NEAR = 60
"""Inputs made from the kept ones, the same at every run."""


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_kept_inputs_and_their_neighbours_find_nothing(target):
    kept = [file.read_bytes() for file in sorted(target.corpus.iterdir())]
    assert kept
    chance = random.Random(target.name)
    near = [mutated(chance.choice(kept), chance, target.longest) for _ in range(NEAR)]
    with target.ready() as one_input:
        found = [attempt(target, one_input, data) for data in (b"", *kept, *near)]
    assert [f"{one.kind}\n{one.told}\n{one.data!r}" for one in found if one is not None] == []


def test_every_corpus_has_its_target():
    assert {folder.name for folder in CORPUS.iterdir()} == TARGETS.keys()
