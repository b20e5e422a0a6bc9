"""Which nodes the fast engine has a kernel of its own for, and what it prepares for them.

Every kernel gives the bits of the operator's own kernel: weights are quantised once instead of at
each run, attributes are read once, and checks that only serve odd values step aside for usual ones.
"""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, Final

import numpy as np

from ai_exec.fast import classic, quantised, recurrent
from ai_exec.fast.activations import ACTIVATIONS
from ai_exec.fast.attention import attention_kernel
from ai_exec.fast.casts import cast
from ai_exec.fast.choosing import top
from ai_exec.fast.einsum import einsum_kernel
from ai_exec.fast.elementwise import ELEMENTWISE
from ai_exec.fast.fourier import dft, stft
from ai_exec.fast.functions import KERNELS
from ai_exec.fast.interpolation import resize
from ai_exec.fast.movement import MOVES
from ai_exec.fast.normal import layer_rows
from ai_exec.fast.normalisations import NORMALISATIONS, normalisation
from ai_exec.fast.pooling import POOLS
from ai_exec.fast.products import STANDARD, Products
from ai_exec.fast.reductions import REDUCTIONS, reduction
from ai_exec.fast.rotation import rotary
from ai_exec.fast.weights import Weights, aligned
from ai_exec.program import Node, Program
from ai_exec.tensor import Tensor

Kernel = Callable[..., Any]
Prepare = Callable[[Node, Program, Products], Kernel | None]
"""Gives a kernel for a node, or None if these operands leave it to the operator's own."""


def find_kernel(
    node: Node, program: Program, products: Products = STANDARD, weights: Weights | None = None
) -> Kernel | None:
    """Give the fast kernel of a node, if there is one; it takes the inputs, gives one output.

    Those of `SEVERAL` give several.
    """
    operator = node.operator
    if operator.domain:
        return classic.find(node, program, weights or Weights())
    if is_lined_up(node):
        return None
    if operator.name in recurrent.KINDS:
        return recurrent.find(node, program, products, weights)
    if operator.name in quantised.PREPARATIONS:
        return quantised.find(node, program)
    if operator.name == "TopK":
        return top(node, program)
    if operator.name == "Attention":
        return attention_kernel(node, program)
    if len(node.outputs) != 1:
        return None
    if operator.name in MOVEMENTS:
        return MOVEMENTS[operator.name](node, program, products)
    prepare = PREPARATIONS.get(operator.name)
    if prepare is None:
        return None
    first = program.operands.get(node.inputs[0]) if node.inputs else None
    if first is None or first.dtype != "float32":
        return None
    return prepare(node, program, products)


SEVERAL: Final = (*quantised.SEVERAL, *classic.SEVERAL, *recurrent.KINDS)
"""Operators whose kernels give several outputs."""


def is_lined_up(node: Node) -> bool:
    """Tell whether attributes say where the second operand lies in the first: old versions only."""
    return "broadcast" in node.attributes and "axis" in node.attributes


def _constant(node: Node, program: Program, index: int) -> Tensor | None:
    name = node.inputs[index] if index < len(node.inputs) else ""
    constant = program.constants.get(name)
    return None if constant is None else aligned(constant)


def _activation(node: Node, program: Program, products: Products) -> Kernel | None:
    return ACTIVATIONS[node.operator.name](node.attributes)


def _layer(node: Node, program: Program, products: Products) -> Kernel | None:
    scale, bias = _constant(node, program, 1), _constant(node, program, 2)
    has_bias = len(node.inputs) > 2 and bool(node.inputs[2])
    shape, axis = program.operands[node.inputs[0]].shape, node.attributes["axis"]
    epsilon = node.attributes["epsilon"]
    assert isinstance(axis, int)
    assert isinstance(epsilon, float)
    kept, folded = shape[: axis % len(shape)], shape[axis % len(shape) :]
    if scale is None or (has_bias and bias is None):
        return None
    flat = (prod(kept), prod(folded))
    factor = np.array(np.broadcast_to(scale, folded), np.float64).reshape(-1)
    added = np.zeros(0)
    if bias is not None:
        added = np.array(np.broadcast_to(bias, folded), np.float64).reshape(-1)

    def layer(x: Tensor, *constants: Tensor | None) -> Tensor:
        out = np.empty(shape, np.float32)
        rows = np.ascontiguousarray(x).reshape(flat)
        layer_rows(rows, epsilon, factor, added, out.reshape(flat))
        return out

    return layer


def _reshape(node: Node, program: Program, products: Products) -> Kernel:
    shape = program.operands[node.outputs[0]].shape
    return lambda x, *others: x.reshape(shape)


def _transpose(node: Node, program: Program, products: Products) -> Kernel:
    axes = node.attributes["perm"]
    rank = program.operands[node.inputs[0]].rank
    order = tuple(reversed(range(rank))) if axes is None else axes
    return lambda x: x.transpose(order)


def _pool(node: Node, program: Program, products: Products) -> Kernel | None:
    return POOLS[node.operator.name](node, program)


def _of_node(prepare: Callable[[Node, Program], Kernel | None]) -> Prepare:
    return lambda node, program, products: prepare(node, program)


def _always(kernel: Kernel) -> Prepare:
    return lambda node, program, products: kernel


PREPARATIONS: Final[Mapping[str, Prepare]] = {
    "Einsum": einsum_kernel,
    "LayerNormalization": _layer,
    **{name: _always(kernel) for name, kernel in KERNELS.items()},
    **dict.fromkeys(ACTIVATIONS, _activation),
    **dict.fromkeys(POOLS, _pool),
    **{name: _of_node(find) for name, find in ELEMENTWISE.items()},
    "Resize": _of_node(resize),
    "RotaryEmbedding": _of_node(rotary),
    "DFT": _of_node(dft),
    "STFT": _of_node(stft),
    **dict.fromkeys(NORMALISATIONS, _of_node(normalisation)),
    **dict.fromkeys(REDUCTIONS, _of_node(reduction)),
    "Add": _always(np.add),
    "Sub": _always(np.subtract),
    "Mul": _always(np.multiply),
    "Div": _always(np.divide),
    "Sqrt": _always(np.sqrt),
    "Neg": _always(np.negative),
    "Abs": _always(np.abs),
}
MOVEMENTS: Final[Mapping[str, Prepare]] = {
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), _reshape),
    "Transpose": _transpose,
    "Cast": _of_node(cast),
    "CastLike": _of_node(cast),
    **{name: _of_node(find) for name, find in MOVES.items()},
}
"""For elements of any type."""
