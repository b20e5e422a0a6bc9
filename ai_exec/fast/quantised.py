"""Quantising and back in one pass each, and which nodes of the quantised family have kernels."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, Final

import numpy as np

from ai_exec.fast.byte_products import product_kernel
from ai_exec.fast.compilation import compiled, inlined
from ai_exec.fast.layout import whole
from ai_exec.ops.quantised import RANGES
from ai_exec.program import Node, Program
from ai_exec.tensor import DTYPE_NUMBERS, Tensor

Kernel = Callable[..., Any]

PLAIN: Final = ("uint8", "int8", "uint16", "int16")
INFINITY: Final = np.int32(0x7F800000)
SEVERAL: Final = ("DynamicQuantizeLinear", "Attention", "TopK")
"""Operators whose kernels give several outputs."""


@compiled
def quantise(x: Any, scales: Any, zeros: Any, low: Any, high: Any, out: Any) -> None:
    """Quantise binary32 numbers [outer, channel, inner], with a scale for each channel."""
    for outer in range(x.shape[0]):
        for channel in range(x.shape[1]):
            scale, zero = scales[channel], zeros[channel]
            least, most = np.float32(low - zero), np.float32(high - zero)
            source, target = x[outer, channel], out[outer, channel]
            for index in range(source.shape[0]):
                value = np.rint(source[index] / scale)
                value = value if value == value else np.float32(0)
                value = value if value > least else least
                value = value if value < most else most
                target[index] = np.int32(value) + zero


@compiled
def dequantise(x: Any, scales: Any, zeros: Any, out: Any) -> None:
    """Multiply what integers [outer, channel, inner] are above their zero points."""
    for outer in range(x.shape[0]):
        for channel in range(x.shape[1]):
            scale, zero = scales[channel], zeros[channel]
            source, target = x[outer, channel], out[outer, channel]
            for index in range(source.shape[0]):
                target[index] = np.float32(np.int64(source[index]) - zero) * scale


@compiled
def extremes(bits: Any) -> tuple[Any, Any, Any]:
    """Least and greatest of binary32 numbers and 0, and the greatest magnitude, by their bits.

    As whole numbers, those of negative ones turned round, bits are in the order of numbers.
    """
    least, greatest, size = np.int32(0), np.int32(0), np.int32(0)
    for index in range(bits.shape[0]):
        value = bits[index]
        plain = value & np.int32(0x7FFFFFFF)
        key = value ^ ((value >> np.int32(31)) & np.int32(0x7FFFFFFF))
        least, greatest, size = min(least, key), max(greatest, key), max(size, plain)
    return least, greatest, size


@inlined
def number_of(key: int) -> Any:
    """The number whose bits, turned round if it is negative, are these."""
    return np.int32(key ^ ((key >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32)


@compiled
def quantise_all(x: Any, out: Any, scale: Any, zero: Any) -> bool:
    """DynamicQuantizeLinear, or false for what has no usual range."""
    least, greatest, size = extremes(x.view(np.int32))
    if not least < greatest or size >= INFINITY:
        return False
    minimum, maximum = number_of(least), number_of(greatest)
    step = np.float32((maximum - minimum) / np.float32(255.0))
    if not step > 0 or not step < np.inf:
        return False
    start = min(max(-(minimum / step), np.float32(0.0)), np.float32(255.0))
    base = np.rint(start)
    scale[0], zero[0] = step, np.uint8(base)
    most = np.float32(np.float32(255.0) - base)
    for index in range(x.shape[0]):
        value = np.rint(x[index] / step)
        value = value if value > -base else -base
        value = value if value < most else most
        out[index] = np.uint8(np.int32(value + base))
    return True


def find(node: Node, program: Program) -> Kernel | None:
    """Give the kernel of a node of the quantised family, or None."""
    prepare = PREPARATIONS.get(node.operator.name)
    return None if prepare is None else prepare(node, program)


def _parameters(node: Node, program: Program) -> tuple[Tensor, Tensor, tuple[int, int, int]] | None:
    """Give the scales and zero points of each channel, and the data's shape around it."""
    data = program.operands[node.inputs[0]]
    scale = program.constants.get(node.inputs[1])
    named = len(node.inputs) > 2 and bool(node.inputs[2])
    zero = program.constants.get(node.inputs[2]) if named else np.zeros((), np.int8)
    blocked = bool(node.attributes.get("block_size"))
    if scale is None or zero is None or scale.dtype != np.float32 or blocked:
        return None
    around = (1, 1, prod(data.shape))
    if scale.size != 1:
        axis = node.attributes["axis"]
        assert isinstance(axis, int)
        axis %= data.rank
        around = (prod(data.shape[:axis]), data.shape[axis], prod(data.shape[axis + 1 :]))
    zeros = np.array(np.broadcast_to(zero.astype(np.int32).reshape(-1), scale.size))
    return np.array(scale.reshape(-1)), zeros, around


def _quantise(node: Node, program: Program) -> Kernel | None:
    result, data = program.operands[node.outputs[0]], program.operands[node.inputs[0]]
    single = DTYPE_NUMBERS["float32"]
    if data.dtype != "float32" or result.dtype not in PLAIN:
        return None
    if node.attributes.get("precision") not in (None, 0, single):
        return None
    found = _parameters(node, program)
    if found is None:
        return None
    scales, zeros, around = found
    low, high = (np.int32(end) for end in RANGES[result.dtype])

    def kernel(x: Tensor, *constants: Tensor | None) -> Tensor:
        out = np.empty(x.shape, result.dtype)
        flat = np.ascontiguousarray(x).reshape(around)
        quantise(flat, scales, zeros, low, high, out.reshape(around))
        return out

    return kernel


def _dequantise(node: Node, program: Program) -> Kernel | None:
    result, data = program.operands[node.outputs[0]], program.operands[node.inputs[0]]
    if result.dtype != "float32" or data.dtype not in (*PLAIN, "int32"):
        return None
    found = _parameters(node, program)
    if found is None:
        return None
    scales, zeros, around = found[0], found[1].astype(np.int64), found[2]

    def kernel(x: Tensor, *constants: Tensor | None) -> Tensor:
        out = np.empty(x.shape, np.float32)
        flat = np.ascontiguousarray(x).reshape(around)
        dequantise(flat, scales, zeros, out.reshape(around))
        return out

    return kernel


def _dynamic(node: Node, program: Program) -> Kernel | None:
    own = node.operator.kernel

    def kernel(x: Tensor) -> Any:
        out, scale, zero = (
            np.empty(x.shape, np.uint8),
            np.empty(1, np.float32),
            np.empty(1, np.uint8),
        )
        if not quantise_all(whole(x, (x.size,)), out.reshape(-1), scale, zero):
            return own(x)
        return out, scale.reshape(()), zero.reshape(())

    return kernel


PREPARATIONS: Final[Mapping[str, Callable[[Node, Program], Kernel | None]]] = {
    "QuantizeLinear": _quantise,
    "DequantizeLinear": _dequantise,
    "DynamicQuantizeLinear": _dynamic,
    "MatMulInteger": product_kernel,
    "ConvInteger": product_kernel,
    "QLinearMatMul": product_kernel,
    "QLinearConv": product_kernel,
}
"""Makers of kernels by the operator's name."""
