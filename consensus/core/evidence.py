"""Proof that a validator signed two different things for one step: anyone can check it."""

from dataclasses import dataclass

from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address, verify
from consensus.core.messages import Proposal, Vote, signed_bytes
from consensus.core.validators import ValidatorSet


@dataclass(frozen=True, slots=True)
class DoubleVote:
    """Two different votes of one kind for one round; the one with the smaller bytes first."""

    first: Vote
    second: Vote


@dataclass(frozen=True, slots=True)
class DoubleProposal:
    """Two different proposals for one round; the one with the smaller bytes first."""

    first: Proposal
    second: Proposal


Evidence = DoubleVote | DoubleProposal
"""What a validator is punished for."""


def accuse(one: Vote | Proposal, other: Vote | Proposal) -> Evidence:
    """Give the evidence of two conflicting messages, the same in whichever order they came."""
    if isinstance(one, Vote):
        assert isinstance(other, Vote)
        first, second = sorted((one, other), key=_content)
        return DoubleVote(first, second)
    assert isinstance(other, Proposal)
    early, late = sorted((one, other), key=_content)
    return DoubleProposal(early, late)


def offender(evidence: Evidence) -> Address:
    """Give the validator that is accused."""
    return evidence.first.validator


def proves(evidence: Evidence, genesis: Hash32, validators: ValidatorSet) -> bool:
    """Tell whether the evidence convicts a validator of the set that decided its height."""
    first, second = evidence.first, evidence.second
    return (
        first.validator == second.validator
        and first.validator in validators
        and _step(first) == _step(second)
        and _content(first) < _content(second)
        and all(
            verify(each.validator, signed_bytes(genesis, each), each.signature)
            for each in (first, second)
        )
    )


def _content(message: Vote | Proposal) -> bytes:
    return signed_bytes(b"", message)


def _step(message: Vote | Proposal) -> tuple[int, int, int]:
    kind = message.kind if isinstance(message, Vote) else 0
    return message.height, message.round, kind
