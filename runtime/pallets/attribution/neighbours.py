"""Nearness of rows: whole numbers for features, order by distance, near duplicates.  Pure.

Products of features are summed in binary64: all sums are whole numbers below 2^53, so they are
exact in any order, and a matrix product may be used.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ROWS_MAX: Final = 1 << 14
"""Rows of a valuation: with the row behind it, a distance has to fit into 64 bits."""

STEPS: Final = 1024
"""Floats are counted in this part of 1."""

GREATEST: Final = (1 << 15) - 1
"""Where features are cut that could be greater; floats so at 32."""

_ROW_BITS: Final = 14
_FARTHEST: Final = 1 << 62
_SORTED_WITH_ROW: Final = 1 << (62 - _ROW_BITS)

_WHOLE: Final = ("u1", "i1", "u2", "i2", "b1")


def whole_features(features: Array) -> Array:
    """Give features [n, ...] as whole numbers [n, width] (float64).

    Integers of at most 16 bits stay what they are.  Others are cut at 32,767; floats are counted
    in 1024ths first, halves going to the even one.  The rule looks at no other row, so that nobody
    can blur rows by an extreme one.
    """
    flat = features.reshape(len(features), -1)
    whole = flat.astype(np.float64)
    if flat.dtype.str[1:] in _WHOLE:
        return whole
    if flat.dtype.kind == "f":
        most = GREATEST / STEPS
        return np.rint(np.clip(np.nan_to_num(whole), -most, most) * STEPS)
    return np.clip(whole, -GREATEST, GREATEST)


def distances(rows: Array, others: Array) -> Array:
    """Give the squared distance [n, m] (int64) of each of n whole rows to each of m others."""
    squares = np.einsum("ij,ij->i", rows, rows)[:, None] + np.einsum("ij,ij->i", others, others)
    found: Array = (squares - 2 * (rows @ others.T)).astype(np.int64)
    return found


def orders(found: Array) -> Array:
    """Give the numbers of rows, nearest first, for each line of distances; the lower of equals."""
    if found.size and found.max() >= _SORTED_WITH_ROW:
        return np.argsort(found, axis=1, kind="stable")
    keys = found << _ROW_BITS | np.arange(found.shape[1])
    keys.sort(axis=1)
    return keys & ((1 << _ROW_BITS) - 1)


def repeated(rows: Array, labels: Array, counted: Array, first: int, distance: int) -> Array:
    """Tell for rows from `first` on (bool) whether they repeat an earlier row that counts.

    A row repeats another if it has the same label and lies within the distance.  `counted` [first]
    (bool) says which rows before count.  With another label it may mend a wrong one: what it is
    worth is found out by measuring.
    """
    late, kinds = rows[first:], labels[first:]
    distance = min(distance, _FARTHEST)
    known = np.flatnonzero(counted)
    near = distances(late, rows[known]) <= distance
    out: Array = (near & (kinds[:, None] == labels[known])).any(axis=1)
    among = (distances(late, late) <= distance) & (kinds[:, None] == kinds)
    for each in range(len(late)):
        if not out[each]:
            out[each + 1 :] |= among[each, each + 1 :]
    return out
