"""Functions of floating-point numbers (R2): of binary32 correctly rounded, of binary64 pinned.

A function of binary32 numbers is first computed in binary64 (`binary64.py`), wrong by less than
2^-49 of the result.  Where both ends of the interval result * (1 +- 2^-48) round to the same
binary32 number, that is the true value rounded.  The few other inputs are decided by integers
(`wide.py`).  So the result depends on no library and no machine, and is right for every input.

Numbers so near to zero, or so far from it, that the result is plain are not computed at all.
A function of binary64 numbers is what the sequence in `binary64.py` gives.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf, nan
from typing import Any, Final

import numpy as np

from ai_exec.semantics import binary64
from ai_exec.semantics.numerics import Floats
from ai_exec.semantics.wide import rounded
from ai_exec.tensor import Tensor

DOUBT: Final = 2.0**-48
"""Relative error that the sequences in binary64 stay below, with a factor of two to spare."""

Plain = Callable[[Tensor], Any]
"""Gives the results of numbers for which they are plain."""


@dataclass(frozen=True, slots=True)
class Function:
    """How a function of binary32 numbers is computed."""

    sequence: Callable[[Floats], Floats]
    below: tuple[float, float] = (-inf, 0.0)
    """Numbers below the first have the second as result."""
    above: tuple[float, Plain] = (inf, lambda x: x)
    """Numbers above the first are plain."""
    near: tuple[float, Plain] = (0.0, lambda x: x)
    """Numbers whose size is less than the first are plain."""


def always(value: float) -> Plain:
    """Give one result for all numbers."""
    return lambda x: np.float32(value)


def itself(x: Tensor) -> Tensor:
    """Give the numbers themselves: the result differs by less than half a unit."""
    return x


def half_from_above(x: Tensor) -> Tensor:
    """x / 2 rounded, where the true value is a little greater."""
    return _half(x, 1.0)


def _half(x: Tensor, more: float) -> Tensor:
    """x / 2 rounded, where the true value is a little greater, equal or less."""
    wide = x.astype(np.float64)
    return np.copysign(0.5 * wide + more * np.abs(wide) * 2.0**-50, wide).astype(np.float32)


IDENTITY: Final = (2.0**-13, itself)
HALF: Final = (2.0**-60, half_from_above)

FUNCTIONS: Final[Mapping[str, Function]] = {
    "acos": Function(
        binary64.acos,
        (-1.0, nan),
        above=(1.0, always(nan)),
        near=(2.0**-30, always(binary64.PI_HIGH / 2)),
    ),
    "acosh": Function(binary64.acosh, (1.0, nan)),
    "asin": Function(binary64.asin, (-1.0, nan), above=(1.0, always(nan)), near=IDENTITY),
    "asinh": Function(binary64.asinh, near=IDENTITY),
    "atan": Function(binary64.atan, near=IDENTITY),
    "atanh": Function(binary64.atanh, (-1.0, nan), above=(1.0, always(nan)), near=IDENTITY),
    "cos": Function(binary64.cos, near=(2.0**-13, always(1.0))),
    "cosh": Function(
        binary64.cosh, (-90.0, inf), above=(90.0, always(inf)), near=(2.0**-13, always(1.0))
    ),
    "erf": Function(binary64.erf, (-4.0, -1.0), above=(4.0, always(1.0))),
    "exp": Function(
        binary64.exp, (-104.0, 0.0), above=(89.0, always(inf)), near=(2.0**-26, always(1.0))
    ),
    "expm1": Function(
        binary64.expm1, (-18.0, -1.0), above=(89.0, always(inf)), near=(2.0**-26, itself)
    ),
    "gelu": Function(binary64.gelu, (-15.0, -0.0), above=(6.0, itself), near=HALF),
    "gelu_tanh": Function(binary64.gelu_tanh, (-11.0, -0.0), above=(6.0, itself), near=HALF),
    "log": Function(binary64.log, (0.0, nan)),
    "mish": Function(binary64.mish, (-110.0, -0.0), above=(18.0, itself)),
    "sigmoid": Function(
        binary64.sigmoid, (-104.0, 0.0), above=(18.0, always(1.0)), near=(2.0**-26, always(0.5))
    ),
    "silu": Function(binary64.silu, (-110.0, -0.0), above=(18.0, itself), near=HALF),
    "sin": Function(binary64.sin, near=IDENTITY),
    "sinh": Function(binary64.sinh, (-90.0, -inf), above=(90.0, always(inf)), near=IDENTITY),
    "softplus": Function(
        binary64.softplus,
        (-104.0, 0.0),
        above=(18.0, itself),
        near=(2.0**-30, always(binary64.LN_2)),
    ),
    "tan": Function(binary64.tan, near=IDENTITY),
    "tanh": Function(binary64.tanh, (-10.0, -1.0), above=(10.0, always(1.0)), near=IDENTITY),
}
"""The functions of one number, by name."""


def apply(name: str, x: Tensor) -> Tensor:
    """Give a function of one number, by its name, of all elements."""
    function = FUNCTIONS[name]
    if x.dtype == np.float64:
        return function.sequence(x)
    plain = [
        (x < function.below[0], always(function.below[1])),
        (x > function.above[0], function.above[1]),
        (np.abs(x) < function.near[0], function.near[1]),
    ]
    result = np.zeros_like(x)
    usual = np.ones(x.shape, bool)
    for chosen, give in plain:
        if chosen.any():
            result[chosen] = give(x[chosen])
            usual &= ~chosen
    inputs = x[usual]
    result[usual] = _round(name, function.sequence(inputs.astype(np.float64)), inputs)
    return result


acos: Final = partial(apply, "acos")
acosh: Final = partial(apply, "acosh")
asin: Final = partial(apply, "asin")
asinh: Final = partial(apply, "asinh")
atan: Final = partial(apply, "atan")
atanh: Final = partial(apply, "atanh")
cos: Final = partial(apply, "cos")
cosh: Final = partial(apply, "cosh")
erf: Final = partial(apply, "erf")
exp: Final = partial(apply, "exp")
expm1: Final = partial(apply, "expm1")
gelu: Final = partial(apply, "gelu")
gelu_tanh: Final = partial(apply, "gelu_tanh")
log: Final = partial(apply, "log")
mish: Final = partial(apply, "mish")
sigmoid: Final = partial(apply, "sigmoid")
silu: Final = partial(apply, "silu")
sin: Final = partial(apply, "sin")
sinh: Final = partial(apply, "sinh")
softplus: Final = partial(apply, "softplus")
tan: Final = partial(apply, "tan")
tanh: Final = partial(apply, "tanh")


def swish(x: Tensor, alpha: float) -> Tensor:
    """x / (1 + e^(-alpha x)) for a binary32 alpha; the product is exact in binary64."""
    if alpha == 1.0 and x.dtype == np.float32:
        return silu(x)
    wide = x.astype(np.float64)
    product = wide * alpha
    value = np.where(product == -np.inf, np.copysign(0.0, wide), wide * binary64.sigmoid(product))
    if x.dtype == np.float64:
        return value
    near = np.abs(product) < HALF[0]
    plain = _half(x, np.sign(alpha))
    return np.where(near, plain, _round("swish", np.where(near, 0.0, value), x, float(alpha)))


def _round(name: str, value: Floats, x: Tensor, *more: float) -> Tensor:
    """Round to binary32; where binary64 cannot decide, ask the integers."""
    margin = np.abs(value) * DOUBT
    low, high = (value - margin).astype(np.float32), (value + margin).astype(np.float32)
    doubtful = (low != high) & np.isfinite(value) & np.isfinite(x)
    result = value.astype(np.float32)
    if doubtful.any():
        inputs, places = np.unique(x[doubtful], return_inverse=True)
        exact = [rounded(name, number, *more) for number in inputs.tolist()]
        result[doubtful] = np.array(exact, dtype=np.float32)[places]
    return result
