"""Products and squared distances in binary64 whose terms are added in index order.

As `ops.linear_models.ordered_product`: each sum is rounded, so that vectors of the machine run over
results, never along a sum.  Of few results they run over rows, which are turned for that.
"""

from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.tensor import Tensor

ROWS: Final = 16
"""Rows that are turned and computed together."""
COLUMNS_MIN: Final = 16
"""Fewer results of a row are computed for many rows at once, if there are."""
COLUMNS_MAX: Final = 512
"""Results whose sums are kept near the core together."""


@compiled
def by_columns(x: Any, weights: Any, distances: bool, row: int, out: Any) -> None:
    """Sums of one row [K] with all columns of weights [K, N]."""
    length, columns = weights.shape
    for start in range(0, columns, COLUMNS_MAX):
        end = min(columns, start + COLUMNS_MAX)
        sums = out[row, start:end]
        sums[:] = 0.0
        for place in range(length):
            value, factors = np.float64(x[row, place]), weights[place, start:end]
            if distances:
                for index in range(end - start):
                    difference = value - factors[index]
                    sums[index] += difference * difference
            else:
                for index in range(end - start):
                    sums[index] += value * factors[index]


@compiled
def by_rows(x: Any, weights: Any, distances: bool, first: int, turned: Any, out: Any) -> None:
    """Sums of ROWS rows with all columns of weights; `turned` [K + 1, ROWS] has place for them."""
    length, columns = weights.shape
    for place in range(length):
        for row in range(ROWS):
            turned[place, row] = np.float64(x[first + row, place])
    sums = turned[length]
    for column in range(columns):
        sums[:] = 0.0
        for place in range(length):
            factor, values = weights[place, column], turned[place]
            if distances:
                for row in range(ROWS):
                    difference = values[row] - factor
                    sums[row] += difference * difference
            else:
                for row in range(ROWS):
                    sums[row] += values[row] * factor
        for row in range(ROWS):
            out[first + row, column] = sums[row]


@compiled
def ordered_sums(x: Any, weights: Any, distances: bool, out: Any) -> None:
    """Products of rows [M, K] with columns [K, N], or the squares of their distances."""
    rows, row = x.shape[0], 0
    if weights.shape[1] < COLUMNS_MIN:
        turned = np.empty((weights.shape[0] + 1, ROWS), np.float64)
        while row + ROWS <= rows:
            by_rows(x, weights, distances, row, turned, out)
            row += ROWS
    while row < rows:
        by_columns(x, weights, distances, row, out)
        row += 1


@compiled
def rounded_sums(sums: Any, factor: float, added: Any, out: Any) -> None:
    """Sums [M, N] times a factor plus a number for each column, or one for all, rounded."""
    last = added.shape[0] - 1
    for row in range(sums.shape[0]):
        if last:
            for column in range(sums.shape[1]):
                out[row, column] = np.float32(sums[row, column] * factor + added[column])
        else:
            for column in range(sums.shape[1]):
                out[row, column] = np.float32(sums[row, column] * factor + added[0])


def sums_of(x: Tensor, weights: Tensor, *, distances: bool = False) -> Tensor:
    """Give ordered sums of binary32 rows with binary64 columns."""
    out = np.empty((x.shape[0], weights.shape[1]))
    ordered_sums(x, weights, distances, out)
    return out


def rounded(sums: Tensor, added: Tensor, factor: float = 1.0) -> Tensor:
    """Give sums times a factor plus what is added, rounded to binary32."""
    out = np.empty(sums.shape, np.float32)
    rounded_sums(sums, factor, added, out)
    return out
