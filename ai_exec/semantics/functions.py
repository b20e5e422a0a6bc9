"""Correctly rounded functions of binary32 numbers (R2).

A function is first computed in binary64 by the sequences below, which are wrong by less than
2^-48 of the result.  Where both ends of the interval result * (1 +- 2^-47) round to the same
binary32 number, that is the true value rounded.  The few other inputs are decided by integers
(`wide.py`).  So the result depends on no library and no machine, and is right for every input.

The sequences use + - * / sqrt, rint and scaling by powers of two in binary64, one operation after
the other.  Nothing else of numpy that computes may be used here.
"""

from typing import Final

import numpy as np

from ai_exec.semantics.numerics import Floats
from ai_exec.semantics.wide import rounded
from ai_exec.tensor import Tensor

DOUBT: Final = 2.0**-47
"""Relative error that the sequences in binary64 stay below, with a factor of two to spare."""

LN_2: Final = float.fromhex("0x1.62e42fefa39efp-1")
LN_2_HIGH: Final = float.fromhex("0x1.62e42p-1")
LN_2_LOW: Final = float.fromhex("0x1.fdf473de6af28p-22")
"""The two add up to ln 2; a whole number of at most 32 bits times the first is exact."""
LOG_2_E: Final = float.fromhex("0x1.71547652b82fep+0")
TWO_OVER_SQRT_PI: Final = float.fromhex("0x1.20dd750429b6dp+0")
SQRT_HALF: Final = float.fromhex("0x1.6a09e667f3bcdp-1")

_FACTORIALS: Final = (
    *(1.0, 1.0, 2.0, 6.0, 24.0, 120.0, 720.0, 5040.0, 40320.0, 362880.0, 3628800.0),
    *(39916800.0, 479001600.0, 6227020800.0, 87178291200.0),
)
_EXP: Final = tuple(1.0 / factorial for factorial in _FACTORIALS)
_EXPM1: Final = _EXP[1:]
_ATANH: Final = tuple(1.0 / order for order in range(1, 37, 2))
_ERF: Final = tuple(
    (-1.0) ** order / (_FACTORIALS[order] * (2 * order + 1)) for order in range(len(_FACTORIALS))
)
_ERFC: Final = (
    1.1775789345674017,
    -0.004590054580646478,
    -0.08424913336651792,
    0.05920993999819189,
    -0.026658668435305753,
    0.009074997670705265,
    -0.002413163540417608,
    0.0004907758365258086,
    -6.916973302501207e-05,
    4.13902798607301e-06,
    7.74038306619849e-07,
    -2.1886401049234397e-07,
    1.076499946567091e-08,
    4.521959811218287e-09,
    -7.754400208831351e-10,
    -6.318088340886684e-11,
    2.86879501093067e-11,
    1.9455868545777347e-13,
    -9.65469674843344e-13,
    3.25254814814874e-14,
    3.3478119482868056e-14,
    -1.864562880419313e-15,
    -1.2507950530688648e-15,
    7.418235256624044e-17,
    5.068148904796111e-17,
)
"""Chebyshev coefficients of (1 + 2 z) e^(z^2) erfc(z) in (z - 3.75) / (z + 3.75), for z >= 0."""


def exp(x: Tensor) -> Tensor:
    """e^x."""
    return _round(exp_64(_clipped(x)), x, "exp")


def expm1(x: Tensor) -> Tensor:
    """e^x - 1."""
    return _keep_zero(_round(expm1_64(_clipped(x)), x, "expm1"), x)


def log(x: Tensor) -> Tensor:
    """Natural logarithm: -inf at zero, NaN below."""
    return _round(log_64(x.astype(np.float64)), x, "log")


def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    size = expm1_64(2.0 * np.minimum(np.abs(x.astype(np.float64)), 40.0))
    return _keep_zero(_round(np.copysign(size / (size + 2.0), x), x, "tanh"), x)


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e^-x)."""
    return _round(1.0 / (1.0 + exp_64(-_clipped(x))), x, "sigmoid")


def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x)."""
    wide = _clipped(x)
    tail = log1p_64(exp_64(-np.abs(wide)))
    return _round(
        np.where(x > 0, np.maximum(x.astype(np.float64), 0.0) + tail, tail), x, "softplus"
    )


def erf(x: Tensor) -> Tensor:
    """Error function."""
    wide = x.astype(np.float64)
    size = np.minimum(np.abs(wide), 30.0)
    square = size * size
    near = size * (TWO_OVER_SQRT_PI * _horner(_ERF, np.minimum(square, 0.25)))
    far = 1.0 - erfc_scaled_64(size) * exp_64(-square)
    value = np.copysign(np.where(size < 0.5, near, far), wide)
    return _keep_zero(_round(np.where(np.isnan(wide), wide, value), x, "erf"), x)


def gelu(x: Tensor) -> Tensor:
    """x (1 + erf(x / sqrt(2))) / 2; below zero it returns to -0."""
    wide = x.astype(np.float64)
    size = np.minimum(np.abs(wide), 30.0)
    tail = 0.5 * (wide * (erfc_scaled_64(size * SQRT_HALF) * exp_64(-0.5 * (size * size))))
    value = np.where(wide > 0, wide - tail, tail)
    value = np.where(wide == -np.inf, -0.0, np.where(wide == np.inf, np.inf, value))
    tiny = np.abs(wide) < 2.0**-60
    above_half = 0.5 * wide + np.abs(wide) * 2.0**-50
    return _keep_zero(_round(np.where(tiny, above_half, value), x, "gelu", certain=tiny), x)


def power(base: Tensor, exponent: Tensor) -> Tensor:
    """base^exponent by a pinned sequence, with the special cases of IEEE 754 `pow`.

    Whole exponents up to 64 multiply by squaring in binary64 and round once; 1/2 is the square
    root; all others are e^(exponent log(base)) in binary64, rounded once.  So the result is within
    one unit in the last place, and nearly always the true value rounded.
    """
    x, y = np.broadcast_arrays(base.astype(np.float64), exponent.astype(np.float64))
    size = np.abs(x)
    general = exp_64(np.clip(y * log_64(size), -700.0, 700.0))
    whole = (np.rint(y) == y) & (np.abs(y) <= 64.0)
    if whole.any():
        general = np.where(whole, _whole_power(size, np.where(whole, y, 0.0)), general)
    general = np.where(y == 0.5, np.sqrt(size), general)
    is_whole = np.rint(y) == y
    odd = is_whole & (np.abs(y) < 2.0**53) & (np.rint(y * 0.5) * 2.0 != y)
    signed = np.where(odd & np.signbit(x), -general, general)
    signed = np.where((x < 0) & ~is_whole & np.isfinite(x), np.nan, signed)
    signed = np.where((y == 0.0) | (x == 1.0) | ((x == -1.0) & np.isinf(y)), 1.0, signed)
    return signed.astype(np.float32)


def gelu_tanh(x: Tensor) -> Tensor:
    """x / (1 + e^(-2 u)) with u = sqrt(2/pi) (x + 0.044715 x^3), pinned, rounded once."""
    wide = x.astype(np.float64)
    inner = wide + 0.044715 * (wide * wide * wide)
    inner = np.clip(inner * (2.0 * SQRT_HALF * TWO_OVER_SQRT_PI), -700.0, 700.0)
    value = wide / (1.0 + exp_64(-inner))
    return np.where(wide == -np.inf, np.float32(-0.0), value.astype(np.float32))


def exp_64(x: Floats) -> Floats:
    """e^x in binary64 for |x| <= 700."""
    count = np.rint(x * LOG_2_E)
    count = np.where(np.isnan(count), 0.0, count)
    rest = (x - count * LN_2_HIGH) - count * LN_2_LOW
    return np.ldexp(_horner(_EXP, rest), count.astype(np.int32))


def expm1_64(x: Floats) -> Floats:
    """e^x - 1 in binary64 for |x| <= 700, close also to zero."""
    near = np.abs(x) < 0.34
    return np.where(near, x * _horner(_EXPM1, np.where(near, x, 0.0)), exp_64(x) - 1.0)


def log_64(x: Floats) -> Floats:
    """Natural logarithm in binary64: -inf at zero, NaN below."""
    usual = np.isfinite(x) & (x > 0)
    mantissa, exponent = np.frexp(np.where(usual, x, 1.0))
    small = mantissa < SQRT_HALF
    mantissa = np.where(small, mantissa * 2.0, mantissa)
    power_of_two = (exponent - small).astype(np.float64)
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    series = ratio * _horner(_ATANH, ratio * ratio)
    value = power_of_two * LN_2_HIGH + (power_of_two * LN_2_LOW + (series + series))
    special = np.where(x == 0, -np.inf, np.where(x > 0, np.inf, np.nan))
    return np.where(usual, value, special)


def log1p_64(x: Floats) -> Floats:
    """log(1 + x) in binary64 for 0 <= x <= 1."""
    ratio = x / (2.0 + x)
    series = ratio * _horner(_ATANH, ratio * ratio)
    total: Floats = series + series
    return total


def erfc_scaled_64(z: Floats) -> Floats:
    """e^(z^2) erfc(z) in binary64 for z >= 0, by Clenshaw's rule."""
    t = (z - 3.75) / (z + 3.75)
    twice = t + t
    current, previous = np.zeros_like(z), np.zeros_like(z)
    for coefficient in reversed(_ERFC[1:]):
        current, previous = twice * current - previous + coefficient, current
    scaled: Floats = (t * current - previous + _ERFC[0]) / (1.0 + 2.0 * z)
    return scaled


def _horner(coefficients: tuple[float, ...], x: Floats) -> Floats:
    value = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value


def _whole_power(size: Floats, exponent: Floats) -> Floats:
    left = np.abs(exponent).astype(np.int64)
    result, square = np.ones_like(size), size
    while left.any():
        result = np.where(left & 1, result * square, result)
        left = left >> 1
        if left.any():
            square = square * square
    return np.where(exponent < 0, 1.0 / result, result)


def _clipped(x: Tensor) -> Floats:
    """Widen; beyond 200 every function here has reached its limit in binary32."""
    return np.clip(x.astype(np.float64), -200.0, 200.0)


def _keep_zero(result: Tensor, x: Tensor) -> Tensor:
    return np.where(x == 0, x, result)


def _round(value: Floats, x: Tensor, function: str, certain: Tensor | None = None) -> Tensor:
    """Round to binary32; where binary64 cannot decide, ask the integers."""
    margin = np.abs(value) * DOUBT
    low, high = (value - margin).astype(np.float32), (value + margin).astype(np.float32)
    doubtful = (low != high) & np.isfinite(value) & np.isfinite(x)
    if certain is not None:
        doubtful &= ~certain
    result = value.astype(np.float32)
    if doubtful.any():
        inputs, places = np.unique(x[doubtful], return_inverse=True)
        exact = [rounded(function, float(number)) for number in inputs]
        result[doubtful] = np.array(exact, dtype=np.float32)[places]
    return result
