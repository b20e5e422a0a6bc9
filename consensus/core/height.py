"""The rules of one height: Tendermint as in arXiv 1807.04938, a small function for each line.

Read RULES and TIMEOUTS at the end first.  Where the paper has -1 for a round of a lock, so has this
file; where it has nil for a value, here is None; a value is a block's hash, and valid(v) is what
BlockChecked says: while it has said nothing, no rule that needs it fires.
"""

from collections.abc import Callable, Mapping
from typing import Final

from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from consensus.core.evidence import accuse
from consensus.core.inputs import (
    Accuse,
    Begin,
    BlockBuilt,
    BlockChecked,
    BuildBlock,
    Decide,
    Effect,
    Input,
    Refuse,
    RoundBegan,
    SendProposal,
    SendVote,
    StartTimeout,
    Step,
    TimedOut,
)
from consensus.core.messages import Certificate, Kind, Proposal, Vote
from consensus.core.proposer import proposer
from consensus.core.tally import ROUNDS_AHEAD_MAX, AnyQuorum, Quorum, Tally
from consensus.core.validators import ValidatorSet

NONE: Final = -1
"""Round of a lock that was never taken."""


class Height:
    """Decides one block among validators of which less than a third, by power, is faulty."""

    def __init__(self, number: int, validators: ValidatorSet, me: Address | None) -> None:
        """Wait for Begin; `me` is None for a node that only watches."""
        self.number = number
        self.validators = validators
        self.me = me if me in validators else None
        self.round = NONE
        self.step_now = Step.PROPOSE
        self.locked_block: Hash32 | None = None
        self.locked_round = NONE
        self.valid_block: Hash32 | None = None
        self.valid_round = NONE
        self.decision: Decide | None = None
        self.tally = Tally(validators)
        self.proposals: dict[int, Proposal] = {}
        self.validity: dict[Hash32, bool] = {}
        self.fired: dict[str, int] = {}
        """How often each line of the paper acted."""
        self._done_in_round: dict[str, None] = {}
        self._accused: dict[Address, None] = {}
        self._effects: list[Effect] = []

    def step(self, event: Input) -> list[Effect]:
        """Take one input to its conclusion.  The only way in."""
        if self.decision is None:
            self._take(event)
            while self.decision is None and self.round != NONE and self._fire_one():
                pass
        effects, self._effects = self._effects, []
        return effects

    def is_news(self, message: Proposal | Vote | Certificate) -> bool:
        """Tell whether a message can change anything; what is said again cannot."""
        match message:
            case Certificate():
                quorum = Quorum(message.kind, message.round, message.block_hash)
                known = quorum in self.tally.reached
                return not known or not (quorum.block_hash is None or self._is_proposed(quorum))
            case Proposal():
                earlier: Proposal | Vote | None = self.proposals.get(message.round)
            case Vote():
                earlier = self.tally.vote(message.kind, message.round, message.validator)
        if earlier is None:
            return True
        return earlier != message and message.validator not in self._accused

    def objection(self, proposal: Proposal) -> str:
        """Give why a proposal is refused, or nothing."""
        if proposal.round > self.round + ROUNDS_AHEAD_MAX:
            return "a proposal for a far round"
        if proposal.validator != self.proposer(proposal.round):
            return "a proposal by a validator whose turn it is not"
        if proposal.valid_round is not None and proposal.valid_round >= proposal.round:
            return "a proposal proved by a later round"
        return ""

    def proposer(self, round_number: int) -> Address:
        """Give the validator that proposes in a round."""
        return proposer(self.validators, self.number, round_number)

    # What comes in.

    def _take(self, event: Input) -> None:
        match event:
            case Begin():
                if self.round == NONE:
                    self._start_round(0)
            case Proposal():
                self._take_proposal(event)
            case Vote():
                self._take_vote(event)
            case Certificate():
                self.tally.take(event)
            case BlockBuilt():
                self._propose_built(event)
            case BlockChecked():
                self.validity.setdefault(event.block_hash, event.valid)
            case TimedOut():
                self._time_out(event)

    def _take_proposal(self, proposal: Proposal) -> None:
        refused = self.objection(proposal)
        earlier = self.proposals.get(proposal.round)
        if refused:
            self._effects.append(Refuse(refused))
        elif earlier is None:
            self.proposals[proposal.round] = proposal
            self.tally.hear(proposal.validator, proposal.round)
        elif (earlier.block_hash, earlier.valid_round) != (
            proposal.block_hash,
            proposal.valid_round,
        ):
            self._accuse(earlier, proposal)

    def _take_vote(self, vote: Vote) -> None:
        counted = self.tally.add(vote, self.round)
        if counted.refused:
            self._effects.append(Refuse(counted.refused))
        if counted.conflict is not None:
            self._accuse(counted.conflict, vote)

    def _accuse(self, first: Vote | Proposal, second: Vote | Proposal) -> None:
        if first.validator not in self._accused:
            self._accused[first.validator] = None
            self._effects.append(Accuse(accuse(first, second)))

    def _time_out(self, event: TimedOut) -> None:
        if event.round == self.round:
            line, rule = TIMEOUTS[event.step]
            if rule(self):
                self._count(line)

    # L11 to L21: a round starts.

    def _start_round(self, number: int) -> None:
        self.round = number
        self.step_now = Step.PROPOSE
        self._done_in_round = {}
        self._effects.append(RoundBegan(number))
        if self.me is not None and self.proposer(number) == self.me:
            self._propose()
        # The paper lets only the others wait (L21); here building takes time and can fail.
        self._effects.append(StartTimeout(Step.PROPOSE, number))

    def _propose(self) -> None:
        if self.valid_block is None:
            self._count("L18")
            self._effects.append(BuildBlock(self.round))
        else:
            self._count("L16")
            self._effects.append(SendProposal(self.round, self.valid_block, self.valid_round))

    def _propose_built(self, built: BlockBuilt) -> None:
        in_time = built.round == self.round and self.step_now is Step.PROPOSE
        if in_time and self.round not in self.proposals:
            self._count("L19")
            self._effects.append(SendProposal(self.round, built.block_hash, None))

    # L22 to L55: each returns whether its condition held, having acted if so.

    def _prevote_fresh_proposal(self) -> bool:
        proposal = self.proposals.get(self.round)
        if self.step_now is not Step.PROPOSE or proposal is None:
            return False
        if proposal.valid_round is not None or proposal.block_hash not in self.validity:
            return False
        self._prevote(proposal, free=self.locked_round == NONE)
        return True

    def _prevote_proven_proposal(self) -> bool:
        proposal = self.proposals.get(self.round)
        if self.step_now is not Step.PROPOSE or proposal is None:
            return False
        proven = proposal.valid_round
        if proven is None or proposal.block_hash not in self.validity:
            return False
        if Quorum(Kind.PREVOTE, proven, proposal.block_hash) not in self.tally.reached:
            return False
        self._prevote(proposal, free=self.locked_round <= proven)
        return True

    def _await_prevotes(self) -> bool:
        waiting = self.step_now is Step.PREVOTE
        if not waiting or AnyQuorum(Kind.PREVOTE, self.round) not in self.tally.reached:
            return False
        if not self._first_time("L34"):
            return False
        self._effects.append(StartTimeout(Step.PREVOTE, self.round))
        return True

    def _lock_polka(self) -> bool:
        if self.step_now < Step.PREVOTE:
            return False
        block = self._valid_quorum(Kind.PREVOTE)
        if block is None or not self._first_time("L36"):
            return False
        if self.step_now is Step.PREVOTE:
            self.locked_block, self.locked_round = block, self.round
            self._precommit(block)
        self.valid_block, self.valid_round = block, self.round
        return True

    def _precommit_nil(self) -> bool:
        waiting = self.step_now is Step.PREVOTE
        if not waiting or Quorum(Kind.PREVOTE, self.round, None) not in self.tally.reached:
            return False
        self._precommit(None)
        return True

    def _await_precommits(self) -> bool:
        if AnyQuorum(Kind.PRECOMMIT, self.round) not in self.tally.reached:
            return False
        if not self._first_time("L47"):
            return False
        self._effects.append(StartTimeout(Step.PRECOMMIT, self.round))
        return True

    def _decide(self) -> bool:
        for quorum in self.tally.commits():
            block = quorum.block_hash
            if block is not None and self._is_proposed(quorum) and self.validity.get(block):
                self.decision = Decide(quorum.round, block)
                self._effects.append(self.decision)
                return True
        return False

    def _skip_round(self) -> bool:
        latest = self.tally.latest_present()
        if latest <= self.round:
            return False
        self._start_round(latest)
        return True

    # L57 to L65: what a timeout does while its round lasts.

    def _give_up_proposal(self) -> bool:
        if self.step_now is not Step.PROPOSE:
            return False
        self._send(Kind.PREVOTE, None, None)
        self.step_now = Step.PREVOTE
        return True

    def _give_up_prevotes(self) -> bool:
        if self.step_now is not Step.PREVOTE:
            return False
        self._precommit(None)
        return True

    def _give_up_round(self) -> bool:
        self._start_round(self.round + 1)
        return True

    # What the rules share.

    def _prevote(self, proposal: Proposal, *, free: bool) -> None:
        block = proposal.block_hash
        agrees = self.validity[block] and (free or self.locked_block == block)
        self._send(Kind.PREVOTE, block if agrees else None, proposal.valid_round)
        self.step_now = Step.PREVOTE

    def _precommit(self, block: Hash32 | None) -> None:
        self._send(Kind.PRECOMMIT, block, None)
        self.step_now = Step.PRECOMMIT

    def _send(self, kind: Kind, block: Hash32 | None, valid_round: int | None) -> None:
        if self.me is not None:
            self._effects.append(SendVote(kind, self.round, block, valid_round))

    def _valid_quorum(self, kind: Kind) -> Hash32 | None:
        for block in self._proposed_blocks(kind):
            quorum = Quorum(kind, self.round, block)
            if quorum in self.tally.reached and self.validity.get(block):
                return block
        return None

    def _proposed_blocks(self, kind: Kind) -> tuple[Hash32, ...]:
        proposal = self.proposals.get(self.round)
        certified = self.tally.certified(kind, self.round)
        return certified if proposal is None else (proposal.block_hash, *certified)

    def _is_proposed(self, quorum: Quorum) -> bool:
        """Tell whether the block was proposed in the round: a certificate's signers saw that."""
        proposal = self.proposals.get(quorum.round)
        if proposal is not None and proposal.block_hash == quorum.block_hash:
            return True
        return quorum.block_hash in self.tally.certified(quorum.kind, quorum.round)

    def _first_time(self, line: str) -> bool:
        first = line not in self._done_in_round
        self._done_in_round[line] = None
        return first

    def _fire_one(self) -> bool:
        for line, rule in RULES:
            if rule(self):
                self._count(line)
                return True
        return False

    def _count(self, line: str) -> None:
        self.fired[line] = self.fired.get(line, 0) + 1


RULES: Final[tuple[tuple[str, Callable[[Height], bool]], ...]] = (
    ("L49", Height._decide),
    ("L55", Height._skip_round),
    ("L22", Height._prevote_fresh_proposal),
    ("L28", Height._prevote_proven_proposal),
    ("L36", Height._lock_polka),
    ("L44", Height._precommit_nil),
    ("L34", Height._await_prevotes),
    ("L47", Height._await_precommits),
)
"""Line of the paper and its rule; the first whose condition holds acts, until none does."""

TIMEOUTS: Final[Mapping[Step, tuple[str, Callable[[Height], bool]]]] = {
    Step.PROPOSE: ("L57", Height._give_up_proposal),
    Step.PREVOTE: ("L61", Height._give_up_prevotes),
    Step.PRECOMMIT: ("L65", Height._give_up_round),
}
"""Line of the paper and what it does when its wait is over."""

LINES: Final = (
    *("L16", "L18", "L19"),
    *(line for line, _ in RULES),
    *(line for line, _ in TIMEOUTS.values()),
)
"""Every line that a run of many heights should see act."""
