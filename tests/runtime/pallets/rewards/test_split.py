"""Division of a fee: nothing appears, nothing vanishes."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.frame.runs import FeeSplit
from runtime.pallets.rewards.split import split_by_power, split_fee


@dataclass(frozen=True, slots=True)
class Shares:
    validators: int
    owner: int
    contributors: int
    treasury: int


EVEN = Shares(200_000, 300_000, 400_000, 100_000)


@pytest.mark.parametrize(
    ("amount", "pools", "expected"),
    [
        (1_000, 1, (FeeSplit(200, 300, 400, 100), 400)),
        (1_000, 3, (FeeSplit(200, 300, 399, 101), 133)),
        (1_000, 0, (FeeSplit(200, 300, 0, 500), 0)),
        (9, 1, (FeeSplit(1, 2, 3, 3), 3)),
        (0, 1, (FeeSplit(), 0)),
    ],
)
def test_what_divisions_leave_goes_to_the_treasury(
    amount: int, pools: int, expected: tuple[FeeSplit, int]
) -> None:
    assert split_fee(amount, EVEN, pools) == expected


@given(st.integers(0, 10**24), st.integers(0, 8))
def test_a_split_adds_up(amount: int, pools: int) -> None:
    split, each = split_fee(amount, EVEN, pools)

    assert split.validators + split.owner + split.contributors + split.treasury == amount
    assert split.contributors == each * pools


@given(st.integers(0, 10**24), st.lists(st.integers(0, 10**20), max_size=8))
def test_a_division_by_power_adds_up(amount: int, powers: list[int]) -> None:
    parts, rest = split_by_power(amount, powers)

    assert sum(parts) + rest == amount
    assert len(parts) == len(powers)


def test_without_power_all_is_left() -> None:
    assert split_by_power(10, (0, 0)) == ((0, 0), 10)
