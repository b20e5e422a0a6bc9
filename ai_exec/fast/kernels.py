"""Which nodes the fast engine has a kernel of its own for, and what it prepares for them.

Every kernel gives the bits of the operator's own kernel: weights are quantised once instead of at
each run, attributes are read once, and checks that only serve odd values step aside for usual ones.
"""

from collections.abc import Callable, Mapping
from math import prod
from typing import Final

import numpy as np

from ai_exec.fast.convolution import PreparedConvolution
from ai_exec.fast.finishing import NOTHING, WIDTH_MAX, Finish, chain_of
from ai_exec.fast.functions import KERNELS, softmax
from ai_exec.fast.linear import contract, prepared
from ai_exec.fast.products import STANDARD, Products
from ai_exec.program import Node, Program
from ai_exec.registry import Operand
from ai_exec.tensor import Tensor

Kernel = Callable[..., Tensor]
Prepare = Callable[[Node, Program, Products], Kernel | None]
"""Gives a kernel for a node, or None if these operands leave it to the operator's own."""


def find_kernel(node: Node, program: Program, products: Products = STANDARD) -> Kernel | None:
    """Give the fast kernel of a node, if there is one; it takes the inputs, gives one output."""
    operator = node.operator
    prepare = PREPARATIONS.get(operator.name) if operator.domain == "" else None
    if prepare is None or len(node.outputs) != 1:
        return None
    first = program.operands.get(node.inputs[0]) if node.inputs else None
    if first is None or first.dtype != "float32":
        return None
    return prepare(node, program, products)


def _constant(node: Node, program: Program, index: int) -> Tensor | None:
    name = node.inputs[index] if index < len(node.inputs) else ""
    return program.constants.get(name)


def _operand(node: Node, program: Program, index: int) -> Operand | None:
    name = node.inputs[index] if index < len(node.inputs) else ""
    return program.operands.get(name)


def _matmul(node: Node, program: Program, products: Products) -> Kernel | None:
    left, right = _operand(node, program, 0), _constant(node, program, 1)
    if left is None or right is None or right.ndim != 2 or left.rank < 2 or not len(right):
        return None
    matrix = prepared(right, prod(left.shape[:-1]), products)
    return lambda a, b: contract(matrix, a)


def _gemm(node: Node, program: Program, products: Products) -> Kernel | None:
    left, right = _operand(node, program, 0), _constant(node, program, 1)
    if left is None or right is None or not left.shape[0 if node.attributes["transA"] else 1]:
        return None
    given, bias = node.attributes, _constant(node, program, 2)
    alpha, beta, transposed = given["alpha"], given["beta"], bool(given["transA"])
    assert isinstance(alpha, float)
    assert isinstance(beta, float)
    matrix = prepared(
        right.T if given["transB"] else right, left.shape[1 if transposed else 0], products
    )
    added = np.zeros(0)
    if len(node.inputs) > 2 and node.inputs[2]:
        if bias is None or (bias.ndim > 1 and bias.shape[0] != 1):
            return None
        added = np.zeros(matrix.columns + WIDTH_MAX)
        wide = bias.astype(np.float64)
        added[: matrix.columns] = wide.reshape(-1) if beta == 1.0 else wide.reshape(-1) * beta
    finish = Finish(chain_of((), matrix.columns), alpha, added)

    def gemm(a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
        rows = np.ascontiguousarray(a.T if transposed else a)
        out = np.empty((rows.shape[0], matrix.columns), np.float32)
        matrix.multiply(matrix.quantise(rows), finish, NOTHING[0], out)
        return out

    return gemm


def _conv(node: Node, program: Program, products: Products) -> Kernel | None:
    data, weights = _operand(node, program, 0), _constant(node, program, 1)
    has_bias = len(node.inputs) > 2 and bool(node.inputs[2])
    bias = _constant(node, program, 2)
    if data is None or weights is None or (has_bias and bias is None):
        return None
    convolution = PreparedConvolution(data.shape, weights, bias, node.attributes)

    def conv(x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
        return convolution.run(x)

    return conv


def _relu(node: Node, program: Program, products: Products) -> Kernel:
    zero = np.float32(0)

    def relu(x: Tensor) -> Tensor:
        return np.maximum(x, zero) + zero

    return relu


def _softmax(node: Node, program: Program, products: Products) -> Kernel | None:
    axis = node.attributes["axis"]
    assert isinstance(axis, int)
    shape = program.operands[node.inputs[0]].shape
    if node.operator.since < 13 and axis % len(shape) != len(shape) - 1:
        return None
    return lambda x: softmax(x, axis)


def _always(kernel: Kernel) -> Prepare:
    return lambda node, program, products: kernel


PREPARATIONS: Final[Mapping[str, Prepare]] = {
    "MatMul": _matmul,
    "Gemm": _gemm,
    "Conv": _conv,
    "Relu": _relu,
    "Softmax": _softmax,
    **{name: _always(kernel) for name, kernel in KERNELS.items()},
    "Add": _always(np.add),
    "Sub": _always(np.subtract),
    "Mul": _always(np.multiply),
    "Div": _always(np.divide),
    "Sqrt": _always(np.sqrt),
    "Neg": _always(np.negative),
    "Abs": _always(np.abs),
}
