"""Block fixed point for rows that are finite and not zero, in few passes over the elements."""

import numpy as np

from ai_exec.numerics import Axes, Quantised, quantise
from ai_exec.tensor import Tensor


def quantise_rows(rows: Tensor, axes: Axes, bits: int) -> Quantised:
    """As `numerics.quantise`, except that a digit of zero may be -0."""
    if not rows.size:
        return quantise(rows, axes, bits)
    largest = np.maximum.reduce(np.abs(rows), axis=axes, keepdims=True)
    if not (largest.min() > 0.0 and largest.max() < np.inf):
        return quantise(rows, axes, bits)
    mantissa, exponent = np.frexp(largest)
    exponent -= mantissa == 0.5
    digits = rows.astype(np.float64)
    digits *= np.ldexp(1.0, bits - exponent)
    np.rint(digits, digits)
    return Quantised(digits, np.ldexp(1.0, exponent - bits))
