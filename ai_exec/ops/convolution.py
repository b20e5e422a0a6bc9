"""Convolution (R3)."""

import numpy as np

from ai_exec.metering import GROUP_GAS, contraction
from ai_exec.ops.rules import FLOAT32, one_dtype, require_rank, require_shape, size
from ai_exec.ops.windows import ELEMENT_GAS, Windows, padded_elements, windows, windows_of
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics.numerics import (
    Floats,
    channels_of_block,
    combine,
    product_bits,
    quantise,
    round_to_float32,
    whole_product,
)
from ai_exec.tensor import Tensor

Wholes = tuple[int, ...]


def _conv(call: Call) -> tuple[Operand, ...]:
    data, weights = call.at(0), call.at(1)
    dtype = one_dtype(call)
    require_rank(data, range(3, 6), "X")
    require_rank(weights, range(data.rank, data.rank + 1), "W")
    kernel = call.wholes("kernel_shape")
    if kernel is not None and kernel != weights.shape[2:]:
        raise Mismatch(f"kernel_shape is {list(kernel)}, W is {weights}")
    group, channels, maps = call.whole("group"), data.shape[1], weights.shape[0]
    if group < 1 or maps % group or channels != weights.shape[1] * group:
        raise Mismatch(f"group is {group}, X is {data}, W is {weights}")
    bias = call.optional(2)
    if bias is not None:
        require_shape(bias, (maps,), "B")
    placed = windows_of(call, weights.shape[2:])
    return (Operand(dtype, (data.shape[0], maps, *placed.outputs)),)


def _conv_cost(call: Call) -> int:
    data, weights, result = call.at(0), call.at(1), call.outputs[0]
    length = size(weights.shape[1:])
    padded = padded_elements(call, weights.shape[2:])
    quantised = (
        size(data.shape) + padded // 4 + (0 if weights.value is not None else size(weights.shape))
    )
    gathered = length * call.whole("group") * size(result.shape[2:]) * result.shape[0]
    products = size(result.shape) * length
    groups = max(GROUP_GAS, ELEMENT_GAS * size(weights.shape[2:])) * call.whole("group")
    return groups + contraction(products, quantised + gathered // 3, size(result.shape))


def _conv_scratch(call: Call) -> int:
    """Windows in binary64, twice, beside quantised operands."""
    data, weights, result = call.at(0), call.at(1), call.outputs[0]
    gathered = data.shape[0] * data.shape[1] * size((*weights.shape[2:], *result.shape[2:]))
    padded = padded_elements(call, weights.shape[2:])
    return 16 * (gathered + padded) + 24 * (
        size(data.shape) + size(weights.shape) + size(result.shape)
    )


@operator(
    "Conv",
    since=(1, 11, 22),
    infer=_conv,
    cost=_conv_cost,
    scratch=_conv_scratch,
    values=FLOAT32,
)
def conv(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Wholes | None = None,
    group: int = 1,
    kernel_shape: Wholes | None = None,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> Tensor:
    """Sum of the products of each window with each kernel, plus a bias, rounded once.

    Rows of R3 are all elements of a sample and group within a block of channels, and each kernel.
    Products are summed by blocks of whole channels, in their order.  The bias is added in binary64.
    """
    placed = windows(
        x.shape[2:],
        w.shape[2:],
        strides=strides,
        dilations=dilations,
        pads=pads,
        auto_pad=auto_pad,
    )
    inputs, maps = w.shape[1], w.shape[0] // group
    parts = [
        convolve(
            x[:, index * inputs : (index + 1) * inputs],
            w[index * maps : (index + 1) * maps],
            placed,
        )
        for index in range(group)
    ]
    total = np.concatenate(parts, axis=1)
    if b is not None:
        total = total + b.astype(np.float64).reshape(-1, *[1] * (x.ndim - 2))
    return round_to_float32(total)


def convolve(data: Tensor, kernels: Tensor, placed: Windows) -> Floats:
    """Convolve one group, not yet rounded: [sample, map, ...outputs]."""
    samples, channels, maps = data.shape[0], data.shape[1], kernels.shape[0]
    step = channels_of_block(placed.elements)
    total = np.zeros((samples, maps, *placed.outputs))
    for start in range(0, channels, step):
        block = slice(start, min(start + step, channels))
        length = (block.stop - block.start) * placed.elements
        bits = product_bits(length)
        a = quantise(data[:, block], tuple(range(1, data.ndim)), bits)
        b = quantise(kernels[:, block].reshape(maps, length), (1,), bits)
        gathered = placed.gather(a.digits, 0.0)
        columns = gathered.reshape(samples, length, size(placed.outputs))
        whole = whole_product(b.digits, columns).reshape(total.shape)
        left, right = a.scale, b.scale.reshape(-1, *[1] * len(placed.outputs))
        part = combine(whole, left, right)
        total = part if start == 0 else total + part
    return total
