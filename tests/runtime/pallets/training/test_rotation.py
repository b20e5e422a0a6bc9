"""Rotation: steps are shared fairly and never weigh too much."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.pallets.training.rotation import Demand, rotate

DEMANDS = st.lists(
    st.builds(Demand, st.integers(0, 50), st.integers(1, 50), st.integers(1, 40)), max_size=8
)


@given(DEMANDS, st.integers(0, 500), st.integers(0, 7))
def test_the_limit_is_kept_and_used(demands: list[Demand], most: int, first: int) -> None:
    granted = rotate(demands, most, first % max(len(demands), 1))
    used = sum(
        steps * each.weight + (each.load if steps else 0)
        for steps, each in zip(granted, demands, strict=True)
    )
    assert used <= most
    for steps, each in zip(granted, demands, strict=True):
        assert steps <= each.steps
        if steps < each.steps:
            assert most - used < each.weight + (0 if steps else each.load)


def test_equal_ones_get_the_same_and_the_first_one_the_rest() -> None:
    assert rotate([Demand(0, 10, 99)] * 3, 100, 1) == (3, 4, 3)
    assert rotate([Demand(5, 10, 1), Demand(5, 10, 99)], 100, 0) == (1, 8)
    assert rotate([], 100, 0) == ()
