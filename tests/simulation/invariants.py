"""What must hold whatever happens, checked by code that shares nothing with the core's counting."""

from collections.abc import Callable

from chain.primitives.keys import verify
from consensus.core.height import Height
from consensus.core.messages import Certificate, Kind, Proposal, Vote, Votes, vote_bytes
from consensus.core.validators import ValidatorSet
from consensus.engine.actions import Received
from tests.simulation.ledger import GENESIS


class Broken(AssertionError):
    """An invariant does not hold."""


class Watch:
    """Sees every message that is sent and every block that is committed."""

    def __init__(self, validators: Callable[[int], ValidatorSet]) -> None:
        self._validators = validators
        self._final: dict[int, bytes] = {}
        self._said: dict[tuple[int, int, int, int], Proposal | Vote] = {}
        self._heard: dict[tuple[int, int, int], dict[bytes, set[int]]] = {}
        self._locks: dict[tuple[int, int], list[Vote]] = {}

    def sent(self, node: int, message: Proposal | Vote, own: bytes) -> None:
        """Check that an honest node never contradicts itself and keeps its lock."""
        if message.validator != own:
            return
        kind = message.kind if isinstance(message, Vote) else 0
        step = (node, message.height, message.round, kind)
        if self._said.setdefault(step, message) != message:
            raise Broken(f"node {node} signed twice: {self._said[step]} and {message}")
        if isinstance(message, Vote):
            self._check_lock(node, message)

    def committed(self, node: int, height: int, block_hash: bytes, proof: Certificate) -> None:
        """Check that all agree, and that the certificate shows why."""
        if self._final.setdefault(height, block_hash) != block_hash:
            raise Broken(f"node {node} has another block at height {height}")
        if (proof.kind, proof.height, proof.block_hash) != (Kind.PRECOMMIT, height, block_hash):
            raise Broken(f"node {node} committed height {height} with a certificate of another")
        members = self._validators(height).validators
        voters: dict[bytes, int] = {}
        for entry in proof.entries:
            validator = members[entry.place]
            words = vote_bytes(
                GENESIS,
                Kind.PRECOMMIT,
                height=height,
                round_number=proof.round,
                block_hash=block_hash,
                valid_round=None,
            )
            if not verify(validator.address, words, entry.signature):
                raise Broken(f"node {node} committed height {height} with a wrong signature")
            voters[validator.address] = validator.power
        total = sum(each.power for each in members)
        if sum(voters.values()) * 3 <= total * 2:
            raise Broken(f"node {node} committed height {height} with too little power")

    def hears(self, node: int, life: int, height: Height | None, event: object) -> None:
        """Note the rounds in which a node hears others vote."""
        if height is None or height.decision is not None or not isinstance(event, Received):
            return
        message = event.message
        votes = message.votes if isinstance(message, Votes) else (message,)
        for vote in votes:
            if isinstance(vote, Vote) and vote.height == height.number:
                heard = self._heard.setdefault((node, life, vote.height), {})
                heard.setdefault(vote.validator, set()).add(vote.round)

    def stands(self, node: int, life: int, height: Height | None) -> None:
        """Check that a node is not behind a round that more than a third are in.

        Of each validator the two latest rounds count: a node need not remember more.
        """
        if height is None or height.decision is not None:
            return
        members = self._validators(height.number).validators
        heard = self._heard.get((node, life, height.number), {})
        latest = {validator: sorted(rounds)[-2:] for validator, rounds in heard.items()}
        for number in {each for rounds in latest.values() for each in rounds}:
            there = [each for each in members if number in latest.get(each.address, ())]
            total = sum(each.power for each in members)
            if number > height.round and 3 * sum(each.power for each in there) > total:
                raise Broken(f"node {node} stays in round {height.round}, others in {number}")

    def _check_lock(self, node: int, vote: Vote) -> None:
        locks = self._locks.setdefault((node, vote.height), [])
        if vote.kind is Kind.PRECOMMIT and vote.block_hash is not None:
            locks.append(vote)
        if vote.kind is Kind.PREVOTE and vote.block_hash is not None:
            proved = -1 if vote.valid_round is None else vote.valid_round
            for lock in locks:
                free = lock.block_hash == vote.block_hash or proved >= lock.round
                if lock.round < vote.round and not free:
                    raise Broken(f"node {node} left its lock {lock} for {vote}")
