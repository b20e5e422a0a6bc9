"""What multisig keeps, and the accounts that it gives to several keys."""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.primitives.codec import U16, U32, fixed, record, sequence, tuple_of
from chain.primitives.hashing import blake2_256
from chain.primitives.keys import ADDRESS, Address
from chain.primitives.numbers import Amount, BlockNumber

SIGNATORIES_MAX: Final = 100
"""Of one account; each of its operations lists those who approved."""

Signatories = Annotated[tuple[Address, ...], sequence(ADDRESS, SIGNATORIES_MAX)]

_SEED: Final = b"modlpy/utilisuba"
_DERIVED: Final = tuple_of(fixed(16), sequence(ADDRESS, SIGNATORIES_MAX), U16)


@dataclass(frozen=True, slots=True)
class Timepoint:
    """Where an operation was begun; tells it from an equal one that is over."""

    height: BlockNumber
    index: Annotated[int, U32]
    """Of the transaction in its block."""


TIMEPOINT: Final = record(Timepoint)


@dataclass(frozen=True, slots=True)
class Operation:
    """A call that some signatories want."""

    when: Timepoint
    deposit: Amount
    depositor: Address
    approvals: Signatories
    """Addresses ascending."""


def multi_account(signatories: tuple[Address, ...], threshold: int) -> Address:
    """Give the account of ascending addresses of which so many must agree (Substrate's)."""
    return blake2_256(_DERIVED.encode((_SEED, signatories, threshold)))
