"""Correctly rounded functions of one binary32 number, compiled, for fused passes to build on.

Each is a branch-free sequence of binary64 operations, rounded once.  `tests/exhaustive` ran all
2^32 numbers through each of them and found the true value rounded, every time.
"""

from typing import Final

import numpy as np

from ai_exec.fast.compilation import inlined
from ai_exec.fast.tables import (
    ERF_END,
    ERF_SLOPES,
    ERF_VALUES,
    STEPS_PER_ONE,
    TAIL_END,
    TAIL_SLOPES,
    TAIL_VALUES,
)

_WHOLE: Final = 6755399441055744.0
"""1.5 * 2^52: added and subtracted, it rounds to a whole number, half to even."""
_STEP: Final = _WHOLE / STEPS_PER_ONE
"""Added and subtracted, it rounds to a multiple of 1/256."""
_LOG_2_E: Final = float.fromhex("0x1.71547652b82fep+0")
_LN_2_HIGH: Final = float.fromhex("0x1.62e42p-1")
_LN_2_LOW: Final = float.fromhex("0x1.fdf473de6af28p-22")
_ONE_BITS: Final = 1023 << 52
_SIGN: Final = -(1 << 63)
_ERF_LAST: Final = ERF_END - 1 / STEPS_PER_ONE
_TAIL_LAST: Final = TAIL_END - 1 / STEPS_PER_ONE
_TABLE_MASK: Final = np.uint64((1 << 12) - 1)
_P2, _P3, _P4, _P5, _P6 = (1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720)
_P7, _P8, _P9, _P10, _P11 = (1 / 5040, 1 / 40320, 1 / 362880, 1 / 3628800, 1 / 39916800)


@inlined
def with_sign(size: float, x: float) -> float:
    """Give a number of no sign the sign of x."""
    bits = np.float64(size).view(np.int64) | (np.float64(x).view(np.int64) & _SIGN)
    return np.int64(bits).view(np.float64)


@inlined
def rest_of_exp(r: float) -> float:
    """(e^r - 1 - r) / r^2 for |r| <= ln(2) / 2."""
    high = _P8 + r * (_P9 + r * (_P10 + r * _P11))
    return _P2 + r * (_P3 + r * (_P4 + r * (_P5 + r * (_P6 + r * (_P7 + r * high)))))


@inlined
def exp_f64(x: float) -> float:
    """e^x in binary64, close, for x from -700 to 700."""
    shifted = x * _LOG_2_E + _WHOLE
    count = shifted - _WHOLE
    r = (x - count * _LN_2_HIGH) - count * _LN_2_LOW
    bits = (np.float64(shifted).view(np.int64) << 52) + _ONE_BITS
    scale: float = np.int64(bits).view(np.float64)
    return (1.0 + (r + r * r * rest_of_exp(r))) * scale


@inlined
def expm1_f64(x: float) -> float:
    """e^x - 1 in binary64, close also to zero, for x from -30 to 700."""
    shifted = x * _LOG_2_E + _WHOLE
    count = shifted - _WHOLE
    r = (x - count * _LN_2_HIGH) - count * _LN_2_LOW
    bits = (np.float64(shifted).view(np.int64) << 52) + _ONE_BITS
    scale: float = np.int64(bits).view(np.float64)
    return (scale - 1.0) + scale * (r + r * r * rest_of_exp(r))


@inlined
def exp_f32(x: float) -> np.float32:
    """e^x."""
    wide: float = np.float64(x)
    wide = 100.0 if wide > 100.0 else wide
    return np.float32(exp_f64(-110.0 if wide < -110.0 else wide))


@inlined
def sigmoid_f32(x: float) -> np.float32:
    """1 / (1 + e^-x)."""
    wide: float = -np.float64(x)
    wide = 110.0 if wide > 110.0 else wide
    return np.float32(1.0 / (1.0 + exp_f64(-40.0 if wide < -40.0 else wide)))


@inlined
def tanh_f32(x: float) -> np.float32:
    """Hyperbolic tangent."""
    wide: float = np.float64(x)
    size = abs(wide)
    power = expm1_f64(2.0 * (20.0 if size > 20.0 else size))
    return np.float32(with_sign(power / (power + 2.0), wide))


@inlined
def erf_f32(x: float) -> np.float32:
    """Error function: Taylor's series from the nearest multiple of 1/256."""
    wide: float = np.float64(x)
    size = abs(wide)
    size = _ERF_LAST if size > _ERF_LAST else size
    shifted = size + _STEP
    place = shifted - _STEP
    index = np.float64(shifted).view(np.uint64) & _TABLE_MASK
    h = size - place
    u = place * h
    v = h * h
    plain = 1.0 - u * (1.0 - u * (2 / 3 - u * (1 / 3 - u * (2 / 15 - u * (2 / 45)))))
    series = plain - v * ((1 / 3 - u * (1 / 2 - u * (2 / 5))) - v * (1 / 10))
    return np.float32(with_sign(ERF_VALUES[index] + ERF_SLOPES[index] * (h * series), wide))


@inlined
def gelu_f32(x: float) -> np.float32:
    """x times the probability that a Gaussian variable lies below x."""
    wide: float = np.float64(x)
    size = abs(wide)
    size = 2.0**-50 if size < 2.0**-50 else size
    size = _TAIL_LAST if size > _TAIL_LAST else size
    shifted = size + _STEP
    place = shifted - _STEP
    index = np.float64(shifted).view(np.uint64) & _TABLE_MASK
    h = size - place
    u = place * h
    v = h * h
    high = 1 / 24 - u * (1 / 120 - u * (1 / 720 - u * (1 / 5040)))
    plain = 1.0 - u * (1 / 2 - u * (1 / 6 - u * high))
    first = 1 / 6 - u * (1 / 8 - u * (1 / 20 - u * (1 / 72 - u * (1 / 336))))
    series = plain - v * (first - v * (1 / 40 - u * (1 / 48)))
    near = _TAIL_LAST if wide > _TAIL_LAST else wide
    near = -_TAIL_LAST if near < -_TAIL_LAST else near
    tail = near * (TAIL_VALUES[index] - TAIL_SLOPES[index] * (h * series))
    return np.float32(wide - tail if wide > 0.0 else tail)
