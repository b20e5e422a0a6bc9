"""Operators whose result is known, or nearly so, before anything runs."""

from typing import Final

import numpy as np

from ai_exec.metering import free, per_element
from ai_exec.ops.rules import bounds_of, listed, require_dtype, size, wholes_of
from ai_exec.registry import Call, Mismatch, Operand, Unbounded, earlier, operator
from ai_exec.tensor import Tensor, dtype_name

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
    return (Operand(dtype_name(value.dtype), value.shape, value),)


@operator("Constant", since=(13, 19, 21, 23, 24, 25), infer=_constant, cost=free, native=True)
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


earlier("Constant", since=12, of=13)
earlier(
    "Constant",
    since=11,
    of=13,
    lacks=("value_float", "value_floats", "value_int", "value_ints"),
)


@operator("Constant", since=(1, 9), infer=_constant, cost=free, native=True)
def constant_1(*, value: Tensor) -> Tensor:
    """The tensor of the attribute."""
    return value


def _filled(call: Call) -> tuple[Operand, ...]:
    low, shape = bounds_of(call, 0) if call.known(0) is None else (None, wholes_of(call, 0))
    if any(length < 0 for length in shape):
        raise Mismatch(f"shape {list(shape)} is negative")
    value = call.attributes["value"]
    if value is not None:
        assert isinstance(value, np.ndarray)
        if value.size != 1:
            raise Mismatch(f"value has {value.size} elements, not 1")
    dtype = "float32" if value is None else value.dtype.name
    if low is None:
        return (Operand(dtype, shape),)
    return (Operand(dtype, shape, exact=False, least=tuple(max(0, length) for length in low)),)


@operator(
    "ConstantOfShape", since=(9, 20, 21, 23, 24, 25), infer=_filled, cost=per_element(), native=True
)
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


@operator("Shape", since=(15, 19, 21, 23, 24, 25), infer=_shape_15, cost=free, moves=True)
def shape(data: Tensor, *, end: int | None = None, start: int = 0) -> Tensor:
    """Lengths of the axes from `start` to `end`."""
    return np.array(data.shape[cut_shape(len(data.shape), start, end)], dtype=np.int64)


def _shape_1(call: Call) -> tuple[Operand, ...]:
    lengths = np.array(call.at(0).shape, dtype=np.int64)
    return (Operand("int64", lengths.shape, lengths),)


@operator("Shape", since=(1, 13), infer=_shape_1, cost=free, moves=True)
def shape_1(data: Tensor) -> Tensor:
    """Lengths of all axes."""
    return np.array(data.shape, dtype=np.int64)


def _size(call: Call) -> tuple[Operand, ...]:
    return (Operand("int64", (), np.array(size(call.at(0).shape), dtype=np.int64)),)


@operator("Size", since=(1, 13, 19, 21, 23, 24, 25), infer=_size, cost=free, moves=True)
def count(data: Tensor) -> Tensor:
    """How many elements there are."""
    return np.array(data.size, dtype=np.int64)


def range_length(start: int | float, limit: int | float, delta: int | float) -> int:
    """Count the numbers from `start` to before `limit`, in binary64 for floats; raises Mismatch."""
    if delta == 0:
        raise Mismatch("delta is 0")
    if isinstance(start, int):
        return max(0, int(-((start - limit) // delta)))
    count = np.ceil(np.float64(limit - start) / delta)
    if not np.isfinite(count):
        raise Mismatch(f"a range from {start} to {limit} by {delta} has no end")
    return max(0, int(count))


def _range(call: Call) -> tuple[Operand, ...]:
    numbers = []
    for index in range(3):
        require_dtype(call.at(index), (call.at(0).dtype,), f"input {index}")
        if size(call.at(index).shape) != 1:
            raise Mismatch(f"input {index} is {call.at(index)}, not a scalar")
        numbers.append(call.known(index))
    if call.attributes.get("stash_type", 1) != 1:
        raise Mismatch(f"stash_type is {call.whole('stash_type')}, not 1")
    with np.errstate(all="ignore"):
        if any(number is None for number in numbers):
            return (Operand(call.at(0).dtype, (_longest(call),), exact=False),)
        told = (number.reshape(()).item() for number in numbers if number is not None)
        return (Operand(call.at(0).dtype, (range_length(*told),)),)


def _longest(call: Call) -> int:
    """Bound the length of a range some of whose numbers are bounded only."""
    spans = [call.at(index).span for index in range(3)]
    for index, span in enumerate(spans):
        if span is None:
            call.constant(index)
    start, limit, step = ((span.low.min().item(), span.high.max().item()) for span in spans if span)
    if step[0] > 0:
        return range_length(start[0], limit[1], step[0])
    if step[1] < 0:
        return range_length(start[1], limit[0], step[1])
    call.constant(2)
    raise Unbounded("nothing bounds the step")


RANGED: Final = ("float32", "float64", "int16", "int32", "int64")


@operator("Range", since=27, infer=_range, cost=per_element(3_000, 8_000), values=RANGED)
def number_range(start: Tensor, limit: Tensor, delta: Tensor, *, stash_type: int = 1) -> Tensor:
    """start + i delta before `limit`; of floats product and sum in binary64, rounded once."""
    first, last, step = (number.reshape(()).item() for number in (start, limit, delta))
    wide = np.float64 if start.dtype.kind == "f" else np.int64
    index = np.arange(range_length(first, last, step), dtype=wide)
    return np.asarray(index * step + first).astype(start.dtype)


earlier("Range", since=11, of=27, lacks=("stash_type",))
