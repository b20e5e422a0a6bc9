"""Activation functions of the first operator set, with an attribute that means nothing today."""

from collections.abc import Callable
from typing import Final

from ai_exec.metering import function, per_element
from ai_exec.ops import activations
from ai_exec.ops.first_versions import line_up, lined_up
from ai_exec.ops.rules import FLOATS, Axes, require_dtype, same
from ai_exec.registry import Call, Cost, Kernel, Operand, operator
from ai_exec.tensor import Tensor

One = Callable[[Tensor], Tensor]

_FUNCTIONS: Final[dict[str, tuple[One, Cost]]] = {
    "Relu": (activations.relu, per_element()),
    "Sigmoid": (activations.sigmoid, function()),
    "Exp": (activations.exp, function(3_500)),
    "Tanh": (activations.tanh, function()),
    "Log": (activations.log, function(18_000)),
}


def _consuming(kernel: One, name: str) -> Kernel:
    """Give a kernel whose input is named as the specification does."""

    def of_x(x: Tensor, *, consumed_inputs: Axes | None = None) -> Tensor:
        return kernel(x)

    def of_input(input: Tensor, *, consumed_inputs: Axes | None = None) -> Tensor:
        return kernel(input)

    of_x.__doc__ = of_input.__doc__ = "As later versions."
    return of_input if name in ("Exp", "Log", "Tanh") else of_x


for _name, (_kernel, _cost) in _FUNCTIONS.items():
    operator(_name, since=1, infer=same, cost=_cost, values=FLOATS)(_consuming(_kernel, _name))


@operator("LeakyRelu", since=1, infer=same, cost=per_element(12_000), values=FLOATS)
def leaky_relu_1(
    x: Tensor, *, alpha: float = 0.009999999776482582, consumed_inputs: Axes | None = None
) -> Tensor:
    """As later versions."""
    return activations.leaky_relu(x, alpha=alpha)


@operator("Elu", since=1, infer=same, cost=function(6_000), values=FLOATS)
def elu_1(x: Tensor, *, alpha: float = 1.0, consumed_inputs: Axes | None = None) -> Tensor:
    """As later versions."""
    return activations.elu(x, alpha=alpha)


@operator("Selu", since=1, infer=same, cost=function(6_000), values=FLOATS)
def selu_1(
    x: Tensor,
    *,
    alpha: float = 1.673200011253357,
    consumed_inputs: Axes | None = None,
    gamma: float = 1.0506999492645264,
) -> Tensor:
    """As later versions, whose defaults have more digits."""
    return activations.selu(x, alpha=alpha, gamma=gamma)


@operator("HardSigmoid", since=1, infer=same, cost=per_element(5_000), values=FLOATS)
def hard_sigmoid_1(
    x: Tensor,
    *,
    alpha: float = 0.20000000298023224,
    beta: float = 0.5,
    consumed_inputs: Axes | None = None,
) -> Tensor:
    """As later versions."""
    return activations.hard_sigmoid(x, alpha=alpha, beta=beta)


def _slope_of_channels(call: Call) -> tuple[Operand, ...]:
    first, slope = call.at(0), call.at(1)
    require_dtype(slope, (first.dtype,), "slope")
    lined_up(first.shape, slope.shape, 1)
    return same(call)


@operator("PRelu", since=6, infer=_slope_of_channels, cost=per_element(12_000), values=FLOATS)
def p_relu_6(x: Tensor, slope: Tensor) -> Tensor:
    """As later versions, with one slope, or one for each channel (axis 1)."""
    return activations.p_relu(x, line_up(x, slope, 1, 1))


@operator("PRelu", since=1, infer=_slope_of_channels, cost=per_element(12_000), values=FLOATS)
def p_relu_1(x: Tensor, slope: Tensor, *, consumed_inputs: Axes | None = None) -> Tensor:
    """As version 6."""
    return p_relu_6(x, slope)
