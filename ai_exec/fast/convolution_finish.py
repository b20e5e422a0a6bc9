"""What follows a convolution, done on a piece of results [pixel, channel] that lies near the core.

Each step rounds to binary32 as the operator that it stands for does, so that a fused chain has the
bits of its nodes one after the other.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.convolution_vectors import (
    RECORD,
    SIZE_BITS,
    settle_both,
    settle_normal,
    settle_normal_slim,
    settle_plain,
    settle_plain_slim,
    settle_tensor,
)
from ai_exec.fast.finishing import (
    ADD_COLUMN,
    ADD_NUMBER,
    ADD_SAVED,
    ADD_TENSOR,
    DIVIDE_NUMBER,
    MULTIPLY_COLUMN,
    MULTIPLY_NUMBER,
    MULTIPLY_SAVED,
    MULTIPLY_TENSOR,
    RELU,
    SAVE,
    WIDTH_MAX,
    Code,
    apply_function,
    apply_number,
    apply_row,
    apply_saved,
)
from ai_exec.fast.tiles import WIDE_LANES
from ai_exec.semantics.numerics import Floats
from ai_exec.tensor import Tensor


class Extra(IntEnum):
    """Steps that only convolutions know."""

    NORMALISE = 32
    """(x - mean) factor + bias in binary64, of the channel."""
    CLIP = 33
    """min(max(x, low), high)."""
    LINE = 34
    """alpha x + beta."""
    LEAK = 35
    """x, below zero alpha x."""


NORMALISE: Final = int(Extra.NORMALISE)
CLIP: Final = int(Extra.CLIP)
LINE: Final = int(Extra.LINE)
LEAK: Final = int(Extra.LEAK)


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """One step of a chain as the plan sees it."""

    code: Code | Extra
    numbers: tuple[float, ...] = ()
    columns: tuple[Tensor, ...] = ()
    """Constants with an element for each channel."""


Ending = tuple[int, Floats, Tensor, Tensor, Tensor, Floats, Tensor]
"""What passes take: how to settle, or OTHERWISE; bias; codes [step, 2] with the place of their
first constant; numbers; constants by channel of binary32 and of binary64; limits [2, 3] of pieces
that are settled without and with the chain.
"""
OTHERWISE, PLAIN, NORMAL, TENSOR, BOTH, PLAIN_SLIM, NORMAL_SLIM = -1, 0, 1, 2, 3, 4, 5
"""How a chain is settled: normalisation, sum with a tensor, limits in this order are one pass.

Slim are results of fewer columns than a vector holds.
"""
PLACES_AT, OUT_AT, ROW_AT, TENSOR_AT, BIAS_AT, WIDE_AT, LIMITS_AT, SIZES_AT, ROOM_AT = (
    *range(6),
    *range(8, 11),
)
"""Where a record has what `settle_plain` says."""


def ending_of(links: tuple[Link, ...], bias: Tensor | None, channels: int) -> Ending:
    """Give bias and chain in the form that passes read."""
    codes = np.zeros((len(links), 2), np.int64)
    numbers: list[float] = []
    narrow: list[Tensor] = []
    wide: list[Tensor] = []
    for index, link in enumerate(links):
        rows = wide if link.code is Extra.NORMALISE else narrow
        codes[index] = link.code, len(rows) if link.columns else len(numbers)
        numbers += link.numbers
        rows += link.columns
    added = np.zeros(channels) if bias is None else bias
    kind, limits = _settled(links)
    return (
        kind,
        _padded([added], channels, np.float64)[0],
        codes,
        np.array([*numbers, 0], np.float32),
        _padded(narrow, channels, np.float32),
        _padded([*wide, *[np.zeros(channels)] * 3], channels, np.float64),
        np.array([_NO_LIMITS, limits], np.float32),
    )


_NO_LIMITS: Final = (-np.inf, np.inf, -0.0)


def _settled(links: tuple[Link, ...]) -> tuple[int, tuple[float, float, float]]:
    """Give how to settle a chain, and its limits."""
    rest, kind, limits = list(links), PLAIN, _NO_LIMITS
    for code, more in ((Extra.NORMALISE, NORMAL), (Code.ADD_TENSOR, TENSOR)):
        if rest and rest[0].code is code:
            kind, rest = kind + more, rest[1:]
    if rest and rest[0].code is Code.RELU:
        limits, rest = (0.0, np.inf, 0.0), rest[1:]
    elif rest and rest[0].code is Extra.CLIP:
        limits, rest = (*rest[0].numbers, 0.0), rest[1:]  # type: ignore[assignment]
    return (OTHERWISE if rest else kind), limits


def _padded(rows: list[Tensor], channels: int, dtype: type) -> Tensor:
    found: Tensor = np.zeros((max(len(rows), 1), channels + WIDTH_MAX), dtype)
    for index, row in enumerate(rows):
        found[index, :channels] = row.reshape(-1)
    return found


@compiled
def normalise(values: Any, rows: int, width: int, mean: Any, factor: Any, bias: Any) -> None:
    """BatchNormalization of a piece."""
    for row in range(rows):
        line = values[row * width : (row + 1) * width]
        for column in range(width):
            centred = np.float64(line[column]) - mean[column]
            line[column] = np.float32(centred * factor[column] + bias[column])


@compiled
def clip(values: Any, count: int, low: Any, high: Any) -> None:
    """NaN stays, a zero is +0."""
    zero = np.float32(0)
    for index in range(count):
        x = values[index]
        x = low if x < low else x
        x = high if x > high else x
        values[index] = x + zero


@compiled
def line(values: Any, count: int, alpha: Any, beta: Any) -> None:
    """Alpha x + beta, each step rounded."""
    for index in range(count):
        product = values[index] * alpha
        values[index] = product + beta


@compiled
def leak(values: Any, count: int, alpha: Any) -> None:
    """x, below zero alpha x."""
    for index in range(count):
        x = values[index]
        values[index] = x * alpha if x < 0 else x


@compiled
def take_others(
    values: Any, rows: int, width: int, column: int, valid: int, code: int, tensor: Any, places: Any
) -> None:
    """A step with the element of another tensor [pixel, channel] at the same place."""
    for row in range(rows):
        if places[row] >= 0:
            others = tensor[places[row], column : column + valid]
            apply_row(values[row * width : row * width + valid], valid, code, others)


@compiled
def apply_step(
    values: Any,
    saved: Any,
    rows: int,
    width: int,
    column: int,
    valid: int,
    code: int,
    place: int,
    numbers: Any,
    table: Any,
    wide: Any,
    tensor: Any,
    places: Any,
) -> None:
    """Take a piece [rows, width] through one step; see `finish_piece`."""
    count, end = rows * width, column + width
    if code == NORMALISE:
        mean, factor = wide[place, column:end], wide[place + 1, column:end]
        normalise(values, rows, width, mean, factor, wide[place + 2, column:end])
    elif code == CLIP:
        clip(values, count, numbers[place], numbers[place + 1])
    elif code == LINE:
        line(values, count, numbers[place], numbers[place + 1])
    elif code == LEAK:
        leak(values, count, numbers[place])
    elif code == RELU:
        clip(values, count, np.float32(0), np.float32(np.inf))
    elif code in (ADD_TENSOR, MULTIPLY_TENSOR):
        take_others(values, rows, width, column, valid, code, tensor, places)
    elif code in (ADD_COLUMN, MULTIPLY_COLUMN):
        for row in range(rows):
            part = values[row * width : (row + 1) * width]
            apply_row(part, width, code, table[place, column:end])
    elif code in (ADD_NUMBER, MULTIPLY_NUMBER, DIVIDE_NUMBER):
        apply_number(values, count, code, numbers[place])
    elif code in (SAVE, ADD_SAVED, MULTIPLY_SAVED):
        apply_saved(values, saved, count, code)
    else:
        apply_function(values, count, code)


@compiled
def settle(
    kind: int,
    record: int,
    sums: int,
    stride: int,
    rows: int,
    column: int,
    columns: int,
    scales: int,
) -> None:
    """Settle a piece in the way that its chain asks for; all but counts are addresses."""
    if kind == PLAIN:
        settle_plain(record, sums, stride, rows, column, columns, scales)
    elif kind == NORMAL:
        settle_normal(record, sums, stride, rows, column, columns, scales)
    elif kind == TENSOR:
        settle_tensor(record, sums, stride, rows, column, columns, scales)
    elif kind == BOTH:
        settle_both(record, sums, stride, rows, column, columns, scales)
    elif kind == PLAIN_SLIM:
        settle_plain_slim(record, sums, stride, rows, column, columns, scales)
    else:
        settle_normal_slim(record, sums, stride, rows, column, columns, scales)


@compiled
def kind_of(ending: Any, columns: int) -> int:
    """Tell how to settle results of so many columns, at most those of a piece."""
    kind = ending[0]
    if columns >= WIDE_LANES or kind == OTHERWISE:
        return int(kind)
    return OTHERWISE if kind >= TENSOR else int(kind + PLAIN_SLIM)


@compiled
def record_of(ending: Any, places: Any, tensor: Any, out: Any, values: Any) -> Any:
    """Give the record for pieces that are settled, but for the sizes of a sample."""
    _, bias, _, _, _, wide, limits = ending
    record = np.empty(RECORD, np.int64)
    record[PLACES_AT], record[OUT_AT] = places.ctypes.data, out.ctypes.data
    record[ROW_AT], record[TENSOR_AT] = out.shape[1] * 4, tensor.ctypes.data
    record[BIAS_AT] = bias.ctypes.data
    for place in range(3):
        record[WIDE_AT + place] = wide[place].ctypes.data
    record[LIMITS_AT], record[ROOM_AT] = limits[1].ctypes.data, values.ctypes.data
    return record


@compiled
def finish_chain(
    sums: int,
    rows: int,
    width: int,
    column: int,
    valid: int,
    scales: int,
    places: Any,
    ending: Any,
    tensor: Any,
    out: Any,
    sizes: Any,
    room: Any,
) -> None:
    """Scale a piece [rows, width] of sums, finish it step by step and store `valid` columns of it.

    The piece starts at a column of out [pixel, channel]; its rows belong to the pixels in `places`,
    or to none where that is negative.  Sizes are the greatest bits of each channel so far.
    """
    _, _, codes, numbers, table, wide, limits = ending
    values, saved, lines, found = room
    record = record_of(ending, lines, tensor, out, values[rows * width :])
    record[OUT_AT], record[ROW_AT] = values.ctypes.data - column * 4, width * 4
    record[LIMITS_AT], record[SIZES_AT] = limits[0].ctypes.data, found.ctypes.data - column * 4
    settle_plain(record.ctypes.data, sums, width * 8, rows, column, width, scales)
    # Written once more: an array of which only the address is used would be freed before.
    record[SIZES_AT] = 0
    for step in range(codes.shape[0]):
        apply_step(
            *(values, saved, rows, width, column, valid, codes[step, 0], codes[step, 1]),
            *(numbers, table, wide, tensor, places),
        )
    for row in range(rows):
        place = places[row]
        if place >= 0:
            target, line = out[place, column : column + valid], values[row * width :]
            for index in range(valid):
                target[index] = line[index]
                size = np.int32(np.float32(line[index]).view(np.int32) & SIZE_BITS)
                sizes[column + index] = max(sizes[column + index], size)


@compiled
def room_for(rows: int, width: int) -> Any:
    """Give what `finish_chain` needs for pieces of this size."""
    return (
        np.empty(rows * width + WIDTH_MAX, np.float32),
        np.empty(rows * width, np.float32),
        np.arange(rows),
        np.empty(width, np.int32),
    )
