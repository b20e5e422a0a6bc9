"""Softmax in one compiled pass over each row, and the functions of one number as kernels."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.passes import apply
from ai_exec.fast.powers import power
from ai_exec.fast.scalar import exp_f32
from ai_exec.ops.normalisation import softmax as plain_softmax
from ai_exec.semantics.numerics import ceil_log2
from ai_exec.tensor import Tensor

_ONE_NUMBER: Final = (
    *("Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cos", "Cosh", "Erf", "Exp", "Log"),
    *("Mish", "Sigmoid", "Sin", "Sinh", "Softplus", "Tan", "Tanh"),
)
KERNELS: Final[Mapping[str, Callable[..., Tensor]]] = {
    **{operator: partial(apply, operator.lower()) for operator in _ONE_NUMBER},
    "Pow": power,
}
"""By operators whose result is one function of each element."""


@compiled
def softmax_rows(x: Any, result: Any, scale: float) -> bool:
    """Softmax of rows [M, K] with `scale` = 2^b of R3; tells whether all elements are finite.

    The greatest power is 1, so the scale of R3 is known before.
    """
    for row in range(x.shape[0]):
        greatest = np.float32(-np.inf)
        for column in range(x.shape[1]):
            value = x[row, column]
            if not abs(value) < np.inf:
                return False
            greatest = max(greatest, value)
        for column in range(x.shape[1]):
            result[row, column] = exp_f32(np.float32(x[row, column] - greatest))
        total = np.int64(0)
        for column in range(x.shape[1]):
            total += np.int64(np.rint(np.float64(result[row, column]) * scale))
        share = np.float64(total) / scale
        for column in range(x.shape[1]):
            result[row, column] = np.float32(np.float64(result[row, column]) / share)
    return True


def softmax(rows: Tensor, axis: int) -> Tensor:
    """The operator's Softmax along one axis."""
    length = rows.shape[axis]
    lines = np.ascontiguousarray(np.moveaxis(rows, axis, -1))
    result = np.empty(lines.shape, np.float32)
    flat = (-1, length) if length else (0, 0)
    scale = 2.0 ** (52 - ceil_log2(length))
    if not softmax_rows(lines.reshape(flat), result.reshape(flat), scale):
        return np.asarray(plain_softmax(rows, axis=axis))
    return np.moveaxis(result, -1, axis)
