"""Matrix products and convolutions of bytes, with their scales and zero points (R4)."""

import numpy as np

from ai_exec.metering import GROUP_GAS, contraction, gas
from ai_exec.ops.linear import product_shape
from ai_exec.ops.quantised import saturated
from ai_exec.ops.rules import broadcasts_to, require_dtype, require_rank, require_shape, size
from ai_exec.ops.windows import ELEMENT_GAS, Windows, padded_elements, windows, windows_of
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics.numerics import Floats, whole_product
from ai_exec.tensor import Tensor

Wholes = tuple[int, ...]
BYTES = ("uint8", "int8")
ROWS, COLUMNS = -2, -1


def based(operand: Tensor, zero: Tensor | None) -> Floats:
    """Bytes minus their zero point, as whole binary64 numbers."""
    wide = operand.astype(np.float64)
    return wide if zero is None else wide - zero.astype(np.float64)


def wrapped(whole: Floats) -> Tensor:
    """Sums of products of bytes as int32, which wraps."""
    return whole.astype(np.int64).astype(np.int32)


def requantised(sums: Tensor, multiplier: Tensor, zero: Tensor) -> Tensor:
    """Sums as binary32 numbers times the multiplier, half to even, plus the zero point."""
    scaled = np.rint(sums.astype(np.float32) * multiplier)
    return saturated(scaled.astype(np.float64), zero.astype(np.float64), zero.dtype.name)


def laid_out(parameter: Tensor, axis: int) -> Tensor:
    """Lay a scale or zero point out: one value, one for each row or column, or as it is."""
    if parameter.size == 1:
        return parameter.reshape(())
    return parameter.reshape(-1, 1) if parameter.ndim == 1 and axis == ROWS else parameter


def _require_bytes(call: Call, operand: int, zero: int) -> None:
    require_dtype(call.at(operand), BYTES, f"input {operand}")
    if call.optional(zero) is not None:
        require_dtype(call.at(zero), (call.at(operand).dtype,), f"input {zero}")


def _require_laid_out(call: Call, index: int, operand: int, axis: int) -> None:
    """Check that a scale or zero point has one value, or one for each row or column."""
    matrix, parameter = call.at(operand), call.optional(index)
    if parameter is None or size(parameter.shape) == 1:
        return
    other = COLUMNS if axis == ROWS else ROWS
    folded = [1 if place == matrix.rank + other else n for place, n in enumerate(matrix.shape)]
    shape = tuple(folded[axis:][:1] if parameter.rank == 1 else folded)
    if matrix.rank < 2 or not broadcasts_to(parameter.shape, shape):
        raise Mismatch(f"input {index} is {parameter} for {matrix}")


def _require_one(call: Call, *indices: int) -> None:
    for index in indices:
        operand = call.optional(index)
        if operand is not None and size(operand.shape) != 1:
            raise Mismatch(f"input {index} is {operand}: only one value is supported")


def _product_cost(call: Call, left: int, right: int) -> int:
    """Constant weights are laid out once, and multiplied as bytes."""
    a, b, result = call.at(left), call.at(right), call.outputs[0]
    if b.value is not None:
        products = size(result.shape) * a.shape[-1]
        return gas(30 * products + 3_000 * (size(a.shape) + size(result.shape)))
    read = size(a.shape) + size(b.shape)
    return contraction(size(result.shape) * a.shape[-1], read, size(result.shape))


def _matmul_integer(call: Call) -> tuple[Operand, ...]:
    for operand, axis in ((0, ROWS), (1, COLUMNS)):
        _require_bytes(call, operand, operand + 2)
        _require_laid_out(call, operand + 2, operand, axis)
    return (Operand("int32", product_shape(call.at(0).shape, call.at(1).shape)),)


@operator(
    "MatMulInteger",
    since=10,
    infer=_matmul_integer,
    cost=lambda call: _product_cost(call, 0, 1),
    values=BYTES,
)
def mat_mul_integer(
    a: Tensor,
    b: Tensor,
    a_zero_point: Tensor | None = None,
    b_zero_point: Tensor | None = None,
) -> Tensor:
    """(a - a_zero_point) (b - b_zero_point) in wrapping int32."""
    left_zero = None if a_zero_point is None else laid_out(a_zero_point, ROWS)
    right_zero = None if b_zero_point is None else laid_out(b_zero_point, COLUMNS)
    return wrapped(np.asarray(whole_product(based(a, left_zero), based(b, right_zero))))


def _require_scales(call: Call, *scales: int) -> None:
    for index in scales:
        scale, zero = call.at(index), call.at(index + 1)
        require_dtype(scale, ("float32",), f"input {index}")
        if size(scale.shape) != size(zero.shape):
            raise Mismatch(f"the scale {scale} has another shape than its zero point {zero}")


def _linear_product(call: Call) -> tuple[Operand, ...]:
    for operand, axis in ((0, ROWS), (3, COLUMNS)):
        _require_bytes(call, operand, operand + 2)
        _require_laid_out(call, operand + 1, operand, axis)
        _require_laid_out(call, operand + 2, operand, axis)
    _require_scales(call, 1, 4, 6)
    _require_one(call, 6, 7)
    require_dtype(call.at(7), BYTES, "y_zero_point")
    return (Operand(call.at(7).dtype, product_shape(call.at(0).shape, call.at(3).shape)),)


@operator(
    "QLinearMatMul",
    since=(10, 21),
    infer=_linear_product,
    cost=lambda call: _product_cost(call, 0, 3),
    values=BYTES,
)
def q_linear_mat_mul(
    a: Tensor,
    a_scale: Tensor,
    a_zero_point: Tensor,
    b: Tensor,
    b_scale: Tensor,
    b_zero_point: Tensor,
    y_scale: Tensor,
    y_zero_point: Tensor,
) -> Tensor:
    """`MatMulInteger` times (a_scale b_scale) / y_scale, half to even, plus zero point, saturated.

    The sum as a binary32 number, each step of the factor and the product round to binary32.
    NaN counts as 0 before the zero point is added.
    """
    sums = mat_mul_integer(a, b, a_zero_point, b_zero_point)
    multiplier = laid_out(a_scale, ROWS) * laid_out(b_scale, COLUMNS) / y_scale.reshape(())
    if b.ndim == 1 and multiplier.ndim:
        multiplier = multiplier[..., 0]
    elif a.ndim == 1 and multiplier.ndim > 1:
        multiplier = multiplier[..., 0, :]
    return requantised(sums, multiplier, y_zero_point.reshape(()))


def _convolution(call: Call, data: int, kernels: int, zeros: tuple[int, int]) -> Operand:
    """Check a convolution and give its sums."""
    x, w, group = call.at(data), call.at(kernels), call.whole("group")
    require_rank(x, range(3, 6), "x")
    require_rank(w, range(x.rank, x.rank + 1), "w")
    for operand, zero in zip((data, kernels), zeros, strict=True):
        _require_bytes(call, operand, zero)
    _require_one(call, zeros[0])
    kernel, maps = call.wholes("kernel_shape"), w.shape[0]
    if kernel is not None and kernel != w.shape[2:]:
        raise Mismatch(f"kernel_shape is {list(kernel)}, w is {w}")
    if group < 1 or maps % group or x.shape[1] != w.shape[1] * group:
        raise Mismatch(f"group is {group}, x is {x}, w is {w}")
    return Operand("int32", (x.shape[0], maps, *windows_of(call, w.shape[2:]).outputs))


def _require_of_maps(call: Call, index: int, maps: int) -> None:
    operand = call.optional(index)
    if operand is not None and size(operand.shape) != 1:
        require_shape(operand, (maps,), f"input {index}")


def _convolution_cost(call: Call, kernels: int) -> int:
    x, w, result = call.at(0), call.at(kernels), call.outputs[0]
    elements, group = size(w.shape[2:]), call.whole("group")
    gathered = size(w.shape[1:]) * group * size(result.shape[2:]) * result.shape[0]
    read = size(x.shape) + size(w.shape) + padded_elements(call, w.shape[2:]) // 4 + gathered // 3
    products = size(result.shape) * size(w.shape[1:])
    groups = max(GROUP_GAS, ELEMENT_GAS * elements) * group
    return groups + contraction(products, read, size(result.shape))


def _convolution_scratch(call: Call, kernels: int) -> int:
    """Windows in binary64, twice, beside operands and sums."""
    x, w, result = call.at(0), call.at(kernels), call.outputs[0]
    gathered = x.shape[0] * x.shape[1] * size((*w.shape[2:], *result.shape[2:]))
    padded = padded_elements(call, w.shape[2:])
    return 16 * (gathered + padded) + 24 * (size(x.shape) + size(w.shape) + size(result.shape))


def convolved(x: Floats, w: Floats, placed: Windows, group: int) -> Tensor:
    """Convolve whole numbers, padded with 0: [sample, map, ...outputs] in wrapping int32."""
    samples, maps, inputs = x.shape[0], w.shape[0] // group, w.shape[1]
    length = inputs * placed.elements
    parts = []
    for index in range(group):
        data = x[:, index * inputs : (index + 1) * inputs]
        kernels = w[index * maps : (index + 1) * maps].reshape(maps, length)
        columns = placed.gather(data, 0.0).reshape(samples, length, size(placed.outputs))
        sums = whole_product(kernels, columns)
        parts.append(wrapped(sums).reshape(samples, maps, *placed.outputs))
    return np.concatenate(parts, axis=1)


def of_maps(parameter: Tensor, rank: int) -> Tensor:
    """Lay a parameter of the kernels out: one value, or one for each map."""
    if parameter.size == 1:
        return parameter.reshape(())
    return parameter.reshape(-1, *[1] * (rank - 2))


def _convolution_of_integers(call: Call) -> tuple[Operand, ...]:
    result = _convolution(call, 0, 1, (2, 3))
    _require_of_maps(call, 3, call.at(1).shape[0])
    return (result,)


@operator(
    "ConvInteger",
    since=10,
    infer=_convolution_of_integers,
    cost=lambda call: _convolution_cost(call, 1),
    scratch=lambda call: _convolution_scratch(call, 1),
    values=BYTES,
)
def conv_integer(
    x: Tensor,
    w: Tensor,
    x_zero_point: Tensor | None = None,
    w_zero_point: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Wholes | None = None,
    group: int = 1,
    kernel_shape: Wholes | None = None,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> Tensor:
    """`Conv` of x - x_zero_point, padded with 0, and w - w_zero_point in wrapping int32."""
    placed = windows(
        x.shape[2:],
        w.shape[2:],
        strides=strides,
        dilations=dilations,
        pads=pads,
        auto_pad=auto_pad,
    )
    zero = None if x_zero_point is None else x_zero_point.reshape(())
    other = None if w_zero_point is None else of_maps(w_zero_point, w.ndim + 1)
    return convolved(based(x, zero), based(w, other), placed, group)


def _linear_convolution(call: Call) -> tuple[Operand, ...]:
    sums = _convolution(call, 0, 3, (2, 5))
    _require_scales(call, 1, 4, 6)
    _require_one(call, 1, 6, 7)
    for index in (4, 5):
        _require_of_maps(call, index, sums.shape[1])
    require_dtype(call.at(7), BYTES, "y_zero_point")
    bias = call.optional(8)
    if bias is not None:
        require_dtype(bias, ("int32",), "B")
        require_shape(bias, (sums.shape[1],), "B")
    return (Operand(call.at(7).dtype, sums.shape),)


@operator(
    "QLinearConv",
    since=10,
    infer=_linear_convolution,
    cost=lambda call: _convolution_cost(call, 3),
    scratch=lambda call: _convolution_scratch(call, 3),
    values=BYTES,
)
def q_linear_conv(
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor,
    w: Tensor,
    w_scale: Tensor,
    w_zero_point: Tensor,
    y_scale: Tensor,
    y_zero_point: Tensor,
    b: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Wholes | None = None,
    group: int = 1,
    kernel_shape: Wholes | None = None,
    pads: Wholes | None = None,
    strides: Wholes | None = None,
) -> Tensor:
    """`ConvInteger` plus B, times (x_scale w_scale) / y_scale, as `QLinearMatMul` rounds."""
    sums = conv_integer(
        x,
        w,
        x_zero_point,
        w_zero_point,
        auto_pad=auto_pad,
        dilations=dilations,
        group=group,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )
    if b is not None:
        sums = sums + of_maps(b, sums.ndim)
    multiplier = x_scale.reshape(()) * of_maps(w_scale, sums.ndim) / y_scale.reshape(())
    return requantised(sums, multiplier, y_zero_point.reshape(()))
