"""Tables of the fast functions, computed in whole numbers and rounded once to binary64."""

from typing import Final

import numpy as np
import numpy.typing as npt

from ai_exec.semantics.wide import BITS, ONE, SQRT_2, SQRT_PI, exp

STEPS_PER_ONE: Final = 256
"""Entries of a table for each unit of the argument."""
ERF_END: Final = 4
"""Here the error function is 1 in binary32."""
TAIL_END: Final = 15
"""Here the Gaussian tail is 0 in binary32, also times its argument."""
_BEYOND_TAIL: Final = 18
"""Where the sum of the Gaussian tail starts: 2^-70 of the tail at its end lies beyond."""
_SERIES_TERMS: Final = 18
_SQUARE: Final = STEPS_PER_ONE**2

_SQRT_TWO_PI: Final = SQRT_2 * SQRT_PI >> BITS

Numbers = npt.NDArray[np.float64]


def _densities(length: int, halvings: int) -> list[int]:
    """e^(-x^2 / 2^halvings) for x = 0, 1/256...: each the last one times a ratio that shrinks."""
    ratio = exp(-ONE // (_SQUARE << halvings))
    growth = ratio * ratio >> BITS
    found = [ONE]
    while len(found) < length:
        found.append(found[-1] * ratio >> BITS)
        ratio = ratio * growth >> BITS
    return found


def _step(index: int, halvings: int) -> int:
    """Integral of e^(-(2 x s + s^2) / 2^halvings) over s from 0 to 1/256, for x = index / 256."""
    previous, current, total = 0, ONE, ONE
    for order in range(1, _SERIES_TERMS):
        change = 2 * (index * current + previous) // ((_SQUARE * order) << halvings)
        previous, current = current, -change
        total += current // (order + 1)
    return total // STEPS_PER_ONE


def _areas(densities: list[int], halvings: int) -> list[int]:
    """Area under the density from each place to the next."""
    return [value * _step(index, halvings) >> BITS for index, value in enumerate(densities)]


def _rounded(values: list[int], numerator: int, denominator: int) -> Numbers:
    """Scale by a fraction and round; Python divides whole numbers correctly rounded."""
    return np.array([value * numerator / (ONE * denominator) for value in values])


def _erf() -> tuple[Numbers, Numbers]:
    densities = _densities(ERF_END * STEPS_PER_ONE, 0)
    values = [0]
    for area in _areas(densities, 0)[:-1]:
        values.append(values[-1] + area)
    return _rounded(values, 2 * ONE, SQRT_PI), _rounded(densities, 2 * ONE, SQRT_PI)


def _tail() -> tuple[Numbers, Numbers]:
    densities = _densities(_BEYOND_TAIL * STEPS_PER_ONE, 1)
    values = [0]
    for area in reversed(_areas(densities, 1)):
        values.append(values[-1] + area)
    values.reverse()
    kept = TAIL_END * STEPS_PER_ONE
    return (
        _rounded(values[:kept], ONE, _SQRT_TWO_PI),
        _rounded(densities[:kept], ONE, _SQRT_TWO_PI),
    )


ERF_VALUES, ERF_SLOPES = _erf()
"""erf(i / 256) and its derivative there."""
TAIL_VALUES, TAIL_SLOPES = _tail()
"""Probability that a Gaussian variable lies above i / 256, and its density there."""
