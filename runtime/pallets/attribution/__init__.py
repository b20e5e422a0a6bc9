"""Attribution: what the rows of snapshots were worth."""

from runtime.pallets.attribution.config import AttributionConfig
from runtime.pallets.attribution.pallet import Attribution
from runtime.pallets.attribution.stored import ValuationStatus

__all__ = ["Attribution", "AttributionConfig", "ValuationStatus"]
