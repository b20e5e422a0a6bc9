"""Utility: several calls in one transaction."""

from runtime.pallets.utility.pallet import Utility

__all__ = ["Utility"]
