"""The order of proposers: pure, fair, and everybody has a turn."""

from consensus.core.proposer import proposer
from consensus.core.validators import Validator, ValidatorSet

ADDRESSES = [bytes([each]) * 32 for each in range(1, 5)]
EQUAL = ValidatorSet.of(Validator(each, 1) for each in ADDRESSES)


def test_everybody_has_a_turn_before_anybody_has_a_second() -> None:
    for height in range(1, 20):
        for cycle in range(3):
            rounds = range(4 * cycle, 4 * cycle + 4)
            assert sorted(proposer(EQUAL, height, each) for each in rounds) == ADDRESSES


def test_first_turns_follow_power() -> None:
    heavy = ValidatorSet.of([Validator(ADDRESSES[0], 7), *EQUAL.validators[1:]])
    firsts = [proposer(heavy, height, 0) for height in range(1000)]
    assert 640 < firsts.count(ADDRESSES[0]) < 760


def test_seed_changes_the_order() -> None:
    other = ValidatorSet(EQUAL.validators, seed=bytes([9]) * 32)
    orders = [[proposer(each, height, 0) for height in range(40)] for each in (EQUAL, other, EQUAL)]
    assert orders[0] == orders[2] != orders[1]


def test_order_is_pinned() -> None:
    places = [ADDRESSES.index(proposer(EQUAL, height, 0)) for height in range(1, 13)]
    assert places == PINNED


PINNED = [3, 1, 1, 3, 2, 1, 2, 2, 0, 0, 1, 1]
"""Places of the first proposers of twelve heights: whoever changes them splits the chain."""
