"""What validators say to each other: the messages, their bytes, and the bytes that are signed."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from chain.primitives.block import Block
from chain.primitives.codec import (
    BOOL,
    U16,
    U32,
    Codec,
    blob,
    enumeration,
    fixed,
    option,
    record,
    sequence,
    union,
)
from chain.primitives.hashing import HASH_32, Hash32
from chain.primitives.keys import Address
from chain.primitives.numbers import BlockNumber
from consensus.core.validators import VALIDATORS_MAX


class Kind(IntEnum):
    """What a vote says about a block."""

    PREVOTE = 1
    """Seen, executed, acceptable."""
    PRECOMMIT = 2
    """Prevoted by more than two thirds; locked."""


Round = Annotated[int, U32]
"""Attempt to decide a height; the first one is 0."""
OptionalRound = Annotated[int | None, option(U32)]
"""A round, or None where the paper writes -1."""
OptionalHash = Annotated[bytes | None, option(HASH_32)]
"""Hash of a block, or None where the paper writes nil."""
Signature = Annotated[bytes, fixed(64)]
"""ed25519, over the bytes that this file defines."""
KindField = Annotated[Kind, enumeration(Kind)]
"""Prevote or precommit."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A block for a round, by its proposer."""

    height: BlockNumber
    round: Round
    block_hash: Hash32
    valid_round: OptionalRound
    """Earlier round in which more than two thirds prevoted the block, if it is proposed again."""
    validator: Address
    signature: Signature


@dataclass(frozen=True, slots=True)
class Vote:
    """A prevote or precommit of one validator."""

    kind: KindField
    height: BlockNumber
    round: Round
    block_hash: OptionalHash
    valid_round: OptionalRound
    """Of the proposal a prevote answers, so that a forgotten lock can be proved; None otherwise."""
    validator: Address
    signature: Signature


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """One vote of a certificate; what all its votes share is left out."""

    place: Annotated[int, U16]
    """Index of the validator in the set of the height; ascending."""
    valid_round: OptionalRound
    signature: Signature


@dataclass(frozen=True, slots=True)
class Certificate:
    """More than two thirds of the power voted alike in one round."""

    kind: KindField
    height: BlockNumber
    round: Round
    block_hash: OptionalHash
    entries: Annotated[
        tuple[CertificateEntry, ...], sequence(record(CertificateEntry), VALIDATORS_MAX)
    ]

    @property
    def is_commit(self) -> bool:
        """Tell whether it makes a block final."""
        return self.kind is Kind.PRECOMMIT and self.block_hash is not None


PlacesField = Annotated[bytes, blob((VALIDATORS_MAX + 7) // 8)]
"""A bit for each validator: bit i % 8 of byte i // 8."""


@dataclass(frozen=True, slots=True)
class Status:
    """Where a node stands and what it has, so that others can send what it lacks.  Not signed."""

    height: BlockNumber
    """The one it decides."""
    round: Round
    valid_round: OptionalRound
    """Latest round in which it saw more than two thirds prevote one block."""
    has_proposal: Annotated[bool, BOOL]
    """Of this round."""
    prevotes: PlacesField
    """Of this round."""
    precommits: PlacesField
    """Of this round."""


@dataclass(frozen=True, slots=True)
class BlockRequest:
    """Asks for a block."""

    block_hash: Hash32


@dataclass(frozen=True, slots=True)
class BlockBody:
    """A block that was asked for; the one message of the block channel."""

    block: Block


@dataclass(frozen=True, slots=True)
class CertificateMessage:
    """Proof of a polka or a commit, taken as a whole."""

    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes that the receiver lacks, passed on."""

    votes: Annotated[tuple[Vote, ...], sequence(record(Vote), VALIDATORS_MAX)]


ConsensusMessage = Proposal | Vote | Status | BlockRequest | BlockBody | CertificateMessage | Votes
"""Anything that engines send to each other."""

MESSAGE: Final[Codec[ConsensusMessage]] = union(
    "ConsensusMessage",
    {
        0: Proposal,
        1: Vote,
        2: Status,
        3: BlockRequest,
        4: BlockBody,
        5: CertificateMessage,
        6: Votes,
    },
)
"""Bytes of a message: its number in front."""

CERTIFICATE: Final = record(Certificate)
"""Bytes of a certificate, as it is kept beside its block."""


def is_for_block_channel(message: ConsensusMessage) -> bool:
    """Tell whether a message is too large to travel among votes."""
    return isinstance(message, BlockBody)


@dataclass(frozen=True, slots=True)
class _ProposalContent:
    height: BlockNumber
    round: Round
    block_hash: Hash32
    valid_round: OptionalRound


@dataclass(frozen=True, slots=True)
class _VoteContent:
    kind: KindField
    height: BlockNumber
    round: Round
    block_hash: OptionalHash
    valid_round: OptionalRound


_write_proposal: Final[Callable[[_ProposalContent], bytes]] = record(_ProposalContent).encode
_write_vote: Final[Callable[[_VoteContent], bytes]] = record(_VoteContent).encode


def proposal_bytes(
    genesis: Hash32, *, height: int, round_number: int, block_hash: Hash32, valid_round: int | None
) -> bytes:
    """Give the bytes that a proposer signs; they are good for one chain and nothing else."""
    content = _ProposalContent(height, round_number, block_hash, valid_round)
    return b"noema-proposal" + genesis + _write_proposal(content)


def vote_bytes(
    genesis: Hash32,
    kind: Kind,
    *,
    height: int,
    round_number: int,
    block_hash: Hash32 | None,
    valid_round: int | None,
) -> bytes:
    """Give the bytes that a voter signs; they are good for one chain and nothing else."""
    content = _VoteContent(kind, height, round_number, block_hash, valid_round)
    return b"noema-vote" + genesis + _write_vote(content)


def signed_bytes(genesis: Hash32, message: Proposal | Vote) -> bytes:
    """Give the bytes that a message's signature stands under."""
    if isinstance(message, Proposal):
        return proposal_bytes(
            genesis,
            height=message.height,
            round_number=message.round,
            block_hash=message.block_hash,
            valid_round=message.valid_round,
        )
    return vote_bytes(
        genesis,
        message.kind,
        height=message.height,
        round_number=message.round,
        block_hash=message.block_hash,
        valid_round=message.valid_round,
    )
