"""Staking: who validates, and with which power."""

from runtime.pallets.staking.pallet import Staking, StakingConfig

__all__ = ["Staking", "StakingConfig"]
