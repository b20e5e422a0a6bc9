"""What follows a product or begins a chain, done on a piece of results that lies near the core.

A chain is a list of codes; each rounds to binary32 as the operator that it stands for does, so
that a fused chain has the bits of its nodes one after the other.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ai_exec.fast.compilation import compiled
from ai_exec.fast.scalar import erf_f32, exp_f32, gelu_f32, sigmoid_f32, tanh_f32
from ai_exec.semantics.numerics import Floats
from ai_exec.tensor import Tensor

PIECE: Final = 512
"""Elements of a chain without a product that are computed together."""
WIDTH_MAX: Final = 64
"""Columns of a piece at most; constants along columns are stored this much longer than they are."""


class Code(IntEnum):
    """One step of a chain on each element x."""

    ADD_COLUMN = 0
    """x plus the constant of its column."""
    MULTIPLY_COLUMN = 1
    ADD_NUMBER = 2
    MULTIPLY_NUMBER = 3
    DIVIDE_NUMBER = 4
    """x divided by a constant."""
    RELU = 5
    GELU = 6
    ERF = 7
    TANH = 8
    SIGMOID = 9
    EXP = 10
    NEGATE = 11
    ROOT = 12
    SAVE = 13
    """Keeps x for a later step."""
    ADD_SAVED = 14
    MULTIPLY_SAVED = 15
    ADD_TENSOR = 16
    """x plus the element of another tensor at its place."""
    MULTIPLY_TENSOR = 17


ADD_COLUMN: Final = int(Code.ADD_COLUMN)
MULTIPLY_COLUMN: Final = int(Code.MULTIPLY_COLUMN)
ADD_NUMBER: Final = int(Code.ADD_NUMBER)
MULTIPLY_NUMBER: Final = int(Code.MULTIPLY_NUMBER)
DIVIDE_NUMBER: Final = int(Code.DIVIDE_NUMBER)
RELU: Final = int(Code.RELU)
GELU: Final = int(Code.GELU)
ERF: Final = int(Code.ERF)
TANH: Final = int(Code.TANH)
SIGMOID: Final = int(Code.SIGMOID)
EXP: Final = int(Code.EXP)
NEGATE: Final = int(Code.NEGATE)
ROOT: Final = int(Code.ROOT)
SAVE: Final = int(Code.SAVE)
ADD_SAVED: Final = int(Code.ADD_SAVED)
MULTIPLY_SAVED: Final = int(Code.MULTIPLY_SAVED)
ADD_TENSOR: Final = int(Code.ADD_TENSOR)
MULTIPLY_TENSOR: Final = int(Code.MULTIPLY_TENSOR)

Chain = tuple[npt.NDArray[np.int64], Tensor, Tensor]
"""Codes [step, 2] with the place of a constant each; numbers; constants along columns."""

NOTHING: Final = np.zeros((1, 1, 1), np.float32)
"""Stands where a chain reads no other tensor."""


NO_BIAS: Final = np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False)
class Finish:
    """What happens to a product before it is stored, in this order."""

    chain: Chain
    """Steps after the rounding to binary32."""
    factor: float = 1.0
    """In binary64, before the rounding."""
    bias: Floats = field(default_factory=lambda: NO_BIAS)
    """The same, added after the factor: for each column, and WIDTH_MAX more; empty for none."""


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """One step of a chain as the plan sees it."""

    code: Code
    constant: Tensor | None = None
    """A number, or one for each column."""


def chain_of(links: tuple[Link, ...], columns: int) -> Chain:
    """Give a chain in the form that passes read."""
    codes = np.zeros((len(links), 2), np.int64)
    numbers: list[np.float32] = []
    rows: list[Tensor] = []
    for index, link in enumerate(links):
        codes[index, 0] = link.code
        if link.constant is None:
            continue
        if link.code in (Code.ADD_COLUMN, Code.MULTIPLY_COLUMN):
            codes[index, 1] = len(rows)
            rows.append(np.broadcast_to(link.constant.reshape(-1), (columns,)))
        else:
            codes[index, 1] = len(numbers)
            numbers.append(np.float32(link.constant.item()))
    table = np.zeros((max(len(rows), 1), columns + WIDTH_MAX), np.float32)
    for index, row in enumerate(rows):
        table[index, :columns] = row
    return codes, np.array([*numbers, 0], np.float32), table


@compiled
def apply_number(values: Any, count: int, code: int, number: Any) -> None:
    """A step with one constant for all."""
    if code == ADD_NUMBER:
        for index in range(count):
            values[index] = values[index] + number
    elif code == MULTIPLY_NUMBER:
        for index in range(count):
            values[index] = values[index] * number
    else:
        for index in range(count):
            values[index] = values[index] / number


@compiled
def apply_function(values: Any, count: int, code: int) -> None:
    """A step that looks at x alone."""
    if code == RELU:
        for index in range(count):
            x = values[index]
            values[index] = np.float32(0) if x <= 0 else x
    elif code == GELU:
        for index in range(count):
            values[index] = gelu_f32(values[index])
    elif code == ERF:
        for index in range(count):
            values[index] = erf_f32(values[index])
    elif code == TANH:
        for index in range(count):
            values[index] = tanh_f32(values[index])
    elif code == SIGMOID:
        for index in range(count):
            values[index] = sigmoid_f32(values[index])
    elif code == EXP:
        for index in range(count):
            values[index] = exp_f32(values[index])
    elif code == NEGATE:
        for index in range(count):
            values[index] = -values[index]
    elif code == ROOT:
        for index in range(count):
            values[index] = np.sqrt(values[index])


@compiled
def apply_saved(values: Any, saved: Any, count: int, code: int) -> None:
    """A step that keeps x or uses what was kept."""
    if code == SAVE:
        for index in range(count):
            saved[index] = values[index]
    elif code == ADD_SAVED:
        for index in range(count):
            values[index] = values[index] + saved[index]
    else:
        for index in range(count):
            values[index] = values[index] * saved[index]


@compiled
def apply_row(values: Any, count: int, code: int, others: Any) -> None:
    """A step with another number for each of the columns of one row."""
    if code in (ADD_COLUMN, ADD_TENSOR):
        for index in range(count):
            values[index] = values[index] + others[index]
    else:
        for index in range(count):
            values[index] = values[index] * others[index]


@compiled
def apply_chain(
    values: Any,
    saved: Any,
    rows: int,
    width: int,
    row: int,
    column: int,
    valid: int,
    codes: Any,
    numbers: Any,
    table: Any,
    tensor: Any,
) -> None:
    """Take a piece [rows, width] of results through a chain; `valid` columns of it count.

    The piece starts at a row and a column of all results; the tensor is [1 or rows, columns].
    """
    count = rows * width
    for index in range(codes.shape[0]):
        code = codes[index, 0]
        if code in (ADD_COLUMN, MULTIPLY_COLUMN):
            others = table[codes[index, 1], column : column + width]
            for line in range(rows):
                apply_row(values[line * width : (line + 1) * width], width, code, others)
        elif code in (ADD_TENSOR, MULTIPLY_TENSOR):
            for line in range(rows):
                place = row + line if tensor.shape[0] > 1 else 0
                others = tensor[place, column : column + valid]
                apply_row(values[line * width : (line + 1) * width], valid, code, others)
        elif code in (ADD_NUMBER, MULTIPLY_NUMBER, DIVIDE_NUMBER):
            apply_number(values, count, code, numbers[codes[index, 1]])
        elif code in (SAVE, ADD_SAVED, MULTIPLY_SAVED):
            apply_saved(values, saved, count, code)
        else:
            apply_function(values, count, code)


@compiled
def chain_rows(rows: Any, codes: Any, numbers: Any, table: Any, tensor: Any, out: Any) -> None:
    """Take rows [M, N] through a chain, piece by piece; the tensor has the same shape."""
    count, columns = rows.shape
    saved = np.empty(PIECE, np.float32)
    for row in range(count):
        for column in range(0, columns, PIECE):
            valid = min(PIECE, columns - column)
            values = out[row, column : column + valid]
            values[:] = rows[row, column : column + valid]
            apply_chain(
                *(values, saved, 1, valid, row, column, valid),
                *(codes, numbers, table, tensor),
            )
