"""Powers of binary32 numbers in one pass; what that cannot decide is asked of the reference."""

from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled, inlined
from ai_exec.fast.layout import whole
from ai_exec.fast.scalar import exp_f64, log_f64
from ai_exec.semantics.powers import power as plain_power
from ai_exec.tensor import Tensor

DOUBT: Final = 2.0**-42
"""Relative error of the pass where the power is a finite binary32 number, with room to spare:
the logarithm is wrong by less than 2^-51 of it, and its product with the exponent is below 2^7."""
REACH: Final = 110.0
"""Beyond e^110 and below e^-110 a power has left binary32."""
SPLITTER: Final = 2.0**27 + 1.0
"""Cuts a binary64 number into two of half its digits."""


@inlined
def cube(x: float) -> Any:
    """x^3 of a binary32 number, cut to binary64 with the last bit set if that lost anything.

    So it rounds to binary32 as the cube itself does; half-way numbers are common among cubes.
    """
    square = x * x
    value = np.float64(square * x)
    spread, other = square * SPLITTER, x * SPLITTER
    high, top = spread - (spread - square), other - (other - x)
    low, bottom = square - high, x - top
    lost = ((high * top - value) + high * bottom + low * top) + low * bottom
    bits = value.view(np.int64)
    # Away from zero if what was lost has the sign of the value.
    moved = bits + 1 if (lost > 0.0) == (value > 0.0) else bits - 1
    changed = (lost != 0.0) & (abs(value) < np.inf) & ((bits & 1) == 0)
    return np.int64(moved if changed else bits).view(np.float64)


@compiled
def cube_pass(x: Any, result: Any) -> None:
    """x^3 of each number."""
    for place in range(x.size):
        result[place] = np.float32(cube(np.float64(x[place])))


@compiled
def power_pass(x: Any, y: Any, result: Any, asked: Any) -> None:
    """x^y of each pair; `asked` tells where the reference must be asked."""
    for place in range(x.size):
        base, exponent = np.float64(x[place]), np.float64(y[place])
        size = abs(base)
        usual = (size > 0.0) & (size < np.inf) & (abs(exponent) < 2.0**24)
        product: float = exponent * log_f64(size)
        product = REACH if product > REACH else product
        value = exp_f64(-REACH if product < -REACH else product)
        low, high = np.float32(value * (1.0 - DOUBT)), np.float32(value * (1.0 + DOUBT))
        whole = np.rint(exponent)
        odd = np.rint(exponent * 0.5) * 2.0 != whole
        value = -np.float64(high) if (base < 0.0) & odd else np.float64(high)
        undefined = (base < 0.0) & (whole != exponent)
        result[place] = np.float32(np.nan if undefined else value)
        asked[place] = not (usual & (undefined | (low == high)))


def power(base: Tensor, exponent: Tensor) -> Tensor:
    """base^exponent, correctly rounded."""
    x, y = np.broadcast_arrays(base, exponent)
    alone = exponent.item() if exponent.size == 1 else 0.0
    if alone == 2.0:
        square: Tensor = np.multiply(x, x)
        return square
    result, asked = np.empty(x.shape, np.float32), np.empty(x.shape, np.bool_)
    if alone == 3.0 and x.shape == base.shape:
        cube_pass(whole(base, (x.size,)), result.reshape(-1))
        return result
    flat_x, flat_y = np.ascontiguousarray(x), np.ascontiguousarray(y, np.float64)
    power_pass(flat_x.reshape(-1), flat_y.reshape(-1), result.reshape(-1), asked.reshape(-1))
    if asked.any():
        result[asked] = plain_power(x[asked], y[asked])
    return result
