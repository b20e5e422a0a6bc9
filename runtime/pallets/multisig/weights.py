"""Weights of multisig's calls, in picoseconds of a reference core."""

from typing import Final

from runtime.frame.weight import MICROSECOND, WeightV2

BASE: Final = 150 * MICROSECOND
"""One entry read and written, a deposit, an event."""

PER_SIGNATORY: Final = MICROSECOND
"""Its address is hashed, compared and stored."""


def of_signatories(count: int) -> int:
    """Weigh an approval among so many others."""
    return BASE + PER_SIGNATORY * count


def as_multi(
    pallet: object,
    threshold: int,
    other_signatories: tuple[bytes, ...],
    maybe_timepoint: object,
    call: bytes,
    max_weight: WeightV2,
) -> int:
    """Weigh an approval that may be the last one."""
    return of_signatories(len(other_signatories)) + max_weight.ref_time


def approve(
    pallet: object,
    threshold: int,
    other_signatories: tuple[bytes, ...],
    maybe_timepoint: object,
    call_hash: bytes,
    max_weight: WeightV2,
) -> int:
    """Weigh an approval that never runs the call."""
    return of_signatories(len(other_signatories))


def cancel(
    pallet: object,
    threshold: int,
    other_signatories: tuple[bytes, ...],
    timepoint: object,
    call_hash: bytes,
) -> int:
    """Weigh giving up."""
    return of_signatories(len(other_signatories))
