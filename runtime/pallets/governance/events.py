"""What happens in governance."""

from dataclasses import dataclass
from typing import Annotated

from chain.primitives.codec import U32, option
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount, BlockNumber
from runtime.frame import Event
from runtime.frame.failure import FAILURE, Failure
from runtime.pallets.governance.stored import ReferendumNumber


@dataclass(frozen=True)
class Proposed(Event, index=0):
    """A vote about a call has begun."""

    referendum: ReferendumNumber
    proposer: Address
    call_hash: Hash32
    end: BlockNumber


@dataclass(frozen=True)
class Voted(Event, index=1):
    """An account said aye or nay."""

    referendum: ReferendumNumber
    voter: Address
    aye: bool
    power: Amount


@dataclass(frozen=True)
class VoteTakenBack(Event, index=2):
    """An account has no say in a vote any more."""

    referendum: ReferendumNumber
    voter: Address


@dataclass(frozen=True)
class Locked(Event, index=3):
    """Funds count in votes from now on."""

    voter: Address
    amount: Amount


@dataclass(frozen=True)
class Unlocked(Event, index=4):
    """Funds are free again and count no more."""

    voter: Address
    amount: Amount


@dataclass(frozen=True)
class Delegated(Event, index=5):
    """An account's power counts with another's votes."""

    voter: Address
    delegate: Address


@dataclass(frozen=True)
class Undelegated(Event, index=6):
    """An account votes for itself again."""

    voter: Address
    delegate: Address


@dataclass(frozen=True)
class Passed(Event, index=7):
    """A vote was won; its call runs in the due block."""

    referendum: ReferendumNumber
    ayes: Amount
    nays: Amount
    due: BlockNumber


@dataclass(frozen=True)
class Refused(Event, index=8):
    """A vote was lost."""

    referendum: ReferendumNumber
    ayes: Amount
    nays: Amount
    deposit_back: bool


@dataclass(frozen=True)
class Enacted(Event, index=9):
    """A decided call ran; it names the refusal where its pallet's rules refused it."""

    referendum: ReferendumNumber
    error: Annotated[Failure | None, option(FAILURE)]


@dataclass(frozen=True)
class Objected(Event, index=10):
    """A validator wants a decision later or never."""

    referendum: ReferendumNumber
    validator: Address
    never: bool


@dataclass(frozen=True)
class Delayed(Event, index=11):
    """Validators with more than two thirds of the stake put a decision off."""

    referendum: ReferendumNumber
    due: BlockNumber


@dataclass(frozen=True)
class Cancelled(Event, index=12):
    """Validators with more than two thirds of the stake stopped a referendum."""

    referendum: ReferendumNumber


@dataclass(frozen=True)
class UpgradeScheduled(Event, index=13):
    """Other rules hold from a block on; nodes without them stop before it."""

    spec_version: Annotated[int, U32]
    height: BlockNumber
