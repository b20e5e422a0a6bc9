"""How a dataset pays its contributors: one running sum for all, settled one by one.  Pure.

Invariant: what came in and was not yet paid out equals what all shares are owed plus the pool's
fraction, exactly, in units of `1 / SCALE` of the coin's smallest unit.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from chain.primitives.codec import U64, U128, U256
from chain.primitives.numbers import Amount

SCALE: Final = 10**18
"""Parts of the coin's smallest unit that the running sum counts.  A payment to a dataset of 10^18
rows still moves the sum."""

Units = Annotated[int, U64]
Scaled = Annotated[int, U256]


@dataclass(frozen=True, slots=True)
class Pool:
    """What one dataset earned, per unit and in all."""

    units: Units = 0
    """Rows that count, of all contributors together."""

    paid_per_unit: Scaled = 0
    """Sum over all payments of amount / units at that time, in 1 / SCALE, always truncated."""

    fraction: Annotated[int, U128] = 0
    """What truncation kept back, in 1 / SCALE; joins the next payment."""

    unclaimed: Amount = 0
    """Amount that came in and was not yet settled to a contributor."""


@dataclass(frozen=True, slots=True)
class Share:
    """One contributor's part of one dataset."""

    units: Units = 0
    """Rows of this contributor that count."""

    checkpoint: Scaled = 0
    """The pool's `paid_per_unit` up to which this share is settled."""

    fraction: Units = 0
    """Below one smallest unit: what truncation kept back at settlements, in 1 / SCALE."""

    records: Units = 0
    """Records that hold this share open, counted or still waiting for their bytes."""


def pay_in(pool: Pool, amount: int) -> Pool:
    """Spread an amount over all units; the pool must have some."""
    assert pool.units > 0, "a dataset without rows cannot be paid"
    per_unit, fraction = divmod(amount * SCALE + pool.fraction, pool.units)
    return replace(
        pool,
        paid_per_unit=pool.paid_per_unit + per_unit,
        fraction=fraction,
        unclaimed=pool.unclaimed + amount,
    )


def owed(pool: Pool, share: Share) -> int:
    """Say what a share has earned since its checkpoint, in whole smallest units."""
    return earned(pool, share) // SCALE


def settle(pool: Pool, share: Share) -> tuple[Pool, Share, int]:
    """Move a share's checkpoint to now; gives pool, share and the amount to pay."""
    amount, fraction = divmod(earned(pool, share), SCALE)
    settled = replace(share, checkpoint=pool.paid_per_unit, fraction=fraction)
    return replace(pool, unclaimed=pool.unclaimed - amount), settled, amount


def change_units(pool: Pool, share: Share, change: int) -> tuple[Pool, Share]:
    """Give a settled share more or fewer units."""
    assert share.checkpoint == pool.paid_per_unit, "settle before units change"
    return (
        replace(pool, units=pool.units + change),
        replace(share, units=share.units + change),
    )


def close(pool: Pool, share: Share) -> Pool:
    """Fold what is left of a settled share without units into the pool: below one unit."""
    assert share.units == 0, "only an empty share closes"
    return replace(pool, fraction=pool.fraction + share.fraction)


def earned(pool: Pool, share: Share) -> int:
    """Say what a share has earned since its checkpoint, in 1 / SCALE."""
    return share.units * (pool.paid_per_unit - share.checkpoint) + share.fraction
