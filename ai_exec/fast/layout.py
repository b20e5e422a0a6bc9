"""Tensors as rows or as columns, in one piece, for passes that fold or normalise some axes."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from ai_exec.tensor import Shape, Tensor

Axes = tuple[int, ...]


def whole(x: Tensor, shape: Shape) -> Tensor:
    """Give a tensor in one piece that may be written, as passes are compiled for, in a shape."""
    piece = np.ascontiguousarray(x).reshape(shape)
    return piece if piece.flags.writeable else piece.copy()


def in_order(x: Tensor) -> Tensor:
    """Give a tensor in one piece that may be written, in its own shape."""
    return whole(x, x.shape)


@dataclass(frozen=True, slots=True)
class Layout:
    """A tensor seen as [outer, folded, inner]; inner is 1 where the folded axes lie last."""

    outer: int
    folded: int
    inner: int
    order: Axes | None
    """Axes in another order first, where the folded ones do not lie together."""
    shape: Shape

    def take(self, x: Tensor) -> Tensor:
        """Give a tensor as [outer, folded, inner]."""
        moved = x if self.order is None else x.transpose(self.order)
        return whole(moved, (self.outer, self.folded, self.inner))

    def rows(self, x: Tensor) -> Tensor:
        """Give a tensor as rows [outer and inner, folded]."""
        if self.inner == 1:
            return self.take(x).reshape(self.outer, self.folded)
        parts = x.reshape(self.outer, self.folded, self.inner).transpose(0, 2, 1)
        return whole(parts, (self.outer * self.inner, self.folded))

    def back(self, rows: Tensor) -> Tensor:
        """Give rows as a tensor of the first shape."""
        if self.order is not None:
            moved = rows.reshape([self.shape[axis] for axis in self.order])
            return moved.transpose(np.argsort(self.order, kind="stable"))
        if self.inner == 1:
            return rows.reshape(self.shape)
        parts = rows.reshape(self.outer, self.inner, self.folded)
        return parts.transpose(0, 2, 1).reshape(self.shape)


def layout_of(shape: Shape, axes: Axes) -> Layout:
    """Tell how a tensor is seen when axes, ascending from 0 on, are folded."""
    folded = prod(shape[axis] for axis in axes)
    long = [axis for axis in range(len(shape)) if shape[axis] != 1]
    wanted = [axis for axis in long if axis in axes]
    together = not wanted or long.index(wanted[-1]) - long.index(wanted[0]) == len(wanted) - 1
    if together:
        first, last = (wanted[0], wanted[-1]) if wanted else (len(shape), len(shape))
        return Layout(prod(shape[:first]), folded, prod(shape[last + 1 :]), None, shape)
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    order = (*kept, *axes)
    return Layout(prod(shape[axis] for axis in kept), folded, 1, order, shape)


Rows = Callable[[Tensor, Tensor], None]
"""A pass from rows to rows."""


def by_rows(layout: Layout, compute: Rows) -> Callable[..., Tensor]:
    """Give a kernel that computes rows from rows."""
    flat = (layout.outer * layout.inner, layout.folded)

    def kernel(x: Tensor, *others: Tensor | None) -> Tensor:
        out = np.empty(flat, np.float32)
        compute(layout.rows(x), out)
        return layout.back(out)

    return kernel
