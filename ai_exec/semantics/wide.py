"""Correct rounding by integers: real functions of binary32 numbers with 512 fraction bits.

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
_HALVINGS: Final = 8


def _inverse_tangents(inverse: int, one: int, *, hyperbolic: bool) -> int:
    """Arc tangent, or area tangent, of 1 / inverse."""
    power, total, order = one // inverse, 0, 1
    while power:
        negative = not hyperbolic and order % 4 == 3
        total += -(power // order) if negative else power // order
        power //= inverse * inverse
        order += 2
    return total


def pi_of_bits(bits: int) -> int:
    """Pi with so many fraction bits, the last ten of them uncertain."""
    one = 1 << bits
    fifths = _inverse_tangents(5, one, hyperbolic=False)
    return 16 * fifths - 4 * _inverse_tangents(239, one, hyperbolic=False)


LN_2: Final = (
    18 * _inverse_tangents(26, ONE, hyperbolic=True)
    - 2 * _inverse_tangents(4801, ONE, hyperbolic=True)
    + 8 * _inverse_tangents(8749, ONE, hyperbolic=True)
)
PI: Final = pi_of_bits(BITS)
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


def sin(x: int) -> int:
    """Sine by its series, after taking out quarter turns."""
    turns, rest = divmod(x + PI // 4, PI // 2)
    rest -= PI // 4
    square = rest * rest >> BITS
    term, total, order = (ONE, 0, 0) if turns % 2 else (rest, 0, 1)
    while term not in (0, -1):
        total += term
        term = -(term * square // ((order + 1) * (order + 2) << BITS))
        order += 2
    return -total if turns % 4 > 1 else total


def cos(x: int) -> int:
    """Cosine."""
    return sin(x + PI // 2)


def atan(x: int) -> int:
    """Arc tangent by its series, after halving the angle a few times."""
    for _ in range(_HALVINGS):
        x = _quotient(x, ONE + sqrt(ONE + _product(x, x)))
    square = _product(x, x)
    total, order = 0, 1
    while x not in (0, -1):
        total += x // order
        x = -_product(x, square)
        order += 2
    return total << _HALVINGS


def sqrt(x: int) -> int:
    """Square root."""
    return isqrt(x << BITS)


def _tan(x: int) -> int:
    return _quotient(sin(x), cos(x))


def _asin(x: int) -> int:
    if abs(x) == ONE:
        return PI // 2 if x > 0 else -PI // 2
    return atan(_quotient(x, sqrt(ONE - _product(x, x))))


def _sinh(x: int) -> int:
    return (exp(x) - exp(-x)) // 2


def _cosh(x: int) -> int:
    return (exp(x) + exp(-x)) // 2


def _tanh(x: int) -> int:
    square = exp(2 * abs(x))
    size = _quotient(square - ONE, square + ONE)
    return size if x > 0 else -size


def _asinh(x: int) -> int:
    size = log(abs(x) + sqrt(ONE + _product(x, x)))
    return size if x > 0 else -size


def _acosh(x: int) -> int:
    return log(x + sqrt(_product(x, x) - ONE))


def _atanh(x: int) -> int:
    return log(_quotient(ONE + x, ONE - x)) // 2


def _sigmoid(x: int) -> int:
    return _quotient(ONE, ONE + exp(-x))


def _softplus(x: int) -> int:
    return log(ONE + exp(x))


def _gelu(x: int) -> int:
    return x * (ONE + erf(_quotient(x, SQRT_2))) >> BITS + 1


def _gelu_tanh(x: int) -> int:
    inner = x + _product(_product(x, x), x) * 44_715 // 1_000_000
    return _product(x, _sigmoid(2 * _product(_quotient(SQRT_2, SQRT_PI), inner)))


def _mish(x: int) -> int:
    return _product(x, _tanh(_softplus(x)))


def _swish(x: int, alpha: int) -> int:
    return _product(x, _sigmoid(_product(alpha, x)))


def _product(a: int, b: int) -> int:
    return a * b >> BITS


def _quotient(a: int, b: int) -> int:
    return (a << BITS) // b


FUNCTIONS: Final[Mapping[str, Callable[..., int]]] = {
    "acos": lambda x: PI // 2 - _asin(x),
    "acosh": _acosh,
    "asin": _asin,
    "asinh": _asinh,
    "atan": atan,
    "atanh": _atanh,
    "cos": cos,
    "cosh": _cosh,
    "erf": erf,
    "exp": exp,
    "expm1": lambda x: exp(x) - ONE,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "log": log,
    "mish": _mish,
    "sigmoid": _sigmoid,
    "silu": lambda x: _product(x, _sigmoid(x)),
    "sin": sin,
    "sinh": _sinh,
    "softplus": _softplus,
    "swish": _swish,
    "tan": _tan,
    "tanh": _tanh,
}


@lru_cache(maxsize=1 << 16)
def rounded(function: str, *numbers: float) -> float:
    """Give a function of finite binary32 numbers, rounded to binary32, half to even."""
    value = FUNCTIONS[function](*map(wide, numbers))
    slack = (1 << _SLACK_BITS) + (abs(value) >> _SLACK_SHARE_BITS)
    low, high = round_wide(value - slack), round_wide(value + slack)
    assert low == high, f"{function}{numbers!r} is too near to a boundary"
    return low


@lru_cache(maxsize=1 << 16)
def power_rounded(x: float, y: float) -> float:
    """Give x^y for binary32 numbers, x > 0, rounded to binary32, half to even."""
    exact = _exact_power(x, y)
    if exact is not None:
        return round_wide(exact)
    value = exp(_product(wide(y), log(wide(x))))
    slack = (1 << _SLACK_BITS) + (abs(value) >> _SLACK_SHARE_BITS)
    low, high = round_wide(value - slack), round_wide(value + slack)
    assert low == high, f"{x!r}^{y!r} is too near to a boundary"
    return low


def _exact_power(x: float, y: float) -> int | None:
    """Give x^y if it has at most 64 significant bits, None if it has more or is no fraction."""
    mantissa, denominator = x.as_integer_ratio()
    zeros = (mantissa & -mantissa).bit_length() - 1
    mantissa, exponent = mantissa >> zeros, zeros - denominator.bit_length() + 1
    count, halves = y.as_integer_ratio()
    while halves > 1:
        root = isqrt(mantissa)
        if root * root != mantissa or exponent % 2:
            return None
        mantissa, exponent, halves = root, exponent // 2, halves // 2
    if mantissa > 1 and not 0 <= count * (mantissa.bit_length() - 1) < 64:
        return None
    shift = BITS + exponent * count
    return mantissa ** max(count, 0) << shift if 0 <= shift < 2 * BITS else None


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
