"""Reductions of binary32 in compiled passes over rows, or over columns that lie side by side.

Sums are those of whole numbers (R3), as in `normal.py`; squares are found in binary64, where they
are exact, and the greatest of them is that of the greatest size.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled, inlined
from ai_exec.fast.layout import Layout, layout_of
from ai_exec.fast.normal import WHOLE_BITS, greatest_of, sum_bits, sum_of_singles
from ai_exec.fast.rows import INFINITY, exponent_of, power_of_two
from ai_exec.fast.scalar import WHOLE, exp_f32, horner
from ai_exec.program import Node, Program
from ai_exec.semantics.binary64 import LN_2_HIGH, LN_2_LOW
from ai_exec.semantics.numerics import normalise_axes
from ai_exec.tensor import Tensor

SIZES: Final = 0x7FFFFFFF
COLUMNS: Final = 256
"""Columns whose sums lie near the core together."""

PLAIN: Final = 0
MAGNITUDES: Final = 1
SQUARES: Final = 2
"""What is added."""

SUM: Final = 0
MEAN: Final = 1
ROOT: Final = 2
LOGARITHM: Final = 3
"""What becomes of a sum."""

_SQRT_HALF_BITS: Final = 0x3FE6A09E667F3BCD
_LOG: Final = tuple(2.0 / order for order in range(3, 27, 2))


@compiled
def logarithm(x: float) -> float:
    """As `binary64.log` of a number that is not subnormal."""
    if not (x > 0.0 and x < np.inf):
        return -np.inf if x == 0.0 else (np.inf if x > 0.0 else np.nan)
    bits = np.float64(x).view(np.int64)
    count = (bits - _SQRT_HALF_BITS) >> 52
    f = np.int64(bits - (count << 52)).view(np.float64) - 1.0
    ratio = f / (2.0 + f)
    square = ratio * ratio
    half = 0.5 * (f * f)
    low = ratio * (half + square * horner(_LOG, square)) + np.float64(count) * LN_2_LOW
    value: float = np.float64(count) * LN_2_HIGH - ((half - low) - f)
    return value


@inlined
def finished(total: float, length: int, end: int) -> np.float32:
    """What becomes of a sum, rounded once."""
    if end == MEAN:
        return np.float32(total / length)
    if end == ROOT:
        return np.float32(np.sqrt(total))
    if end == LOGARITHM:
        return np.float32(logarithm(total))
    return np.float32(total)


@inlined
def part(value: Any, kind: int) -> float:
    """What one element adds."""
    wide: float = np.float64(value)
    return wide if kind == PLAIN else (abs(wide) if kind == MAGNITUDES else wide * wide)


@compiled
def odd_sum(values: Any, kind: int) -> float:
    """The sum of one element, or of what is not finite."""
    total = 0.0
    for index in range(values.shape[0]):
        if values.shape[0] == 1 or not abs(values[index]) < np.inf:
            total += part(values[index], kind)
    return total + 0.0


@compiled
def exact_total(row: Any, kind: int) -> float:
    """The exact sum of a row (R3)."""
    length = row.shape[0]
    bits = sum_bits(length)
    sizes, greatest = row.view(np.int32), np.int32(0)
    for index in range(length):
        greatest = max(greatest, np.int32(sizes[index] & SIZES))
    if greatest >= INFINITY or length == 1:
        return odd_sum(row, kind)
    exponent = exponent_of(part(np.int32(greatest).view(np.float32), kind))
    factor, total = power_of_two(bits - exponent), np.int64(0)
    if kind == PLAIN:
        for index in range(length):
            total += np.float64(np.float64(row[index]) * factor + WHOLE).view(np.int64)
    elif kind == MAGNITUDES:
        for index in range(length):
            total += np.float64(abs(np.float64(row[index])) * factor + WHOLE).view(np.int64)
    else:
        for index in range(length):
            wide = np.float64(row[index])
            total += np.float64(wide * wide * factor + WHOLE).view(np.int64)
    total -= length * np.int64(WHOLE_BITS)
    return np.float64(total) * power_of_two(exponent - bits)


@compiled
def fold_rows(x: Any, kind: int, end: int, out: Any) -> None:
    """Fold rows [M, K]."""
    for line in range(x.shape[0]):
        out[line] = finished(exact_total(x[line], kind), x.shape[1], end)


@compiled
def fold_columns(x: Any, kind: int, end: int, out: Any) -> None:
    """Fold columns [outer, K, inner] to [outer, inner]."""
    length = x.shape[1]
    bits = sum_bits(length)
    greatest, totals = np.empty(COLUMNS, np.int32), np.empty(COLUMNS, np.int64)
    factors, exponents = np.empty(COLUMNS, np.float64), np.empty(COLUMNS, np.int64)
    for outer in range(x.shape[0]):
        for first in range(0, x.shape[2], COLUMNS):
            width = min(COLUMNS, x.shape[2] - first)
            greatest[:] = 0
            totals[:] = -(length * np.int64(WHOLE_BITS))
            for line in range(length):
                sizes = x[outer, line, first : first + width].view(np.int32)
                for column in range(width):
                    size = np.int32(sizes[column] & SIZES)
                    greatest[column] = max(greatest[column], size)
            for column in range(width):
                size = min(greatest[column], np.int32(INFINITY - 1))
                exponents[column] = exponent_of(part(np.int32(size).view(np.float32), kind))
                factors[column] = power_of_two(bits - exponents[column])
            for line in range(length):
                row = x[outer, line, first : first + width]
                for column in range(width):
                    value = part(row[column], kind) * factors[column] + WHOLE
                    totals[column] += np.float64(value).view(np.int64)
            target = out[outer, first : first + width]
            for column in range(width):
                total: float = np.float64(totals[column]) * power_of_two(exponents[column] - bits)
                if greatest[column] >= INFINITY or length == 1:
                    total = odd_sum(x[outer, :, first + column], kind)
                target[column] = finished(total, length, end)


@compiled
def log_sum_exp_rows(rows: Any, out: Any) -> None:
    """ReduceLogSumExp of rows [M, K]."""
    length = rows.shape[1]
    powers = np.empty(length, np.float32)
    for line in range(rows.shape[0]):
        row = rows[line]
        peak = greatest_of(row)
        peak = peak if peak == peak else np.float32(0)
        for index in range(length):
            powers[index] = exp_f32(np.float32(row[index] - peak))
        value = np.float64(peak) + logarithm(sum_of_singles(powers))
        out[line] = np.float32(value)


@compiled
def log_softmax_rows(rows: Any, out: Any) -> None:
    """LogSoftmax of rows [M, K]."""
    length = rows.shape[1]
    for line in range(rows.shape[0]):
        row, powers = rows[line], out[line]
        # Adding +0 takes the sign from a zero.
        greatest = np.float32(greatest_of(row) + np.float32(0))
        if greatest != greatest:
            powers[:] = np.float32(np.nan)
            continue
        for index in range(length):
            powers[index] = exp_f32(np.float32(row[index] - greatest))
        share = logarithm(sum_of_singles(powers))
        for index in range(length):
            powers[index] = np.float32(np.float64(np.float32(row[index] - greatest)) - share)


@compiled
def greatest_rows(rows: Any, sign: int, out: Any) -> None:
    """Greatest of each row, or with sign -1 the least: NaN if there is one, a zero is +0.

    With the lower bits of negative numbers turned, bits compare as the numbers do.
    """
    for line in range(rows.shape[0]):
        bits = rows[line].view(np.int32)
        greatest, size = np.int32(-0x80000000), np.int32(0)
        if sign > 0:
            for index in range(bits.shape[0]):
                number = bits[index]
                greatest = max(greatest, np.int32(number ^ ((number >> 31) & SIZES)))
                size = max(size, np.int32(number & SIZES))
        else:
            for index in range(bits.shape[0]):
                number = np.int32(bits[index] ^ np.int32(-0x80000000))
                greatest = max(greatest, np.int32(number ^ ((number >> 31) & SIZES)))
                size = max(size, np.int32(number & SIZES))
        found = np.int32(greatest ^ ((greatest >> 31) & SIZES)).view(np.float32)
        value = np.float32(found if sign > 0 else -found) + np.float32(0)
        out[line] = np.float32(np.nan) if size > INFINITY else value


Fold = Callable[[Layout, Tensor], Tensor]


def _summing(kind: int, end: int) -> Fold:
    def fold(layout: Layout, x: Tensor) -> Tensor:
        out = np.empty((layout.outer, layout.inner), np.float32)
        parts = layout.take(x)
        if layout.inner == 1:
            fold_rows(parts.reshape(layout.outer, layout.folded), kind, end, out.reshape(-1))
        else:
            fold_columns(parts, kind, end, out)
        return out

    return fold


def _log_sum_exp(layout: Layout, x: Tensor) -> Tensor:
    out = np.empty(layout.outer * layout.inner, np.float32)
    log_sum_exp_rows(layout.rows(x), out)
    return out


def _greatest(layout: Layout, x: Tensor) -> Tensor:
    return _extreme(layout, x, 1)


def _least(layout: Layout, x: Tensor) -> Tensor:
    return _extreme(layout, x, -1)


def _extreme(layout: Layout, x: Tensor, sign: int) -> Tensor:
    if layout.inner > 1:
        found = (np.max if sign > 0 else np.min)(layout.take(x), axis=1)
        return np.asarray(found + np.float32(0))
    out = np.empty(layout.outer, np.float32)
    greatest_rows(layout.rows(x), sign, out)
    return out


REDUCTIONS: Final[Mapping[str, Fold]] = {
    "ReduceSum": _summing(PLAIN, SUM),
    "ReduceMean": _summing(PLAIN, MEAN),
    "ReduceL1": _summing(MAGNITUDES, SUM),
    "ReduceL2": _summing(SQUARES, ROOT),
    "ReduceSumSquare": _summing(SQUARES, SUM),
    "ReduceLogSum": _summing(PLAIN, LOGARITHM),
    "ReduceLogSumExp": _log_sum_exp,
    "ReduceMax": _greatest,
    "ReduceMin": _least,
}


def reduction(node: Node, program: Program) -> Callable[..., Tensor] | None:
    """Give the kernel of a node whose axes are known; None leaves it to the operator's own."""
    fold, shape = REDUCTIONS[node.operator.name], program.operands[node.inputs[0]].shape
    axes = _axes(node, program)
    if axes is None or 0 in shape:
        return None
    layout, result = layout_of(shape, axes), program.operands[node.outputs[0]].shape
    return lambda x, *others: fold(layout, x).reshape(result)


def _axes(node: Node, program: Program) -> tuple[int, ...] | None:
    rank = len(program.operands[node.inputs[0]].shape)
    named: Any = node.attributes.get("axes")
    if len(node.inputs) > 1 and node.inputs[1]:
        constant = program.constants.get(node.inputs[1])
        if constant is None:
            return None
        named = tuple(int(axis) for axis in constant.reshape(-1))
    if not named and node.attributes.get("noop_with_empty_axes"):
        return ()
    return normalise_axes(named or None, rank)
