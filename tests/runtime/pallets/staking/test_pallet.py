"""Staking: the validators of genesis."""

import pytest

from consensus.core.validators import InvalidValidatorSet, Validator
from runtime.frame import DispatchError, Overlay
from runtime.pallets.staking import Staking, StakingConfig
from runtime.pallets.staking.pallet import BondedValidator

ALICE, BOB = bytes([1]) * 32, bytes([2]) * 32


class Poor(DispatchError, index=0):
    """Fill it."""


class Vault:
    """Sets aside at most 1000 of each account."""

    def __init__(self) -> None:
        self.held: dict[bytes, int] = {}

    def reserve(self, address: bytes, amount: int) -> None:
        if amount > 1000:
            raise Poor
        self.held[address] = amount

    def reserved(self, address: bytes) -> int:
        return self.held.get(address, 0)


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def staking(vault: Vault) -> Staking:
    return Staking(Overlay.over({}), StakingConfig(power_unit=100), vault)  # type: ignore[arg-type]


def test_power_is_stake_in_whole_units(staking: Staking, vault: Vault) -> None:
    staking.build_genesis({BOB: 350, ALICE: 1000})

    assert staking.validators.get() == (BondedValidator(ALICE, 1000), BondedValidator(BOB, 350))
    assert staking.current_set() == (Validator(ALICE, 10), Validator(BOB, 3))
    assert staking.next_set() == staking.current_set()
    assert vault.held == {ALICE: 1000, BOB: 350}
    staking.check_invariants()


@pytest.mark.parametrize(
    ("stakes", "error"),
    [
        ({}, InvalidValidatorSet),
        ({ALICE: 99}, InvalidValidatorSet),
        ({ALICE: 1001}, Poor),
    ],
)
def test_a_set_that_cannot_agree_is_refused(
    staking: Staking, stakes: dict[bytes, int], error: type[Exception]
) -> None:
    with pytest.raises(error):
        staking.build_genesis(stakes)


def test_missing_stake_breaks_the_invariant(staking: Staking, vault: Vault) -> None:
    staking.build_genesis({ALICE: 500})
    vault.held[ALICE] = 499

    with pytest.raises(AssertionError, match="stake is missing"):
        staking.check_invariants()
