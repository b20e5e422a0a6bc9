"""Constant binary32 weights that were bytes: the bytes are found again, and what they leave out."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.semantics.numerics import Floats
from ai_exec.tensor import Tensor

SPREAD: Final = 255
"""Steps from the least to the greatest of bytes."""
NEAR: Final = 1e-4
"""How far from a whole number of steps a weight may be: rounding to binary32 gives a third."""
LEAST: Final = 2.0**-60
MOST: Final = 2.0**60
"""Scales beyond these are left to other ways."""


@compiled
def step_of(values: Any) -> float:
    """The longest step of which all values are whole multiples, at most 255 times; 0 for none."""
    top = 0.0
    for index in range(values.shape[0]):
        size = abs(np.float64(values[index]))
        if not size <= top:
            top = size
    if top == 0.0:
        return 1.0
    if not top < np.inf:
        return 0.0
    for count in range(1, SPREAD + 1):
        step, whole = top / count, True
        for index in range(values.shape[0]):
            steps = np.float64(values[index]) / step
            if abs(steps - np.rint(steps)) > NEAR:
                whole = False
                break
        if whole:
            return step
    return 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Columns [K, N] of numbers as bytes times steps."""

    weights: Tensor
    """Signed bytes, less their zero points whole numbers of steps."""
    zeros: Tensor
    """In int32, one for each column."""
    steps: Floats
    """One for each column."""

    def values(self) -> Floats:
        """The numbers that the bytes stand for, in binary64."""
        found: Floats = (self.weights.astype(np.float64) - self.zeros) * self.steps
        return found


def grid_of(columns: Tensor) -> Grid | None:
    """Find bytes and steps of binary32 numbers [K, N], or None if a column has none."""
    rows = np.array(columns.T, order="C")
    steps = np.array([step_of(row) for row in rows])
    if not np.all((steps > LEAST) & (steps < MOST)):
        return None
    wholes = np.rint(columns.astype(np.float64) / steps).astype(np.int32)
    low, high = wholes.min(axis=0), wholes.max(axis=0)
    if np.any(high - low > SPREAD):
        return None
    zeros = np.where(low < -128, -128 - low, np.where(high > 127, 127 - high, 0)).astype(np.int32)
    return Grid((wholes + zeros).astype(np.int8), zeros, steps)
