"""Fees: what a transaction costs, taken before it runs and corrected afterwards."""

from runtime.pallets.fees.pallet import Fees
from runtime.pallets.fees.pricing import FeeDetails, FeesConfig

__all__ = ["FeeDetails", "Fees", "FeesConfig"]
