"""Einsum by the steps of the operator, its contractions by exact products of prepared operands."""

from collections.abc import Callable
from functools import partial

import numpy as np

from ai_exec.fast.batches import multiply_batches
from ai_exec.fast.finishing import NOTHING, Finish, chain_of
from ai_exec.fast.layout import whole
from ai_exec.fast.linear import Matrix, prepared
from ai_exec.fast.products import Products
from ai_exec.ops.einsum import evaluated, parse
from ai_exec.program import Node, Program
from ai_exec.tensor import Tensor

Kernel = Callable[..., Tensor]


def einsum_kernel(node: Node, program: Program, products: Products) -> Kernel:
    """Give the kernel of an equation on binary32."""
    equation = node.attributes["equation"]
    assert isinstance(equation, str)
    operands = [program.operands[name] for name in node.inputs]
    plan = parse(equation, tuple(operand.rank for operand in operands))
    matrices: dict[int, Matrix] = {}
    constants = {
        place: program.constants[name]
        for place, name in enumerate(node.inputs)
        if place and name in program.constants
    }

    def ready(index: int, rows: Tensor, columns: Tensor) -> Tensor:
        """Prepare a constant right operand, if it is one matrix; the result does not matter."""
        if index in constants and columns.shape[0] == 1 and columns.size and rows.size:
            matrices[index] = prepared(np.array(columns[0]), rows.shape[1], products)
        return np.zeros((*rows.shape[:2], columns.shape[2]), np.float32)

    if constants:
        given = (
            constants.get(place, np.broadcast_to(np.float32(0), operand.shape))
            for place, operand in enumerate(operands)
        )
        evaluated(plan, tuple(given), ready)
    multiply = partial(_multiply, matrices)
    return lambda *inputs: evaluated(plan, inputs, multiply)


def _multiply(matrices: dict[int, Matrix], index: int, rows: Tensor, columns: Tensor) -> Tensor:
    batch, count, length = rows.shape
    out = np.empty((batch, count, columns.shape[2]), np.float32)
    chain, matrix = chain_of((), columns.shape[2]), matrices.get(index)
    if not length:
        out[:] = np.float32(0)
    elif matrix is not None:
        flat = whole(rows, (count, length))
        matrix.apply(flat, Finish(chain), NOTHING[0], out[0])
    else:
        places = np.zeros(batch, np.int64)
        left = whole(rows, (1, *rows.shape))
        right = whole(columns, (1, *columns.shape))
        multiply_batches(left, right, 1.0, *chain, NOTHING, places, out[np.newaxis])
    return out
