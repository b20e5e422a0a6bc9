"""Piecewise linear functions and questions about numbers of binary32, each in one pass."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.layout import whole
from ai_exec.program import Node, Program
from ai_exec.registry import Attributes
from ai_exec.tensor import Tensor

Kernel = Callable[..., Tensor]
ONE_SIXTH: Final = np.float32(1 / 6)


@compiled
def relu_pass(x: Any, result: Any) -> None:
    """The operator's Relu."""
    for place in range(x.size):
        result[place] = np.float32(0) if x[place] <= 0 else x[place]


@compiled
def leaky_relu_pass(x: Any, result: Any, alpha: Any) -> None:
    """The operator's LeakyRelu."""
    for place in range(x.size):
        below = np.float32(alpha * x[place])
        result[place] = below if x[place] < 0 else x[place]


@compiled
def thresholded_relu_pass(x: Any, result: Any, alpha: Any) -> None:
    """The operator's ThresholdedRelu."""
    for place in range(x.size):
        result[place] = x[place] if x[place] > alpha else np.float32(0)


@compiled
def hard_sigmoid_pass(x: Any, result: Any, alpha: Any, beta: Any) -> None:
    """The operator's HardSigmoid."""
    for place in range(x.size):
        line = np.float32(np.float32(alpha * x[place]) + beta)
        line = np.float32(1) if line > np.float32(1) else line
        result[place] = np.float32(0) if line <= np.float32(0) else line


@compiled
def hard_swish_pass(x: Any, result: Any, alpha: Any) -> None:
    """The operator's HardSwish; alpha is a sixth."""
    for place in range(x.size):
        line = np.float32(np.float32(alpha * x[place]) + np.float32(0.5))
        line = np.float32(1) if line > np.float32(1) else line
        line = np.float32(0) if line <= np.float32(0) else line
        result[place] = x[place] * line


@compiled
def shrink_pass(x: Any, result: Any, bias: Any, bound: Any) -> None:
    """The operator's Shrink."""
    for place in range(x.size):
        value = x[place]
        below = np.float32(value + bias) if value < -bound else np.float32(0)
        result[place] = np.float32(value - bias) if value > bound else below


@compiled
def clip_pass(x: Any, result: Any, low: Any, high: Any) -> None:
    """The operator's Clip by bounds that are numbers; a zero is +0."""
    for place in range(x.size):
        value = low if x[place] < low else x[place]
        value = high if value > high else value
        result[place] = np.float32(value + np.float32(0))


@compiled
def is_inf_pass(x: Any, result: Any, negative: bool, positive: bool) -> None:
    """The operator's IsInf."""
    for place in range(x.size):
        above, below = x[place] == np.inf, x[place] == -np.inf
        result[place] = (above & positive) | (below & negative)


@compiled
def p_relu_rows(x: Any, slopes: Any, result: Any) -> None:
    """The operator's PRelu of [outer, channel, inner] with a slope for each channel."""
    for outer in range(x.shape[0]):
        for channel in range(x.shape[1]):
            row, target, slope = x[outer, channel], result[outer, channel], slopes[channel]
            for place in range(row.shape[0]):
                below = np.float32(slope * row[place])
                target[place] = below if row[place] < 0 else row[place]


@compiled
def p_relu_pass(x: Any, result: Any, slopes: Any) -> None:
    """The same with a slope for each element."""
    for place in range(x.size):
        below = np.float32(slopes[place] * x[place])
        result[place] = below if x[place] < 0 else x[place]


def run(compute: Callable[..., None], numbers: tuple[Any, ...], x: Tensor) -> Tensor:
    """Take all elements through a pass."""
    result = np.empty(x.shape, np.float32)
    compute(whole(x, (-1,)) if x.size else x.reshape(-1), result.reshape(-1), *numbers)
    return result


def numbers_of(attributes: Attributes, *names: str) -> tuple[np.float32, ...]:
    """Give attributes as binary32 numbers."""
    return tuple(np.float32(attributes[name]) for name in names)  # type: ignore[arg-type]


def _with(compute: Callable[..., None], *names: str) -> Callable[[Node, Program], Kernel]:
    return lambda node, program: partial(run, compute, numbers_of(node.attributes, *names))


def _clip(node: Node, program: Program) -> Kernel | None:
    """Bounds that are constants and numbers; one that is left out is infinite."""
    bounds: list[Any] = [np.float32(-np.inf), np.float32(np.inf)]
    if node.operator.since < 11:
        bounds = list(numbers_of(node.attributes, "min", "max"))
    given = [name for name in node.inputs[1:] if name]
    if node.operator.since >= 11 and not given:
        return None
    for index, name in enumerate(node.inputs[1:]):
        if name and name not in program.constants:
            return None
        if name:
            bounds[index] = np.float32(program.constants[name].reshape(()))
    if any(np.isnan(bound) for bound in bounds):
        return None
    return lambda x, *others: run(clip_pass, tuple(bounds), x)


def _is_inf(node: Node, program: Program) -> Kernel:
    signs = tuple(bool(node.attributes[name]) for name in ("detect_negative", "detect_positive"))

    def kernel(x: Tensor) -> Tensor:
        result = np.empty(x.shape, np.bool_)
        is_inf_pass(whole(x, (x.size,)), result.reshape(-1), *signs)
        return result

    return kernel


def _p_relu(node: Node, program: Program) -> Kernel | None:
    """Slopes broadcast from the last axis on; those of versions before 7 do not."""
    if node.operator.since < 7:
        return None
    shape, slopes = (program.operands[name].shape for name in node.inputs)
    if shape == slopes:
        return lambda x, slope: run(p_relu_pass, (whole(slope, (-1,)),), x)
    missing = len(shape) - len(slopes)
    long = [axis + missing for axis, length in enumerate(slopes) if length != 1]
    if 0 in shape or missing < 0 or len(long) > 1:
        return None
    axis = long[0] if long else 0
    outer, inner = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
    flat = (outer, shape[axis], inner) if long else (1, 1, int(np.prod(shape)))

    def kernel(x: Tensor, slope: Tensor) -> Tensor:
        result = np.empty(shape, np.float32)
        p_relu_rows(whole(x, flat), whole(slope, (-1,)), result.reshape(flat))
        return result

    return kernel


ELEMENTWISE: Final[Mapping[str, Callable[[Node, Program], Kernel | None]]] = {
    "Clip": _clip,
    "HardSigmoid": _with(hard_sigmoid_pass, "alpha", "beta"),
    "HardSwish": lambda node, program: partial(run, hard_swish_pass, (ONE_SIXTH,)),
    "IsInf": _is_inf,
    "LeakyRelu": _with(leaky_relu_pass, "alpha"),
    "PRelu": _p_relu,
    "Relu": lambda node, program: partial(run, relu_pass, ()),
    "Shrink": _with(shrink_pass, "bias", "lambd"),
    "ThresholdedRelu": _with(thresholded_relu_pass, "alpha"),
}
"""By operator: gives the kernel of a node on binary32, or None for the operator's own."""
