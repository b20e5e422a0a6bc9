"""What nodes tell each other about where they stand, and what they send to one that lacks it."""

from collections.abc import Iterable

from consensus.core.height import NONE, Height
from consensus.core.messages import (
    Certificate,
    CertificateMessage,
    ConsensusMessage,
    Kind,
    Proposal,
    Status,
    Vote,
    Votes,
)
from consensus.core.validators import ValidatorSet


def status_of(height: Height) -> Status:
    """Give the status of a height."""
    number = max(height.round, 0)
    return Status(
        height=height.number,
        round=number,
        valid_round=None if height.valid_round == NONE else height.valid_round,
        has_proposal=number in height.proposals,
        prevotes=_bits(height.tally.votes(Kind.PREVOTE, number), height.validators),
        precommits=_bits(height.tally.votes(Kind.PRECOMMIT, number), height.validators),
    )


def answer(height: Height, status: Status) -> list[ConsensusMessage]:
    """Give what a peer that decides the same height lacks and this node has."""
    if height.decision is not None:
        return _certificates(height, Kind.PRECOMMIT, height.decision.round)
    messages: list[ConsensusMessage] = []
    if height.valid_round > (NONE if status.valid_round is None else status.valid_round):
        messages += _certificates(height, Kind.PREVOTE, height.valid_round)
    if status.round > height.round:
        return messages
    if status.round < height.round:
        messages += _votes(height.tally.votes(Kind.PRECOMMIT, status.round), b"", height)
        status = Status(height.number, height.round, None, False, b"", b"")
    proposal = height.proposals.get(height.round)
    if proposal is not None and not status.has_proposal:
        messages += with_proof(height, proposal)
    messages += _votes(height.tally.votes(Kind.PREVOTE, height.round), status.prevotes, height)
    messages += _votes(height.tally.votes(Kind.PRECOMMIT, height.round), status.precommits, height)
    return messages


def with_proof(height: Height, message: Proposal | Vote) -> list[ConsensusMessage]:
    """Give a message and, before it, the polka that a block proposed again refers to."""
    proven = message.valid_round if isinstance(message, Proposal) else None
    if proven is None:
        return [message]
    proof = height.tally.certificate(Kind.PREVOTE, proven, message.block_hash)
    return [message] if proof is None else [CertificateMessage(proof), message]


def _certificates(height: Height, kind: Kind, number: int) -> list[ConsensusMessage]:
    block = height.decision.block_hash if height.decision else height.valid_block
    found: Certificate | None = height.tally.certificate(kind, number, block)
    return [] if found is None else [CertificateMessage(found)]


def _votes(votes: tuple[Vote, ...], has: bytes, height: Height) -> list[ConsensusMessage]:
    lacking = tuple(
        vote for vote in votes if not _has(has, height.validators.places[vote.validator])
    )
    return [Votes(lacking)] if lacking else []


def _bits(votes: Iterable[Vote], validators: ValidatorSet) -> bytes:
    bits = bytearray((len(validators) + 7) // 8)
    for vote in votes:
        place = validators.places[vote.validator]
        bits[place // 8] |= 1 << place % 8
    return bytes(bits)


def _has(bits: bytes, place: int) -> bool:
    return place // 8 < len(bits) and bool(bits[place // 8] >> place % 8 & 1)
