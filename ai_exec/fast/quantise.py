"""Block fixed point for rows that are finite and not zero, in few passes over the elements."""

from math import frexp, inf, ldexp

import numpy as np

from ai_exec.semantics.numerics import Axes, Floats, Quantised, quantise
from ai_exec.tensor import Tensor


def quantise_rows(rows: Tensor, axes: Axes, bits: int) -> Quantised:
    """As `numerics.quantise`, except that a digit of zero may be -0."""
    scaled = _scaled(rows, axes, bits)
    if scaled is None:
        return quantise(rows, axes, bits)
    np.rint(scaled.digits, scaled.digits)
    return scaled


def shifted_rows(rows: Tensor, bits: int, shift: float) -> Quantised:
    """As `numerics.quantise` along the last of two axes, `shift` added to each digit.

    A shift from 2^52 on is so large that the sum has no place for fractions: adding it rounds.
    The parity of a digit is that of the sum, so a half goes to the even digit: `shift` is even.
    """
    scaled = _scaled_row(rows, bits) if len(rows) == 1 else _scaled(rows, (-1,), bits)
    if scaled is None:
        scaled = quantise(rows, (-1,), bits)
    np.add(scaled.digits, shift, scaled.digits)
    return scaled


def _scaled(rows: Tensor, axes: Axes, bits: int) -> Quantised | None:
    """Digits before they are rounded; None if a row is zero or not finite."""
    if not rows.size:
        return None
    largest = np.maximum.reduce(np.abs(rows), axis=axes, keepdims=True)
    if not (largest.min() > 0.0 and largest.max() < np.inf):
        return None
    mantissa, exponent = np.frexp(largest)
    exponent -= mantissa == 0.5
    digits = rows.astype(np.float64)
    digits *= np.ldexp(1.0, bits - exponent)
    return Quantised(digits, np.ldexp(1.0, exponent - bits))


def _scaled_row(row: Tensor, bits: int) -> Quantised | None:
    """As `_scaled` of a single row [1, K]: numbers cost less than calls."""
    found = scale_of_row(row)
    if found is None:
        return None
    digits: Floats = row.astype(np.float64)
    digits *= ldexp(1.0, bits - found)
    return Quantised(digits, np.array([[ldexp(1.0, found - bits)]]))


def scale_of_row(row: Tensor) -> int | None:
    """Exponent of the least power of two not below all elements; None if zero or not finite."""
    sizes = np.abs(row)
    largest = sizes.item(sizes.argmax())
    if not 0.0 < largest < inf:
        return None
    mantissa, exponent = frexp(largest)
    return exponent - (mantissa == 0.5)
