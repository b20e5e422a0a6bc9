"""What happens in multisig."""

from dataclasses import dataclass
from typing import Annotated

from chain.primitives.codec import option
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from runtime.frame import Event
from runtime.frame.failure import FAILURE, Failure
from runtime.pallets.multisig.stored import Timepoint


@dataclass(frozen=True)
class NewMultisig(Event, index=0):
    """An operation was begun."""

    approving: Address
    multisig: Address
    call_hash: Hash32


@dataclass(frozen=True)
class MultisigApproval(Event, index=1):
    """One more signatory wants an operation."""

    approving: Address
    timepoint: Timepoint
    multisig: Address
    call_hash: Hash32


@dataclass(frozen=True)
class MultisigExecuted(Event, index=2):
    """Enough wanted it: the call ran; it names the refusal where there was one."""

    approving: Address
    timepoint: Timepoint
    multisig: Address
    call_hash: Hash32
    result: Annotated[Failure | None, option(FAILURE)]


@dataclass(frozen=True)
class MultisigCancelled(Event, index=3):
    """Who began an operation gave it up."""

    cancelling: Address
    timepoint: Timepoint
    multisig: Address
    call_hash: Hash32
