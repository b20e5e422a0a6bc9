"""True values of functions by MPFR: the oracle that no code of ours takes part in."""

from collections.abc import Callable

import gmpy2
from gmpy2 import mpfr

BINARY32 = gmpy2.context(precision=24, emax=128, emin=-148, subnormalize=True)
BITS = 320


def _gelu(x: mpfr) -> mpfr:
    return x * gmpy2.erfc(-x / gmpy2.sqrt(mpfr(2))) / 2


def _gelu_tanh(x: mpfr) -> mpfr:
    inner = gmpy2.sqrt(2 / gmpy2.const_pi()) * (x + mpfr(44_715) / 1_000_000 * x**3)
    return x / (1 + gmpy2.exp(-2 * inner))


def _mish(x: mpfr) -> mpfr:
    if x > 10_000:
        return x
    power = gmpy2.exp(x)
    n = power * (power + 2)
    return x * n / (n + 2)


def _softplus(x: mpfr) -> mpfr:
    return x + gmpy2.log1p(gmpy2.exp(-x)) if x > 0 else gmpy2.log1p(gmpy2.exp(x))


OWN: dict[str, Callable[..., mpfr]] = {
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "mish": _mish,
    "sigmoid": lambda x: 1 / (1 + gmpy2.exp(-x)),
    "silu": lambda x: x / (1 + gmpy2.exp(-x)),
    "softplus": _softplus,
    "swish": lambda x, alpha: x / (1 + gmpy2.exp(-alpha * x)),
}
LIMITS = {
    "gelu": mpfr("-0"),
    "gelu_tanh": mpfr("-0"),
    "mish": mpfr("-0"),
    "silu": mpfr("-0"),
}
"""Values at -infinity where the formula has none."""


def true_value(name: str, *numbers: float) -> mpfr:
    """Give a function, far more exact than any rounding needs; in a context of at least BITS."""
    arguments = [mpfr(number) for number in numbers]
    if gmpy2.is_infinite(arguments[0]) and name in OWN and name not in ("sigmoid", "softplus"):
        return arguments[0] if arguments[0] > 0 else LIMITS.get(name, arguments[0])
    found: Callable[..., mpfr] = OWN.get(name) or getattr(gmpy2, name)
    return found(*arguments)


def true_rounded(name: str, *numbers: float) -> float:
    """Give a function of binary32 numbers rounded to binary32."""
    with gmpy2.context(precision=BITS):
        value = true_value(name, *numbers)
    with gmpy2.context(BINARY32):
        return float(+value)
