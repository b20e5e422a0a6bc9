"""Counting: when a vote is decided.  Pure arithmetic."""

from dataclasses import dataclass
from typing import Final

from runtime.pallets.governance.config import GovernanceConfig

PARTS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a vote ended."""

    passed: bool
    deposit_back: bool
    """Whether the proposer keeps the deposit."""


def decide(config: GovernanceConfig, ayes: int, nays: int, issuance: int) -> Verdict:
    """Count: enough must have voted, and enough of those must have said aye."""
    turnout = ayes + nays
    quorate = turnout * PARTS >= config.quorum * issuance
    approved = ayes * PARTS > config.approval * turnout
    passed = quorate and approved
    return Verdict(passed, passed or ayes * PARTS >= config.deposit_back * issuance)


def is_two_thirds(power: int, total: int) -> bool:
    """Tell whether it is more than two thirds."""
    return power * 3 > total * 2
