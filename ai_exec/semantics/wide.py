"""Correct rounding by integers: real functions of one binary32 number with 512 fraction bits.

Slow, and only asked for the few inputs that binary64 cannot decide.  A number is a Python integer
that counts 2^-512.  Each function is wrong by less than 2^-480 plus 2^-300 of its size; no value of
these functions at a binary32 number lies that near to a boundary between two binary32 numbers.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import inf, isqrt, ldexp
from typing import Final

BITS: Final = 512
ONE: Final = 1 << BITS
_SLACK_BITS: Final = 32
_SLACK_SHARE_BITS: Final = 300


def _inverse_tangents(inverse: int, *, hyperbolic: bool) -> int:
    """Arc tangent, or area tangent, of 1 / inverse."""
    power, total, order = ONE // inverse, 0, 1
    while power:
        negative = not hyperbolic and order % 4 == 3
        total += -(power // order) if negative else power // order
        power //= inverse * inverse
        order += 2
    return total


LN_2: Final = (
    18 * _inverse_tangents(26, hyperbolic=True)
    - 2 * _inverse_tangents(4801, hyperbolic=True)
    + 8 * _inverse_tangents(8749, hyperbolic=True)
)
PI: Final = 16 * _inverse_tangents(5, hyperbolic=False) - 4 * _inverse_tangents(
    239, hyperbolic=False
)
SQRT_PI: Final = isqrt(PI << BITS)
SQRT_2: Final = isqrt(2 << 2 * BITS)


def wide(number: float) -> int:
    """Write a binary32 number exactly."""
    numerator, denominator = number.as_integer_ratio()
    return (numerator << BITS) // denominator


def exp(x: int) -> int:
    """e^x by its series, after taking out powers of two."""
    doublings, rest = divmod(x, LN_2)
    term, total, order = ONE, 0, 1
    while term:
        total += term
        term = term * rest // (order << BITS)
        order += 1
    return total << doublings if doublings >= 0 else total >> -doublings


def log(x: int) -> int:
    """Natural logarithm of a positive number by the series of the area tangent."""
    exponent = x.bit_length() - BITS
    mantissa = x << BITS >> BITS + exponent if exponent >= 0 else x << -exponent
    if mantissa * SQRT_2 < ONE << BITS:
        mantissa, exponent = mantissa * 2, exponent - 1
        if exponent >= 0:
            mantissa = x >> exponent
    ratio = ((mantissa - ONE) << BITS) // (mantissa + ONE)
    square = ratio * ratio >> BITS
    total, order = 0, 1
    while ratio not in (0, -1):
        total += ratio // order
        ratio = ratio * square >> BITS
        order += 2
    return 2 * total + exponent * LN_2


def erf(x: int) -> int:
    """Error function: 2/sqrt(pi) e^(-x^2) times a series without cancellation."""
    square = x * x >> BITS
    term, total, order = x, 0, 1
    while term not in (0, -1):
        total += term
        term = 2 * term * square // ((2 * order + 1) << BITS)
        order += 1
    return (2 * total * exp(-square) >> BITS) * ONE // SQRT_PI


def _tanh(x: int) -> int:
    square = exp(2 * abs(x))
    size = ((square - ONE) << BITS) // (square + ONE)
    return size if x > 0 else -size


def _gelu(x: int) -> int:
    return x * (ONE + erf((x << BITS) // SQRT_2)) >> BITS + 1


FUNCTIONS: Final[Mapping[str, Callable[[int], int]]] = {
    "exp": exp,
    "log": log,
    "expm1": lambda x: exp(x) - ONE,
    "tanh": _tanh,
    "sigmoid": lambda x: (ONE << BITS) // (ONE + exp(-x)),
    "softplus": lambda x: log(ONE + exp(x)),
    "erf": erf,
    "gelu": _gelu,
}


@lru_cache(maxsize=1 << 16)
def rounded(function: str, number: float) -> float:
    """Give a function of a finite binary32 number, rounded to binary32, half to even."""
    value = FUNCTIONS[function](wide(number))
    slack = (1 << _SLACK_BITS) + (abs(value) >> _SLACK_SHARE_BITS)
    low, high = round_wide(value - slack), round_wide(value + slack)
    assert low == high, f"{function}({number!r}) is too near to a boundary"
    return low


def round_wide(value: int) -> float:
    """Round to the nearest binary32 number, half to even, subnormals kept."""
    size = abs(value)
    exponent = max(size.bit_length() - BITS - 24, -149)
    shift = exponent + BITS
    mantissa, rest = size >> shift, size & ((1 << shift) - 1)
    half = 1 << shift - 1
    mantissa += rest > half or (rest == half and mantissa & 1)
    result = ldexp(mantissa, exponent) if mantissa.bit_length() + exponent <= 128 else inf
    return -result if value < 0 else result
