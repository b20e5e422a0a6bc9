"""Validation: why a transaction can't stand in a block, and what a pool must know if it can.

The rules are those of Substrate's signed extensions, in their order: spec and transaction version,
genesis, era, nonce, weight, payment.  Versions and genesis are part of what is signed, so that a
transaction for other rules or another chain shows as a bad signature.
"""

from dataclasses import dataclass
from typing import ClassVar

from chain.primitives.codec import U32
from chain.primitives.keys import Address


class InvalidTransaction(Exception):
    """The transaction can't stand in this block.  A subclass says why and what to do."""

    code: ClassVar[int]
    """Substrate's number of the reason."""

    def __init_subclass__(cls, code: int) -> None:
        cls.code = code


class CallUnknown(InvalidTransaction, code=0):
    """The bytes are no call of this chain.  Build the transaction with its current metadata."""


class CannotPay(InvalidTransaction, code=1):
    """The account can't pay the fee and stay alive.  Fill it up first."""


class FromFuture(InvalidTransaction, code=2):
    """The nonce is above the account's.  Send the transactions before it first."""


class Stale(InvalidTransaction, code=3):
    """The nonce was used already.  Sign with the account's next nonce."""


class BadProof(InvalidTransaction, code=4):
    """The signature does not fit.  Sign for this chain, its current version and nonce."""


class AncientBirthBlock(InvalidTransaction, code=5):
    """The transaction has expired, or its birth block is not known.  Sign it anew."""


class ExhaustsResources(InvalidTransaction, code=6):
    """There is no room for it in this block.  Wait for the next one."""


class BadMandatory(InvalidTransaction, code=8):
    """An inherent was refused, or stands where none may.  Such a block is invalid."""


class TooLarge(InvalidTransaction, code=6):
    """No block has room for it.  Make it smaller."""


class NotInherent(InvalidTransaction, code=12):
    """The call needs a signature.  Sign it."""


class BlockIncomplete(Exception):
    """The block lacks its time or its proposer's secret.  Put both in front."""


@dataclass(frozen=True, slots=True)
class Validity:
    """What a pool must know about a valid transaction (Substrate's ValidTransaction)."""

    priority: int
    """Greater goes first."""

    requires: tuple[bytes, ...]
    """Tags of transactions that must come before."""

    provides: tuple[bytes, ...]
    """Tags that no other transaction may provide."""

    longevity: int
    """Blocks for which this holds."""

    weight: int
    """Picoseconds that it may take."""

    fee: int
    """What it may cost at most, tip included."""


def tag(address: Address, nonce: int) -> bytes:
    """Give the tag of an account's transaction."""
    return address + U32.encode(nonce)


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """A signature that must be good before the transaction is applied."""

    address: Address
    message: bytes
    signature: bytes
