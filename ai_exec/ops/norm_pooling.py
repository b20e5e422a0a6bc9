"""Pools that give the p-norm of windows: LpPool and GlobalLpPool."""

import numpy as np

from ai_exec.metering import QUANTISE_PICOSECONDS, gas
from ai_exec.ops.pooling import pool_cost, pool_scratch, pooled
from ai_exec.ops.rules import FLOATS, require_rank, size
from ai_exec.ops.windows import Windows, windows
from ai_exec.registry import Call, Mismatch, Operand, earlier, operator
from ai_exec.semantics import binary64
from ai_exec.semantics.numerics import Floats, exact_sum
from ai_exec.tensor import Tensor

Wholes = tuple[int, ...]

POWER_PICOSECONDS = 60_000
"""One power or root of one element."""


def powers(x: Tensor, p: float) -> Floats:
    """|x|^p in binary64: the product if p is 2, else e^(p log|x|)."""
    wide = np.abs(x.astype(np.float64))
    if p in (1, 2):
        return wide if p == 1 else wide * wide
    return binary64.exp(p * binary64.log(wide))


def root(total: Floats, p: float) -> Floats:
    """total^(1/p) in binary64: the square root if p is 2, else e^(log(total) / p)."""
    if p in (1, 2):
        return total if p == 1 else np.sqrt(total)
    return binary64.exp(binary64.log(total) / p)


def _check_power(call: Call) -> None:
    p = call.attributes["p"]
    assert isinstance(p, int | float)
    if not 0 < p < float("inf"):
        raise Mismatch(f"p is {p}")


def _lp_pool(call: Call) -> tuple[Operand, ...]:
    _check_power(call)
    return pooled(call)


def _cost(call: Call) -> int:
    return pool_cost(call) + _power_cost(call)


def _power_cost(call: Call) -> int:
    powered = size(call.at(0).shape) + size(call.outputs[0].shape)
    if call.attributes["p"] in (1, 2):
        return 20_000 + gas(3_000 * powered)
    return 250_000 + gas(POWER_PICOSECONDS * powered)


def _norms(x: Tensor, placed: Windows, p: float) -> Tensor:
    padded = placed.padded(powers(x, p), 0.0)
    total: Floats = np.zeros((*x.shape[:2], *placed.outputs))
    for place in placed.slices():
        total = total + padded[(slice(None), slice(None), *place)]
    return root(total, p).astype(x.dtype)


@operator("LpPool", since=(18, 22), infer=_lp_pool, cost=_cost, scratch=pool_scratch, values=FLOATS)
def lp_pool(
    x: Tensor,
    *,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    dilations: Wholes | None = None,
    kernel_shape: Wholes,
    p: int = 2,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> Tensor:
    """p-th root of the sum of |x|^p, in binary64 in the order of a window, rounded once."""
    placed = windows(
        x.shape[2:],
        kernel_shape,
        strides=strides,
        dilations=dilations,
        pads=pads,
        auto_pad=auto_pad,
        ceil_mode=ceil_mode,
    )
    return _norms(x, placed, p)


earlier("LpPool", since=(2, 11), of=18, lacks=("ceil_mode", "dilations"))


@operator("LpPool", since=1, infer=_lp_pool, cost=_cost, scratch=pool_scratch, values=FLOATS)
def lp_pool_1(
    x: Tensor,
    *,
    auto_pad: str = "NOTSET",
    kernel_shape: Wholes | None = None,
    p: float = 2.0,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> Tensor:
    """As later versions, for fractional p too."""
    placed = windows(
        x.shape[2:],
        kernel_shape or (),
        strides=strides,
        dilations=None,
        pads=pads,
        auto_pad=auto_pad,
    )
    return _norms(x, placed, p)


def _global(call: Call) -> tuple[Operand, ...]:
    _check_power(call)
    data = call.at(0)
    require_rank(data, range(3, 9), "X")
    return (Operand(data.dtype, (*data.shape[:2], *[1] * (data.rank - 2))),)


def _global_cost(call: Call) -> int:
    return 40_000 + _power_cost(call) + gas(QUANTISE_PICOSECONDS * size(call.at(0).shape))


@operator("GlobalLpPool", since=(2, 22), infer=_global, cost=_global_cost, values=FLOATS)
def global_lp_pool(x: Tensor, *, p: int = 2) -> Tensor:
    """p-th root in binary64 of the exact sum of |x|^p over all spatial axes, rounded once."""
    total = exact_sum(powers(x, p), tuple(range(2, x.ndim)))
    return root(total, p).astype(x.dtype)


@operator("GlobalLpPool", since=1, infer=_global, cost=_global_cost, values=FLOATS)
def global_lp_pool_1(x: Tensor, *, p: float = 2.0) -> Tensor:
    """As later versions, for fractional p too."""
    total = exact_sum(powers(x, p), tuple(range(2, x.ndim)))
    return root(total, p).astype(x.dtype)
