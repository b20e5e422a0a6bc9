"""Products between dequantised bytes and bytes: constants made ready, and the kernels."""

from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np

from ai_exec.fast.byte_grid import grid_of
from ai_exec.fast.byte_kernels import windows_for
from ai_exec.fast.byte_near import (
    ADDED,
    FACTOR,
    FIXED,
    HIGH,
    LEAST,
    LOW,
    MOST,
    NUMBERS,
    OFFSET,
    RESULT_SCALE,
    SCALE,
    SIZE,
    UNIT,
    errors_of_rows,
    peaks,
    to_near_bytes,
)
from ai_exec.fast.byte_tiles import STEP
from ai_exec.fast.byte_weights import (
    Panels,
    Rows,
    as_unsigned,
    filled,
    kernels_in_rows,
    panels_of,
    rows_of_images,
    rows_of_matrix,
)
from ai_exec.fast.layout import in_order
from ai_exec.fast.rows import exponent_of
from ai_exec.ops.quantised import RANGES
from ai_exec.registry import Attributes
from ai_exec.semantics.numerics import (
    Floats,
    block_slices,
    channels_of_block,
    product_bits,
    quantise,
    row_bits,
)
from ai_exec.tensor import Shape, Tensor

LENGTH_MAX: Final = 32_000
"""Squares of so many bytes add up in int32."""
DOUBT_MAX: Final = 0.1
"""Where results are off by more than this part of a step, exact products cost less."""
SAFETY: Final = 1.01
"""For the roundings of the bounds themselves."""
BYTES: Final = ("uint8", "int8")


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale and a zero point of bytes, both constant."""

    step: np.float32
    zero: int
    dtype: str

    @property
    def greatest(self) -> int:
        """The greatest size of a value."""
        low, high = RANGES[self.dtype]
        return max(self.zero - low, high - self.zero)


@dataclass(frozen=True, slots=True, eq=False)
class Ending:
    """What happens to a sum before it is quantised, in this order."""

    factor: float = 1.0
    """In binary64."""
    bias: Floats | None = None
    """In binary64, one for each column; then rounded to binary32."""
    added: Tensor | None = None
    """In binary32, one for each column."""
    least: float = -inf
    most: float = inf
    """Bounds."""


@dataclass(frozen=True, slots=True, eq=False)
class Digits:
    """Weights as the reference cuts them."""

    whole: Tensor
    """[N, K] in int32, K as panels have it."""
    scales: Floats
    """Powers of two [block, N]."""
    runs: Tensor
    """Parts of a row that lie together: offset, length, place in K."""
    blocks: Tensor
    """First run of each block and the one behind its last."""
    bits: tuple[int, ...] = ()
    """Of the left operand's digits in each block of windows."""
    channels: int = 1
    """In a block of windows."""

    def values(self) -> Floats:
        """The numbers that they stand for [K, N]."""
        found: Floats = np.zeros((self.whole.shape[1], self.whole.shape[0]))
        for (first, last), scale in zip(self.blocks, self.scales, strict=True):
            for _, length, where in self.runs[first:last]:
                part = slice(where, where + length)
                found[part] = self.whole[:, part].T * scale
        return found


def digits_of_matrix(columns: Tensor) -> Digits:
    """Cut [K, N] as `MatMul` does."""
    length, count = columns.shape
    whole = np.zeros((count, filled(length)), np.int32)
    scales, runs = [], []
    for place in block_slices(length):
        part = quantise(columns[place], (0,), row_bits(columns[place], 0))
        whole[:, place] = part.digits.T
        scales.append(part.scale.reshape(-1))
        runs.append((place.start, place.stop - place.start, place.start))
    ends = np.arange(len(runs))
    blocks = np.stack([ends, ends + 1], axis=1)
    return Digits(whole, np.array(scales), np.array(runs, np.int64), blocks)


def digits_of_kernels(kernels: Tensor, segments: Tensor) -> Digits:
    """Cut [N, C, height, width] as `Conv` does."""
    maps, channels = kernels.shape[:2]
    elements, deep = int(np.prod(kernels.shape[2:])), filled(channels)
    step = channels_of_block(elements)
    wide, scales, bits = np.zeros(kernels.shape, np.float64), [], []
    runs: list[tuple[int, int, int]] = []
    blocks = []
    for start in range(0, channels, step):
        stop = min(start + step, channels)
        part = kernels[:, start:stop].reshape(maps, -1)
        bits.append(product_bits(part.shape[1]))
        cut = quantise(part, (1,), bits[-1])
        wide[:, start:stop] = cut.digits.reshape(maps, stop - start, *kernels.shape[2:])
        scales.append(cut.scale.reshape(-1))
        before = len(runs)
        for offset, first, steps in segments * np.array([1, STEP, STEP]):
            if step >= channels:
                runs.append((offset, steps, first))
                continue
            places = range(0, steps, deep)
            runs += [(offset + at + start, stop - start, first + at + start) for at in places]
        blocks.append((before, len(runs)))
    whole = np.ascontiguousarray(kernels_in_rows(wide).T).astype(np.int32)
    ready = np.array(runs, np.int64), np.array(blocks, np.int64)
    return Digits(whole, np.array(scales), *ready, tuple(bits), step)


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """A product made ready."""

    panels: Panels
    rows: Rows
    digits: Digits
    left: Scale
    result: Scale
    columns: Tensor
    numbers: Floats
    bias: Floats
    length: int
    """Products in a sum."""
    ratio: float
    """How far columns' digits are from their values, for each unit of the column's size."""

    def bytes_of(self, x: Tensor) -> Tensor:
        """Give results [row, column] as bytes, unsigned whatever they stand for."""
        panels, rows, digits = self.panels, self.rows, self.digits
        turned, base = as_unsigned(x, self.left.zero)
        image = rows.lay(x, turned, base)
        totals, squares, greatest = rows.measure(image, base)
        exponents, errors = np.zeros((1, 0), np.int64), np.empty(rows.rows, np.float32)
        step = float(self.left.step)
        if digits.bits:
            exponents = self._exponents(x, turned, base)
            half = np.sqrt(self.length) * 2.0 ** (exponents.max() - 1) / step
            size = np.sqrt(squares.astype(np.float32)) * (self.ratio + 2.0**-24)
            errors = ((size + half) * SAFETY).astype(np.float32)
        else:
            errors_of_rows(greatest, squares, self.length, step, self.ratio, errors)
        out = np.empty((rows.rows, panels.columns), np.uint8)
        to_near_bytes(
            *(image, rows.starts, rows.placed(base), rows.segments, panels.panels),
            *(panels.wholes, totals, errors, self.columns, self.numbers, self.bias),
            *(digits.runs, digits.blocks, digits.whole, digits.scales),
            *(exponents, self.result.zero, out),
        )
        return out

    def _exponents(self, x: Tensor, turned: int, base: int) -> Tensor:
        """Powers of two of the left digits: of a sample and a block of channels."""
        last = in_order(x.transpose(0, 2, 3, 1)).view(np.uint8)
        found = np.empty((x.shape[0], len(self.digits.bits)), np.int32)
        flat = last.reshape(x.shape[0], -1, x.shape[1])
        peaks(flat, turned, base, self.digits.channels, found)
        powers = np.empty(found.shape, np.int64)
        for place, size in np.ndenumerate(found):
            exponent = exponent_of(np.float64(np.float32(size) * self.left.step)) if size else 0
            powers[place] = exponent - self.digits.bits[place[1]]
        return powers


def near_of_matrix(
    columns: Tensor, left: Scale, result: Scale, rows: int, ending: Ending
) -> Near | None:
    """Prepare a product of rows with constant columns [K, N], or None if that is not the way."""
    length = columns.shape[0]
    grid = grid_of(columns) if 0 < length <= LENGTH_MAX and rows else None
    if grid is None:
        return None
    wide = np.zeros((filled(length), columns.shape[1]), np.int8)
    wide[:length] = grid.weights
    panels = panels_of(wide, grid.zeros)
    read = rows_of_matrix(rows, length, panels, based=bool(grid.zeros.any()))
    digits = digits_of_matrix(columns)
    near = np.zeros((filled(length), columns.shape[1]))
    near[:length] = grid.values()
    return _near(panels, read, digits, (left, result), grid.steps, near, ending)


def near_of_kernels(
    kernels: Tensor, left: Scale, result: Scale, shape: Shape, given: Attributes, ending: Ending
) -> Near | None:
    """Prepare a convolution of images of a shape with constant kernels, or give None."""
    maps, length = kernels.shape[0], int(np.prod(kernels.shape[1:]))
    flat = kernels.reshape(maps, -1).T
    grid = grid_of(flat) if 0 < length <= LENGTH_MAX else None
    if grid is None or kernels.ndim != 4 or given["group"] != 1:
        return None
    panels = panels_of(kernels_in_rows(grid.weights.T.reshape(kernels.shape)), grid.zeros)
    placed = windows_for(shape, kernels.shape[2:], given)
    read = rows_of_images(shape, placed, panels, based=bool(grid.zeros.any()))
    digits = digits_of_kernels(kernels, read.segments)
    near = kernels_in_rows(grid.values().T.reshape(kernels.shape))
    return _near(panels, read, digits, (left, result), grid.steps, near, ending)


def _near(
    panels: Panels,
    rows: Rows,
    digits: Digits,
    scales: tuple[Scale, Scale],
    steps: Floats,
    near: Floats,
    ending: Ending,
) -> Near | None:
    left, result = scales
    by = float(result.step)
    across = float(left.step) * abs(ending.factor) / by
    values = digits.values()
    off = np.sqrt(np.sum((values - near) ** 2, axis=0))
    size = np.sqrt(np.sum(values * values, axis=0))
    offset = np.zeros(panels.columns)
    for part in (ending.bias, ending.added):
        offset = offset if part is None else offset + part.astype(np.float64) / by
    known = {
        UNIT: steps * (float(left.step) * ending.factor / by),
        OFFSET: offset,
        SIZE: across * size,
        FIXED: np.abs(offset) * (2.0**-21 * SAFETY),
        ADDED: np.zeros(1) if ending.added is None else ending.added,
    }
    length = int(digits.runs[:, 1].sum())
    ratio = float(np.max(off / np.where(size > 0, size, 1)))
    doubt = left.greatest * np.sqrt(length) * (ratio + 2.0**-21) * np.median(known[SIZE])
    if not np.all(np.isfinite(offset)) or doubt > DOUBT_MAX:
        return None
    columns = np.stack([panels.by_columns(_each(known[row], panels)) for row in range(len(known))])
    numbers = np.zeros(NUMBERS)
    low, high = RANGES[result.dtype]
    numbers[[SCALE, RESULT_SCALE, FACTOR]] = left.step, result.step, ending.factor
    numbers[[LEAST, MOST]] = ending.least, ending.most
    numbers[[LOW, HIGH]] = low - result.zero, high - result.zero
    bias = np.zeros(0) if ending.bias is None else np.ascontiguousarray(ending.bias)
    return Near(panels, rows, digits, left, result, columns, numbers, bias, length, ratio)


def _each(values: Tensor, panels: Panels) -> Tensor:
    return np.broadcast_to(values.reshape(-1), (panels.columns,))
