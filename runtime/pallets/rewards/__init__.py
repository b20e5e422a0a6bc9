"""Rewards: what was earned and not yet claimed."""

from runtime.pallets.rewards.issuance import IssuanceConfig
from runtime.pallets.rewards.pallet import POT, TREASURY, Rewards, RewardStatus

__all__ = ["POT", "TREASURY", "IssuanceConfig", "RewardStatus", "Rewards"]
