"""Governance: referenda by stake and locked funds, and the upgrades that they schedule."""

from runtime.pallets.governance.config import GovernanceConfig
from runtime.pallets.governance.pallet import Governance
from runtime.pallets.governance.stored import Referendum, Stage, Upgrade, Voter, VoterStatus

__all__ = [
    "Governance",
    "GovernanceConfig",
    "Referendum",
    "Stage",
    "Upgrade",
    "Voter",
    "VoterStatus",
]
