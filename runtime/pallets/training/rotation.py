"""Rotation: how many steps each open training takes in a block.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Demand:
    """What a training wants."""

    load: int
    """Weight once a block."""

    weight: int
    """Of one step."""

    steps: int
    """That are left."""


def rotate(demands: Sequence[Demand], weight_max: int, first: int) -> tuple[int, ...]:
    """Give the steps of each: one step to one after the other, from `first` on, while they fit."""
    count, left = len(demands), weight_max
    granted = [0] * count
    order = [(first + place) % count for place in range(count)]
    while order:
        still = []
        for place in order:
            each = demands[place]
            cost = each.weight + (0 if granted[place] else each.load)
            if granted[place] < each.steps and cost <= left:
                granted[place] += 1
                left -= cost
                still.append(place)
        order = still
    return tuple(granted)
