"""Pools over data whose channels lie last: the greatest, or exact means, of windows.

Results are views with the axes in ONNX's order, as those of convolutions (`convolution.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled, inlined
from ai_exec.fast.convolution import channels_last
from ai_exec.fast.convolution_rows import scales_of
from ai_exec.fast.scalar import WHOLE
from ai_exec.ops.windows import Windows, windows
from ai_exec.program import Node, Program
from ai_exec.registry import Attributes
from ai_exec.semantics.numerics import Floats, sum_bits
from ai_exec.tensor import Shape, Tensor

Kernel = Callable[..., Tensor]
Places = tuple[int, ...]
AXES: Final = 3
UNKNOWN: Final = np.zeros(0, np.int32)
"""Sizes that are still to be found."""


@compiled
def inside_of(start: int, length: int, size: int, dilation: int) -> Any:
    """Taps of a window along an axis that lie in the data: the first, the one after the last."""
    first = (max(-start, 0) + dilation - 1) // dilation
    last = (length - start + dilation - 1) // dilation
    return first, max(min(last, size), first)


@inlined
def spans_of(z: int, y: int, place: int, lengths: Places, shape: Any) -> Any:
    """Where a window begins along each axis, and its taps along each that lie in the data."""
    kernel, strides, dilations, before = shape
    far, top = z * strides[0] - before[0], y * strides[1] - before[1]
    left = place * strides[2] - before[2]
    return (
        (far, *inside_of(far, lengths[0], kernel[0], dilations[0])),
        (top, *inside_of(top, lengths[1], kernel[1], dilations[1])),
        (left, *inside_of(left, lengths[2], kernel[2], dilations[2])),
    )


@compiled
def greatest_of(x: Any, shape: Any, out: Any) -> None:
    """Greatest of windows of x [sample, depth, height, width, channel]; NaN if there is one."""
    samples, outputs, channels = out.shape[0], out.shape[1:4], out.shape[4]
    deep, tall, wide = shape[2]
    for index in range(samples * outputs[0] * outputs[1] * outputs[2]):
        place, rest = index % outputs[2], index // outputs[2]
        y, z = rest % outputs[1], rest // outputs[1] % outputs[0]
        sample = rest // outputs[1] // outputs[0]
        depth, height, width = spans_of(z, y, place, x.shape[1:4], shape)
        for channel in range(channels):
            out[sample, z, y, place, channel] = -np.inf
        for far in range(depth[1], depth[2]):
            for down in range(height[1], height[2]):
                plane, line = depth[0] + far * deep, height[0] + down * tall
                for right in range(width[1], width[2]):
                    column = width[0] + right * wide
                    for channel in range(channels):
                        value = x[sample, plane, line, column, channel]
                        best = out[sample, z, y, place, channel]
                        # `!=` is for NaN; a zero becomes +0.
                        taken = value > best or value != value
                        out[sample, z, y, place, channel] = value + np.float32(0) if taken else best


@compiled
def mean_of(
    x: Any, shape: Any, factors: Any, scales: Any, counts: Any, sums: Any, out: Any
) -> None:
    """Exact means of windows of x [sample, depth, height, width, channel].

    Counts are of each result.
    """
    samples, outputs, channels = out.shape[0], out.shape[1:4], out.shape[4]
    deep, tall, wide = shape[2]
    for index in range(samples * outputs[0] * outputs[1] * outputs[2]):
        place, rest = index % outputs[2], index // outputs[2]
        y, z = rest % outputs[1], rest // outputs[1] % outputs[0]
        sample = rest // outputs[1] // outputs[0]
        depth, height, width = spans_of(z, y, place, x.shape[1:4], shape)
        sums[:] = 0.0
        for far in range(depth[1], depth[2]):
            for down in range(height[1], height[2]):
                plane, line = depth[0] + far * deep, height[0] + down * tall
                for right in range(width[1], width[2]):
                    column = width[0] + right * wide
                    for channel in range(channels):
                        value = np.float64(x[sample, plane, line, column, channel])
                        shifted = value * factors[sample, channel] + WHOLE
                        sums[channel] = sums[channel] + (shifted - WHOLE)
        for channel in range(channels):
            mean = sums[channel] * scales[sample, channel] / counts[z, y, place]
            out[sample, z, y, place, channel] = np.float32(mean)


def _scales(x: Tensor, bits: int) -> tuple[Floats, Floats]:
    """Factors and scales of each sample and channel of x [sample, ..., channel]."""
    samples, channels = x.shape[0], x.shape[-1]
    factors, scales = np.empty((2, samples, channels))
    bounds, lengths = np.arange(channels + 1), np.full(channels, bits)
    for sample in range(samples):
        scales_of(x[sample].reshape(-1), UNKNOWN, bounds, lengths, factors[sample], scales[sample])
    return factors, scales


def _over_three(placed: Windows) -> tuple[Shape, Shape, Shape, Shape]:
    """Give kernel, strides, dilations and padding before over three axes."""
    missing = AXES - len(placed.kernel)
    ones, zeros = (1,) * missing, (0,) * missing
    return (
        ones + placed.kernel,
        ones + placed.strides,
        ones + placed.dilations,
        zeros + placed.before,
    )


@dataclass(frozen=True, slots=True)
class Shapes:
    """How data and results of a pool lie, their channels last, over three axes and over its own."""

    last: Shape
    """The order of axes that brings channels to the end."""
    data: Shape
    results: Shape
    own: Shape
    second: Shape
    """The order of axes that brings channels of results back."""

    def pooled(self, x: Tensor, compute: Callable[[Tensor, Tensor], None]) -> Tensor:
        """Give results that are computed from x [sample, depth, height, width, channel]."""
        out = np.empty(self.results, np.float32)
        compute(np.ascontiguousarray(x.transpose(self.last)).reshape(self.data), out)
        return out.reshape(self.own).transpose(self.second)


def _shapes(shape: Shape, placed: Windows) -> Shapes:
    rank, missing = len(shape), (1,) * (AXES + 2 - len(shape))
    samples, channels, *lengths = shape
    return Shapes(
        (0, *range(2, rank), 1),
        (samples, *missing, *lengths, channels),
        (samples, *missing, *placed.outputs, channels),
        (samples, *placed.outputs, channels),
        (0, rank - 1, *range(1, rank - 1)),
    )


def _placed(node: Node, shape: Shape) -> Windows | None:
    """Place the windows of a pool over one to three axes."""
    if not prod(shape):
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
    window = _over_three(placed)
    shapes = _shapes(program.operands[node.inputs[0]].shape, placed)

    def compute(data: Tensor, out: Tensor) -> None:
        greatest_of(data, window, out)

    return lambda x: shapes.pooled(x, compute)


def average_pool(node: Node, program: Program) -> Kernel | None:
    """Prepare an AveragePool; windows of one element are left to the operator."""
    placed = _placed(node, program.operands[node.inputs[0]].shape)
    if placed is None or placed.elements < 2:
        return None
    window, bits = _over_three(placed), sum_bits(placed.elements)
    shape = program.operands[node.inputs[0]].shape
    counts = _counts(placed, shape[2:], padded=bool(node.attributes.get("count_include_pad")))
    shapes = _shapes(shape, placed)

    def compute(data: Tensor, out: Tensor) -> None:
        mean_of(data, window, *_scales(data, bits), counts, np.empty(shape[1]), out)

    return lambda x: shapes.pooled(x, compute)


def _counts(placed: Windows, lengths: Shape, *, padded: bool) -> Floats:
    """How many elements of each window count."""
    along = [np.ones(1, np.int64)] * (AXES - len(lengths))
    for axis, length in enumerate(lengths):
        starts = np.arange(placed.outputs[axis]) * placed.strides[axis] - placed.before[axis]
        reach = np.arange(placed.kernel[axis]) * placed.dilations[axis]
        at = starts[:, None] + reach
        low = -placed.before[axis] if padded else 0
        high = length + (placed.after[axis] if padded else 0)
        along.append(((at >= low) & (at < high)).sum(axis=1))
    return np.array(np.multiply.outer(np.multiply.outer(*along[:2]), along[2]), np.float64)


def global_average_pool(node: Node, program: Program) -> Kernel | None:
    """Prepare a GlobalAveragePool of finite numbers; others are left to the operator."""
    shape = program.operands[node.inputs[0]].shape
    count = prod(shape[2:])
    if not prod(shape) or count < 2:
        return None
    bits, own, attributes = sum_bits(count), node.operator, node.attributes
    window = ((1, 1, count), (1, 1, 1), (1, 1, 1), (0, 0, 0))
    counts = np.full((1, 1, 1), float(count))

    def pool(x: Tensor) -> Tensor:
        data = channels_last(x).reshape(x.shape[0], 1, 1, count, x.shape[1])
        factors, scales = _scales(data, bits)
        if np.isnan(scales).any():
            return own.run((x,), attributes, 1)[0]
        out = np.empty((x.shape[0], 1, 1, 1, x.shape[1]), np.float32)
        mean_of(data, window, factors, scales, counts, np.empty(x.shape[1]), out)
        return out.reshape(*x.shape[:2], *[1] * (x.ndim - 2))

    return pool


POOLS: Final[Mapping[str, Callable[[Node, Program], Kernel | None]]] = {
    "AveragePool": average_pool,
    "GlobalAveragePool": global_average_pool,
    "MaxPool": max_pool,
}
"""By operator: gives the kernel of a node, or None for the operator's own."""
