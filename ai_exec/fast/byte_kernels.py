"""Products and convolutions of bytes by own tiles: which nodes go this way, and their kernels."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ai_exec.fast.byte_passes import to_bytes, to_integers
from ai_exec.fast.byte_weights import (
    Panels,
    Rows,
    as_unsigned,
    filled,
    kernels_in_rows,
    panels_of,
    rows_of_images,
    rows_of_matrix,
    signed,
)
from ai_exec.fast.machine import this_machine
from ai_exec.ops.quantised import RANGES
from ai_exec.ops.windows import Windows, windows
from ai_exec.program import Node, Program
from ai_exec.registry import Attributes
from ai_exec.tensor import Shape, Tensor

Kernel = Callable[..., Any]


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A product with constant weights of bytes."""

    panels: Panels
    rows: Rows
    shape: Shape
    """Of the result."""

    def finished(self, flat: Tensor) -> Tensor:
        """Give results [row, column] in the shape of the result."""
        if len(self.shape) != 4:
            return flat.reshape(self.shape)
        samples, maps, height, width = self.shape
        return flat.reshape(samples, height, width, maps).transpose(0, 3, 1, 2)


def windows_for(shape: Shape, kernel: Shape, given: Attributes) -> Windows:
    """Place the windows of a convolution's node."""
    chosen: Any = {name: given[name] for name in ("strides", "dilations", "pads", "auto_pad")}
    return windows(shape[2:], kernel, **chosen)


def product_of(
    weights: Tensor,
    zeros: Tensor | None,
    left: Shape,
    result: Shape,
    given: Attributes | None,
    bias: Tensor | None = None,
) -> Product | None:
    """Prepare weights [K, N], or kernels if there are attributes of a convolution."""
    if not this_machine().pairs or not weights.size or not prod(left) or not prod(result):
        return None
    if given is None:
        length, columns = weights.shape
        whole, zero = signed(weights, zeros)
        wide = np.zeros((filled(length), columns), np.int8)
        wide[:length] = whole
        panels = panels_of(wide, zero, bias)
        rows = rows_of_matrix(prod(left[:-1]), length, panels, based=bool(zero.any()))
        return Product(panels, rows, result)
    if weights.ndim != 4 or given["group"] != 1:
        return None
    whole, zero = signed(weights.transpose(1, 2, 3, 0), zeros)
    panels = panels_of(kernels_in_rows(whole.transpose(3, 0, 1, 2)), zero, bias)
    placed = windows_for(left, weights.shape[2:], given)
    rows = rows_of_images(left, placed, panels, based=bool(zero.any()))
    return Product(panels, rows, result)


def integers_kernel(product: Product) -> Kernel:
    """MatMulInteger or ConvInteger: takes the left operand, and its zero point as third input."""
    panels, rows = product.panels, product.rows

    def kernel(
        x: Tensor, weights: object, zero: Tensor | int | None = None, *rest: object
    ) -> Tensor:
        turned, base = as_unsigned(x, 0 if zero is None else zero)
        image = rows.lay(x, turned, base)
        out = np.empty((rows.rows, panels.columns), np.int32)
        to_integers(
            *(image, rows.starts, rows.placed(base), rows.segments),
            *(panels.panels, panels.wholes, rows.totals(image, base), out),
        )
        return product.finished(out)

    return kernel


def bytes_kernel(product: Product, zero: Tensor, multiplier: Tensor, result_zero: Tensor) -> Kernel:
    """QLinearMatMul or QLinearConv: takes the left operand first."""
    panels, rows = product.panels, product.rows
    dtype = result_zero.dtype
    ends = np.array([*RANGES[dtype.name], int(result_zero.reshape(-1)[0])], np.int64)
    times, below = panels.by_columns(multiplier), int(zero.reshape(-1)[0])

    def kernel(x: Tensor, *constants: object) -> Tensor:
        turned, base = as_unsigned(x, below)
        image = rows.lay(x, turned, base)
        out = np.empty((rows.rows, panels.columns), np.uint8)
        to_bytes(
            *(image, rows.starts, rows.placed(base), rows.segments),
            *(panels.panels, panels.wholes, rows.totals(image, base), times, ends, out),
        )
        return product.finished(out.view(dtype))

    return kernel


def kernel_of(node: Node, program: Program, left: Shape) -> Kernel | None:
    """Give the kernel of a node of the quantised family, whose operands are known to fit."""
    known = [program.constants.get(name) for name in node.inputs] + [None] * 9
    result = program.operands[node.outputs[0]].shape
    given = node.attributes if "Conv" in node.operator.name else None
    if "QLinear" not in node.operator.name:
        weights, zeros = known[1], known[3]
        assert weights is not None
        product = product_of(weights, zeros, left, result, given)
        return None if product is None else integers_kernel(product)
    scale, zero, weights, factor, zeros, last, result_zero, bias = known[1:9]
    assert scale is not None and zero is not None and weights is not None  # noqa: PT018
    assert factor is not None and last is not None and result_zero is not None  # noqa: PT018
    product = product_of(weights, zeros, left, result, given, bias)
    if product is None:
        return None
    multiplier = scale.reshape(()) * factor.reshape(-1) / last.reshape(())
    return bytes_kernel(product, zero, multiplier, result_zero)
