"""The one file that decides precision: exact contractions and sums, zeros, casts (R1, R3, R4).

R3, the contraction.  Along the contraction axis the operands are cut into blocks of at most
BLOCK_LENGTH elements.  A row is what one result takes from one operand in a block: a row of the
left matrix, a column of the right one.  For each row

    s = 2^e, the smallest power of two not below the largest magnitude (s = 1 for a row of zeros)
    p = rint(x / s * 2^23), half to even, for each element, and T the sum of (|p| + 5)^2
    b = the greatest of 23, 22, 21 and 20 with T <= 2^(53 + 2 (23 - b)); but not 23 if a |p| is
        above 8355711 = 127 * (1 + 2^8 + 2^16), so that three signed bytes hold every number
    q = rint(x / s * 2^b), half to even, a whole number.

The block's result is N * 2^(ea - ba) * 2^(eb - bb), where N is the sum of the products qa * qb.
As |q| <= (|p| + 5) 2^(b - 23), the squares of a row's q sum to at most 2^53.  So (Cauchy, Schwarz)
N and all partial sums in any order are whole numbers of at most 2^53, which binary64 holds exactly.
Scaling by powers of two is exact too, as exponents stay between -342 and 309.  Results of blocks
are added in binary64 in index order.  The caller rounds the total once to binary32, or first adds a
bias to it in binary64.  A row with a NaN or an infinity in it makes every result of its block, and
thus of the contraction, NaN.  A zero is +0.

R3, windows.  Where results share an operand's elements in windows (convolutions), a row is all that
shares a scale; K is the elements of a window in a block, and b = product_bits(K) for all rows:
K * 2^(2b) <= 2^53.

R3, the sum.  As above with one operand, one block and b = sum_bits(K): K * 2^b <= 2^52.  But a row
with infinities of one sign and no NaN sums to that infinity.

R3 of binary64.  Blocks and s are the same, b = product_bits(K).  A row is three slices of numbers,

    q1 = rint(x / s * 2^b), q2 = rint(r1 * 2^(b + 1)), q3 = rint(r2 * 2^(b + 1)),

r1 and r2 what rint left over: each slice has at most b bits and a sign.  With u = 2^-(b + 1)
and Nij the sum of the products of slice i of one operand and slice j of the other, exact as above,
the block's result is

    (N11 + ((N12 + N21) + ((N13 + N22) + N31) u) u) 2^(ea - b) 2^(eb - b),

each sum rounded to binary64, and rounded once more if it is subnormal.  A sum is
(N1 + (N2 + N3 u) u) 2^(e - b).
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ai_exec.semantics import tiny
from ai_exec.semantics.narrow import doubled, narrowed, widened
from ai_exec.tensor import NARROW, Shape, Tensor

Floats = npt.NDArray[np.float64]
Axes = tuple[int, ...]

PRODUCT_BITS_MAX: Final = 24
"""Bits of a quantised operand where windows share it: as many as binary32 has."""
ROW_BITS_MAX: Final = 23
"""Bits of a quantised row that no other result shares."""
ROW_SIZE_MAX: Final = 127 * (1 + (1 << 8) + (1 << 16))
"""Greatest whole number of a row: three signed bytes hold it."""
BLOCK_LENGTH: Final = 2048
"""Elements of a block along the contraction axis, at most."""


def ceil_log2(length: int) -> int:
    """Give the least n with 2^n >= length."""
    return max(length - 1, 0).bit_length()


def product_bits(length: int) -> int:
    """Bits of a quantised operand in a block of so many products."""
    return min(PRODUCT_BITS_MAX, (53 - ceil_log2(length)) // 2)


def sum_bits(length: int) -> int:
    """Bits of a quantised operand in a sum of so many elements."""
    return 52 - ceil_log2(length)


def block_slices(length: int) -> tuple[slice, ...]:
    """Cut a contraction axis into blocks, in the order in which their results are added."""
    return tuple(
        slice(start, min(start + BLOCK_LENGTH, length)) for start in range(0, length, BLOCK_LENGTH)
    )


def channels_of_block(kernel_elements: int) -> int:
    """Input channels in a block of a convolution: a block never splits a channel's kernel."""
    return max(1, BLOCK_LENGTH // max(kernel_elements, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Quantised:
    """Rows in block fixed point: the value of an element is `digits * scale`."""

    digits: Floats
    """Whole numbers of at most `bits` bits and a sign; 0 in a row that is not finite."""
    scale: Floats
    """2^(e - bits) for each row, with axes of length 1 where the row lies; NaN if not finite."""


def quantise(rows: Tensor, axes: Axes, bits: int | Tensor) -> Quantised:
    """Write the rows that lie along `axes` in block fixed point."""
    wide = rows.astype(np.float64)
    finite, exponent = _scales(wide, axes)
    digits = np.rint(wide * np.ldexp(1.0, bits - exponent)) + 0.0
    scale = np.where(finite, np.ldexp(1.0, exponent - bits), np.nan)
    return Quantised(digits if finite.all() else np.where(finite, digits, 0.0), scale)


def _scales(wide: Floats, axes: Axes) -> tuple[Tensor, Tensor]:
    """Give for each row whether it is finite, and e."""
    largest = np.max(np.abs(wide), axis=axes, keepdims=True, initial=0.0)
    finite = np.isfinite(largest)
    mantissa, exponent = np.frexp(np.where(finite & (largest > 0), largest, 1.0))
    return finite, exponent - (mantissa == 0.5)


def row_bits(rows: Tensor, axis: int) -> Tensor:
    """Give b for each row along an axis of at most BLOCK_LENGTH elements."""
    wide = rows.astype(np.float64)
    finite, exponent = _scales(wide, (axis,))
    places = np.rint(np.where(finite, wide, 0.0) * np.ldexp(1.0, ROW_BITS_MAX - exponent))
    sizes = np.abs(places).astype(np.int64)
    squares = np.sum((sizes + 5) * (sizes + 5), axis=axis, keepdims=True)
    fewer = (np.max(sizes, axis=axis, keepdims=True, initial=0) > ROW_SIZE_MAX).astype(np.int64)
    for count in range(1, 4):
        fewer = np.where(squares > 1 << (51 + 2 * count), np.maximum(fewer, count), fewer)
    bits: Tensor = ROW_BITS_MAX - fewer
    return bits


def whole_product(left: Floats, right: Floats) -> Floats:
    """Matrix product of whole numbers whose sums stay within 2^53: exact on any BLAS."""
    whole: Floats = np.matmul(left, right) + 0.0
    return whole


def combine(whole: Floats, left_scale: Floats, right_scale: Floats) -> Floats:
    """Scale whole results by the powers of two of their rows; exact."""
    scaled: Floats = whole * left_scale * right_scale
    return scaled


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Rows of binary64 numbers as slices of whole numbers."""

    digits: tuple[Floats, ...]
    """Whole numbers of at most `bits` bits and a sign; 0 in a row that is not finite."""
    bits: int
    exponent: Tensor
    """e - bits for each row, with axes of length 1 where the row lies."""
    mark: Floats
    """NaN for a row that is not finite, else 0."""


def slice_rows(rows: Tensor, axes: Axes, bits: int) -> Slices:
    """Cut the rows of binary64 numbers that lie along `axes` into slices."""
    largest = np.max(np.abs(rows), axis=axes, keepdims=True, initial=0.0)
    finite = np.isfinite(largest)
    mantissa, exponent = np.frexp(np.where(finite & (largest > 0), largest, 1.0))
    exponent = exponent - (mantissa == 0.5) - bits
    rest = np.ldexp(np.where(finite, rows, 0.0), -exponent)
    digits = []
    for _ in range(3):
        whole = np.rint(rest)
        digits.append(whole + 0.0)
        rest = np.ldexp(rest - whole, bits + 1)
    return Slices(tuple(digits), bits, exponent, np.where(finite, 0.0, np.nan))


def sliced_product(
    left: Slices, right: Slices, product: Callable[[Floats, Floats], Floats]
) -> Floats:
    """Join the products of slices in the written order, not yet scaled.

    The function takes one slice of each operand and gives exact sums of their products.
    """
    unit = 2.0 ** -(left.bits + 1)
    a, b = left.digits, right.digits
    third = (product(a[0], b[2]) + product(a[1], b[1])) + product(a[2], b[0])
    second = product(a[0], b[1]) + product(a[1], b[0])
    joined: Floats = product(a[0], b[0]) + (second + third * unit) * unit
    return joined


def scale_slices(joined: Floats, exponent: Tensor, mark: Floats) -> Floats:
    """Scale joined products by a power of two; a result whose rows are marked is NaN."""
    scaled: Floats = np.ldexp(joined, exponent) + mark
    return scaled


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A right operand, made ready for products with many left ones."""

    shape: Shape
    blocks: tuple[Quantised | Slices, ...]
    """One for each block along the contraction axis."""


def columns_of(right: Tensor, *, fine: bool) -> Columns:
    """Quantise the columns of [..., K, N]; if `fine`, cut them into slices."""
    blocks: list[Quantised | Slices] = []
    for block in block_slices(right.shape[-2]):
        part = right[..., block, :]
        if fine:
            blocks.append(slice_rows(part, (-2,), product_bits(part.shape[-2])))
        else:
            blocks.append(quantise(part, (-2,), row_bits(part, -2)))
    return Columns(right.shape, tuple(blocks))


def contract_with(left: Tensor, right: Columns) -> Floats:
    """Matrix product of [..., M, K] and columns by R3, not yet rounded to binary32."""
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    total = np.zeros((*batch, left.shape[-2], right.shape[-1]))
    for index, block in enumerate(block_slices(left.shape[-1])):
        part = _block(left[..., block], right.blocks[index])
        total = part if index == 0 else total + part
    return total


def contract(left: Tensor, right: Tensor) -> Floats:
    """Matrix product of [..., M, K] and [..., K, N] by R3, not yet rounded to binary32.

    Operands of binary64 are cut into slices, if both are.
    """
    fine = bool(left.dtype == right.dtype == np.float64)
    return contract_with(left, columns_of(right, fine=fine))


def _block(left: Tensor, right: Quantised | Slices) -> Floats:
    if isinstance(right, Quantised):
        rows = quantise(left, (-1,), row_bits(left, -1))
        return combine(whole_product(rows.digits, right.digits), rows.scale, right.scale)
    cut = slice_rows(left, (-1,), right.bits)
    joined = sliced_product(cut, right, whole_product)
    return scale_slices(joined, cut.exponent + right.exponent, cut.mark + right.mark)


def exact_sum(rows: Tensor, axes: Axes) -> Floats:
    """Sum along axes by R3, axes kept with length 1, not yet rounded to binary32."""
    length = prod(rows.shape[axis] for axis in axes)
    quantised = quantise(rows, axes, sum_bits(length))
    total: Floats = _whole_sum(quantised.digits, axes) * quantised.scale
    if np.isnan(quantised.scale).any():
        total = np.where(np.isnan(quantised.scale), _infinite_sum(rows, axes), total)
    return total


def fine_sum(rows: Tensor, axes: Axes) -> Floats:
    """Sum of binary64 numbers along axes by R3 in slices, axes kept with length 1."""
    cut = slice_rows(rows, axes, sum_bits(prod(rows.shape[axis] for axis in axes)))
    unit = 2.0 ** -(cut.bits + 1)
    first, second, third = (_whole_sum(digits, axes) for digits in cut.digits)
    total = scale_slices(first + (second + third * unit) * unit, cut.exponent, cut.mark)
    if np.isnan(cut.mark).any():
        total = np.where(np.isnan(cut.mark), _infinite_sum(rows, axes), total)
    return total


def sum_for(dtype: np.dtype[Any]) -> Callable[[Tensor, Axes], Floats]:
    """Give the sum by R3 that belongs to operators on an element type."""
    return fine_sum if dtype == np.float64 else exact_sum


def _whole_sum(digits: Floats, axes: Axes) -> Floats:
    whole: Tensor = np.sum(digits.astype(np.int64), axis=axes, keepdims=True)
    return whole.astype(np.float64)


def _infinite_sum(rows: Tensor, axes: Axes) -> Floats:
    """Sum of the infinities and NaNs in each row."""
    plus = np.any(rows == np.inf, axis=axes, keepdims=True)
    minus = np.any(rows == -np.inf, axis=axes, keepdims=True)
    unclear = np.any(np.isnan(rows), axis=axes, keepdims=True) | (plus & minus)
    return np.where(unclear, np.nan, np.where(plus, np.inf, np.where(minus, -np.inf, 0.0)))


def round_to_float32(values: Floats) -> Tensor:
    """Round binary64 to binary32, half to even, subnormals kept, overflow to infinity."""
    return values.astype(np.float32)


def maximum(first: Tensor, second: Tensor) -> Tensor:
    """The greater one; NaN if one is NaN; a zero is +0."""
    return _positive_zero(np.maximum(first, second))


def minimum(first: Tensor, second: Tensor) -> Tensor:
    """The lesser one; NaN if one is NaN; a zero is +0."""
    return _positive_zero(np.minimum(first, second))


def greatest(values: Tensor, axes: Axes, *, keepdims: bool = True) -> Tensor:
    """The greatest along axes; NaN if there is one; a zero is +0."""
    return _positive_zero(np.max(values, axis=axes, keepdims=keepdims))


def least(values: Tensor, axes: Axes, *, keepdims: bool = True) -> Tensor:
    """The least along axes; NaN if there is one; a zero is +0."""
    return _positive_zero(np.min(values, axis=axes, keepdims=keepdims))


def _positive_zero(values: Any) -> Tensor:
    array = np.asarray(values)
    return array + array.dtype.type(0) if array.dtype.kind == "f" else array


def divide_whole(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Quotient of integers cut towards zero; 0 where the denominator is 0; wraps."""
    safe = np.where(denominator == 0, 1, denominator).astype(numerator.dtype)
    with np.errstate(over="ignore"):
        quotient = np.floor_divide(numerator, safe)
    inexact = numerator != quotient * safe
    opposite = (numerator < 0) != (safe < 0)
    cut = (quotient + (inexact & opposite)).astype(numerator.dtype)
    return np.asarray(np.where(denominator == 0, numerator.dtype.type(0), cut))


def cast(values: Tensor, dtype: str, *, saturate: bool = True, round_mode: str = "up") -> Tensor:
    """Convert elements: floats round half to even; to integers they are cut and saturate, NaN is 0.

    Integers wrap; so do floats, once they are int64, to integers of 4 and 2 bits.  To bool, all but
    zero is true.  `saturate` and `round_mode` concern small floats (`tiny`).
    """
    values = tiny.read(values)
    if dtype in tiny.SMALL_INTEGERS:
        return tiny.wrapped(cast(values, "int64"), dtype)
    if dtype in tiny.SMALL_FLOATS:
        wide = widened(values)
        number = wide.astype(np.float64) if wide.dtype.kind == "f" else doubled(wide)
        if dtype == tiny.POWERS:
            return tiny.power_of_two(number, saturate=saturate, round_mode=round_mode)
        return tiny.rounded(number, dtype, saturate=saturate)
    if dtype in NARROW:
        return narrowed(values, dtype)
    values, target = widened(values), np.dtype(dtype)
    if values.dtype.kind != "f" or target.kind in "fb":
        return values.astype(target)
    bounds = np.iinfo(target)
    wide = np.trunc(np.where(np.isnan(values), 0.0, values.astype(np.float64)))
    low, high = float(bounds.min), float(bounds.max + 1)
    inside = np.where((wide >= low) & (wide < high), wide, 0.0).astype(target)
    capped = np.where(wide >= high, target.type(bounds.max), inside)
    return np.where(wide < low, target.type(bounds.min), capped)


def normalise_axes(axes: Axes | None, rank: int) -> Axes:
    """Give axes as ascending numbers from 0; None means all."""
    if axes is None:
        return tuple(range(rank))
    return tuple(sorted({axis % rank for axis in axes})) if rank else ()


def elements(shape: Shape) -> int:
    """How many elements a shape has."""
    return prod(shape)
