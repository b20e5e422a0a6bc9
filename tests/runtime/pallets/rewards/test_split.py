"""Division of a fee: nothing appears, nothing vanishes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.frame.runs import FeePolicy, FeeSplit, Royalty
from runtime.pallets.rewards.split import Division, split_by_power, split_fee

EVEN = FeePolicy(0, 200_000, 300_000, 400_000, 100_000)
ANCESTORS = (Royalty(b"\1" * 32, 100_000), Royalty(b"\2" * 32, 50_000))


@pytest.mark.parametrize(
    ("amount", "sources", "royalties", "expected"),
    [
        (1_000, 1, (), Division(FeeSplit(200, 300, 400, 100), 400, ())),
        (1_000, 3, (), Division(FeeSplit(200, 300, 399, 101), 133, ())),
        (1_000, 0, (), Division(FeeSplit(200, 300, 0, 500), 0, ())),
        (9, 1, (), Division(FeeSplit(1, 2, 3, 3), 3, ())),
        (0, 1, ANCESTORS, Division(FeeSplit(), 0, (0, 0))),
        (1_000, 1, ANCESTORS, Division(FeeSplit(170, 255, 340, 85, 150), 340, (100, 50))),
        (19, 1, ANCESTORS, Division(FeeSplit(3, 5, 7, 3, 1), 7, (1, 0))),
    ],
)
def test_what_divisions_leave_goes_to_the_treasury(
    amount: int, sources: int, royalties: tuple[Royalty, ...], expected: Division
) -> None:
    assert split_fee(amount, EVEN, sources, royalties) == expected


@given(st.integers(0, 10**24), st.integers(0, 8), st.lists(st.integers(0, 40_000), max_size=24))
def test_a_split_adds_up(amount: int, sources: int, parts: list[int]) -> None:
    royalties = [Royalty(bytes(32), each) for each in parts]
    found = split_fee(amount, EVEN, sources, royalties)
    split = found.split

    shares = split.validators + split.owner + split.contributors + split.treasury
    assert shares + split.parents == amount
    assert min(split.validators, split.owner, split.treasury) >= 0
    assert split.contributors == found.each * sources
    assert split.parents == sum(found.royalties)


@given(st.integers(0, 10**24), st.lists(st.integers(0, 10**20), max_size=8))
def test_a_division_by_power_adds_up(amount: int, powers: list[int]) -> None:
    parts, rest = split_by_power(amount, powers)

    assert sum(parts) + rest == amount
    assert len(parts) == len(powers)


def test_without_power_all_is_left() -> None:
    assert split_by_power(10, (0, 0)) == ((0, 0), 10)
