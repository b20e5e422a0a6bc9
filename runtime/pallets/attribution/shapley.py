"""Exact Shapley values of rows in the game of the nearest neighbours.  Pure, whole numbers only.

The game: some of N rows predict an evaluation row; their gain is the part of the K nearest of them
that have its label (fewer than K count as if the rest were wrong).  By theorem 1 of arXiv
1908.08619 the row at place i, counted from 1 and nearest first, is worth

    s(i) = s(i + 1) + (c(i) - c(i + 1)) * w(i)      c: 1 for the right label; c(N + 1) = 0
    w(i) = min(K, i) / (K * i)                      s(N + 1) = 0

So the worth of a group of rows is a sum over places j of A(j) * w(j), with A(j) the change c(j) -
c(j + 1) times the number of its rows up to j.  The A are added up over evaluation rows as 64-bit
numbers and folded into one great number over the common denominator lcm(K, K + 1, ..., N).
"""

from dataclasses import dataclass
from functools import lru_cache
from math import lcm
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_SAFE: Final = 1 << 62


def changes_of(order: Array, labels: Array, label: int) -> Array:
    """Give c(j) - c(j + 1) for each place of an order."""
    right: Array = (labels[order] == label).astype(np.int64)
    right[:-1] -= right[1:]
    return right


def group_sums(order: Array, labels: Array, wanted: Array, groups: Array, count: int) -> Array:
    """Give A [count, N] (int64): what each group of rows has at each place, over evaluation rows.

    `order` [evaluation rows, N], `wanted` their labels, `groups` [N] the group of each row; rows
    of group `count` are in the game, but nobody asks for their worth.
    """
    total = np.zeros((count + 1, order.shape[1]), np.int64)
    for line, label in zip(order, wanted.tolist(), strict=True):
        changes = changes_of(line, labels, label)
        (places,) = np.nonzero(changes)
        # Rows between two changes are counted together.
        part = np.zeros(len(line), np.int64)
        part[1:] = np.cumsum(changes[:-1] != 0)
        parts = len(places)
        if not parts:
            continue
        inside = part < parts
        cells = groups[line[inside]] * parts + part[inside]
        counts = np.bincount(cells, minlength=(count + 1) * parts).reshape(count + 1, parts)
        total[:, places] += np.cumsum(counts, axis=1) * changes[places]
    return total[:count]


@dataclass(frozen=True, slots=True)
class Fold:
    """How fractions with the denominators of places are added up: pair by pair, as in a tree."""

    denominator: int
    levels: tuple[tuple[Array, Array], ...]
    """For each level what the left and the right numerator of each pair is multiplied by."""

    def numerators(self, sums: Array) -> list[int]:
        """Give the numerators [groups] of A [groups, N]."""
        current = np.ascontiguousarray(sums.T)
        bound = int(np.abs(current).max(initial=0))
        for left, right in self.levels:
            if current.dtype != object:
                bound *= max(left.max(), right.max()) * 2
                if bound >= _SAFE:
                    current = current.astype(object)
            kind = current.dtype
            if len(current) < 2 * len(left):
                zero = np.zeros((1, current.shape[1]), kind)
                current = np.concatenate([current, zero])
            current = current[0::2] * left[:, None].astype(kind) + current[1::2] * right[
                :, None
            ].astype(kind)
        return [int(each) for each in current[0]]


@lru_cache(maxsize=4)
def fold_of(neighbours: int, rows: int) -> Fold:
    """Give the fold of a game; place j has the denominator K up to K, and j behind."""
    denominators = [max(neighbours, place) for place in range(1, rows + 1)]
    levels = []
    while len(denominators) > 1:
        if len(denominators) % 2:
            denominators.append(1)
        pairs = list(zip(denominators[0::2], denominators[1::2], strict=True))
        denominators = [lcm(left, right) for left, right in pairs]
        of_pairs = list(zip(denominators, pairs, strict=True))
        left = np.array([common // pair[0] for common, pair in of_pairs], object)
        right = np.array([common // pair[1] for common, pair in of_pairs], object)
        levels.append((left, right))
    return Fold(denominators[0], tuple(levels))


def gain(order: Array, labels: Array, wanted: Array, neighbours: int) -> int:
    """Give how many of the K nearest have the right label, over all evaluation rows.

    Divided by K it is what all groups together are worth.
    """
    return int((labels[order[:, :neighbours]] == wanted[:, None]).sum())
