"""Running sums and products: in index order, in binary64 for floats."""

from collections.abc import Callable

import numpy as np

from ai_exec.metering import per_element
from ai_exec.ops.rules import FLOATS, INDICES, axis_of, require_dtype, size
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.tensor import Shape, Tensor

Run = Callable[..., Tensor]

ACCUMULATED = (*FLOATS, "int32", "int64", "uint32", "uint64")


def _running(call: Call) -> tuple[Operand, ...]:
    data, axis = call.at(0), call.at(1)
    require_dtype(axis, INDICES, "axis")
    if size(axis.shape) != 1:
        raise Mismatch(f"axis is {axis}, not a scalar")
    if axis.value is not None:
        axis_of(int(axis.value.reshape(())), data.rank)
    elif not data.rank:
        raise Mismatch(f"{data} has no axis")
    return (Operand(data.dtype, data.shape),)


def run_along(
    x: Tensor, axis: Tensor, *, by: Run, start: int, exclusive: int, reverse: int
) -> Tensor:
    """Accumulate along an axis; one that is outside the tensor wraps round."""
    along = int(axis.reshape(())) % x.ndim
    ordered = np.flip(x, along) if reverse else x
    if exclusive:
        edge: Shape = (*x.shape[:along], min(1, x.shape[along]), *x.shape[along + 1 :])
        kept = np.split(ordered, [max(x.shape[along] - 1, 0)], axis=along)[0]
        ordered = np.concatenate([np.full(edge, start, x.dtype), kept], axis=along)
    wide = np.float64 if x.dtype.kind == "f" else x.dtype
    found = by(ordered, axis=along, dtype=wide).astype(x.dtype)
    return np.flip(found, along) if reverse else found


@operator("CumSum", since=(11, 14), infer=_running, cost=per_element(8_000), values=ACCUMULATED)
def cum_sum(x: Tensor, axis: Tensor, *, exclusive: int = 0, reverse: int = 0) -> Tensor:
    """Sums in index order in binary64, each rounded once for its place; integers wrap."""
    return run_along(x, axis, by=np.cumsum, start=0, exclusive=exclusive, reverse=reverse)


@operator("CumProd", since=26, infer=_running, cost=per_element(8_000), values=ACCUMULATED)
def cum_prod(x: Tensor, axis: Tensor, *, exclusive: int = 0, reverse: int = 0) -> Tensor:
    """Products in index order in binary64, each rounded once for its place; integers wrap."""
    return run_along(x, axis, by=np.cumprod, start=1, exclusive=exclusive, reverse=reverse)
