"""Staking: who validates, and with which power.

Invariant: every validator's stake is set aside in its account, and the power of all together stays
below 2^53.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chain.primitives.codec import U128, record, sequence
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount
from consensus.core.validators import VALIDATORS_MAX, Validator, ValidatorSet
from runtime.frame import Constant, Overlay, Pallet, StorageValue
from runtime.frame.ports import Currency


@dataclass(frozen=True, slots=True)
class BondedValidator:
    """A validator and what it has at stake."""

    address: Address
    stake: Amount


@dataclass(frozen=True, slots=True)
class StakingConfig:
    """What a chain decides about staking."""

    power_unit: int
    """Stake that gives one voting power; so great that all power stays below 2^53."""


class Staking(Pallet):
    """The validators that genesis named; their stake stays set aside."""

    validators = StorageValue(
        sequence(record(BondedValidator), VALIDATORS_MAX),
        default=(),
        docs="Validators and their stake, addresses ascending.",
    )

    power_unit = Constant(
        U128, lambda self: self.config.power_unit, "Stake that gives one voting power."
    )

    def __init__(self, state: Overlay, config: StakingConfig, currency: Currency) -> None:
        super().__init__(state)
        self.config = config
        self._currency = currency

    def build_genesis(self, stakes: Mapping[Address, int]) -> None:
        """Set the validators' stakes aside; raises DispatchError or InvalidValidatorSet."""
        for address in sorted(stakes):
            self._currency.reserve(address, stakes[address])
        bonded = tuple(BondedValidator(address, stakes[address]) for address in sorted(stakes))
        self.validators.set(bonded)
        ValidatorSet(self.current_set())

    def current_set(self) -> tuple[Validator, ...]:
        """Give the validators of this block, addresses ascending."""
        return tuple(
            Validator(bonded.address, bonded.stake // self.config.power_unit)
            for bonded in self.validators.get()
        )

    def stake_of(self, address: Address) -> int:
        """Give what an account has at stake as a validator."""
        return sum(each.stake for each in self.validators.get() if each.address == address)

    def next_set(self) -> tuple[Validator, ...]:
        """Give the validators of the next block, addresses ascending."""
        return self.current_set()

    def check_invariants(self) -> None:
        """Assert that every stake is set aside and that the set can agree."""
        for bonded in self.validators.get():
            assert self._currency.reserved(bonded.address) >= bonded.stake, "stake is missing"
        ValidatorSet(self.current_set())
