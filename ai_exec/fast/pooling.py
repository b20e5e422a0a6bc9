"""Pools over data whose channels lie last: the greatest, or exact means, of windows.

Results are views with the axes in ONNX's order, as those of convolutions (`convolution.py`).
"""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.convolution import channels_last, channels_second
from ai_exec.fast.convolution_rows import scales_of
from ai_exec.fast.scalar import WHOLE
from ai_exec.ops.windows import Windows, windows
from ai_exec.program import Node, Program
from ai_exec.registry import Attributes
from ai_exec.semantics.numerics import Floats, sum_bits
from ai_exec.tensor import Shape, Tensor

Kernel = Callable[..., Tensor]
UNKNOWN: Final = np.zeros(0, np.int32)
"""Sizes that are still to be found."""


@compiled
def inside_of(start: int, length: int, size: int, dilation: int) -> Any:
    """Taps of a window along an axis that lie in the data: the first, the one after the last."""
    first = (max(-start, 0) + dilation - 1) // dilation
    last = (length - start + dilation - 1) // dilation
    return first, max(min(last, size), first)


@compiled
def greatest_of(x: Any, shape: Any, out: Any) -> None:
    """Greatest of windows of x [sample, height, width, channel]; NaN if there is one."""
    kernel, strides, dilations, before = shape
    height, width, channels = x.shape[1], x.shape[2], x.shape[3]
    for sample in range(out.shape[0]):
        for y in range(out.shape[1]):
            top = y * strides[0] - before[0]
            first, last = inside_of(top, height, kernel[0], dilations[0])
            for z in range(out.shape[2]):
                left = z * strides[1] - before[1]
                start, stop = inside_of(left, width, kernel[1], dilations[1])
                for channel in range(channels):
                    out[sample, y, z, channel] = -np.inf
                for down in range(first, last):
                    line = top + down * dilations[0]
                    for right in range(start, stop):
                        column = left + right * dilations[1]
                        for channel in range(channels):
                            value = x[sample, line, column, channel]
                            best = out[sample, y, z, channel]
                            # `!=` is for NaN; a zero becomes +0.
                            taken = value > best or value != value
                            out[sample, y, z, channel] = value + np.float32(0) if taken else best


@compiled
def mean_of(
    x: Any, shape: Any, factors: Any, scales: Any, counts: Any, sums: Any, out: Any
) -> None:
    """Exact means of windows of x [sample, height, width, channel]; counts are of each result."""
    kernel, strides, dilations, before = shape
    height, width, channels = x.shape[1], x.shape[2], x.shape[3]
    for sample in range(out.shape[0]):
        factor, scale = factors[sample], scales[sample]
        for y in range(out.shape[1]):
            top = y * strides[0] - before[0]
            first, last = inside_of(top, height, kernel[0], dilations[0])
            for z in range(out.shape[2]):
                left = z * strides[1] - before[1]
                start, stop = inside_of(left, width, kernel[1], dilations[1])
                sums[:] = 0.0
                for down in range(first, last):
                    line = top + down * dilations[0]
                    for right in range(start, stop):
                        column = left + right * dilations[1]
                        for channel in range(channels):
                            value = np.float64(x[sample, line, column, channel])
                            shifted = value * factor[channel] + WHOLE
                            sums[channel] = sums[channel] + (shifted - WHOLE)
                for channel in range(channels):
                    mean = sums[channel] * scale[channel] / counts[y, z]
                    out[sample, y, z, channel] = np.float32(mean)


def _scales(x: Tensor, bits: int) -> tuple[Floats, Floats]:
    """Factors and scales of each sample and channel of x [sample, ..., channel]."""
    samples, channels = x.shape[0], x.shape[-1]
    factors, scales = np.empty((2, samples, channels))
    bounds, lengths = np.arange(channels + 1), np.full(channels, bits)
    for sample in range(samples):
        scales_of(x[sample].reshape(-1), UNKNOWN, bounds, lengths, factors[sample], scales[sample])
    return factors, scales


def _flat(placed: Windows) -> tuple[Shape, Shape, Shape, Shape]:
    return placed.kernel, placed.strides, placed.dilations, placed.before


def _placed(node: Node, shape: Shape) -> Windows | None:
    """Place the windows of a pool over two axes."""
    if len(shape) != 4 or not prod(shape):
        return None
    given = node.attributes
    lengths = {name: _wholes(given, name) for name in ("strides", "dilations", "pads")}
    kernel, ceil_mode = _wholes(given, "kernel_shape"), given.get("ceil_mode", 0)
    assert kernel is not None
    assert isinstance(ceil_mode, int)
    auto_pad = str(given["auto_pad"])
    return windows(shape[2:], kernel, **lengths, auto_pad=auto_pad, ceil_mode=ceil_mode)


def _wholes(given: Attributes, name: str) -> Shape | None:
    value = given.get(name)
    return value if isinstance(value, tuple) else None  # type: ignore[return-value]


def max_pool(node: Node, program: Program) -> Kernel | None:
    """Prepare a MaxPool without places."""
    placed = _placed(node, program.operands[node.inputs[0]].shape)
    if placed is None or len(node.outputs) != 1:
        return None
    shape = _flat(placed)

    def pool(x: Tensor) -> Tensor:
        data = channels_last(x)
        out = np.empty((x.shape[0], *placed.outputs, x.shape[1]), np.float32)
        greatest_of(data, shape, out)
        return channels_second(out)

    return pool


def average_pool(node: Node, program: Program) -> Kernel | None:
    """Prepare an AveragePool; windows of one element are left to the operator."""
    placed = _placed(node, program.operands[node.inputs[0]].shape)
    if placed is None or placed.elements < 2:
        return None
    shape, bits = _flat(placed), sum_bits(placed.elements)
    lengths = program.operands[node.inputs[0]].shape[2:]
    counts = _counts(placed, lengths, padded=bool(node.attributes.get("count_include_pad")))

    def pool(x: Tensor) -> Tensor:
        data = channels_last(x)
        out = np.empty((x.shape[0], *placed.outputs, x.shape[1]), np.float32)
        mean_of(data, shape, *_scales(data, bits), counts, np.empty(x.shape[1]), out)
        return channels_second(out)

    return pool


def _counts(placed: Windows, lengths: Shape, *, padded: bool) -> Floats:
    """How many elements of each window count."""
    along = []
    for axis, length in enumerate(lengths):
        starts = np.arange(placed.outputs[axis]) * placed.strides[axis] - placed.before[axis]
        reach = np.arange(placed.kernel[axis]) * placed.dilations[axis]
        at = starts[:, None] + reach
        low = -placed.before[axis] if padded else 0
        high = length + (placed.after[axis] if padded else 0)
        along.append(((at >= low) & (at < high)).sum(axis=1))
    return np.array(np.multiply.outer(*along), np.float64)


def global_average_pool(node: Node, program: Program) -> Kernel | None:
    """Prepare a GlobalAveragePool of finite numbers; others are left to the operator."""
    shape = program.operands[node.inputs[0]].shape
    count = prod(shape[2:])
    if not prod(shape) or count < 2:
        return None
    bits, own, attributes = sum_bits(count), node.operator, node.attributes
    window = ((1, count), (1, 1), (1, 1), (0, 0))
    counts = np.full((1, 1), float(count))

    def pool(x: Tensor) -> Tensor:
        data = channels_last(x).reshape(x.shape[0], 1, count, x.shape[1])
        factors, scales = _scales(data, bits)
        if np.isnan(scales).any():
            return own.run((x,), attributes, 1)[0]
        out = np.empty((x.shape[0], 1, 1, x.shape[1]), np.float32)
        mean_of(data, window, factors, scales, counts, np.empty(x.shape[1]), out)
        return out.reshape(*x.shape[:2], *[1] * (x.ndim - 2))

    return pool


POOLS: Final[Mapping[str, Callable[[Node, Program], Kernel | None]]] = {
    "AveragePool": average_pool,
    "GlobalAveragePool": global_average_pool,
    "MaxPool": max_pool,
}
"""By operator: gives the kernel of a node, or None for the operator's own."""
