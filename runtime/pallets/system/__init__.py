"""System: accounts, heights, block hashes, events of the block."""

from runtime.pallets.system.pallet import System, SystemConfig

__all__ = ["System", "SystemConfig"]
