"""Some hundred hostile models: each gets a verdict, and both engines do the same with it."""

import pytest

from tests.conformance.cases import load_cases
from tests.hostile.corpus import Corpus
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
