"""Linear quantisation: from numbers to small integers and back (R4)."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ai_exec.metering import per_element
from ai_exec.ops.rules import FLOAT32, axis_of, require_dtype, require_shape, size
from ai_exec.registry import Call, Mismatch, Operand, earlier, operator
from ai_exec.semantics.numerics import Floats, cast, greatest, least
from ai_exec.semantics.tiny import LAYOUTS, POWERS, SMALL_INTEGERS, read
from ai_exec.tensor import DTYPE_NAMES, ELEMENT_BITS, NARROW, Shape, Tensor

RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "uint8": (0, 255),
    "int8": (-128, 127),
    "uint16": (0, 65535),
    "int16": (-32768, 32767),
    **SMALL_INTEGERS,
}
"""Least and greatest number of each integer type that numbers are quantised to."""

QUANTISED: Final = (*RANGES, *LAYOUTS)
PRECISIONS: Final = ("float32", *NARROW)
SCALES: Final = (*PRECISIONS, POWERS)
NUMBERS: Final = (*PRECISIONS, "int32")


def _quantise_cost(call: Call) -> int:
    """One constant scale of binary32 takes a compiled pass, other ones take several passes."""
    data, made = call.at(0), call.outputs[0].dtype
    if made.startswith(("float8", "float4")):
        return per_element(230_000)(call)
    if ELEMENT_BITS[made] < 8:
        return per_element(70_000)(call)
    if not _is_constant(call) or data.dtype != "float32" or call.attributes.get("block_size"):
        return per_element(50_000)(call)
    return per_element(1_500 if size(call.at(1).shape) == 1 else 8_000)(call)


def _dequantise_cost(call: Call) -> int:
    single = _is_constant(call) and size(call.at(1).shape) == 1
    return per_element(2_000 if single else 6_000)(call)


def _is_constant(call: Call) -> bool:
    return all(one is None or one.value is not None for one in call.inputs[1:])


def spread(parameter: Tensor, shape: Shape, axis: int, block_size: int) -> Tensor:
    """Lay a scale or a zero point out so that it broadcasts with the data: one value for all.

    Or one for each index of an axis, or one for each block of so many indices.
    """
    if parameter.size == 1:
        return parameter.reshape(())
    place = axis % len(shape)
    if block_size:
        return np.take(parameter, np.arange(shape[place]) // block_size, axis=place)
    return parameter.reshape([-1 if at == place else 1 for at in range(len(shape))])


def saturated(whole: Floats, zero: Tensor | int, dtype: str) -> Tensor:
    """Whole numbers plus a zero point, as near as the type has them; NaN counts as 0."""
    low, high = RANGES[dtype]
    known = np.clip(np.where(np.isnan(whole), 0.0, whole) + zero, low, high)
    return cast(known, dtype)


def _require_parameters(call: Call) -> None:
    """Check the shapes of the scale and the zero point, inputs 1 and 2."""
    data, scale, zero = call.at(0), call.at(1), call.optional(2)
    if zero is not None and (size(scale.shape), size(zero.shape)) != (1, 1):
        require_shape(zero, scale.shape, "the zero point")
    block_size = call.whole("block_size") if "block_size" in call.attributes else 0
    if scale.rank < 2 and size(scale.shape) == 1:
        return
    if "axis" not in call.attributes:
        raise Mismatch(f"the scale is {scale}: this version takes one value")
    axis = axis_of(call.whole("axis"), data.rank)
    if not block_size:
        require_shape(scale, data.shape[axis : axis + 1], "the scale")
    elif block_size < 0:
        raise Mismatch(f"block_size is {block_size}")
    else:
        blocks = -(-data.shape[axis] // block_size)
        shape = (*data.shape[:axis], blocks, *data.shape[axis + 1 :])
        require_shape(scale, shape, "the scale")


def _named_dtype(call: Call, attribute: str) -> str | None:
    number = call.whole(attribute) if attribute in call.attributes else 0
    if number and number not in DTYPE_NAMES:
        raise Mismatch(f"{attribute} {number} is not supported")
    return DTYPE_NAMES[number] if number else None


def _quantise(call: Call) -> tuple[Operand, ...]:
    _require_parameters(call)
    require_dtype(call.at(1), (*SCALES, "int32"), "y_scale")
    named, zero = _named_dtype(call, "output_dtype"), call.optional(2)
    if zero is not None:
        require_dtype(zero, (named,) if named else QUANTISED, "y_zero_point")
        named = zero.dtype
    result = Operand(named or "uint8", call.at(0).shape)
    require_dtype(result, QUANTISED, "y")
    precision = _named_dtype(call, "precision")
    if precision not in (None, *PRECISIONS):
        raise Mismatch(f"precision is {precision}, not one of {', '.join(PRECISIONS)}")
    return (result,)


@operator(
    "QuantizeLinear",
    since=(23, 24, 25, 28),
    infer=_quantise,
    cost=_quantise_cost,
    values=NUMBERS,
    native=True,
)
def quantize_linear(
    x: Tensor,
    y_scale: Tensor,
    y_zero_point: Tensor | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
    precision: int = 0,
    saturate: int = 1,
) -> Tensor:
    """x / y_scale, to a whole number half to even, plus the zero point, saturated.

    The quotient is rounded to the type of `precision`, or of y_scale, which x takes first; of
    integers to binary64, of powers of two as scales to binary32.  NaN gives the zero point.  Small
    floats are cast from the quotient, to which a zero point other than 0 is added in binary32.
    """
    dtype = DTYPE_NAMES[output_dtype] if output_dtype else "uint8"
    if y_zero_point is not None:
        dtype = y_zero_point.dtype.name
    named = DTYPE_NAMES[precision] if precision else y_scale.dtype.name
    quotient = _quotient(x, spread(y_scale, x.shape, axis, block_size), named)
    zero: Tensor | int = 0
    if y_zero_point is not None:
        zero = read(spread(y_zero_point, x.shape, axis, block_size))
    if dtype in RANGES:
        return saturated(np.rint(quotient).astype(np.float64), zero, dtype)
    moved = np.where(np.equal(zero, 0), quotient, quotient + zero)
    return cast(moved, dtype, saturate=bool(saturate))


def _quotient(x: Tensor, scale: Tensor, precision: str) -> Tensor:
    """Divide and round once, to a number of the precision held as binary32."""
    if precision == "int32":
        return cast(x, "float64") / cast(scale, "float64")
    if precision not in NARROW:
        return cast(x, "float32") / cast(scale, "float32")
    dividend, divisor = (cast(cast(part, precision), "float32") for part in (x, scale))
    return cast(cast(dividend / divisor, precision), "float32")


earlier("QuantizeLinear", since=21, of=23, lacks=("precision",))
earlier("QuantizeLinear", since=19, of=23, lacks=("block_size", "output_dtype", "precision"))
earlier(
    "QuantizeLinear",
    since=13,
    of=23,
    lacks=("block_size", "output_dtype", "precision", "saturate"),
)
earlier(
    "QuantizeLinear",
    since=10,
    of=23,
    lacks=("axis", "block_size", "output_dtype", "precision", "saturate"),
)


def _dequantise(call: Call) -> tuple[Operand, ...]:
    _require_parameters(call)
    data, scale, zero = call.at(0), call.at(1), call.optional(2)
    require_dtype(scale, SCALES, "x_scale")
    if zero is not None:
        require_dtype(zero, (data.dtype,), "x_zero_point")
    result = Operand(_named_dtype(call, "output_dtype") or scale.dtype, data.shape)
    require_dtype(result, PRECISIONS, "y")
    return (result,)


@operator(
    "DequantizeLinear",
    since=(23, 24, 25, 28),
    infer=_dequantise,
    cost=_dequantise_cost,
    values=(*QUANTISED, "int32"),
    native=True,
)
def dequantize_linear(
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
) -> Tensor:
    """(x - x_zero_point) rounded to binary32, times x_scale, rounded to the type of the result.

    The difference of integers is exact before.  x_scale is first cast to the type of the result.
    """
    dtype = DTYPE_NAMES[output_dtype] if output_dtype else x_scale.dtype.name
    whole = read(x)
    if x_zero_point is not None:
        wide = np.float32 if whole.dtype.kind == "f" else np.int64
        zero = read(spread(x_zero_point, x.shape, axis, block_size))
        whole = whole.astype(wide) - zero.astype(wide)
    scale = cast(cast(spread(x_scale, x.shape, axis, block_size), dtype), "float32")
    return cast(whole.astype(np.float32) * scale, dtype)


earlier("DequantizeLinear", since=21, of=23, lacks=("output_dtype",))
earlier("DequantizeLinear", since=(13, 19), of=23, lacks=("block_size", "output_dtype"))
earlier("DequantizeLinear", since=10, of=23, lacks=("axis", "block_size", "output_dtype"))


def _dynamic(call: Call) -> tuple[Operand, ...]:
    return (
        Operand("uint8", call.at(0).shape),
        Operand("float32", ()),
        Operand("uint8", ()),
    )


@operator(
    "DynamicQuantizeLinear",
    since=11,
    infer=_dynamic,
    cost=per_element(3_000),
    values=FLOAT32,
)
def dynamic_quantize_linear(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """y_scale = (max - min) / 255, zero point = -min / y_scale, then `QuantizeLinear` to uint8.

    max and min are the greatest and the least of the whole tensor and 0.  Each step rounds to
    binary32; the zero point saturates, then rounds half to even.  Of zeros alone the scale is 0.
    """
    flat = np.concatenate([x.reshape(-1), np.zeros(1, np.float32)])
    high, low = greatest(flat, (0,), keepdims=False), least(flat, (0,), keepdims=False)
    scale = np.asarray((high - low) / np.float32(255.0))
    start = np.clip(-(low / scale), np.float32(0.0), np.float32(255.0))
    zero = np.asarray(cast(np.rint(start), "uint8"))
    return quantize_linear(x, scale, zero), scale, zero
