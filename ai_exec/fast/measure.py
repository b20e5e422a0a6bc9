"""Where bytes on onnxruntime beat binary64 on numpy on this machine, by a short measurement.

Time is all that depends on what is measured: the bits of each way are the same.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from ai_exec.fast.integer import IntegerMatrix
from ai_exec.fast.linear import Contraction, PreparedMatrix
from ai_exec.fast.products import BINARY64, NEVER, STANDARD, Layout, Products
from ai_exec.fast.session import is_exact
from ai_exec.tensor import Tensor

LENGTH: Final = 384
COLUMNS: Final = 1536
"""A layer of a small text encoder."""
FEW_ROWS: Final = (1, 4, 8, 16)
MANY_ROWS: Final = (128, 64, 32)
RUNS: Final = 4
MARGIN: Final = 0.9
"""A way must take less than so much of binary64's time to be taken."""

Clock = Callable[[], float]
"""Seconds from any moment on."""


def measured(clock: Clock) -> Products:
    """Give sizes for this machine; takes a few hundredths of a second."""
    if not is_exact():
        return BINARY64
    right = np.linspace(-1.0, 1.0, LENGTH * COLUMNS, dtype=np.float32).reshape(LENGTH, COLUMNS)
    binary = PreparedMatrix(right)

    def wins(layout: Layout, rows: int) -> bool:
        left = np.linspace(-1.0, 1.0, rows * LENGTH, dtype=np.float32).reshape(rows, LENGTH)
        taken = _seconds(clock, IntegerMatrix(right, rows, layout), left)
        return taken < MARGIN * _seconds(clock, binary, left)

    rows_max, depth_rows_min = 0, NEVER
    for rows in FEW_ROWS:
        if not wins(Layout.ROWS, rows):
            break
        rows_max = rows
    for rows in MANY_ROWS:
        if not wins(Layout.DEPTH, rows):
            break
        depth_rows_min = rows
    return Products(rows_max, depth_rows_min, STANDARD.weights_min)


def _seconds(clock: Clock, matrix: Contraction, left: Tensor) -> float:
    """Least time of some runs, the first one aside: it makes room for later ones."""
    matrix.contract(left)
    best = float("inf")
    for _ in range(RUNS):
        start = clock()
        matrix.contract(left)
        best = min(best, clock() - start)
    return best
