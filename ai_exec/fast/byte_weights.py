"""Constant weights of bytes as panels, and how passes find rows of matrices and of images."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np

from ai_exec.fast.byte_sums import (
    BASED,
    GEOMETRY,
    LINES,
    STRIDE,
    VECTORS,
    WIDTH,
    ZERO,
    copy_image,
    copy_rows,
    measure_rows,
    measure_windows,
)
from ai_exec.fast.byte_tiles import LANES, STEP, vectors_for
from ai_exec.fast.layout import in_order, whole
from ai_exec.ops.windows import Windows
from ai_exec.tensor import Shape, Tensor

NO_TOTALS: Final = np.zeros(1, np.int32)
HALF: Final = 0x80
"""What turns signed bytes into unsigned ones that stand so much above them."""


@dataclass(frozen=True, slots=True, eq=False)
class Panels:
    """Weights [K, N] in panels [panel, step, column, 4], K and N filled up with zeros."""

    panels: Tensor
    vectors: int
    columns: int
    wholes: Tensor
    """By columns: sums of the weights' bytes, their zero points, and a bias."""

    def by_columns(self, values: Tensor | float, dtype: str = "float32") -> Tensor:
        """Lay one value, or one for each column, out over all columns of the panels."""
        found = np.zeros(self.wholes.shape[1], dtype)
        found[: self.columns] = np.asarray(values).reshape(-1)
        return found


def signed(weights: Tensor, zeros: Tensor | None) -> tuple[Tensor, Tensor]:
    """Give weights [K, N] as signed bytes, and the zero point of each column in int32."""
    zero = np.zeros(1, np.int32) if zeros is None else zeros.reshape(-1).astype(np.int32)
    if weights.dtype == np.uint8:
        weights, zero = (weights ^ np.uint8(HALF)).view(np.int8), zero - HALF
    return weights, np.array(np.broadcast_to(zero, weights.shape[-1:]))


def panels_of(weights: Tensor, zeros: Tensor, bias: Tensor | None = None) -> Panels:
    """Pack signed bytes [K, N], K whole steps."""
    length, columns = weights.shape
    vectors = vectors_for(columns)
    across = vectors * LANES
    count = -(-columns // across)
    wide = np.zeros((length, count * across), np.int8)
    wide[:, :columns] = weights
    shaped = wide.reshape(length // STEP, STEP, count, across).transpose(2, 0, 3, 1)
    wholes = np.zeros((3, count * across), np.int32)
    wholes[0, :columns] = weights.sum(axis=0, dtype=np.int32)
    wholes[1, :columns] = zeros
    if bias is not None:
        wholes[2, :columns] = bias.reshape(-1)
    panels = np.ascontiguousarray(shaped).reshape(count, length // STEP, across * STEP)
    return Panels(panels, vectors, columns, wholes)


def filled(length: int) -> int:
    """Bytes of whole steps that hold so many."""
    return -(-length // STEP) * STEP


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """How left operands of one shape are read: as matrices, or as images."""

    segments: Tensor
    starts: Tensor
    """Where lines begin, all samples one after the other."""
    rows: int
    """Of the result."""
    geometry: Tensor
    lay: Callable[[Tensor, int, int], Tensor]
    """Gives bytes in one piece: turned by 128 or 0, filled up with the zero point."""

    measure: Callable[[Tensor, int], tuple[Tensor, Tensor, Tensor]]
    """Gives the sums of values of each row, and of their squares, and of matrices the greatest
    size of one."""

    @property
    def based(self) -> bool:
        """Whether weights have zero points, so that sums of rows are needed."""
        return bool(self.geometry[BASED])

    def totals(self, image: Tensor, zero: int) -> Tensor:
        """Sums of rows where they are needed."""
        return self.measure(image, zero)[0] if self.based else NO_TOTALS

    def placed(self, zero: int) -> Tensor:
        """The geometry with the zero point of a run."""
        geometry = self.geometry.copy()
        geometry[ZERO] = zero
        return geometry


def rows_of_matrix(rows: int, length: int, panels: Panels, *, based: bool) -> Rows:
    """Read a matrix [rows, length]."""
    stride = filled(length)
    geometry = np.zeros(GEOMETRY, np.int64)
    geometry[[WIDTH, STRIDE, VECTORS, BASED, LINES]] = (*(rows, stride, panels.vectors, based, 1),)

    def lay(x: Tensor, turned: int, fill: int) -> Tensor:
        flat = whole(x, (rows, length)).view(np.uint8)
        if not turned and stride == length:
            return flat.reshape(-1)
        out = np.empty((rows, stride), np.uint8)
        copy_rows(flat, turned, fill, out)
        return out.reshape(-1)

    def measure(image: Tensor, zero: int) -> tuple[Tensor, Tensor, Tensor]:
        totals, squares, greatest = np.empty((3, rows), np.int32)
        measure_rows(image.reshape(rows, stride), zero, totals, squares, greatest)
        return totals, squares, greatest

    segments = np.array([[0, 0, stride // STEP]], np.int64)
    return Rows(segments, np.zeros(1, np.int64), rows, geometry, lay, measure)


def kernels_in_rows(kernels: Tensor) -> Tensor:
    """Give kernels [N, C, height, width] as [K, N]: lines, places, channels filled up."""
    maps, channels = kernels.shape[:2]
    wide = np.zeros((*kernels.shape[2:], filled(channels), maps), kernels.dtype)
    wide[:, :, :channels] = kernels.transpose(2, 3, 1, 0)
    return wide.reshape(-1, maps)


def rows_of_images(shape: Shape, placed: Windows, panels: Panels, *, based: bool) -> Rows:
    """Read windows of images [sample, channel, height, width]."""
    samples, channels = shape[:2]
    deep = filled(channels)
    height, width = placed.reach
    (top, left), (down, right) = placed.before, placed.strides
    line, image = width * deep, height * width * deep
    geometry = np.zeros(GEOMETRY, np.int64)
    geometry[[WIDTH, STRIDE, VECTORS, BASED, LINES]] = (
        *(placed.outputs[1], right * deep, panels.vectors, based, placed.outputs[0]),
    )
    lines = np.arange(placed.outputs[0]) * (down * line)
    starts = (np.arange(samples)[:, np.newaxis] * image + lines).reshape(-1)

    def lay(x: Tensor, turned: int, fill: int) -> Tensor:
        last = in_order(x.transpose(0, 2, 3, 1)).view(np.uint8)
        out = np.empty((samples, height, width, deep), np.uint8)
        copy_image(last, turned, fill, top, left, out)
        return out.reshape(-1)

    rows = samples * prod(placed.outputs)
    offsets = np.array(
        [
            y * placed.dilations[0] * width + x * placed.dilations[1]
            for y, x in np.ndindex(placed.kernel)
        ]
    )

    def measure(image: Tensor, zero: int) -> tuple[Tensor, Tensor, Tensor]:
        pixels = image.reshape(-1, deep)
        found = np.empty((3, pixels.shape[0]), np.int32)
        measure_rows(pixels, zero, *found)
        sums = np.empty((2, rows), np.int32)
        for one, out in zip(found[:2], sums, strict=True):
            measure_windows(one, starts // deep, placed.outputs[1], right, offsets, out)
        return sums[0], sums[1], found[2]

    return Rows(_segments(placed, line, deep), starts, rows, geometry, lay, measure)


def _segments(placed: Windows, line: int, deep: int) -> Tensor:
    """One for each line of a kernel, or for each of its places where they do not lie together."""
    (high, wide), (apart, across) = placed.kernel, placed.dilations
    steps = deep // STEP
    if across == 1:
        found = [(y * apart * line, y * wide * steps, wide * steps) for y in range(high)]
    else:
        found = [
            (y * apart * line + x * across * deep, (y * wide + x) * steps, steps)
            for y in range(high)
            for x in range(wide)
        ]
    return np.array(found, np.int64)


def as_unsigned(x: Tensor, zero: Tensor | int) -> tuple[int, int]:
    """Give what turns bytes into unsigned ones, and their zero point then."""
    turned = HALF if x.dtype == np.int8 else 0
    whole: Any = zero if isinstance(zero, int) else int(zero.reshape(-1)[0])
    return turned, whole + turned
