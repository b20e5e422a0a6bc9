"""What is kept of a run, and what can be said before one."""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.primitives.codec import U32, blob, option
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount, BlockNumber, Weight
from runtime.frame.names import Name
from runtime.frame.runs import FeeSplit

INPUT_BYTES_MAX: Final = 240 * 1024
"""Of one call: leaves room for the rest of the largest transaction."""

OUTPUT_INLINE_MAX: Final = 4096
"""Greatest output that the event carries whole: class scores, an embedding."""

VersionNumber = Annotated[int, U32]
"""Of a model, counted from 1."""

Input = Annotated[bytes, blob(INPUT_BYTES_MAX)]
"""Canonical tensor bytes."""

InlineOutput = Annotated[bytes | None, option(blob(OUTPUT_INLINE_MAX))]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One run that was paid for; kept for some blocks and provable to anyone."""

    model: Name
    version: VersionNumber
    payer: Address
    block: BlockNumber
    input_hash: Hash32
    """BLAKE2b-256 of the canonical input."""

    output_hash: Hash32
    """BLAKE2b-256 of the canonical output."""

    weight: Weight
    """Of the whole call."""

    price: Amount
    parts: FeeSplit


@dataclass(frozen=True, slots=True)
class Quote:
    """What a run would cost now."""

    model: str
    version: int
    price: int
    """Of the run, on top of the network's fee for `weight`."""

    parts: FeeSplit
    weight: int
    """What the network charges for, in picoseconds; its fee depends on the bytes too."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a run would give and cost now."""

    quote: Quote
    outputs: bytes | None
    """Canonical tensor bytes; None where the run traps."""

    trap: str | None
    """Why it traps; None where it completes."""
