"""What goes into the rules of a height, and what comes out of them."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.primitives.codec import BOOL, Codec, enumeration, union
from chain.primitives.hashing import Hash32
from consensus.core.evidence import Evidence
from consensus.core.messages import (
    Certificate,
    Kind,
    OptionalHash,
    OptionalRound,
    Proposal,
    Round,
    Vote,
)


class Step(IntEnum):
    """What a validator waits for within a round."""

    PROPOSE = 1
    """For a proposal."""
    PREVOTE = 2
    """For the others' prevotes."""
    PRECOMMIT = 3
    """For the others' precommits."""


@dataclass(frozen=True, slots=True)
class Begin:
    """It is time for the first round."""


@dataclass(frozen=True, slots=True)
class BlockBuilt:
    """The block that was asked for is there."""

    round: Round
    block_hash: Hash32


@dataclass(frozen=True, slots=True)
class BlockChecked:
    """A block was executed: the paper's valid(v)."""

    block_hash: Hash32
    valid: Annotated[bool, BOOL]


@dataclass(frozen=True, slots=True)
class TimedOut:
    """A wait is over."""

    step: Annotated[Step, enumeration(Step)]
    round: Round


Input = Begin | Proposal | Vote | Certificate | BlockBuilt | BlockChecked | TimedOut
"""Anything that a height learns; signatures are verified before."""

INPUT: Final[Codec[Input]] = union(
    "Input",
    {
        0: Begin,
        1: Proposal,
        2: Vote,
        3: Certificate,
        4: BlockBuilt,
        5: BlockChecked,
        6: TimedOut,
    },
)
"""Bytes of an input, as the log keeps it."""


@dataclass(frozen=True, slots=True)
class BuildBlock:
    """Build a block to propose in a round; the answer is BlockBuilt."""

    round: Round


@dataclass(frozen=True, slots=True)
class SendProposal:
    """Sign and send a proposal, and take it in as everybody's."""

    round: Round
    block_hash: Hash32
    valid_round: OptionalRound


@dataclass(frozen=True, slots=True)
class SendVote:
    """Sign and send a vote, and take it in as everybody's."""

    kind: Kind
    round: Round
    block_hash: OptionalHash
    valid_round: OptionalRound


@dataclass(frozen=True, slots=True)
class StartTimeout:
    """Answer TimedOut after the time that the step has in this round."""

    step: Step
    round: Round


@dataclass(frozen=True, slots=True)
class RoundBegan:
    """A round began: its block may be fetched, its timers run."""

    round: Round


@dataclass(frozen=True, slots=True)
class Decide:
    """The block is final; nothing else happens in this height."""

    round: Round
    block_hash: Hash32


@dataclass(frozen=True, slots=True)
class Accuse:
    """A validator said two different things for one step."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Refuse:
    """The input breaks a rule or a bound; nothing changed."""

    reason: str


Effect = BuildBlock | SendProposal | SendVote | StartTimeout | RoundBegan | Decide | Accuse | Refuse
"""What is to be done, in the order given."""
