"""Counts votes: which thresholds are reached, who voted twice, and what proves a quorum.

The first vote of a validator counts; a second, different one convicts it.  A certificate counts as
a whole, whatever votes of its signers came before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from consensus.core.certificate import certify
from consensus.core.messages import Certificate, Kind, Vote
from consensus.core.validators import ValidatorSet

ROUNDS_AHEAD_MAX: Final = 1
"""Rounds after the current one for which everything is kept: others may be a moment faster."""

FAR_ROUNDS_MAX: Final = 2
"""Rounds further ahead that are kept for each validator: its latest, to catch up with."""

FAR_CHANGES_MAX: Final = 1000
"""Far rounds that one validator may name in a height: an honest one waits ever longer in each."""


@dataclass(frozen=True, slots=True)
class Quorum:
    """More than two thirds voted alike."""

    kind: Kind
    round: int
    block_hash: Hash32 | None


@dataclass(frozen=True, slots=True)
class AnyQuorum:
    """More than two thirds voted, for whatever."""

    kind: Kind
    round: int


@dataclass(frozen=True, slots=True)
class Present:
    """More than one third said something in a round: an honest validator is in it."""

    round: int


Threshold = Quorum | AnyQuorum | Present
"""What the rules wait for."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a vote did."""

    reached: tuple[Threshold, ...] = ()
    """Thresholds that it completed; each is named once in a height."""
    conflict: Vote | None = None
    """An earlier, different vote of the same validator for the same step."""
    refused: str = ""
    """Why it was not counted, if a bound was broken."""


@dataclass(slots=True)
class _Ballot:
    """Votes of one kind in one round."""

    votes: dict[Address, Vote] = field(default_factory=dict)
    certificates: dict[Hash32 | None, Certificate] = field(default_factory=dict)


class Tally:
    """All votes of a height."""

    def __init__(self, validators: ValidatorSet) -> None:
        self.validators = validators
        self.reached: dict[Threshold, None] = {}
        self._ballots: dict[tuple[Kind, int], _Ballot] = {}
        self._heard: dict[int, dict[Address, None]] = {}
        self._far: dict[Address, list[int]] = {}
        self._far_changes: dict[Address, int] = {}

    def add(self, vote: Vote, current_round: int) -> Counted:
        """Count a vote of a validator of the set."""
        earlier = self.vote(vote.kind, vote.round, vote.validator)
        if earlier is not None:
            return Counted(conflict=None if _alike(earlier, vote) else earlier)
        refused = self._bound(vote.validator, vote.round, current_round)
        if refused:
            return Counted(refused=refused)
        ballot = self._ballot(vote.kind, vote.round)
        ballot.votes[vote.validator] = vote
        alike = (each for each in ballot.votes.values() if each.block_hash == vote.block_hash)
        new: list[Threshold] = []
        if self.validators.is_quorum(self._power(each.validator for each in alike)):
            new.append(Quorum(vote.kind, vote.round, vote.block_hash))
        if self.validators.is_quorum(self._power(ballot.votes)):
            new.append(AnyQuorum(vote.kind, vote.round))
        return Counted(self._reach(new) + self.hear(vote.validator, vote.round))

    def take(self, certificate: Certificate) -> tuple[Threshold, ...]:
        """Count a verified certificate; gives the thresholds that it completed."""
        kind, number = certificate.kind, certificate.round
        certificates = self._ballot(kind, number).certificates
        certificates.setdefault(certificate.block_hash, certificate)
        new = self._reach([Quorum(kind, number, certificate.block_hash), AnyQuorum(kind, number)])
        for entry in certificate.entries:
            new += self.hear(self.validators.validators[entry.place].address, number)
        return new

    def hear(self, validator: Address, round_number: int) -> tuple[Threshold, ...]:
        """Note that a validator is in a round; gives the thresholds that it completed."""
        heard = self._heard.setdefault(round_number, {})
        heard[validator] = None
        present = self.validators.has_honest(self._power(heard))
        return self._reach([Present(round_number)]) if present else ()

    def vote(self, kind: Kind, round_number: int, validator: Address) -> Vote | None:
        """Give the vote that counts for a step of a validator."""
        ballot = self._ballots.get((kind, round_number))
        return None if ballot is None else ballot.votes.get(validator)

    def votes(self, kind: Kind, round_number: int) -> tuple[Vote, ...]:
        """Give all votes of a kind in a round, in the order of the set."""
        ballot = self._ballots.get((kind, round_number), _Ballot())
        places = self.validators.places
        return tuple(sorted(ballot.votes.values(), key=lambda vote: places[vote.validator]))

    def certificate(
        self, kind: Kind, round_number: int, block_hash: Hash32 | None
    ) -> Certificate | None:
        """Give the proof that a quorum voted so, if it did."""
        if Quorum(kind, round_number, block_hash) not in self.reached:
            return None
        ballot = self._ballot(kind, round_number)
        if block_hash in ballot.certificates:
            return ballot.certificates[block_hash]
        alike = [each for each in ballot.votes.values() if each.block_hash == block_hash]
        return certify(alike, self.validators)

    def certified(self, kind: Kind, round_number: int) -> tuple[Hash32, ...]:
        """Give the blocks that certificates of a round stand for."""
        ballot = self._ballots.get((kind, round_number), _Ballot())
        return tuple(each for each in ballot.certificates if each is not None)

    def commits(self) -> tuple[Quorum, ...]:
        """Give the quorums that make a block final; more than one is a broken promise."""
        return tuple(
            each
            for each in self.reached
            if isinstance(each, Quorum)
            and each.kind is Kind.PRECOMMIT
            and each.block_hash is not None
        )

    def latest_present(self) -> int:
        """Give the latest round that an honest validator is in; -1 before all."""
        return max((each.round for each in self.reached if isinstance(each, Present)), default=-1)

    def _bound(self, validator: Address, round_number: int, current_round: int) -> str:
        """Give why a far round is refused, or nothing; may forget an earlier far round instead."""
        near = current_round + ROUNDS_AHEAD_MAX
        if round_number <= near:
            return ""
        far = [each for each in self._far.get(validator, []) if each > near]
        if round_number not in far:
            changes = self._far_changes.get(validator, 0) + 1
            if changes > FAR_CHANGES_MAX:
                return f"more than {FAR_CHANGES_MAX} far rounds"
            if len(far) == FAR_ROUNDS_MAX:
                if round_number < min(far):
                    return f"more than {FAR_ROUNDS_MAX} far rounds at a time"
                self._forget(validator, min(far))
                far.remove(min(far))
            self._far_changes[validator] = changes
            far.append(round_number)
        self._far[validator] = far
        return ""

    def _forget(self, validator: Address, round_number: int) -> None:
        for kind in Kind:
            ballot = self._ballot(kind, round_number)
            ballot.votes.pop(validator, None)
            if not ballot.votes and not ballot.certificates:
                del self._ballots[kind, round_number]
        self._heard[round_number].pop(validator)
        if not self._heard[round_number]:
            del self._heard[round_number]

    def _ballot(self, kind: Kind, round_number: int) -> _Ballot:
        return self._ballots.setdefault((kind, round_number), _Ballot())

    def _power(self, addresses: Iterable[Address]) -> int:
        return sum(self.validators.power(each) for each in addresses)

    def _reach(self, thresholds: list[Threshold]) -> tuple[Threshold, ...]:
        new = tuple(each for each in thresholds if each not in self.reached)
        self.reached.update(dict.fromkeys(new))
        return new


def _alike(one: Vote, other: Vote) -> bool:
    return (one.block_hash, one.valid_round) == (other.block_hash, other.valid_round)
