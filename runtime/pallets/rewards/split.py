"""How a fee is divided: whole numbers that add up, whatever is left over named.  Pure."""

from collections.abc import Sequence

from runtime.frame.runs import PARTS, FeePolicy, FeeSplit


def split_fee(amount: int, shares: FeePolicy, pools: int) -> tuple[FeeSplit, int]:
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
