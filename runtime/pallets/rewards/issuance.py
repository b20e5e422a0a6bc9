"""What an epoch's new coins are for, and how much of them use has earned.  Pure.

Use counts only as far as it cost somebody something that does not come back: what a price brought
the validators and the treasury.  A source never gets more new coins than that, so that nobody
earns by paying his own models.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runtime.frame.runs import PARTS, Source

USED_MAX: Final = 256
"""Sources whose use one epoch counts; the first ones used."""


@dataclass(frozen=True, slots=True)
class IssuanceConfig:
    """What a chain decides about new coins."""

    per_epoch: int
    """New coins of one epoch at most, in the smallest unit."""

    datasets: int
    """Parts per million of them that are for those who gave data that was used; the rest is the
    validators'."""


def issue(config: IssuanceConfig, use: Mapping[Source, int]) -> tuple[int, dict[Source, int]]:
    """Give what the validators and the used sources get of an epoch's new coins.

    What sources have not earned is not issued at all.
    """
    for_data = config.per_epoch * config.datasets // PARTS
    total = sum(use.values())
    shares = {
        source: min(for_data * amount // total, amount) for source, amount in use.items() if amount
    }
    return config.per_epoch - for_data, {source: share for source, share in shares.items() if share}
