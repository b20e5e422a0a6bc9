"""Activations that have attributes, each in one compiled pass."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.passes import apply
from ai_exec.fast.scalar import expm1_f32
from ai_exec.registry import Attributes
from ai_exec.tensor import Tensor

Kernel = Callable[[Tensor], Tensor]


@compiled
def elu_pass(x: Any, result: Any, alpha: Any) -> None:
    """The operator's Elu."""
    for place in range(x.size):
        below = alpha * expm1_f32(x[place])
        result[place] = below if x[place] < 0 else x[place]


@compiled
def selu_pass(x: Any, result: Any, alpha: Any, gamma: Any) -> None:
    """The operator's Selu."""
    for place in range(x.size):
        below = gamma * (alpha * expm1_f32(x[place]))
        result[place] = gamma * x[place] if x[place] > 0 else below


@compiled
def celu_pass(x: Any, result: Any, alpha: Any) -> None:
    """The operator's Celu; adding +0 takes the sign from a zero."""
    zero = np.float32(0)
    for place in range(x.size):
        quotient = x[place] / alpha
        below = alpha * expm1_f32(zero if quotient > zero else quotient + zero)
        above = zero if x[place] <= zero else x[place]
        result[place] = above + (zero if below > zero else below + zero)


def _run(compute: Callable[..., None], numbers: tuple[np.float32, ...], x: Tensor) -> Tensor:
    result = np.empty(x.shape, np.float32)
    compute(np.ascontiguousarray(x).reshape(-1), result.reshape(-1), *numbers)
    return result


def _elu(attributes: Attributes) -> Kernel:
    return partial(_run, elu_pass, _numbers(attributes, "alpha"))


def _selu(attributes: Attributes) -> Kernel:
    return partial(_run, selu_pass, _numbers(attributes, "alpha", "gamma"))


def _celu(attributes: Attributes) -> Kernel:
    return partial(_run, celu_pass, _numbers(attributes, "alpha"))


def _gelu(attributes: Attributes) -> Kernel:
    return partial(apply, "gelu_tanh" if attributes["approximate"] == "tanh" else "gelu")


def _swish(attributes: Attributes) -> Kernel | None:
    return partial(apply, "silu") if attributes["alpha"] == 1.0 else None


def _numbers(attributes: Attributes, *names: str) -> tuple[np.float32, ...]:
    return tuple(np.float32(attributes[name]) for name in names)  # type: ignore[arg-type]


ACTIVATIONS: Final[Mapping[str, Callable[[Attributes], Kernel | None]]] = {
    "Celu": _celu,
    "Elu": _elu,
    "Gelu": _gelu,
    "Selu": _selu,
    "Swish": _swish,
}
"""By operator: gives the kernel for a node's attributes, or None for the operator's own."""
