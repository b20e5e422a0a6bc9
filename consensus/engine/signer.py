"""The one place that signs: remembers on disk what it said last, and never takes it back."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.primitives.codec import U32, DecodeError, blob, enumeration, record
from chain.primitives.hashing import blake2_64
from chain.primitives.keys import Address, Keypair
from consensus.core.messages import Signature
from consensus.engine.ports import CannotPersist, Disk

FILE: Final = "last-signature"
"""What was signed last; its name is part of the operator's backup."""

_NEW: Final = "last-signature.new"
_CHECKSUM_BYTES: Final = 8


class SigningStep(IntEnum):
    """What is signed in a round, in this order."""

    PROPOSAL = 0
    """A block for the round."""
    PREVOTE = 1
    """The first vote."""
    PRECOMMIT = 2
    """The second vote."""


class SigningRefused(Exception):
    """This key has said something later, or something else for this step.  Wait for a new round."""


class SignerDamaged(Exception):
    """The record of the last signature is unreadable.  Use a new validator key, not this one."""


@dataclass(frozen=True, slots=True)
class _Signed:
    height: Annotated[int, U32]
    round: Annotated[int, U32]
    step: Annotated[SigningStep, enumeration(SigningStep)]
    message: Annotated[bytes, blob(512)]
    signature: Signature


_SIGNED: Final = record(_Signed)


class Signer:
    """Signs the steps of one validator, each once, never an earlier one."""

    def __init__(self, keypair: Keypair, disk: Disk) -> None:
        self._keypair = keypair
        self._disk = disk
        self._last: _Signed | None = None

    @property
    def address(self) -> Address:
        """Give the validator that signs here."""
        return self._keypair.address

    def open(self) -> None:
        """Read what was signed last; raises SignerDamaged or CannotPersist."""
        try:
            content = self._disk.read(FILE) if FILE in self._disk.names() else None
        except OSError as error:
            raise CannotPersist(f"signer: {error}") from error
        self._last = None if content is None else _read(content)

    def sign(self, height: int, round_number: int, step: SigningStep, message: bytes) -> bytes:
        """Give the signature once it is on disk; raises SigningRefused or CannotPersist."""
        last, now = self._last, (height, round_number, step)
        if last is not None and now <= (last.height, last.round, last.step):
            return _again(last, now, message)
        signature = self._keypair.sign(message)
        self._keep(_Signed(height, round_number, step, message, signature))
        return signature

    def _keep(self, signed: _Signed) -> None:
        content = _SIGNED.encode(signed)
        try:
            self._disk.write(_NEW, content + blake2_64(content))
            self._disk.sync(_NEW)
            self._disk.rename(_NEW, FILE)
            self._disk.sync_names()
        except OSError as error:
            raise CannotPersist(f"signer: {error}") from error
        self._last = signed


def _again(last: _Signed, now: tuple[int, int, SigningStep], message: bytes) -> bytes:
    """Give the same signature for the same words; refuse everything else."""
    if now != (last.height, last.round, last.step):
        raise SigningRefused(f"{now} comes before {(last.height, last.round, last.step)}")
    if message != last.message:
        raise SigningRefused(f"{now} was signed with other words")
    return last.signature


def _read(content: bytes) -> _Signed:
    body, checksum = content[:-_CHECKSUM_BYTES], content[-_CHECKSUM_BYTES:]
    if blake2_64(body) != checksum:
        raise SignerDamaged(f"{FILE}: wrong checksum")
    try:
        return _SIGNED.decode(body)
    except DecodeError as error:
        raise SignerDamaged(f"{FILE}: {error}") from error
