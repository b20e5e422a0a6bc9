"""What governance keeps."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.primitives.codec import U32, blob, enumeration, option, sequence, text
from chain.primitives.keys import ADDRESS, Address
from chain.primitives.numbers import Amount, BlockNumber
from consensus.core.validators import VALIDATORS_MAX

OPEN_MAX: Final = 32
"""Referenda that are voted on or wait for their day: a change of a voter's power walks over them,
and a block may have to end all of them."""

CALL_BYTES_MAX: Final = 16 * 1024
"""Of a proposed call: it is kept in the state until it has run."""

NOTE_BYTES_MAX: Final = 256
"""Of the words that say why."""

KEPT_MAX: Final = 256
"""Referenda that are over and still shown; older ones are forgotten."""

ReferendumNumber = Annotated[int, U32]
CallBytes = Annotated[bytes, blob(CALL_BYTES_MAX)]
Note = Annotated[str, text(NOTE_BYTES_MAX)]
Objectors = Annotated[tuple[Address, ...], sequence(ADDRESS, VALIDATORS_MAX)]
NUMBERS = sequence(U32, OPEN_MAX)
KEPT = sequence(U32, KEPT_MAX)


class Stage(IntEnum):
    """Where a referendum stands."""

    VOTING = 0
    """Votes are given."""

    PASSED = 1
    """Decided; it takes effect at its `due` block."""

    REFUSED = 2
    """Too few voted, or too few said aye."""

    ENACTED = 3
    """Its call ran and did what it was meant to do."""

    FAILED = 4
    """Its call ran and was refused by the rules of its pallet."""

    CANCELLED = 5
    """The validators stopped it."""


@dataclass(frozen=True, slots=True)
class Referendum:
    """A call that a vote decides about."""

    proposer: Address
    call: CallBytes
    """What runs as the chain itself."""

    note: Note
    deposit: Amount
    """Still set aside by the proposer."""

    stage: Annotated[Stage, enumeration(Stage)]
    due: BlockNumber
    """Block in which votes are counted, later the one in which the call runs."""

    ayes: Amount = 0
    nays: Amount = 0
    slowing: Objectors = ()
    """Validators that want it later."""

    cancelling: Objectors = ()
    """Validators that want it never."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one account said, with the power that it has now."""

    aye: bool
    power: Amount


@dataclass(frozen=True, slots=True)
class Voter:
    """An account with a voice."""

    locked: Amount = 0
    """Set aside while it counts."""

    staked: Amount = 0
    """Stake as a validator when the account last called."""

    delegated: Amount = 0
    """Power that others gave it."""

    delegate: Annotated[Address | None, option(ADDRESS)] = None
    """To whom it gave its own."""

    until: BlockNumber = 0
    """Block up to which the lock stays: the call of everything that it helped to decide has run."""

    votes: Annotated[tuple[int, ...], NUMBERS] = ()
    """Referenda that it voted on and that may still be open."""

    @property
    def own(self) -> int:
        """Give the power that is its own."""
        return self.locked + self.staked


@dataclass(frozen=True, slots=True)
class VoterStatus:
    """What there is to know about a voter."""

    voter: Voter
    votes: tuple[tuple[int, Vote], ...]
    """On open referenda."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Other rules from some block on."""

    spec_version: Annotated[int, U32]
    height: BlockNumber
    """First block by these rules."""
