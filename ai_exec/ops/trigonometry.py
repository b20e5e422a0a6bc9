"""Trigonometric and hyperbolic functions (R2)."""

from ai_exec.metering import function
from ai_exec.ops.rules import FLOATS, same
from ai_exec.registry import operator
from ai_exec.semantics import functions
from ai_exec.tensor import Tensor


@operator("Acos", since=(7, 22), infer=same, cost=function(18_000), values=FLOATS)
def acos(input: Tensor) -> Tensor:
    """Arc cosine, correctly rounded; NaN beyond -1 and 1."""
    return functions.acos(input)


@operator("Acosh", since=(9, 22), infer=same, cost=function(18_000), values=FLOATS)
def acosh(input: Tensor) -> Tensor:
    """Inverse of the hyperbolic cosine, correctly rounded; NaN below 1."""
    return functions.acosh(input)


@operator("Asin", since=(7, 22), infer=same, cost=function(18_000), values=FLOATS)
def asin(input: Tensor) -> Tensor:
    """Arc sine, correctly rounded; NaN beyond -1 and 1."""
    return functions.asin(input)


@operator("Asinh", since=(9, 22), infer=same, cost=function(8_000), values=FLOATS)
def asinh(input: Tensor) -> Tensor:
    """Inverse of the hyperbolic sine, correctly rounded."""
    return functions.asinh(input)


@operator("Atan", since=(7, 22), infer=same, cost=function(), values=FLOATS)
def atan(input: Tensor) -> Tensor:
    """Arc tangent, correctly rounded."""
    return functions.atan(input)


@operator("Atanh", since=(9, 22), infer=same, cost=function(18_000), values=FLOATS)
def atanh(input: Tensor) -> Tensor:
    """Inverse of the hyperbolic tangent, correctly rounded; NaN beyond -1 and 1."""
    return functions.atanh(input)


@operator("Cos", since=(7, 22), infer=same, cost=function(), values=FLOATS)
def cos(input: Tensor) -> Tensor:
    """Cosine, correctly rounded; NaN at infinity."""
    return functions.cos(input)


@operator("Cosh", since=(9, 22), infer=same, cost=function(), values=FLOATS)
def cosh(input: Tensor) -> Tensor:
    """Hyperbolic cosine, correctly rounded."""
    return functions.cosh(input)


@operator("Sin", since=(7, 22), infer=same, cost=function(), values=FLOATS)
def sin(input: Tensor) -> Tensor:
    """Sine, correctly rounded; NaN at infinity."""
    return functions.sin(input)


@operator("Sinh", since=(9, 22), infer=same, cost=function(), values=FLOATS)
def sinh(input: Tensor) -> Tensor:
    """Hyperbolic sine, correctly rounded."""
    return functions.sinh(input)


@operator("Tan", since=(7, 22), infer=same, cost=function(), values=FLOATS)
def tan(input: Tensor) -> Tensor:
    """Tangent, correctly rounded; NaN at infinity."""
    return functions.tan(input)
