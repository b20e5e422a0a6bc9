"""Every fault put into the rules is caught by some seed, and by none without the fault."""

import pytest

from tests.simulation.invariants import Broken
from tests.simulation.planted_faults import FAULTS
from tests.simulation.run import run_seed


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_caught(fault: str) -> None:
    with FAULTS[fault](), pytest.raises(Broken):
        run_seeds(40)


def run_seeds(count: int) -> None:
    for seed in range(count):
        run_seed(seed, {})
