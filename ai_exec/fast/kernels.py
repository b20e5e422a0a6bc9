"""Which nodes the fast engine has a kernel of its own for, and what it prepares for them.

Every kernel gives the bits of the operator's own kernel: weights are quantised once instead of at
each run, attributes are read once, and checks that only serve odd values step aside for usual ones.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from ai_exec.fast.convolution import PreparedConvolution
from ai_exec.fast.functions import KERNELS, softmax
from ai_exec.fast.linear import Contraction, prepared
from ai_exec.fast.products import STANDARD, Products
from ai_exec.program import Node, Program
from ai_exec.registry import Operand
from ai_exec.semantics.numerics import Floats
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
    if left is None or right is None or right.ndim != 2 or left.rank < 2:
        return None
    contract = prepared(right, left.shape, products).contract

    def matmul(a: Tensor, b: Tensor) -> Tensor:
        return contract(a).astype(np.float32)

    return matmul


def _gemm(node: Node, program: Program, products: Products) -> Kernel | None:
    left, right = _operand(node, program, 0), _constant(node, program, 1)
    has_bias = len(node.inputs) > 2 and bool(node.inputs[2])
    bias = _constant(node, program, 2)
    if left is None or right is None or (has_bias and bias is None):
        return None
    given = node.attributes
    alpha, beta, transposed = given["alpha"], given["beta"], bool(given["transA"])
    assert isinstance(alpha, float)
    assert isinstance(beta, float)
    shape = left.shape[::-1] if transposed else left.shape
    matrix = prepared(right.T if given["transB"] else right, shape, products)
    added = None if bias is None else bias.astype(np.float64)
    if added is not None and beta != 1.0:
        added = added * beta
    if alpha == 1.0 and added is not None and not transposed:
        return _layer(matrix, added + 0.0)

    def gemm(a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
        product = matrix.contract(a.T if transposed else a)
        if alpha != 1.0:
            product *= alpha
        if added is not None:
            product += added
        return product.astype(np.float32)

    return gemm


def _layer(matrix: Contraction, bias: Floats) -> Kernel:
    """The usual case of Gemm: a product that is never -0, plus a bias without -0."""

    def layer(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        return matrix.contract_and_add(a, bias).astype(np.float32)

    return layer


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
