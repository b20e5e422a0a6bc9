"""Prepared convolutions: kernels quantised once, windows placed once."""

from dataclasses import dataclass

import numpy as np

from ai_exec.fast.quantise import quantise_rows
from ai_exec.ops.windows import Windows, windows
from ai_exec.registry import Attributes
from ai_exec.semantics.numerics import (
    Floats,
    channels_of_block,
    combine,
    product_bits,
    quantise,
    whole_product,
)
from ai_exec.tensor import Shape, Tensor


@dataclass(frozen=True, slots=True, eq=False)
class PreparedBlock:
    """Kernels of one group in one block of channels."""

    channels: slice
    """Place of the block among all channels of the data."""
    bits: int
    digits: Floats
    """Whole numbers [map, channel and kernel element]."""
    scale: Floats
    """Powers of two, one for each map, with axes of length 1 where the outputs are."""


class PreparedConvolution:
    """A convolution with constant kernels; the bits of the operator's own kernel."""

    def __init__(
        self, shape: Shape, weights: Tensor, bias: Tensor | None, attributes: Attributes
    ) -> None:
        group = attributes["group"]
        assert isinstance(group, int)
        self._placed = _place(shape, weights, attributes)
        self._pointwise = self._placed.elements == 1 and self._is_dense(shape)
        self._maps = weights.shape[0] // group
        ones = (1,) * (len(shape) - 2)
        self._bias = None if bias is None else bias.astype(np.float64).reshape(-1, *ones)
        self._groups = tuple(self._prepare(weights, index) for index in range(group))

    def run(self, x: Tensor) -> Tensor:
        """Convolve, add the bias and round once to binary32."""
        parts = [self._convolve(x, blocks) for blocks in self._groups]
        total = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        if self._bias is not None:
            total += self._bias
        return total.astype(np.float32)

    def _convolve(self, x: Tensor, blocks: tuple[PreparedBlock, ...]) -> Floats:
        shape = (x.shape[0], self._maps, *self._placed.outputs)
        total = np.zeros(shape)
        for index, block in enumerate(blocks):
            data = quantise_rows(x[:, block.channels], tuple(range(1, x.ndim)), block.bits)
            columns = self._columns(data.digits, block.digits.shape[1])
            whole = whole_product(block.digits, columns).reshape(shape)
            part = combine(whole, data.scale, block.scale)
            total = part if index == 0 else total + part
        return total

    def _columns(self, digits: Floats, length: int) -> Floats:
        if self._pointwise:
            return digits.reshape(digits.shape[0], length, -1)
        gathered: Floats = self._placed.gather(digits, 0.0)
        return gathered.reshape(digits.shape[0], length, -1)

    def _prepare(self, weights: Tensor, index: int) -> tuple[PreparedBlock, ...]:
        channels, ones = weights.shape[1], (1,) * (weights.ndim - 2)
        kernels = weights[index * self._maps : (index + 1) * self._maps]
        step = channels_of_block(self._placed.elements)
        blocks = []
        for start in range(0, channels, step):
            stop = min(start + step, channels)
            bits = product_bits((stop - start) * self._placed.elements)
            rows = quantise(kernels[:, start:stop].reshape(self._maps, -1), (1,), bits)
            place = slice(index * channels + start, index * channels + stop)
            blocks.append(PreparedBlock(place, bits, rows.digits, rows.scale.reshape(-1, *ones)))
        return tuple(blocks)

    def _is_dense(self, shape: Shape) -> bool:
        placed = self._placed
        return placed.outputs == shape[2:] and not any(placed.before + placed.after)


def _place(shape: Shape, weights: Tensor, attributes: Attributes) -> Windows:
    given = {name: attributes[name] for name in ("strides", "dilations", "pads")}
    return windows(
        shape[2:],
        weights.shape[2:],
        strides=given["strides"],  # type: ignore[arg-type]
        dilations=given["dilations"],  # type: ignore[arg-type]
        pads=given["pads"],  # type: ignore[arg-type]
        auto_pad=str(attributes["auto_pad"]),
    )
