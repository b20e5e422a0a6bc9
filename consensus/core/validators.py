"""Validators with their power, and the two thresholds of agreement."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Final

from chain.primitives.codec import U64, record, sequence
from chain.primitives.hashing import ZERO_HASH, Hash32, blake2_256
from chain.primitives.keys import Address

VALIDATORS_MAX: Final = 256
"""In one set: every vote of a round then fits into one frame of 64 KiB."""

POWER_TOTAL_MAX: Final = 1 << 53
"""Of a whole set: stays exact in every client's number type."""


class InvalidValidatorSet(ValueError):
    """The validators cannot agree on anything.  Give each a different address and some power."""


@dataclass(frozen=True, slots=True)
class Validator:
    """One voter."""

    address: Address
    power: Annotated[int, U64]
    """Share in every decision: its stake in units of the chain, above zero."""


@dataclass(frozen=True, slots=True)
class _Content:
    validators: Annotated[tuple[Validator, ...], sequence(record(Validator), VALIDATORS_MAX)]
    seed: Hash32


@dataclass(frozen=True)
class ValidatorSet:
    """Who decides a height, ascending by address, and the seed that orders their proposals."""

    validators: tuple[Validator, ...]
    seed: Hash32 = ZERO_HASH
    """Of the epoch; part of the set's hash, as everything that agreement depends on."""
    total: int = field(init=False, compare=False)
    """Power of all together."""
    places: dict[Address, int] = field(init=False, compare=False, repr=False)
    """Index of each address in the set."""

    def __post_init__(self) -> None:
        addresses = [each.address for each in self.validators]
        if not 1 <= len(addresses) <= VALIDATORS_MAX:
            raise InvalidValidatorSet(f"{len(addresses)} validators, 1 to {VALIDATORS_MAX}")
        if addresses != sorted(dict.fromkeys(addresses)):
            raise InvalidValidatorSet("addresses do not ascend")
        if any(each.power <= 0 for each in self.validators):
            raise InvalidValidatorSet("a validator has no power")
        total = sum(each.power for each in self.validators)
        if total > POWER_TOTAL_MAX:
            raise InvalidValidatorSet(f"power {total}, at most {POWER_TOTAL_MAX}")
        object.__setattr__(self, "total", total)
        object.__setattr__(self, "places", {each: at for at, each in enumerate(addresses)})

    @classmethod
    def of(cls, validators: Iterable[Validator], seed: Hash32 = ZERO_HASH) -> "ValidatorSet":
        """Give the set of validators in any order; raises InvalidValidatorSet."""
        return cls(tuple(sorted(validators, key=lambda each: each.address)), seed)

    def __len__(self) -> int:
        """Count the validators."""
        return len(self.validators)

    def __contains__(self, address: object) -> bool:
        """Tell whether the address may vote."""
        return address in self.places

    def power(self, address: Address) -> int:
        """Give the power of an address; zero outside the set."""
        place = self.places.get(address)
        return 0 if place is None else self.validators[place].power

    def is_quorum(self, power: int) -> bool:
        """Tell whether it is over two thirds: any two such groups share an honest validator."""
        return 3 * power > 2 * self.total

    def has_honest(self, power: int) -> bool:
        """Tell whether it is over one third: any such group has an honest validator."""
        return 3 * power > self.total

    def hash(self) -> Hash32:
        """Give the hash that headers carry."""
        return blake2_256(_CONTENT.encode(_Content(self.validators, self.seed)))


_CONTENT: Final = record(_Content)
