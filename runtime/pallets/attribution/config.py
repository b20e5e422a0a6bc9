"""What a chain decides about attribution."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AttributionConfig:
    """What a chain decides about attribution."""

    base_fee: int
    """Of any valuation, in the smallest unit: its entry stays in the state."""

    record_fee: int
    """Of each record of the snapshot, in the smallest unit: so does its worth."""

    weight_per_block: int
    """Picoseconds of the valuation whose turn it is, beside the weight of transactions."""

    price_per_weight: int
    """Of a picosecond, in the smallest unit."""
