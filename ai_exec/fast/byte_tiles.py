"""Sums of products of bytes by tiles of the processor that adds four of them in one instruction.

A panel holds the columns of one to four vectors; the fewer vectors, the more rows a tile takes.
"""

from typing import Any, Final

from ai_exec.fast.compilation import compiled
from ai_exec.fast.tiles import PAIR_LANES, byte_tile

LANES: Final = PAIR_LANES
"""Columns of a vector."""
VECTORS_MAX: Final = 4
STEP: Final = 4
"""Bytes of a row that a step takes."""

_four_many, _four_two, _four_one = byte_tile(6, 4), byte_tile(2, 4), byte_tile(1, 4)
_three_many, _three_two, _three_one = byte_tile(8, 3), byte_tile(2, 3), byte_tile(1, 3)
_two_many, _two_four, _two_one = byte_tile(12, 2), byte_tile(4, 2), byte_tile(1, 2)
_one_many, _one_four, _one_one = byte_tile(16, 1), byte_tile(4, 1), byte_tile(1, 1)


def vectors_for(columns: int) -> int:
    """Give the vectors of a panel that leave least of the panels unused, more of them first."""
    vectors = -(-columns // LANES)
    return min(range(VECTORS_MAX, 0, -1), key=lambda count: -(-vectors // count) * count)


@compiled
def _add_four(left: int, stride: int, rows: int, panel: int, steps: int, target: int) -> None:
    done, across = 0, 4 * LANES * 4
    while rows - done >= 6:
        _four_many(left + done * stride, stride, panel, steps, target + done * across, across)
        done += 6
    while rows - done >= 2:
        _four_two(left + done * stride, stride, panel, steps, target + done * across, across)
        done += 2
    if done < rows:
        _four_one(left + done * stride, stride, panel, steps, target + done * across, across)


@compiled
def _add_three(left: int, stride: int, rows: int, panel: int, steps: int, target: int) -> None:
    done, across = 0, 3 * LANES * 4
    while rows - done >= 8:
        _three_many(left + done * stride, stride, panel, steps, target + done * across, across)
        done += 8
    while rows - done >= 2:
        _three_two(left + done * stride, stride, panel, steps, target + done * across, across)
        done += 2
    if done < rows:
        _three_one(left + done * stride, stride, panel, steps, target + done * across, across)


@compiled
def _add_two(left: int, stride: int, rows: int, panel: int, steps: int, target: int) -> None:
    done, across = 0, 2 * LANES * 4
    while rows - done >= 12:
        _two_many(left + done * stride, stride, panel, steps, target + done * across, across)
        done += 12
    while rows - done >= 4:
        _two_four(left + done * stride, stride, panel, steps, target + done * across, across)
        done += 4
    while done < rows:
        _two_one(left + done * stride, stride, panel, steps, target + done * across, across)
        done += 1


@compiled
def _add_one(left: int, stride: int, rows: int, panel: int, steps: int, target: int) -> None:
    done, across = 0, LANES * 4
    while rows - done >= 16:
        _one_many(left + done * stride, stride, panel, steps, target + done * across, across)
        done += 16
    while rows - done >= 4:
        _one_four(left + done * stride, stride, panel, steps, target + done * across, across)
        done += 4
    while done < rows:
        _one_one(left + done * stride, stride, panel, steps, target + done * across, across)
        done += 1


@compiled
def add_bytes(
    left: int, stride: int, rows: int, panel: Any, first: int, steps: int, vectors: int, sums: Any
) -> None:
    """Add products of rows at an address with steps of a panel to sums [row, column] in int32."""
    start = panel.ctypes.data + first * vectors * LANES * STEP
    target = sums.ctypes.data
    if vectors == 4:
        _add_four(left, stride, rows, start, steps, target)
    elif vectors == 3:
        _add_three(left, stride, rows, start, steps, target)
    elif vectors == 2:
        _add_two(left, stride, rows, start, steps, target)
    else:
        _add_one(left, stride, rows, start, steps, target)
