"""Where the engine stands, for metrics and operators."""

from dataclasses import dataclass

from consensus.core.height import Height
from consensus.core.messages import Kind
from consensus.core.validators import ValidatorSet
from consensus.engine.machine import Machine


@dataclass(frozen=True, slots=True)
class EngineView:
    """A height in progress."""

    height: int
    round: int
    """-1 before the first begins."""
    prevoted_power: int
    """Of this round."""
    precommitted_power: int
    """Of this round."""
    validators: ValidatorSet
    is_validator: bool
    is_halted: bool
    """The others agreed on a block that this node finds invalid."""


def view_of(machine: Machine) -> EngineView | None:
    """Give the view of a machine; None before it has a head."""
    height = machine.height
    if height is None:
        return None
    return EngineView(
        height=height.number,
        round=height.round,
        prevoted_power=_power(height, Kind.PREVOTE),
        precommitted_power=_power(height, Kind.PRECOMMIT),
        validators=height.validators,
        is_validator=height.me is not None,
        is_halted=machine.is_halted,
    )


def _power(height: Height, kind: Kind) -> int:
    votes = height.tally.votes(kind, max(height.round, 0))
    return sum(height.validators.power(vote.validator) for vote in votes)
