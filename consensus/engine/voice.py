"""Says what the rules want said: in bytes, signed, and never twice differently."""

from chain.primitives.hashing import Hash32
from consensus.core.height import Height
from consensus.core.inputs import SendProposal, SendVote
from consensus.core.messages import Kind, Proposal, Vote, proposal_bytes, vote_bytes
from consensus.engine.signer import Signer, SigningRefused, SigningStep

_STEPS = {Kind.PREVOTE: SigningStep.PREVOTE, Kind.PRECOMMIT: SigningStep.PRECOMMIT}


class Voice:
    """One validator's messages of one height."""

    def __init__(self, genesis: Hash32, signer: Signer) -> None:
        self._genesis = genesis
        self._signer = signer
        self._last: dict[SigningStep, Proposal | Vote] = {}

    def last(self) -> tuple[Proposal | Vote, ...]:
        """Give the latest message of each step, to be said again."""
        return tuple(self._last[step] for step in sorted(self._last))

    def forget(self) -> None:
        """Start a new height."""
        self._last = {}

    def remember(self, message: Proposal | Vote) -> None:
        """Note what this validator has said."""
        self._last[_step_of(message)] = message

    def propose(self, effect: SendProposal, height: Height) -> Proposal:
        """Give the signed proposal; raises SigningRefused or CannotPersist."""
        if effect.round in height.proposals:
            raise SigningRefused("this key has proposed elsewhere in this round")
        words = proposal_bytes(
            self._genesis,
            height=height.number,
            round_number=effect.round,
            block_hash=effect.block_hash,
            valid_round=effect.valid_round,
        )
        signature = self._signer.sign(height.number, effect.round, SigningStep.PROPOSAL, words)
        proposal = Proposal(
            height.number,
            effect.round,
            effect.block_hash,
            effect.valid_round,
            self._signer.address,
            signature,
        )
        self.remember(proposal)
        return proposal

    def vote(self, effect: SendVote, height: Height) -> Vote:
        """Give the signed vote; raises SigningRefused or CannotPersist."""
        if height.tally.vote(effect.kind, effect.round, self._signer.address) is not None:
            raise SigningRefused("this key has voted elsewhere in this step")
        words = vote_bytes(
            self._genesis,
            effect.kind,
            height=height.number,
            round_number=effect.round,
            block_hash=effect.block_hash,
            valid_round=effect.valid_round,
        )
        step = _STEPS[effect.kind]
        signature = self._signer.sign(height.number, effect.round, step, words)
        vote = Vote(
            effect.kind,
            height.number,
            effect.round,
            effect.block_hash,
            effect.valid_round,
            self._signer.address,
            signature,
        )
        self.remember(vote)
        return vote


def _step_of(message: Proposal | Vote) -> SigningStep:
    return SigningStep.PROPOSAL if isinstance(message, Proposal) else _STEPS[message.kind]
