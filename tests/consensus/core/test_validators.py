"""Sets of validators and the two thresholds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.core.validators import (
    POWER_TOTAL_MAX,
    VALIDATORS_MAX,
    InvalidValidatorSet,
    Validator,
    ValidatorSet,
)

A, B, C = (bytes([each]) * 32 for each in (1, 2, 3))


def test_set_is_sorted_and_answers_for_its_members() -> None:
    validators = ValidatorSet.of([Validator(B, 2), Validator(A, 5)])

    assert validators.validators == (Validator(A, 5), Validator(B, 2))
    assert (validators.total, len(validators)) == (7, 2)
    assert (validators.power(A), validators.power(C)) == (5, 0)
    assert A in validators
    assert C not in validators


@pytest.mark.parametrize(
    ("validators", "reason"),
    [
        ((), "0 validators, 1 to 256"),
        ((Validator(A, 1), Validator(A, 1)), "addresses do not ascend"),
        ((Validator(B, 1), Validator(A, 1)), "addresses do not ascend"),
        ((Validator(A, 0),), "a validator has no power"),
        ((Validator(A, POWER_TOTAL_MAX), Validator(B, 1)), f"power {POWER_TOTAL_MAX + 1}"),
        (
            tuple(Validator(each.to_bytes(32, "big"), 1) for each in range(VALIDATORS_MAX + 1)),
            "257 validators, 1 to 256",
        ),
    ],
)
def test_refused_sets(validators: tuple[Validator, ...], reason: str) -> None:
    with pytest.raises(InvalidValidatorSet, match=reason):
        ValidatorSet(validators)


@pytest.mark.parametrize(
    ("total", "quorum", "honest"),
    [(1, 1, 1), (2, 2, 1), (3, 3, 2), (4, 3, 2), (7, 5, 3), (9, 7, 4)],
)
def test_least_powers_of_the_thresholds(total: int, quorum: int, honest: int) -> None:
    validators = ValidatorSet.of([Validator(A, total)])
    assert [validators.is_quorum(quorum - 1), validators.is_quorum(quorum)] == [False, True]
    assert [validators.has_honest(honest - 1), validators.has_honest(honest)] == [False, True]


@given(st.integers(1, POWER_TOTAL_MAX), st.integers(0, POWER_TOTAL_MAX))
def test_two_quorums_share_more_than_a_third(total: int, power: int) -> None:
    validators = ValidatorSet.of([Validator(A, total)])
    if power <= total and validators.is_quorum(power):
        assert validators.has_honest(2 * power - total)


def test_hash_covers_powers_and_seed() -> None:
    first = ValidatorSet.of([Validator(A, 5), Validator(B, 2)])
    others = [
        ValidatorSet.of([Validator(A, 5), Validator(B, 3)]),
        ValidatorSet.of([Validator(A, 5)]),
        ValidatorSet.of([Validator(A, 5), Validator(B, 2)], seed=C),
    ]
    assert first.hash() == ValidatorSet.of([Validator(B, 2), Validator(A, 5)]).hash()
    assert len({first.hash(), *(each.hash() for each in others)}) == 4
