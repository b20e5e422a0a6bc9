"""Some hundred hostile models: each gets a verdict, and both engines do the same with it."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.cases import load_cases
from tests.hostile.alike import judge_graph
from tests.hostile.corpus import Corpus
from tests.hostile.graphs import pieces_of, random_graph
from tests.hostile.run import failures_of
from tests.hostile.trial import attempt

FIRST, COUNT = 100_000, 300
"""Other numbers than `make hostile` tries."""


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_hostile_models_get_a_verdict() -> None:
    corpus = Corpus(load_cases(("node", "simple"), slow=False))
    found = {index: attempt(corpus.at(index)) for index in range(FIRST, FIRST + COUNT)}

    assert failures_of(found) == {}
    assert {outcome.word for outcome in found.values()} >= {"refused", "ran"}


def test_models_are_the_same_every_time() -> None:
    corpus = Corpus(load_cases(("simple",)))

    assert [corpus.at(index) for index in range(64)] == [corpus.at(index) for index in range(64)]


PIECES = pieces_of(load_cases(("node", "simple"), slow=False))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(max_examples=15, deadline=None)
@given(st.integers(1 << 32, 1 << 40))
def test_random_graphs_mean_the_same_to_both_engines(number: int) -> None:
    word, reason = judge_graph(PIECES, number)

    assert word != "failed", reason


def test_random_graphs_are_the_same_every_time() -> None:
    twice = [random_graph(PIECES, Random(number)) for number in (1, 1, 2)]

    assert twice[0][0] == twice[1][0] != twice[2][0]
    assert [sorted(inputs) for _, inputs in twice[:2]] == [sorted(twice[0][1])] * 2
