"""Treasury: funds that only a vote spends."""

from runtime.pallets.treasury.pallet import Treasury

__all__ = ["Treasury"]
