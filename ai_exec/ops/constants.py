"""Operators whose result is known, or nearly so, before anything runs."""

import numpy as np

from ai_exec.metering import free, per_element
from ai_exec.ops.rules import listed, require_dtype, size, wholes_of
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.tensor import Tensor

CONSTANT_KINDS = ("value", "value_float", "value_floats", "value_int", "value_ints")


def constant_of(attributes: dict[str, object]) -> Tensor:
    """Give the tensor that one attribute of a Constant holds; raises Mismatch unless just one."""
    given = [(name, value) for name, value in attributes.items() if value is not None]
    if len(given) != 1 or given[0][0] not in CONSTANT_KINDS:
        named = ", ".join(name for name, _ in given) or "no attribute"
        raise Mismatch(f"{named}, not just one of {', '.join(CONSTANT_KINDS)}")
    name, value = given[0]
    if name == "value":
        assert isinstance(value, np.ndarray)
        return value
    return np.array(value, dtype=np.float32 if "float" in name else np.int64)


def _constant(call: Call) -> tuple[Operand, ...]:
    value = constant_of(dict(call.attributes))
    return (Operand(value.dtype.name, value.shape, value),)


@operator("Constant", since=(13, 19, 21, 23, 24, 25), infer=_constant, cost=free)
def constant(
    *,
    value: Tensor | None = None,
    value_float: float | None = None,
    value_floats: tuple[float, ...] | None = None,
    value_int: int | None = None,
    value_ints: tuple[int, ...] | None = None,
) -> Tensor:
    """The tensor of the attribute."""
    return constant_of(
        {
            "value": value,
            "value_float": value_float,
            "value_floats": value_floats,
            "value_int": value_int,
            "value_ints": value_ints,
        }
    )


@operator("Constant", since=12, infer=_constant, cost=free)
def constant_12(
    *,
    value: Tensor | None = None,
    value_float: float | None = None,
    value_floats: tuple[float, ...] | None = None,
    value_int: int | None = None,
    value_ints: tuple[int, ...] | None = None,
) -> Tensor:
    """The tensor of the attribute."""
    return constant(
        value=value,
        value_float=value_float,
        value_floats=value_floats,
        value_int=value_int,
        value_ints=value_ints,
    )


@operator("Constant", since=11, infer=_constant, cost=free)
def constant_11(*, value: Tensor | None = None) -> Tensor:
    """The tensor of the attribute."""
    return constant_of({"value": value})


@operator("Constant", since=(1, 9), infer=_constant, cost=free)
def constant_1(*, value: Tensor) -> Tensor:
    """The tensor of the attribute."""
    return value


def _filled(call: Call) -> tuple[Operand, ...]:
    shape = wholes_of(call, 0)
    if any(length < 0 for length in shape):
        raise Mismatch(f"shape {list(shape)} is negative")
    value = call.attributes["value"]
    if value is None:
        return (Operand("float32", shape),)
    assert isinstance(value, np.ndarray)
    if value.size != 1:
        raise Mismatch(f"value has {value.size} elements, not 1")
    return (Operand(value.dtype.name, shape),)


@operator("ConstantOfShape", since=(9, 20, 21, 23, 24, 25), infer=_filled, cost=per_element())
def constant_of_shape(input: Tensor, *, value: Tensor | None = None) -> Tensor:
    """One value throughout, float32 0 if none is given."""
    fill = np.zeros(1, np.float32) if value is None else value
    return np.full(listed(input), fill.reshape(()), dtype=fill.dtype)


def cut_shape(rank: int, start: int, end: int | None) -> slice:
    """Give the axes that Shape returns; both ends are brought into the tensor."""
    stop = rank if end is None else end
    first = min(max(start + rank if start < 0 else start, 0), rank)
    return slice(first, max(first, min(max(stop + rank if stop < 0 else stop, 0), rank)))


def _shape_15(call: Call) -> tuple[Operand, ...]:
    end, data = call.attributes["end"], call.at(0)
    cut = cut_shape(data.rank, call.whole("start"), end if isinstance(end, int) else None)
    lengths = np.array(data.shape[cut], dtype=np.int64)
    return (Operand("int64", lengths.shape, lengths),)


@operator("Shape", since=(15, 19, 21, 23, 24, 25), infer=_shape_15, cost=free)
def shape(data: Tensor, *, end: int | None = None, start: int = 0) -> Tensor:
    """Lengths of the axes from `start` to `end`."""
    return np.array(data.shape[cut_shape(len(data.shape), start, end)], dtype=np.int64)


def _shape_1(call: Call) -> tuple[Operand, ...]:
    lengths = np.array(call.at(0).shape, dtype=np.int64)
    return (Operand("int64", lengths.shape, lengths),)


@operator("Shape", since=(1, 13), infer=_shape_1, cost=free)
def shape_1(data: Tensor) -> Tensor:
    """Lengths of all axes."""
    return np.array(data.shape, dtype=np.int64)


def _size(call: Call) -> tuple[Operand, ...]:
    return (Operand("int64", (), np.array(size(call.at(0).shape), dtype=np.int64)),)


@operator("Size", since=(1, 13, 19, 21, 23, 24, 25), infer=_size, cost=free)
def count(data: Tensor) -> Tensor:
    """How many elements there are."""
    return np.array(data.size, dtype=np.int64)


def range_length(start: int, limit: int, delta: int) -> int:
    """Count the numbers from `start` to before `limit`; raises Mismatch."""
    if delta == 0:
        raise Mismatch("delta is 0")
    return max(0, -((start - limit) // delta))


def _range(call: Call) -> tuple[Operand, ...]:
    numbers = []
    for index in range(3):
        require_dtype(call.at(index), (call.at(0).dtype,), f"input {index}")
        if size(call.at(index).shape) != 1:
            raise Mismatch(f"input {index} is {call.at(index)}, not a scalar")
        numbers.append(int(call.constant(index).reshape(())))
    return (Operand(call.at(0).dtype, (range_length(*numbers),)),)


@operator("Range", since=11, infer=_range, cost=per_element(), values=("int16", "int32", "int64"))
def whole_range(start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
    """Whole numbers from `start` to before `limit`."""
    first, last, step = (int(number.reshape(())) for number in (start, limit, delta))
    return np.arange(first, last, step, dtype=start.dtype)
