"""A paid run as pallets hand it on: what is run, what it costs, and who gets it."""

from dataclasses import dataclass
from typing import Final

from chain.primitives.numbers import Amount, Parts
from runtime.frame.ports import Bounds, TensorType

PARTS: Final = 1_000_000
"""The shares of a policy are parts of this, and add up to it."""


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """What one run costs and who gets it; shares in parts per million."""

    price: Amount
    """Of one run, on top of the network's fee."""

    validators: Parts
    """For the validators, by stake."""

    owner: Parts
    """For the model's owner."""

    contributors: Parts
    """For those who contributed rows to the version's datasets; each dataset the same."""

    treasury: Parts
    """For the treasury, with the remainder of every division."""


@dataclass(frozen=True, slots=True)
class FeeSplit:
    """Where the price of one run went; the four add up to it."""

    validators: Amount = 0
    """For the validators, by stake."""

    owner: Amount = 0
    """For the model's owner."""

    contributors: Amount = 0
    """For those who contributed rows."""

    treasury: Amount = 0
    """For the treasury: its own share and the remainder of every division."""


@dataclass(frozen=True, slots=True)
class Runnable:
    """All that a run of a version needs to know."""

    model: str
    version: int
    root: bytes
    """Name of its content."""

    owner: bytes
    policy: FeePolicy
    datasets: tuple[str, ...]
    """Whose contributors are paid."""

    inputs: tuple[TensorType, ...]
    bounds: Bounds
    """Of its open axes."""

    gas: int
    """Of one run."""
