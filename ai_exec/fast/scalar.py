"""Correctly rounded functions of one binary32 number, compiled, for fused passes to build on.

Each is a branch-free sequence of binary64 operations, rounded once; numbers that are known to
round wrongly so are mended by a table.  `tests/exhaustive` runs all 2^32 numbers through.
"""

from typing import Any, Final

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
from ai_exec.semantics.binary64 import LN_2_HIGH, LN_2_LOW, LOG_2_E, PI_HIGH

Number = float | np.floating[Any]


def numbers(*literals: str) -> tuple[float, ...]:
    """Read numbers written in hexadecimal."""
    return tuple(map(float.fromhex, literals))


WHOLE: Final = 6755399441055744.0
"""1.5 * 2^52: added and subtracted, it rounds to a whole number, half to even."""
_STEP: Final = WHOLE / STEPS_PER_ONE
"""Added and subtracted, it rounds to a multiple of 1/256."""
_HALF_PI: Final = float.fromhex("0x1.921fb54442d18p+0")
_SQRT_EIGHT_OVER_PI: Final = float.fromhex("0x1.9884533d43651p+0")
_ONE_BITS: Final = 1023 << 52
_WHOLE_BITS: Final = 0x4338 << 48
_SQRT_HALF_BITS: Final = 0x3FE6A09E667F3BCD
_SIGN: Final = -(1 << 63)
_ERF_LAST: Final = ERF_END - 1 / STEPS_PER_ONE
_TAIL_LAST: Final = TAIL_END - 1 / STEPS_PER_ONE
_TABLE_MASK: Final = np.uint64((1 << 12) - 1)

REST_OF_EXP: Final = numbers(
    "0x1.0000000000001p-1",
    "0x1.5555555555556p-3",
    "0x1.5555555553d37p-5",
    "0x1.11111111109a6p-7",
    "0x1.6c16c1789d1d7p-10",
    "0x1.a01a01a7cebcdp-13",
    "0x1.a019b8ca26fcfp-16",
    "0x1.71de0d85293b8p-19",
    "0x1.2891d4ffbb0f9p-22",
    "0x1.af390ba7e6f47p-26",
)
LOG_SERIES: Final = numbers(
    "0x1.5555555555558p-1",
    "0x1.99999999952b2p-2",
    "0x1.2492492df694cp-2",
    "0x1.c71c62debf470p-3",
    "0x1.7462b697134e2p-3",
    "0x1.39fe208ab4655p-3",
    "0x1.2b5b5fc28d1cap-3",
)
ATAN_SERIES: Final = numbers(
    "-0x1.5555555555555p-2",
    "0x1.9999999999341p-3",
    "-0x1.24924924358fep-3",
    "0x1.c71c7184e2ee8p-4",
    "-0x1.745d0b1a495a9p-4",
    "0x1.3b1261b89df17p-4",
    "-0x1.10fa6556ff2bdp-4",
    "0x1.dfe50aba59edfp-5",
    "-0x1.a09318e81d04dp-5",
    "0x1.414ff0acb94ddp-5",
    "-0x1.3a03a34f9826bp-6",
)
ASIN_SERIES: Final = numbers(
    "0x1.5555555555556p-3",
    "0x1.3333333332ec4p-4",
    "0x1.6db6db6e3292ep-5",
    "0x1.f1c71c1d4a9ffp-6",
    "0x1.6e8bb1d894ad2p-6",
    "0x1.1c4d343fa3724p-6",
    "0x1.c9cf375a32ce3p-7",
    "0x1.78246f310047fp-7",
    "0x1.524ea8be5e618p-7",
    "0x1.653a8f38a100ap-8",
    "0x1.1d661566dd6dap-6",
    "-0x1.e7a24fef993d8p-7",
    "0x1.d78189a82eb9bp-6",
)
SIN_SERIES: Final = numbers(
    "-0x1.5555555555555p-3",
    "0x1.1111111110babp-7",
    "-0x1.a01a019e81f4bp-13",
    "0x1.71de37945211fp-19",
    "-0x1.ae6008b32171ep-26",
    "0x1.5e0a44fa71e38p-33",
)
COS_SERIES: Final = numbers(
    "0x1.5555555555555p-5",
    "-0x1.6c16c16c16963p-10",
    "0x1.a01a019f4dd4cp-16",
    "-0x1.27e4fa16bdc73p-22",
    "0x1.1eeb67c129e6bp-29",
    "-0x1.907cce35c8026p-37",
)

_LOG_HARD: Final = numbers(
    "0x1.2f1fd6p+3",
    "0x1.6351d8p+95",
    "0x1.827a74p-7",
    "0x1.b121a6p+76",
    "0x1.bacb4ap+25",
)
_LOG_RIGHT: Final = numbers(
    "0x1.1fcbcep+1",
    "0x1.08b512p+6",
    "-0x1.1c2b1ep+2",
    "0x1.a9a3f2p+5",
    "0x1.1e0696p+4",
)
"""Numbers whose logarithm lies so near to a boundary that binary64 rounds it wrongly."""
_SIGMOID_HARD: Final = numbers("-0x1.250c02p-10")
_SIGMOID_RIGHT: Final = numbers("0x1.ffb6bep-2")
_ACOS_HARD: Final = numbers("0x1.04c444p-12", "0x1.110b46p-26")
_ACOS_RIGHT: Final = numbers("0x1.920f6ap+0", "0x1.921fb6p+0")
_ATAN_HARD: Final = numbers("0x1.1ad646p-4")
_ATAN_RIGHT: Final = numbers("0x1.1a6386p-4")
_SINH_HARD: Final = numbers("0x1.250bfep-11")
_SINH_RIGHT: Final = numbers("0x1.250bfep-11")
_ASINH_HARD: Final = numbers("0x1.bacb4ap+24", "0x1.b121a6p+75", "0x1.6351d8p+94")
_ASINH_RIGHT: Final = numbers("0x1.1e0696p+4", "0x1.a9a3f2p+5", "0x1.08b512p+6")
_ACOSH_HARD: Final = numbers("0x1.b121a6p+75", "0x1.6351d8p+94")
_ACOSH_RIGHT: Final = numbers("0x1.a9a3f2p+5", "0x1.08b512p+6")
_ERF_HARD: Final = numbers("0x1.81d5acp-13")
_ERF_RIGHT: Final = numbers("0x1.b35e28p-13")
_GELU_TANH_HARD: Final = numbers("-0x1.6148dep-16")
_GELU_TANH_RIGHT: Final = numbers("-0x1.61475ap-17")
_MISH_HARD: Final = numbers("-0x1.4p-24")
_MISH_RIGHT: Final = numbers("-0x1.7ffffep-25")
_SOFTPLUS_HARD: Final = numbers("0x1.d483ap-12")
_SOFTPLUS_RIGHT: Final = numbers("0x1.63017ap-1")
"""The same for the other functions."""


@inlined
def mended(value: float, x: float, hard: tuple[float, ...], right: tuple[float, ...]) -> float:
    """Give the right value of hard numbers, the given value of others."""
    for place in range(len(hard)):
        value = right[place] if x == hard[place] else value
    return value


@inlined
def horner(coefficients: tuple[float, ...], x: float) -> float:
    """Sum of the coefficients times rising powers of x, from the last one on."""
    value = coefficients[len(coefficients) - 1]
    for place in range(len(coefficients) - 2, -1, -1):
        value = value * x + coefficients[place]
    return value


@inlined
def with_sign(size: float, x: float) -> float:
    """Give a number without a sign the sign of x."""
    bits = np.float64(size).view(np.int64) | (np.float64(x).view(np.int64) & _SIGN)
    signed: float = np.int64(bits).view(np.float64)
    return signed


@inlined
def power_of_two(shifted: float) -> float:
    """2^n of a whole number n that WHOLE was added to."""
    bits = (np.float64(shifted).view(np.int64) << 52) + _ONE_BITS
    scale: float = np.int64(bits).view(np.float64)
    return scale


@inlined
def exp_f64(x: float) -> float:
    """e^x in binary64, close, for x from -700 to 700."""
    shifted = x * LOG_2_E + WHOLE
    count = shifted - WHOLE
    r = (x - count * LN_2_HIGH) - count * LN_2_LOW
    return (1.0 + (r + r * r * horner(REST_OF_EXP, r))) * power_of_two(shifted)


@inlined
def expm1_f64(x: float) -> float:
    """e^x - 1 in binary64, close also to zero, for x from -40 to 700."""
    shifted = x * LOG_2_E + WHOLE
    count = shifted - WHOLE
    r = (x - count * LN_2_HIGH) - count * LN_2_LOW
    scale = power_of_two(shifted)
    return (scale - 1.0) + scale * (r + r * r * horner(REST_OF_EXP, r))


@inlined
def log_sum_f64(f: float, count: float) -> float:
    """log(1 + f) + count ln(2), for 1 + f from sqrt(1/2) to sqrt(2)."""
    ratio = f / (2.0 + f)
    square = ratio * ratio
    half = 0.5 * (f * f)
    low = ratio * (half + square * horner(LOG_SERIES, square)) + count * LN_2_LOW
    return count * LN_2_HIGH - ((half - low) - f)


@inlined
def log1p_f64(x: float) -> float:
    """log(1 + x) in binary64 for x >= 0, finite and at most 2^200."""
    total = 1.0 + x
    lost = x - (total - 1.0)
    bits = np.float64(total).view(np.int64)
    power = ((bits - _SQRT_HALF_BITS) >> 52) << 52
    mantissa: float = np.int64(bits - power).view(np.float64)
    scale: float = np.int64(_ONE_BITS - power).view(np.float64)
    count: float = np.int64((power >> 52) + _WHOLE_BITS).view(np.float64)
    return log_sum_f64((mantissa - 1.0) + lost * scale, count - WHOLE)


@inlined
def exp_f32(x: Number) -> np.float32:
    """e^x."""
    wide: float = np.float64(x)
    wide = 100.0 if wide > 100.0 else wide
    return np.float32(exp_f64(-110.0 if wide < -110.0 else wide))


@inlined
def expm1_f32(x: Number) -> np.float32:
    """e^x - 1."""
    wide: float = np.float64(x)
    near = 100.0 if wide > 100.0 else wide
    return np.float32(with_sign(expm1_f64(-40.0 if near < -40.0 else near), wide))


@inlined
def log_f64(x: float) -> float:
    """Natural logarithm in binary64, close, of a positive normal number."""
    bits = np.float64(x).view(np.int64)
    power = ((bits - _SQRT_HALF_BITS) >> 52) << 52
    mantissa: float = np.int64(bits - power).view(np.float64)
    count: float = np.int64((power >> 52) + _WHOLE_BITS).view(np.float64)
    return log_sum_f64(mantissa - 1.0, count - WHOLE)


@inlined
def log_f32(x: Number) -> np.float32:
    """Natural logarithm: -inf at zero, NaN below."""
    wide: float = np.float64(x)
    value = mended(log_f64(wide), wide, _LOG_HARD, _LOG_RIGHT)
    value = value if wide > 0.0 else np.nan
    value = -np.inf if wide == 0.0 else value
    return np.float32(wide if wide == np.inf else value)


@inlined
def sigmoid_f32(x: Number) -> np.float32:
    """1 / (1 + e^-x); close to zero 1/2 + x/4, of which the true value lies on the side of 1/2."""
    wide: float = np.float64(x)
    negative = 110.0 if wide < -110.0 else -wide
    value = 1.0 / (1.0 + exp_f64(-40.0 if negative < -40.0 else negative))
    near = (0.5 + 0.25 * wide) - with_sign(2.0**-53, wide)
    value = near if abs(wide) < 2.0**-15 else value
    return np.float32(mended(value, wide, _SIGMOID_HARD, _SIGMOID_RIGHT))


@inlined
def silu_f32(x: Number) -> np.float32:
    """x / (1 + e^-x)."""
    wide: float = np.float64(x)
    near = -120.0 if wide < -120.0 else wide
    negative = -40.0 if near > 40.0 else -near
    value = near / (1.0 + exp_f64(negative))
    return np.float32(nudged_half(wide) if abs(wide) < 2.0**-50 else value)


@inlined
def nudged_half(x: float) -> float:
    """x / 2 and a little more, for functions that start so at zero."""
    return with_sign(abs(0.5 * x + abs(x) * 2.0**-53), x)


@inlined
def softplus_f32(x: Number) -> np.float32:
    """log(1 + e^x)."""
    wide: float = np.float64(x)
    size = abs(wide)
    tail = log1p_f64(exp_f64(-(110.0 if size > 110.0 else size)))
    value = (wide if wide > 0.0 else 0.0) + tail
    return np.float32(mended(value, wide, _SOFTPLUS_HARD, _SOFTPLUS_RIGHT))


@inlined
def mish_f32(x: Number) -> np.float32:
    """x tanh(log(1 + e^x)), which is x n / (n + 2) with n = e^x (e^x + 2)."""
    wide: float = np.float64(x)
    near = -120.0 if wide < -120.0 else wide
    power = exp_f64(40.0 if near > 40.0 else near)
    n = power * (power + 2.0)
    return np.float32(mended(near * (n / (n + 2.0)), wide, _MISH_HARD, _MISH_RIGHT))


@inlined
def tanh_f32(x: Number) -> np.float32:
    """Hyperbolic tangent."""
    wide: float = np.float64(x)
    size = abs(wide)
    power = expm1_f64(2.0 * (20.0 if size > 20.0 else size))
    return np.float32(with_sign(power / (power + 2.0), wide))


@inlined
def sinh_f32(x: Number) -> np.float32:
    """Hyperbolic sine."""
    wide: float = np.float64(x)
    size = abs(wide)
    power = expm1_f64(100.0 if size > 100.0 else size)
    value = mended(0.5 * (power + power / (power + 1.0)), size, _SINH_HARD, _SINH_RIGHT)
    return np.float32(with_sign(value, wide))


@inlined
def cosh_f32(x: Number) -> np.float32:
    """Hyperbolic cosine."""
    wide: float = np.float64(x)
    size = abs(wide)
    power = exp_f64(100.0 if size > 100.0 else size)
    return np.float32(0.5 * power + 0.5 / power)


@inlined
def asinh_f32(x: Number) -> np.float32:
    """Inverse of the hyperbolic sine."""
    wide: float = np.float64(x)
    size = abs(wide)
    near = 2.0**130 if size > 2.0**130 else size
    square = near * near
    value = log1p_f64(near + square / (1.0 + np.sqrt(1.0 + square)))
    value = mended(value, size, _ASINH_HARD, _ASINH_RIGHT)
    return np.float32(with_sign(wide if size > 2.0**130 else value, wide))


@inlined
def acosh_f32(x: Number) -> np.float32:
    """Inverse of the hyperbolic cosine: NaN below 1."""
    wide: float = np.float64(x)
    above = wide - 1.0
    above = 2.0**130 if above > 2.0**130 else above
    value = log1p_f64(above + np.sqrt(2.0 * above + above * above))
    value = mended(value, wide, _ACOSH_HARD, _ACOSH_RIGHT)
    value = np.nan if wide < 1.0 else value
    return np.float32(wide if wide == np.inf else value)


@inlined
def atanh_f32(x: Number) -> np.float32:
    """Inverse of the hyperbolic tangent: infinite at -1 and 1, NaN beyond."""
    wide: float = np.float64(x)
    size = abs(wide)
    near = 0.5 if size >= 1.0 else size
    value = 0.5 * log1p_f64((near + near) / (1.0 - near))
    value = np.inf if size == 1.0 else value
    return np.float32(with_sign(np.nan if size > 1.0 else value, wide))


@inlined
def atan_f32(x: Number) -> np.float32:
    """Arc tangent, from that of 0, 1 or infinity."""
    wide: float = np.float64(x)
    size = abs(wide)
    far, middle = size > 2.5, size > 0.4
    above = -1.0 if far else (size - 1.0 if middle else size)
    below = size if far else (size + 1.0 if middle else 1.0)
    start = _HALF_PI if far else (0.5 * _HALF_PI if middle else 0.0)
    t = above / below
    square = t * t
    value = start + (t + t * (square * horner(ATAN_SERIES, square)))
    return np.float32(with_sign(mended(value, size, _ATAN_HARD, _ATAN_RIGHT), wide))


@inlined
def asin_f32(x: Number) -> np.float32:
    """Arc sine: NaN beyond -1 and 1."""
    wide: float = np.float64(x)
    size = abs(wide)
    far = size > 0.5
    square = 0.5 * (1.0 - size) if far else size * size
    t = np.sqrt(square) if far else size
    value = t + t * (square * horner(ASIN_SERIES, square))
    return np.float32(with_sign(_HALF_PI - 2.0 * value if far else value, wide))


@inlined
def acos_f32(x: Number) -> np.float32:
    """Arc cosine: NaN beyond -1 and 1."""
    wide: float = np.float64(x)
    size = abs(wide)
    far = size > 0.5
    square = 0.5 * (1.0 - size) if far else size * size
    t = np.sqrt(square) if far else wide
    value = t + t * (square * horner(ASIN_SERIES, square))
    double = PI_HIGH - 2.0 * value if wide < 0.0 else 2.0 * value
    angle = double if far else _HALF_PI - value
    return np.float32(mended(angle, wide, _ACOS_HARD, _ACOS_RIGHT))


@inlined
def erf_f32(x: Number) -> np.float32:
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
    value = ERF_VALUES[index] + ERF_SLOPES[index] * (h * series)
    return np.float32(with_sign(mended(value, size, _ERF_HARD, _ERF_RIGHT), wide))


@inlined
def gelu_f32(x: Number) -> np.float32:
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


@inlined
def gelu_tanh_f32(x: Number) -> np.float32:
    """x / (1 + e^(-2 u)) with u = sqrt(2/pi) (x + 0.044715 x^3)."""
    wide: float = np.float64(x)
    near = -13.0 if wide < -13.0 else wide
    bounded = 13.0 if near > 13.0 else near
    inner = (bounded * (1.0 + 0.044715 * (bounded * bounded))) * _SQRT_EIGHT_OVER_PI
    value = near / (1.0 + exp_f64(-inner))
    value = nudged_half(wide) if abs(wide) < 2.0**-50 else value
    return np.float32(mended(value, wide, _GELU_TANH_HARD, _GELU_TANH_RIGHT))
