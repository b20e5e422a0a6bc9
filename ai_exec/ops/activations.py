"""Activation functions (R2 and compositions of R1 and R2, as each first line says)."""

import numpy as np

from ai_exec.metering import function, per_element
from ai_exec.ops.rules import FLOATS, NUMBERS, SIGNED, broadcasts_to, require_dtype, same
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics import functions
from ai_exec.semantics.numerics import cast, maximum, minimum
from ai_exec.tensor import Tensor


@operator("Relu", since=(6, 13, 14), infer=same, cost=per_element(), values=SIGNED)
def relu(x: Tensor) -> Tensor:
    """max(x, 0), NaN stays, a zero is +0."""
    return maximum(x, x.dtype.type(0))


@operator("LeakyRelu", since=(6, 16), infer=same, cost=per_element(12_000), values=FLOATS)
def leaky_relu(x: Tensor, *, alpha: float = 0.009999999776482582) -> Tensor:
    """x, below zero alpha x."""
    return np.where(x < 0, x.dtype.type(alpha) * x, x)


def _prelu(call: Call) -> tuple[Operand, ...]:
    first, slope = call.at(0), call.at(1)
    require_dtype(slope, (first.dtype,), "slope")
    if not broadcasts_to(slope.shape, first.shape):
        raise Mismatch(f"slope {slope} does not broadcast to {first}")
    return same(call)


@operator("PRelu", since=(7, 9, 16), infer=_prelu, cost=per_element(12_000), values=NUMBERS)
def p_relu(x: Tensor, slope: Tensor) -> Tensor:
    """x, below zero slope x."""
    return np.where(x < 0, slope * x, x)


@operator("ThresholdedRelu", since=(10, 22), infer=same, cost=per_element(8_000), values=FLOATS)
def thresholded_relu(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """x above alpha, else +0."""
    return np.where(x > x.dtype.type(alpha), x, x.dtype.type(0))


@operator("Sigmoid", since=(6, 13), infer=same, cost=function(), values=FLOATS)
def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e^-x), correctly rounded."""
    return functions.sigmoid(x)


@operator("HardSigmoid", since=(6, 22), infer=same, cost=per_element(5_000), values=FLOATS)
def hard_sigmoid(x: Tensor, *, alpha: float = 0.20000000298023224, beta: float = 0.5) -> Tensor:
    """max(0, min(1, alpha x + beta)), each step rounded."""
    one, zero = x.dtype.type(1), x.dtype.type(0)
    line: Tensor = x.dtype.type(alpha) * x + x.dtype.type(beta)
    return maximum(minimum(line, one), zero)


@operator("HardSwish", since=(14, 22), infer=same, cost=per_element(6_000), values=FLOATS)
def hard_swish(x: Tensor) -> Tensor:
    """x max(0, min(1, x / 6 + 1/2)), each step rounded, 1/6 as binary32."""
    product: Tensor = x * hard_sigmoid(x, alpha=float(np.float32(1 / 6)), beta=0.5)
    return product


@operator("Tanh", since=(6, 13), infer=same, cost=function(), values=FLOATS)
def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent, correctly rounded."""
    return functions.tanh(input)


@operator("Exp", since=(6, 13), infer=same, cost=function(3_500), values=FLOATS)
def exp(input: Tensor) -> Tensor:
    """e^input, correctly rounded."""
    return functions.exp(input)


@operator("Log", since=(6, 13), infer=same, cost=function(18_000), values=FLOATS)
def log(input: Tensor) -> Tensor:
    """Natural logarithm, correctly rounded."""
    return functions.log(input)


@operator("Erf", since=(9, 13), infer=same, cost=function(), values=FLOATS)
def erf(input: Tensor) -> Tensor:
    """Error function, correctly rounded."""
    return functions.erf(input)


def _gelu(call: Call) -> tuple[Operand, ...]:
    if call.word("approximate") not in ("none", "tanh"):
        raise Mismatch(f"approximate is {call.word('approximate')}, not none or tanh")
    return same(call)


@operator("Gelu", since=20, infer=_gelu, cost=function(5_500), values=FLOATS)
def gelu(x: Tensor, *, approximate: str = "none") -> Tensor:
    """x (1 + erf(x / sqrt 2)) / 2, or with `tanh` its approximation; each correctly rounded."""
    return functions.gelu_tanh(x) if approximate == "tanh" else functions.gelu(x)


@operator("Softplus", since=(1, 22), infer=same, cost=function(9_500), values=FLOATS)
def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x), correctly rounded."""
    return functions.softplus(x)


@operator("Softsign", since=(1, 22), infer=same, cost=per_element(4_000), values=FLOATS)
def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|), each step rounded."""
    quotient: Tensor = input / (input.dtype.type(1) + np.abs(input))
    return quotient


@operator("Elu", since=(6, 22), infer=same, cost=function(6_000), values=FLOATS)
def elu(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """x, below zero alpha (e^x - 1): the latter correctly rounded, then the product."""
    return np.where(x < 0, x.dtype.type(alpha) * functions.expm1(x), x)


@operator("Celu", since=(12, 28), infer=same, cost=function(7_000), values=FLOATS)
def celu(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """max(0, x) + min(0, alpha (e^(x / alpha) - 1)), each step rounded; a zero is +0."""
    scale = x.dtype.type(alpha)
    below = scale * functions.expm1(minimum(x / scale, x.dtype.type(0)))
    total: Tensor = maximum(x, x.dtype.type(0)) + minimum(below, x.dtype.type(0))
    return total


@operator("Selu", since=(6, 22), infer=same, cost=function(6_000), values=FLOATS)
def selu(
    x: Tensor, *, alpha: float = 1.6732631921768188, gamma: float = 1.0507010221481323
) -> Tensor:
    """gamma x, below zero gamma (alpha (e^x - 1)), each step rounded."""
    scale = x.dtype.type(gamma)
    below: Tensor = scale * (x.dtype.type(alpha) * functions.expm1(x))
    return np.where(x > 0, scale * x, below)


@operator("Mish", since=(18, 22), infer=same, cost=function(), values=FLOATS)
def mish(x: Tensor) -> Tensor:
    """x tanh(log(1 + e^x)), correctly rounded as one function."""
    return functions.mish(x)


@operator("Swish", since=24, infer=same, cost=function(), values=FLOATS)
def swish(x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """x / (1 + e^(-alpha x)), correctly rounded as one function."""
    return functions.swish(x, alpha)


@operator("Shrink", since=9, infer=same, cost=per_element(25_000), values=NUMBERS)
def shrink(input: Tensor, *, bias: float = 0.0, lambd: float = 0.5) -> Tensor:
    """x + bias below -lambd, x - bias above lambd, else +0; integers in binary64, then cast."""
    x = input if input.dtype.kind == "f" else input.astype(np.float64)
    shift, bound = x.dtype.type(bias), x.dtype.type(lambd)
    below = np.where(x < -bound, x + shift, x.dtype.type(0))
    return cast(np.where(x > bound, x - shift, below), input.dtype.name)
