"""Activation functions (R2 and compositions of R1 and R2, as each first line says)."""

import numpy as np

from ai_exec.metering import EXP_PICOSECONDS, function, per_element
from ai_exec.ops.rules import FLOAT32, NUMBERS, SIGNED, broadcasts_to, require_dtype, same
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics import functions
from ai_exec.semantics.numerics import maximum, minimum
from ai_exec.tensor import Tensor

ONE = np.array(1, np.float32)
ZERO = np.array(0, np.float32)


@operator("Relu", since=(6, 13, 14), infer=same, cost=per_element(), values=SIGNED)
def relu(x: Tensor) -> Tensor:
    """max(x, 0), NaN stays, a zero is +0."""
    return maximum(x, x.dtype.type(0))


@operator("LeakyRelu", since=(6, 16), infer=same, cost=per_element(3_000), values=FLOAT32)
def leaky_relu(x: Tensor, *, alpha: float = 0.009999999776482582) -> Tensor:
    """x, below zero alpha x."""
    return np.where(x < 0, np.float32(alpha) * x, x)


def _prelu(call: Call) -> tuple[Operand, ...]:
    first, slope = call.at(0), call.at(1)
    require_dtype(slope, (first.dtype,), "slope")
    if not broadcasts_to(slope.shape, first.shape):
        raise Mismatch(f"slope {slope} does not broadcast to {first}")
    return same(call)


@operator("PRelu", since=(7, 9, 16), infer=_prelu, cost=per_element(3_000), values=NUMBERS)
def p_relu(x: Tensor, slope: Tensor) -> Tensor:
    """x, below zero slope x."""
    return np.where(x < 0, slope * x, x)


@operator("ThresholdedRelu", since=(10, 22), infer=same, cost=per_element(), values=FLOAT32)
def thresholded_relu(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """x above alpha, else +0."""
    return np.where(x > np.float32(alpha), x, ZERO)


@operator("Sigmoid", since=(6, 13), infer=same, cost=per_element(EXP_PICOSECONDS), values=FLOAT32)
def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e^-x), correctly rounded."""
    return functions.sigmoid(x)


@operator("HardSigmoid", since=(6, 22), infer=same, cost=per_element(5_000), values=FLOAT32)
def hard_sigmoid(x: Tensor, *, alpha: float = 0.20000000298023224, beta: float = 0.5) -> Tensor:
    """max(0, min(1, alpha x + beta)), each step rounded."""
    return maximum(minimum(np.float32(alpha) * x + np.float32(beta), ONE), ZERO)


@operator("HardSwish", since=(14, 22), infer=same, cost=per_element(6_000), values=FLOAT32)
def hard_swish(x: Tensor) -> Tensor:
    """x max(0, min(1, x / 6 + 1/2)), each step rounded, 1/6 as binary32."""
    return x * maximum(minimum(np.float32(1 / 6) * x + np.float32(0.5), ONE), ZERO)


@operator("Tanh", since=(6, 13), infer=same, cost=function(), values=FLOAT32)
def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent, correctly rounded."""
    return functions.tanh(input)


@operator("Exp", since=(6, 13), infer=same, cost=per_element(EXP_PICOSECONDS), values=FLOAT32)
def exp(input: Tensor) -> Tensor:
    """e^input, correctly rounded."""
    return functions.exp(input)


@operator("Log", since=(6, 13), infer=same, cost=function(), values=FLOAT32)
def log(input: Tensor) -> Tensor:
    """Natural logarithm, correctly rounded."""
    return functions.log(input)


@operator("Erf", since=(9, 13), infer=same, cost=function(2), values=FLOAT32)
def erf(input: Tensor) -> Tensor:
    """Error function, correctly rounded."""
    return functions.erf(input)


def _gelu(call: Call) -> tuple[Operand, ...]:
    if call.word("approximate") not in ("none", "tanh"):
        raise Mismatch(f"approximate is {call.word('approximate')}, not none or tanh")
    return same(call)


@operator("Gelu", since=20, infer=_gelu, cost=function(2), values=FLOAT32)
def gelu(x: Tensor, *, approximate: str = "none") -> Tensor:
    """x (1 + erf(x / sqrt 2)) / 2, correctly rounded; `tanh` is pinned (`functions.gelu_tanh`)."""
    return functions.gelu_tanh(x) if approximate == "tanh" else functions.gelu(x)


@operator("Softplus", since=(1, 22), infer=same, cost=function(2), values=FLOAT32)
def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x), correctly rounded."""
    return functions.softplus(x)


@operator("Softsign", since=(1, 22), infer=same, cost=per_element(6_000), values=FLOAT32)
def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|), each step rounded."""
    return input / (ONE + np.abs(input))


@operator("Elu", since=(6, 22), infer=same, cost=function(), values=FLOAT32)
def elu(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """x, below zero alpha (e^x - 1): the latter correctly rounded, then the product."""
    return np.where(x < 0, np.float32(alpha) * functions.expm1(x), x)


@operator("Celu", since=12, infer=same, cost=function(), values=FLOAT32)
def celu(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """As `Elu` of the quotient x / alpha, below zero; each step rounded."""
    scale = np.float32(alpha)
    return np.where(x < 0, scale * functions.expm1(np.minimum(x / scale, ZERO)), x)


@operator("Selu", since=(6, 22), infer=same, cost=function(), values=FLOAT32)
def selu(
    x: Tensor, *, alpha: float = 1.6732631921768188, gamma: float = 1.0507010221481323
) -> Tensor:
    """gamma x, below zero gamma (alpha (e^x - 1)), each step rounded."""
    below = np.float32(gamma) * (np.float32(alpha) * functions.expm1(x))
    return np.where(x > 0, np.float32(gamma) * x, below)


@operator("Mish", since=(18, 22), infer=same, cost=function(3), values=FLOAT32)
def mish(x: Tensor) -> Tensor:
    """x tanh(log(1 + e^x)), each step correctly rounded."""
    return x * functions.tanh(functions.softplus(x))
