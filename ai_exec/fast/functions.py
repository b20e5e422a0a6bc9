"""The functions of one number as kernels."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from ai_exec.fast.passes import apply
from ai_exec.fast.powers import power
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
