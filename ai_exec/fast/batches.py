"""Products of two operands that are both known only in the run, batch by batch."""

from typing import Any

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.multiply import multiply_wide
from ai_exec.fast.rows import pack_wide, quantise_wide
from ai_exec.fast.tiles import WIDE_COLUMNS
from ai_exec.semantics.numerics import BLOCK_LENGTH
from ai_exec.tensor import Tensor


@compiled
def copy_matrix(source: Any, target: Any) -> None:
    """Copy a matrix that lies anyhow to one in rows, reading along the shorter steps."""
    rows, columns = source.shape
    if source.strides[0] < source.strides[1]:
        for column in range(columns):
            for row in range(rows):
                target[row, column] = source[row, column]
    else:
        for row in range(rows):
            for column in range(columns):
                target[row, column] = source[row, column]


def multiply_batches(
    left: Tensor,
    right: Tensor,
    factor: float,
    codes: Tensor,
    numbers: Tensor,
    table: Tensor,
    tensors: Tensor,
    places: Tensor,
    out: Tensor,
) -> None:
    """Products of matrices [outer, inner, M, K] and [outer, inner, K, N], times a factor, finished.

    The places say which of the tensors [.., 1 or M, N] each batch reads.
    """
    operands = _read(left), _read(right), factor
    _multiply_batches(*operands, codes, numbers, table, _read(tensors), places, out)


def _read(tensor: Tensor) -> Tensor:
    """Give a tensor as one of the few kinds for which there is a pass: not to be written.

    So one serves constants and results.  What lies column by column is copied.
    """
    columns = tensor.flags.f_contiguous and not tensor.flags.c_contiguous
    kept = tensor.copy(order="C") if columns else tensor.view()
    kept.flags.writeable = False
    return kept


@compiled
def _multiply_batches(
    left: Any,
    right: Any,
    factor: float,
    codes: Any,
    numbers: Any,
    table: Any,
    tensors: Any,
    places: Any,
    out: Any,
) -> None:
    outer, inner, count, length = left.shape
    columns = right.shape[3]
    blocks = -(-length // BLOCK_LENGTH)
    panel_count = -(-columns // WIDE_COLUMNS)
    rows, weights = np.empty((count, length), np.float32), np.empty((length, columns), np.float32)
    digits, scales = np.empty((count, length), np.float64), np.empty((blocks, count), np.float64)
    panels = np.zeros((panel_count, length, WIDE_COLUMNS), np.int32)
    panel_scales = np.ones((blocks, panel_count * WIDE_COLUMNS), np.float64)
    none = np.empty(0, np.float64)
    for first in range(outer):
        for second in range(inner):
            copy_matrix(left[first, second], rows)
            quantise_wide(rows, digits, scales)
            copy_matrix(right[first, second], weights)
            pack_wide(weights, panels, panel_scales)
            multiply_wide(
                *(digits, scales, panels, panel_scales, factor, none, codes, numbers, table),
                *(tensors[places[first * inner + second]], out[first, second], 0, panel_count),
            )
