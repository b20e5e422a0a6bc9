"""Waits grow by round and end somewhere."""

import pytest

from consensus.core.inputs import Step
from consensus.engine.config import Timeouts


@pytest.mark.parametrize(
    ("step", "round_number", "wait"),
    [
        (Step.PROPOSE, 0, 2000),
        (Step.PREVOTE, 0, 500),
        (Step.PRECOMMIT, 0, 500),
        (Step.PROPOSE, 3, 3500),
        (Step.PREVOTE, 1, 1000),
        (Step.PRECOMMIT, 10**6, 60_000),
    ],
)
def test_wait(step: Step, round_number: int, wait: int) -> None:
    assert Timeouts().of(step, round_number) == wait
