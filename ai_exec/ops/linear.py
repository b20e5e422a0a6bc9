"""Matrix products (R3 for floats, R4 for integers)."""

import numpy as np

from ai_exec.metering import MOVE_PICOSECONDS, contraction, gas
from ai_exec.ops.rules import (
    FLOATS,
    broadcast_shapes,
    broadcasts_to,
    one_dtype,
    require_rank,
    size,
)
from ai_exec.registry import Call, Idle, Mismatch, Operand, earlier, operator, usual_scratch
from ai_exec.semantics.numerics import Floats, cast, contract
from ai_exec.tensor import Shape, Tensor

WIDE_INTEGERS = ("int32", "int64", "uint32", "uint64")
MULTIPLIED = (*FLOATS, *WIDE_INTEGERS)


def product_shape(left: Shape, right: Shape) -> Shape:
    """Give the shape of a matrix product as numpy's `matmul` defines it; raises Mismatch."""
    if not left or not right:
        raise Mismatch("a matrix product of a scalar")
    rows = left[-2:-1]
    columns = right[-1:] if len(right) > 1 else ()
    inner = right[-2] if len(right) > 1 else right[0]
    if left[-1] != inner:
        raise Mismatch(f"shapes {list(left)} and {list(right)} differ along the contracted axis")
    return broadcast_shapes(left[:-2], right[:-2]) + rows + columns


def _matmul(call: Call) -> tuple[Operand, ...]:
    return (Operand(one_dtype(call), product_shape(call.at(0).shape, call.at(1).shape)),)


WHOLE_PRODUCT_PICOSECONDS = 8_000
"""One product of integers: no library multiplies matrices of them."""


def products_cost(dtype: str, multiply_adds: int, quantised: int, results: int) -> int:
    """Price a contraction of an element type; binary64 takes six products of three slices."""
    if "float" not in dtype:
        return gas(WHOLE_PRODUCT_PICOSECONDS * multiply_adds + MOVE_PICOSECONDS * results)
    if dtype != "float64":
        return contraction(multiply_adds, quantised, results)
    return 100_000 + contraction(10 * multiply_adds, 6 * quantised, 6 * results)


def _matmul_cost(call: Call) -> int:
    left, right, result = call.at(0), call.at(1), call.outputs[0]
    length = left.shape[-1]
    quantised = size(left.shape) + (0 if right.value is not None else size(right.shape))
    return products_cost(left.dtype, size(result.shape) * length, quantised, size(result.shape))


def products_scratch(call: Call) -> int:
    """Operands and results in binary64, three times over; of binary64 slices of them."""
    times = 2 if call.at(0).dtype == "float64" else 1
    return times * usual_scratch(call)


@operator(
    "MatMul",
    since=(9, 13),
    infer=_matmul,
    cost=_matmul_cost,
    scratch=products_scratch,
    values=MULTIPLIED,
)
def mat_mul(a: Tensor, b: Tensor) -> Tensor:
    """Matrix product: exact contraction, rounded once; integers wrap."""
    if a.dtype.kind != "f":
        return np.asarray(np.matmul(a, b))
    left = a[np.newaxis, :] if a.ndim == 1 else a
    right = b[:, np.newaxis] if b.ndim == 1 else b
    product = contract(left, right).astype(a.dtype)
    return product.reshape(product_shape(a.shape, b.shape))


@operator(
    "MatMul",
    since=1,
    infer=_matmul,
    cost=_matmul_cost,
    scratch=products_scratch,
    values=FLOATS,
)
def mat_mul_1(a: Tensor, b: Tensor) -> Tensor:
    """As later versions, floats only."""
    return mat_mul(a, b)


def _gemm_shape(call: Call) -> tuple[int, int, int]:
    left, right = call.at(0), call.at(1)
    require_rank(left, range(2, 3), "A")
    require_rank(right, range(2, 3), "B")
    rows, length = left.shape[::-1] if call.whole("transA") else left.shape
    inner, columns = right.shape[::-1] if call.whole("transB") else right.shape
    if length != inner:
        raise Mismatch(f"{left} and {right} differ along the contracted axis")
    return rows, length, columns


def _gemm(call: Call) -> tuple[Operand, ...]:
    rows, _, columns = _gemm_shape(call)
    dtype = one_dtype(call)
    bias = call.optional(2)
    if bias is not None:
        if not broadcasts_to(bias.shape, (rows, columns)):
            raise Mismatch(f"C is {bias}, which does not broadcast to [{rows}, {columns}]")
        if not call.attributes.get("broadcast", 1) and bias.shape != (rows, columns):
            raise Mismatch(f"C is {bias}, not [{rows}, {columns}], and broadcast is 0")
    return (Operand(dtype, (rows, columns)),)


def _gemm_cost(call: Call) -> int:
    rows, length, columns = _gemm_shape(call)
    right = 0 if call.at(1).value is not None else length * columns
    quantised = rows * length + right
    return products_cost(call.at(0).dtype, rows * length * columns, quantised, rows * columns)


@operator(
    "Gemm",
    since=(11, 13),
    infer=_gemm,
    cost=_gemm_cost,
    scratch=products_scratch,
    values=MULTIPLIED,
)
def gemm(
    a: Tensor,
    b: Tensor,
    c: Tensor | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,  # noqa: N803
    transB: int = 0,  # noqa: N803
) -> Tensor:
    """alpha A B + beta C: exact contraction, then binary64 step by step, rounded once.

    A factor of 1 is left out.  Integers wrap, unless there is a factor: then the wrapped product
    and C go through binary64.
    """
    left, right = a.T if transA else a, b.T if transB else b
    if a.dtype.kind != "f" and alpha == beta == 1.0:
        whole = np.matmul(left, right)
        return np.asarray(whole if c is None else whole + c)
    floats = a.dtype.kind == "f"
    product: Floats = contract(left, right) if floats else np.matmul(left, right).astype(np.float64)
    scaled = product if alpha == 1.0 else product * alpha
    if c is not None:
        bias = c.astype(np.float64)
        scaled = scaled + (bias if beta == 1.0 else bias * beta)
    return cast(scaled, a.dtype.name)


earlier("Gemm", since=9, of=11, inputs_needed=3)
earlier("Gemm", since=7, of=11, inputs_needed=3, values=FLOATS)
earlier(
    "Gemm",
    since=(1, 6),
    of=11,
    inputs_needed=3,
    values=FLOATS,
    idle={"broadcast": Idle("i", 0)},
)
