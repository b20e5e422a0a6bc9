"""How a fee is divided: whole numbers that add up, whatever is left over named.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from chain.primitives.numbers import Amount

PARTS: Final = 1_000_000
"""A share is counted in parts per million."""


class FeeShares(Protocol):
    """Shares of a fee in parts per million; together a million."""

    @property
    def validators(self) -> int:
        """Say the share of the validators, by stake."""
        ...

    @property
    def owner(self) -> int:
        """Say the share of the model's owner."""
        ...

    @property
    def contributors(self) -> int:
        """Say the share of those who contributed rows to the model's datasets."""
        ...

    @property
    def treasury(self) -> int:
        """Say the share of the treasury."""
        ...


@dataclass(frozen=True, slots=True)
class FeeSplit:
    """Where one fee went; the four add up to it."""

    validators: Amount = 0
    """For the validators, by stake."""

    owner: Amount = 0
    """For the model's owner."""

    contributors: Amount = 0
    """For those who contributed rows."""

    treasury: Amount = 0
    """For the treasury: its own share and the remainder of every division."""


def split_fee(amount: int, shares: FeeShares, pools: int) -> tuple[FeeSplit, int]:
    """Divide a fee; gives the split and what each of `pools` datasets gets of it.

    Every division truncates and what is left goes to the treasury, which also gets the
    contributors' share where there is no dataset to pay.
    """
    validators = amount * shares.validators // PARTS
    owner = amount * shares.owner // PARTS
    each = amount * shares.contributors // PARTS // pools if pools else 0
    treasury = amount - validators - owner - each * pools
    return FeeSplit(validators, owner, each * pools, treasury), each


def split_by_power(amount: int, powers: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """Divide an amount in proportion; gives the parts and the remainder."""
    total = sum(powers)
    if total == 0:
        return tuple(0 for _ in powers), amount
    parts = tuple(amount * power // total for power in powers)
    return parts, amount - sum(parts)
