"""Activation functions of the first operator sets."""

from ai_exec.metering import per_element
from ai_exec.ops import activations
from ai_exec.ops.first_versions import line_up, lined_up
from ai_exec.ops.rules import FLOATS, require_dtype, same
from ai_exec.registry import CONSUMED, Call, Operand, earlier, operator
from ai_exec.tensor import Tensor

for _name in ("Elu", "Exp", "HardSigmoid", "LeakyRelu", "Log", "Relu", "Sigmoid", "Tanh"):
    earlier(_name, since=1, of=6, idle=CONSUMED, values=FLOATS)

earlier(
    "Selu",
    since=1,
    of=6,
    idle=CONSUMED,
    # Later versions have more digits.
    starts={"alpha": 1.673200011253357, "gamma": 1.0506999492645264},
)


def _slope_of_channels(call: Call) -> tuple[Operand, ...]:
    first, slope = call.at(0), call.at(1)
    require_dtype(slope, (first.dtype,), "slope")
    lined_up(first.shape, slope.shape, 1)
    return same(call)


@operator("PRelu", since=6, infer=_slope_of_channels, cost=per_element(12_000), values=FLOATS)
def p_relu_6(x: Tensor, slope: Tensor) -> Tensor:
    """As later versions, with one slope, or one for each channel (axis 1)."""
    return activations.p_relu(x, line_up(x, slope, 1, 1))


earlier("PRelu", since=1, of=6, idle=CONSUMED)
