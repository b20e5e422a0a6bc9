"""Results of valuations: exact worth as whole numbers, by record and by account.  Pure."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from chain.primitives.keys import Address
from runtime.frame.runs import Source
from runtime.frame.snapshots import Part, Snapshot
from runtime.pallets.attribution.stored import WHOLE_WORTH, Worth


def source_of(snapshot: Snapshot) -> Source:
    """Name what pays those who gave a snapshot's rows."""
    return f"{snapshot.dataset}.{snapshot.number}"


def worth_of(
    parts: Sequence[Part], counted: Sequence[int], exact: Sequence[Fraction]
) -> tuple[Worth, ...]:
    """Give what is kept of each record: rows, how many repeat others, worth rounded down."""
    return tuple(
        Worth(
            part.record,
            part.contributor,
            part.counted,
            part.counted - rows,
            floor(value * WHOLE_WORTH),
        )
        for part, rows, value in zip(parts, counted, exact, strict=True)
    )


def units_of(exact: Sequence[Fraction]) -> list[int]:
    """Give by how much records are paid: worth in parts of 10^12, harm as nothing."""
    return [max(0, floor(each * WHOLE_WORTH)) for each in exact]


def by_account(parts: Sequence[Part], units: Sequence[int]) -> tuple[tuple[Address, int], ...]:
    """Add up the units of each contributor's records."""
    worth: dict[Address, int] = {}
    for part, each in zip(parts, units, strict=True):
        worth[part.contributor] = worth.get(part.contributor, 0) + each
    return tuple(worth.items())
