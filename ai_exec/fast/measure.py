"""Where bytes on onnxruntime beat the other ways on this machine, by a short measurement.

Time is all that depends on what is measured: the bits of each way are the same.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from ai_exec.fast.linear import Matrix, contract, prepared
from ai_exec.fast.products import BYTES, NEVER, STANDARD, Products
from ai_exec.fast.session import is_exact
from ai_exec.tensor import Tensor

LENGTH: Final = 384
COLUMNS: Final = 1536
"""A layer of a small text encoder."""
ROWS: Final = (256, 128, 64, 32, 16)
RUNS: Final = 4
MARGIN: Final = 0.9
"""A way must take less than so much of the other's time to be taken."""

Clock = Callable[[], float]
"""Seconds from any moment on."""


def measured(clock: Clock) -> Products:
    """Give sizes for this machine; takes a few hundredths of a second."""
    if not is_exact():
        return STANDARD
    right = np.linspace(-1.0, 1.0, LENGTH * COLUMNS, dtype=np.float32).reshape(LENGTH, COLUMNS)
    bytes_rows_min = NEVER
    for rows in ROWS:
        left = np.linspace(-1.0, 1.0, rows * LENGTH, dtype=np.float32).reshape(rows, LENGTH)
        usual = _seconds(clock, prepared(right, rows, STANDARD), left)
        if _seconds(clock, prepared(right, rows, BYTES), left) >= MARGIN * usual:
            break
        bytes_rows_min = rows
    return Products(STANDARD.pairs_rows_min, bytes_rows_min, STANDARD.bytes_weights_min)


def _seconds(clock: Clock, matrix: Matrix, left: Tensor) -> float:
    """Least time of some runs, the first one aside: it makes room for later ones."""
    contract(matrix, left)
    best = float("inf")
    for _ in range(RUNS):
        start = clock()
        contract(matrix, left)
        best = min(best, clock() - start)
    return best
