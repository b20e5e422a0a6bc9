"""Randomness: secrets in their order, seeds of epochs, and what a proposer cannot do."""

import pytest

from chain.primitives.hash_chain import along
from chain.primitives.hashing import ZERO_HASH, blake2_256
from chain.primitives.keys import Keypair
from runtime.frame import DispatchError, Inherent, Overlay, Signed
from runtime.frame.outcome import BadOrigin
from runtime.pallets.randomness import Commitment, Randomness, RandomnessConfig
from runtime.pallets.randomness.pallet import (
    AlreadyRevealed,
    CommitmentMissing,
    CommitmentTooEarly,
    EpochBegan,
    WrongSecret,
)
from tests.support.pallet_calls import dispatch

ALICE, BOB = (Keypair.from_uri(f"//{name}").address for name in ("Alice", "Bob"))
LENGTH = 3
SEED = bytes(range(32))


class Heights:
    """A chain whose height and author the test sets."""

    def __init__(self) -> None:
        self.number, self.proposer = 1, ALICE

    def height(self) -> int:
        return self.number

    def author(self) -> bytes:
        return self.proposer


@pytest.fixture
def heights() -> Heights:
    return Heights()


@pytest.fixture
def randomness(heights: Heights) -> Randomness:
    return Randomness(Overlay.over({}), RandomnessConfig(4, LENGTH), heights, heights)


def reveal(pallet: Randomness, secret: bytes | None, commitment: bytes | None = None) -> None:
    dispatch(pallet, Inherent(), 0, {"secret": secret, "commitment": commitment})


def test_secrets_come_one_after_the_other_and_then_a_new_chain(
    randomness: Randomness, heights: Heights
) -> None:
    reveal(randomness, None, along(SEED, LENGTH))
    assert randomness.commitment_of(ALICE) == Commitment(along(SEED, 3), 3, 0)
    assert randomness.mix.get() == ZERO_HASH
    mix = ZERO_HASH
    for left in (2, 1):
        heights.number += 1
        reveal(randomness, along(SEED, left))
        mix = blake2_256(mix + along(SEED, left))
        assert randomness.commitment_of(ALICE) == Commitment(along(SEED, left), left, 0)
    heights.number += 1
    reveal(randomness, SEED, b"\7" * 32)
    assert randomness.commitment_of(ALICE) == Commitment(b"\7" * 32, LENGTH, 1)
    assert randomness.mix.get() == blake2_256(mix + SEED)
    randomness.check_invariants()


def test_the_seed_of_an_epoch_is_what_the_one_before_it_left(
    randomness: Randomness, heights: Heights
) -> None:
    seeds = []
    for number in range(1, 13):
        heights.number, heights.proposer = number, (ALICE, BOB)[number % 2]
        before = randomness.mix.get()
        randomness.on_initialize(number)
        if number % 4 == 0:
            assert randomness.seed() == blake2_256(b"seed" + before)
            assert randomness.state.events[-1] == EpochBegan(number // 4, randomness.seed())
            assert randomness.begins(randomness.epoch()) == number
        known = randomness.commitment_of(heights.proposer)
        chain = along(heights.proposer, 0)
        if known is None:
            reveal(randomness, None, along(chain, LENGTH))
        elif known.left > 1:
            reveal(randomness, along(chain, known.left - 1))
        else:
            reveal(randomness, chain, along(chain, LENGTH))
        seeds.append(randomness.seed())
    assert len(set(seeds)) == 4
    assert len(randomness.state.events) == 3


@pytest.mark.parametrize(
    ("left", "secret", "commitment", "error"),
    [
        (None, None, None, CommitmentMissing()),
        (None, SEED, SEED, WrongSecret()),
        (2, along(SEED, 2), None, WrongSecret()),
        (2, None, None, WrongSecret()),
        (2, None, SEED, WrongSecret()),
        (2, along(SEED, 1), SEED, CommitmentTooEarly("1 are left")),
        (1, SEED, None, CommitmentMissing()),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    randomness: Randomness,
    left: int | None,
    secret: bytes | None,
    commitment: bytes | None,
    error: DispatchError,
) -> None:
    if left is not None:
        randomness.commitments[ALICE] = Commitment(along(SEED, left), left, 0)
    before = randomness.state.changes()
    with pytest.raises(type(error)) as refusal:
        reveal(randomness, secret, commitment)
    assert refusal.value == error
    assert randomness.state.changes() == before


def test_a_block_reveals_once_and_only_its_proposer_does(randomness: Randomness) -> None:
    with pytest.raises(BadOrigin):
        dispatch(randomness, Signed(ALICE), 0, {"secret": None, "commitment": SEED})
    reveal(randomness, None, SEED)
    before = randomness.state.changes()
    with pytest.raises(AlreadyRevealed):
        reveal(randomness, None, SEED)
    assert randomness.state.changes() == before
