"""Padding and cutting at the ends of axes (R5)."""

import numpy as np

from ai_exec.metering import per_element
from ai_exec.ops.rules import Axes, axes_of, bounds_of, listed, require_dtype, size, wholes_of
from ai_exec.registry import Call, Mismatch, Operand, earlier, operator
from ai_exec.tensor import Tensor

Wholes = tuple[int, ...]

PAD_MODES = {"constant": "constant", "reflect": "reflect", "edge": "edge", "wrap": "wrap"}


def _padded(call: Call, pads: Wholes, axes: Axes) -> tuple[Operand, ...]:
    data, mode = call.at(0), call.word("mode")
    axes_of(axes, data.rank)
    if len(pads) != 2 * len(axes):
        raise Mismatch(f"pads {list(pads)} for {len(axes)} axes")
    if mode not in PAD_MODES:
        raise Mismatch(f"mode is {mode}, not one of {', '.join(PAD_MODES)}")
    shape = list(data.shape)
    for axis, before, after in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        cut = max(-before, 0) + max(-after, 0)
        most = data.shape[axis] - cut - (mode == "reflect")
        if cut > data.shape[axis] or (mode != "constant" and max(before, after) > max(most, 0)):
            raise Mismatch(f"pads {list(pads)} for {data} in mode {mode}")
        shape[axis] += before + after
    return (Operand(data.dtype, tuple(shape)),)


def padded(data: Tensor, pads: Wholes, axes: Axes, mode: str, value: Tensor | float) -> Tensor:
    """Pad before and behind axes; negative widths cut."""
    widths = [(0, 0)] * data.ndim
    cuts = [slice(None)] * data.ndim
    for axis, before, after in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        widths[axis] = (max(before, 0), max(after, 0))
        cuts[axis] = slice(max(-before, 0), data.shape[axis] - max(-after, 0))
    inner = data[tuple(cuts)]
    if not data.ndim:
        return inner
    if mode == "constant":
        fill = np.asarray(value).reshape(())
        return np.pad(inner, widths, mode="constant", constant_values=fill)
    return np.pad(inner, widths, mode=mode)  # type: ignore[call-overload,no-any-return]


def _pad_18(call: Call) -> tuple[Operand, ...]:
    axes = wholes_of(call, 3) if call.optional(3) is not None else tuple(range(call.at(0).rank))
    return _pad_value(call, axes)


def _pad_11(call: Call) -> tuple[Operand, ...]:
    return _pad_value(call, tuple(range(call.at(0).rank)))


def _pad_value(call: Call, axes: Axes) -> tuple[Operand, ...]:
    value = call.optional(2)
    if value is not None:
        require_dtype(value, (call.at(0).dtype,), "constant_value")
        if size(value.shape) != 1:
            raise Mismatch(f"constant_value is {value}, not a scalar")
    if call.known(1) is None:
        return (_bounded_pad(call, bounds_of(call, 1), axes),)
    return _padded(call, wholes_of(call, 1), axes)


def _bounded_pad(call: Call, bounds: tuple[Wholes, Wholes], axes: Axes) -> Operand:
    """Bound what is padded by widths between two."""
    data, count = call.at(0), len(axes)
    found = axes_of(axes, data.rank)
    if any(len(end) != 2 * count for end in bounds):
        raise Mismatch(f"pads {call.at(1)} for {count} axes")
    ends = []
    for end in bounds:
        shape = list(data.shape)
        for place, axis in enumerate(axis % data.rank for axis in axes):
            shape[axis] = max(0, shape[axis] + end[place] + end[place + count])
        ends.append(tuple(shape))
    assert len(found) == count
    return Operand(data.dtype, ends[1], exact=False, least=ends[0])


@operator(
    "Pad",
    since=(18, 19, 21, 23, 24, 25),
    infer=_pad_18,
    cost=per_element(2_000, 60_000),
    moves=True,
)
def pad(
    data: Tensor,
    pads: Tensor,
    constant_value: Tensor | None = None,
    axes: Tensor | None = None,
    *,
    mode: str = "constant",
) -> Tensor:
    """Padded with a constant, the edge, the reflection or the other end; negative widths cut."""
    along = tuple(range(data.ndim)) if axes is None else listed(axes)
    along = tuple(axis % data.ndim for axis in along)
    fill = data.dtype.type(0) if constant_value is None else constant_value
    return padded(data, listed(pads), along, mode, fill)


earlier("Pad", since=(11, 13), of=18, inputs_taken=3, infer=_pad_11)


def _pad_2(call: Call) -> tuple[Operand, ...]:
    return _padded(call, call.wholes("pads") or (), tuple(range(call.at(0).rank)))


@operator(
    "Pad",
    since=2,
    infer=_pad_2,
    cost=per_element(2_000, 60_000),
    values=("float32", "float64"),
    moves=True,
)
def pad_2(data: Tensor, *, mode: str = "constant", pads: Wholes, value: float = 0.0) -> Tensor:
    """As later versions, always along all axes."""
    return padded(data, pads, tuple(range(data.ndim)), mode, data.dtype.type(value))


def _pad_1(call: Call) -> tuple[Operand, ...]:
    return _padded(call, call.wholes("paddings") or (), tuple(range(call.at(0).rank)))


@operator(
    "Pad",
    since=1,
    infer=_pad_1,
    cost=per_element(2_000, 60_000),
    values=("float32", "float64"),
    moves=True,
)
def pad_1(data: Tensor, *, mode: str = "constant", paddings: Wholes, value: float = 0.0) -> Tensor:
    """As later versions, always along all axes."""
    return pad_2(data, mode=mode, pads=paddings, value=value)
