"""Between two passages that may both answer, the caller is asked which."""

from types import SimpleNamespace

import pytest

from asterisk_agent.brain.confidence import Judgement


def hit(score, overlap=1.0, missing=()):
    return SimpleNamespace(score=score, overlap=overlap, missing=missing)


@pytest.mark.parametrize(
    ("other", "sure", "torn"),
    [
        (hit(0.97, 0.93), 0.26, True),
        (hit(0.97, 0.93, ("visit",)), 0.26, False),
        (hit(0.97), 0.14, False),
        (hit(0.95), 0.26, False),
    ],
    ids=["visit or emergency visit", "a word is missing", "unlikely", "further away"],
)
def test_a_passage_that_is_close_is_asked_about(other, sure, torn):
    """The numbers are those of "what does a visit cost", an emergency's, and the call-out fee."""
    assert Judgement(hit(0.99), 0.52, ((other, sure),), too_close=0.035).torn is torn
    sure_one = Judgement(hit(0.99), 0.95, ((other, 0.2),), too_close=0.035)
    assert not sure_one.torn, "a sure answer is given"
