"""Enclosures of the functions of one number: values and derivatives over an interval, by MPFR.

Nothing of the engines is used here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf

from tests.exhaustive.intervals import (
    DOWN,
    UP,
    Interval,
    Series,
    constant,
    falling,
    increasing,
    integral,
    negative,
    point,
    powers,
    product,
    products,
    quotient,
    quotients,
    roots,
    scaled,
    sums,
    total,
)


@dataclass(frozen=True)
class Enclosure:
    """A function of real numbers."""

    series: Callable[[Series], Series]
    """Gives the series of the function, of that of x."""
    domain: tuple[float, float] = (-inf, inf)
    """Beyond it there is no value."""
    factor: Callable[[Series], Series] | None = None
    """Of functions that are x times another one: that other one."""


def _plus(number: float, x: Series) -> Series:
    return sums(constant(number, len(x)), x)


def _less(x: Series) -> Series:
    return [negative(term) for term in x]


def _inverse(x: Series) -> Series:
    return quotients(constant(1.0, len(x)), x)


def _square(x: Series) -> Series:
    return products(x, x)


def _monotone(name: str, derivative: Callable[[Series], Series], x: Series) -> Series:
    return integral(increasing(name, x[0]), derivative(x))


def _sigmoid(x: Series) -> Series:
    """1 / (1 + e^-x), in the form whose power does not grow."""
    if x[0][0] >= 0:
        return _inverse(_plus(1.0, powers(_less(x))))
    power = powers(x)
    return quotients(power, _plus(1.0, power))


def _over_pi(number: float) -> Interval:
    """Square root of a number over pi."""
    return increasing("sqrt", quotient(point(number), (DOWN.const_pi(), UP.const_pi())))


def _normal(x: Series) -> Series:
    """Probability that a Gaussian variable lies below x."""
    argument = quotient(negative(x[0]), increasing("sqrt", point(2)))
    start = product(point(0.5), falling("erfc", argument))
    density = powers(scaled(point(-0.5), _square(x)))
    return integral(start, scaled(product(point(0.5), _over_pi(2.0)), density))


def _gelu_tanh(x: Series) -> Series:
    cubic = products(scaled(quotient(point(44_715), point(1_000_000)), _square(x)), x)
    return _sigmoid(scaled(product(point(2), _over_pi(2.0)), sums(x, cubic)))


def _mish(x: Series) -> Series:
    """n / (n + 2) with n = e^x (e^x + 2), in the form whose power does not grow."""
    if x[0][0] >= 0:
        power = powers(_less(x))
        above = _plus(1.0, scaled(point(2), power))
        return quotients(above, sums(above, scaled(point(2), _square(power))))
    power = powers(x)
    n = products(power, _plus(2.0, power))
    return quotients(n, _plus(2.0, n))


def _softplus(x: Series) -> Series:
    start = increasing("log1p", increasing("exp", x[0]))
    if x[0][0] >= 0:
        start = total(x[0], increasing("log1p", increasing("exp", negative(x[0]))))
    return integral(start, _sigmoid(x))


def _tanh_slope(x: Series) -> Series:
    twice = scaled(point(2), x)
    return scaled(point(4), products(_sigmoid(twice), _sigmoid(_less(twice))))


def _cosh(x: Series) -> Series:
    return scaled(point(0.5), sums(powers(x), powers(_less(x))))


def _times_x(factor: Callable[[Series], Series]) -> Enclosure:
    return Enclosure(lambda x: products(x, factor(x)), factor=factor)


def _circle(x: Series) -> Series:
    """1 / sqrt(1 - x^2)."""
    return _inverse(roots(products(_plus(1.0, x), _plus(1.0, _less(x)))))


def _of(name: str, derivative: Callable[[Series], Series], *domain: float) -> Enclosure:
    low, high = domain or (-inf, inf)
    return Enclosure(partial(_monotone, name, derivative), (low, high))


ENCLOSURES: Mapping[str, Enclosure] = {
    "acos": Enclosure(lambda x: integral(falling("acos", x[0]), _less(_circle(x))), (-1.0, 1.0)),
    "acosh": _of(
        *("acosh", lambda x: _inverse(roots(products(_plus(-1.0, x), _plus(1.0, x)))), 1.0, inf)
    ),
    "asin": _of("asin", _circle, -1.0, 1.0),
    "asinh": _of("asinh", lambda x: _inverse(roots(_plus(1.0, _square(x))))),
    "atan": _of("atan", lambda x: _inverse(_plus(1.0, _square(x)))),
    "atanh": _of(
        *("atanh", lambda x: _inverse(products(_plus(1.0, x), _plus(1.0, _less(x)))), -1.0, 1.0)
    ),
    "cosh": Enclosure(_cosh),
    "erf": _of("erf", lambda x: scaled(_over_pi(4.0), powers(_less(_square(x))))),
    "exp": Enclosure(powers),
    "expm1": _of("expm1", powers),
    "gelu": _times_x(_normal),
    "gelu_tanh": _times_x(_gelu_tanh),
    "log": _of("log", _inverse, 0.0, inf),
    "mish": _times_x(_mish),
    "sigmoid": Enclosure(_sigmoid),
    "silu": _times_x(_sigmoid),
    "sinh": _of("sinh", _cosh),
    "softplus": Enclosure(_softplus),
    "tanh": _of("tanh", _tanh_slope),
}
"""By the names of `ai_exec.semantics.functions.FUNCTIONS`; sin, cos and tan are in `angles`."""
