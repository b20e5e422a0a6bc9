"""Triangles, identities and determinants of matrices."""

import numpy as np

from ai_exec.metering import gas, per_element
from ai_exec.ops.rules import ANY, FLOATS, require_dtype, require_rank, same, size
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.tensor import DTYPE_NAMES, Tensor


def _triangle(call: Call) -> tuple[Operand, ...]:
    require_rank(call.at(0), range(2, 9), "input")
    diagonal = call.optional(1)
    if diagonal is not None:
        require_dtype(diagonal, ("int64",), "k")
        if size(diagonal.shape) != 1:
            raise Mismatch(f"k is {diagonal}, not a scalar")
    return same(call)


def _distance(rows: int, columns: int) -> Tensor:
    """How far each element lies right of the main diagonal."""
    return np.arange(columns) - np.arange(rows)[:, np.newaxis]


@operator("Trilu", since=14, infer=_triangle, cost=per_element(5_000), values=ANY, moves=True)
def trilu(input: Tensor, k: Tensor | None = None, *, upper: int = 1) -> Tensor:
    """Elements on and above the k-th diagonal, or on and below it; all others are 0."""
    diagonal = 0 if k is None else int(k.reshape(()))
    distance = _distance(*input.shape[-2:])
    kept = distance >= diagonal if upper else distance <= diagonal
    return np.where(kept, input, np.zeros((), input.dtype))


def _eye(call: Call) -> tuple[Operand, ...]:
    require_rank(call.at(0), range(2, 3), "input")
    number = call.attributes["dtype"]
    dtype = call.at(0).dtype if number is None else DTYPE_NAMES.get(call.whole("dtype"))
    if dtype is None:
        raise Mismatch(f"element type number {number} is not supported")
    return (Operand(dtype, call.at(0).shape),)


@operator("EyeLike", since=(9, 22), infer=_eye, cost=per_element(), values=ANY, native=True)
def eye_like(input: Tensor, *, dtype: int | None = None, k: int = 0) -> Tensor:
    """1 on the k-th diagonal, else 0."""
    chosen = input.dtype if dtype is None else np.dtype(DTYPE_NAMES[dtype])
    return np.equal(_distance(*input.shape), k).astype(chosen)


def _square(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    require_rank(data, range(2, 9), "X")
    if data.shape[-1] != data.shape[-2]:
        raise Mismatch(f"{data} is not of square matrices")
    return (Operand(data.dtype, data.shape[:-2]),)


def _square_cost(call: Call) -> int:
    length, count = call.at(0).shape[-1], size(call.outputs[0].shape)
    return gas(count * (4_000 * length**3 + 100_000 * length) + 50_000_000 * length)


@operator("Det", since=(11, 22), infer=_square, cost=_square_cost, values=FLOATS)
def det(x: Tensor) -> Tensor:
    """Product of the pivots of Gauss's elimination in binary64, rounded once.

    The pivot of a column is its first element of greatest magnitude from the diagonal on; its row
    changes place with the diagonal's, and the sign with it.  Then row i loses
    (row i's element / pivot) times the pivot's row, each step rounded.
    """
    length = x.shape[-1]
    left = x.reshape(size(x.shape[:-2]), length, length).astype(np.float64)
    result, each = np.ones(left.shape[0]), np.arange(left.shape[0])
    for column in range(length):
        chosen = np.argmax(np.abs(left[:, column:, column]), axis=1) + column
        pivots = left[each, chosen]
        left[each, chosen] = left[:, column]
        result = np.where(chosen == column, result, -result) * pivots[:, column]
        safe = np.where(pivots[:, column] == 0, 1.0, pivots[:, column])
        factors = left[:, column + 1 :, column] / safe[:, np.newaxis]
        left[:, column + 1 :] -= factors[:, :, np.newaxis] * pivots[:, np.newaxis, :]
    return result.astype(x.dtype).reshape(x.shape[:-2])
