"""Pricing: a transaction's fee from its length and weight.  Pure."""

from dataclasses import dataclass

from chain.primitives.numbers import Amount


@dataclass(frozen=True, slots=True)
class FeesConfig:
    """What a chain decides about fees, in the smallest unit of the coin."""

    base: int
    """Of every transaction: one signature to check, one place in a block."""

    per_byte: int
    """Of each byte that all nodes keep and send on."""

    weight_per_unit: int
    """Picoseconds of a reference core that one unit buys."""


@dataclass(frozen=True, slots=True)
class FeeDetails:
    """The parts of a fee, without the tip (Substrate's InclusionFee)."""

    base_fee: Amount
    len_fee: Amount
    adjusted_weight_fee: Amount

    @property
    def total(self) -> int:
        """Give the whole fee."""
        return self.base_fee + self.len_fee + self.adjusted_weight_fee


def price(config: FeesConfig, length: int, weight: int) -> FeeDetails:
    """Price a transaction of some bytes and picoseconds; weight is rounded up to whole units."""
    return FeeDetails(config.base, config.per_byte * length, -(-weight // config.weight_per_unit))
