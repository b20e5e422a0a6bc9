"""One pass over an array for each function of one binary32 number: the true values rounded."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ai_exec.fast.compilation import compiled
from ai_exec.fast.scalar import (
    acos_f32,
    acosh_f32,
    asin_f32,
    asinh_f32,
    atan_f32,
    atanh_f32,
    cosh_f32,
    erf_f32,
    exp_f32,
    expm1_f32,
    gelu_f32,
    gelu_tanh_f32,
    log_f32,
    mish_f32,
    sigmoid_f32,
    silu_f32,
    sinh_f32,
    softplus_f32,
    tanh_f32,
)
from ai_exec.fast.trigonometry import cos, sin, tan

Singles = npt.NDArray[np.float32]
Pass = Callable[[Singles, Singles], None]
"""Takes the numbers and a place for the results, both flat and in one piece."""


@compiled
def acos(x: Singles, result: Singles) -> None:
    """Arc cosine."""
    for place in range(x.size):
        result[place] = acos_f32(x[place])


@compiled
def acosh(x: Singles, result: Singles) -> None:
    """Inverse of the hyperbolic cosine."""
    for place in range(x.size):
        result[place] = acosh_f32(x[place])


@compiled
def asin(x: Singles, result: Singles) -> None:
    """Arc sine."""
    for place in range(x.size):
        result[place] = asin_f32(x[place])


@compiled
def asinh(x: Singles, result: Singles) -> None:
    """Inverse of the hyperbolic sine."""
    for place in range(x.size):
        result[place] = asinh_f32(x[place])


@compiled
def atan(x: Singles, result: Singles) -> None:
    """Arc tangent."""
    for place in range(x.size):
        result[place] = atan_f32(x[place])


@compiled
def atanh(x: Singles, result: Singles) -> None:
    """Inverse of the hyperbolic tangent."""
    for place in range(x.size):
        result[place] = atanh_f32(x[place])


@compiled
def cosh(x: Singles, result: Singles) -> None:
    """Hyperbolic cosine."""
    for place in range(x.size):
        result[place] = cosh_f32(x[place])


@compiled
def erf(x: Singles, result: Singles) -> None:
    """Error function."""
    for place in range(x.size):
        result[place] = erf_f32(x[place])


@compiled
def exp(x: Singles, result: Singles) -> None:
    """e^x."""
    for place in range(x.size):
        result[place] = exp_f32(x[place])


@compiled
def expm1(x: Singles, result: Singles) -> None:
    """e^x - 1."""
    for place in range(x.size):
        result[place] = expm1_f32(x[place])


@compiled
def gelu(x: Singles, result: Singles) -> None:
    """x (1 + erf(x / sqrt 2)) / 2."""
    for place in range(x.size):
        result[place] = gelu_f32(x[place])


@compiled
def gelu_tanh(x: Singles, result: Singles) -> None:
    """The approximation of gelu by tanh."""
    for place in range(x.size):
        result[place] = gelu_tanh_f32(x[place])


@compiled
def log(x: Singles, result: Singles) -> None:
    """Natural logarithm."""
    for place in range(x.size):
        result[place] = log_f32(x[place])


@compiled
def mish(x: Singles, result: Singles) -> None:
    """x tanh(log(1 + e^x))."""
    for place in range(x.size):
        result[place] = mish_f32(x[place])


@compiled
def sigmoid(x: Singles, result: Singles) -> None:
    """1 / (1 + e^-x)."""
    for place in range(x.size):
        result[place] = sigmoid_f32(x[place])


@compiled
def silu(x: Singles, result: Singles) -> None:
    """x / (1 + e^-x)."""
    for place in range(x.size):
        result[place] = silu_f32(x[place])


@compiled
def sinh(x: Singles, result: Singles) -> None:
    """Hyperbolic sine."""
    for place in range(x.size):
        result[place] = sinh_f32(x[place])


@compiled
def softplus(x: Singles, result: Singles) -> None:
    """log(1 + e^x)."""
    for place in range(x.size):
        result[place] = softplus_f32(x[place])


@compiled
def tanh(x: Singles, result: Singles) -> None:
    """Hyperbolic tangent."""
    for place in range(x.size):
        result[place] = tanh_f32(x[place])


PASSES: Final[Mapping[str, Pass]] = {
    "acos": acos,
    "acosh": acosh,
    "asin": asin,
    "asinh": asinh,
    "atan": atan,
    "atanh": atanh,
    "cos": cos,
    "cosh": cosh,
    "erf": erf,
    "exp": exp,
    "expm1": expm1,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "log": log,
    "mish": mish,
    "sigmoid": sigmoid,
    "silu": silu,
    "sin": sin,
    "sinh": sinh,
    "softplus": softplus,
    "tan": tan,
    "tanh": tanh,
}
"""By the names of `ai_exec.semantics.functions.FUNCTIONS`."""


def apply(name: str, x: Singles) -> Singles:
    """Give a function, by its name, of all elements."""
    result = np.empty(x.shape, np.float32)
    PASSES[name](np.ascontiguousarray(x).reshape(-1), result.reshape(-1))
    return result
