"""What a chain decides about votes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GovernanceConfig:
    """Numbers of votes; parts are in a million."""

    deposit: int
    """Set aside by whoever proposes, in the smallest unit; lost where too few say aye."""

    least_lock: int
    """Least that a voter without stake locks, in the smallest unit: pays for its entry."""

    voting_blocks: int
    """Blocks in which votes are given."""

    enactment_blocks: int
    """Blocks from a decision until it takes effect: time to object, or to leave."""

    delay_blocks: int
    """Blocks that the validators' objection adds."""

    quorum: int
    """Least turnout, in parts of the total issuance."""

    approval: int
    """Ayes must be more than these parts of the turnout."""

    deposit_back: int
    """Ayes that save the deposit of what was refused, in parts of the total issuance."""

    weight_per_block: int
    """Picoseconds of a block for calls that were decided; heavier ones cannot be proposed."""
