"""How a fee is divided: whole numbers that add up, whatever is left over named.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.frame.runs import PARTS, FeePolicy, FeeSplit, Royalty


@dataclass(frozen=True, slots=True)
class Division:
    """A fee, divided."""

    split: FeeSplit
    each: int
    """What every source gets of the contributors' share."""

    royalties: tuple[int, ...]
    """What every ancestor gets."""


def split_fee(
    amount: int, shares: FeePolicy, sources: int, royalties: Sequence[Royalty] = ()
) -> Division:
    """Divide a fee: ancestors get their parts of all of it, the shares are of what is left.

    Every division truncates and what is left goes to the treasury, which also gets the
    contributors' share where there is no source to pay.
    """
    parents = tuple(amount * royalty.parts // PARTS for royalty in royalties)
    left = amount - sum(parents)
    validators = left * shares.validators // PARTS
    owner = left * shares.owner // PARTS
    each = left * shares.contributors // PARTS // sources if sources else 0
    treasury = left - validators - owner - each * sources
    split = FeeSplit(validators, owner, each * sources, treasury, sum(parents))
    return Division(split, each, parents)


def split_by_power(amount: int, powers: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """Divide an amount in proportion; gives the parts and the remainder."""
    total = sum(powers)
    if total == 0:
        return tuple(0 for _ in powers), amount
    parts = tuple(amount * power // total for power in powers)
    return parts, amount - sum(parts)
