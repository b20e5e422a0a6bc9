"""What a chain and an operator decide about the engine; times in milliseconds."""

from dataclasses import dataclass

from chain.primitives.hashing import Hash32
from consensus.core.inputs import Step


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a step waits: longer in every round, so that a slow network agrees in the end."""

    propose_ms: int = 2000
    """For a proposal, its block and its execution, in round 0."""
    prevote_ms: int = 500
    """For more prevotes, once two thirds voted but not alike, in round 0."""
    precommit_ms: int = 500
    """For more precommits, once two thirds voted but not alike, in round 0."""
    growth_ms: int = 500
    """Added to each in every further round."""
    longest_ms: int = 60_000
    """No wait is longer."""

    def of(self, step: Step, round_number: int) -> int:
        """Give the wait of a step in a round."""
        base = {
            Step.PROPOSE: self.propose_ms,
            Step.PREVOTE: self.prevote_ms,
            Step.PRECOMMIT: self.precommit_ms,
        }[step]
        return min(base + self.growth_ms * round_number, self.longest_ms)


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Settings of one engine."""

    genesis: Hash32
    """Hash of block zero: what is signed is good for this chain only."""
    timeouts: Timeouts = Timeouts()
    """Waits of the steps."""
    block_interval_ms: int = 1000
    """Least time from the start of one height to the start of the next."""
    rebroadcast_ms: int = 500
    """Between two statements of where this node stands."""
    fetch_ms: int = 500
    """Before another peer is asked for a block."""
    answer_gap_ms: int = 50
    """Least time between two answers to one peer's status."""
