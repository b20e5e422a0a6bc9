"""Operators of the first operator sets, whose second operand is lined up by attributes."""

from collections.abc import Callable
from typing import Final

from ai_exec.metering import per_element
from ai_exec.ops import arithmetic, logic
from ai_exec.ops.rules import FLOATS, NUMBERS, Axes, one_dtype, same, size
from ai_exec.registry import CONSUMED, Call, Infer, Kernel, Mismatch, Operand, earlier, operator
from ai_exec.tensor import Shape, Tensor

Two = Callable[[Tensor, Tensor], Tensor]


def lined_up(first: Shape, second: Shape, axis: int | None) -> Shape:
    """Give the second shape with axes of length 1 added, so that it lies in the first one.

    It must be a part of the first one from `axis` on, by default its end, or have one element;
    its axes of length 1 fit any length.
    """
    if size(second) == 1 and len(second) <= len(first):
        return (1,) * len(first)
    start = len(first) - len(second) if axis is None else axis % max(len(first), 1)
    part = first[start : start + len(second)] if start >= 0 else ()
    fits = (length in (1, whole) for length, whole in zip(second, part, strict=False))
    if len(part) != len(second) or not all(fits):
        raise Mismatch(f"{list(second)} is no part of {list(first)} from axis {start} on")
    return (1,) * start + second + (1,) * (len(first) - start - len(second))


def line_up(first: Tensor, second: Tensor, axis: int | None, broadcast: int) -> Tensor:
    """Give the second operand so that it broadcasts to the first one."""
    return second.reshape(lined_up(first.shape, second.shape, axis)) if broadcast else second


def _lined_up(dtype: str | None = None) -> Infer:
    def infer(call: Call) -> tuple[Operand, ...]:
        first, second = call.at(0), call.at(1)
        axis = call.attributes["axis"]
        if call.whole("broadcast"):
            lined_up(first.shape, second.shape, axis if isinstance(axis, int) else None)
        elif first.shape != second.shape:
            raise Mismatch(f"{first} and {second} differ, and broadcast is 0")
        return (Operand(dtype or one_dtype(call), first.shape),)

    return infer


def _with_attributes(kernel: Two) -> Kernel:
    """Give a kernel with the attributes of a first version, that does what a later one does."""

    def lined(a: Tensor, b: Tensor, *, axis: int | None = None, broadcast: int = 0) -> Tensor:
        return kernel(a, line_up(a, b, axis, broadcast))

    lined.__doc__ = "As later versions."
    return lined


_ARITHMETIC: Final[dict[str, Two]] = {
    "Add": arithmetic.add,
    "Sub": arithmetic.sub,
    "Mul": arithmetic.mul,
    "Div": arithmetic.div,
}
_COMPARISONS: Final[dict[str, tuple[Two, tuple[str, ...]]]] = {
    "And": (logic.logical_and, ("bool",)),
    "Or": (logic.logical_or, ("bool",)),
    "Xor": (logic.logical_xor, ("bool",)),
    "Equal": (logic.equal, ("bool", "int32", "int64")),
    "Less": (logic.less, FLOATS),
    "Greater": (logic.greater, FLOATS),
}

for _name, _kernel in _ARITHMETIC.items():
    operator(_name, since=6, infer=_lined_up(), cost=per_element(2_000), values=NUMBERS)(
        _with_attributes(_kernel)
    )
    earlier(_name, since=1, of=6, idle=CONSUMED, values=FLOATS)

for _name, (_kernel, _types) in _COMPARISONS.items():
    operator(_name, since=1, infer=_lined_up("bool"), cost=per_element(), values=_types)(
        _with_attributes(_kernel)
    )


@operator("Pow", since=1, infer=_lined_up(), cost=per_element(200_000), values=FLOATS)
def pow_1(x: Tensor, y: Tensor, *, axis: int | None = None, broadcast: int = 0) -> Tensor:
    """As later versions."""
    return arithmetic.pow(x, line_up(x, y, axis, broadcast))


def _alike(call: Call) -> tuple[Operand, ...]:
    first = call.at(0)
    for index in range(len(call.inputs)):
        if call.at(index).shape != first.shape:
            raise Mismatch(f"{first} and {call.at(index)} differ in shape")
    return (Operand(one_dtype(call), first.shape),)


for _name in ("Max", "Min", "Sum", "Mean"):
    earlier(_name, since=6, of=8, infer=_alike, cost=per_element(2_000), values=FLOATS)
    earlier(_name, since=1, of=6, idle=CONSUMED)

for _name, _picoseconds in (
    ("Abs", 1_500),
    ("Ceil", 1_500),
    ("Floor", 1_500),
    ("Neg", 1_500),
    ("Reciprocal", 4_000),
    ("Sqrt", 7_000),
):
    _cost = per_element(_picoseconds)
    earlier(_name, since=1, of=6, idle=CONSUMED, cost=_cost, values=FLOATS)


@operator("Clip", since=1, infer=same, cost=per_element(2_500), values=FLOATS)
def clip_1(
    input: Tensor,
    *,
    consumed_inputs: Axes | None = None,
    max: float | None = None,
    min: float | None = None,
) -> Tensor:
    """As later versions."""
    low = None if min is None else input.dtype.type(min)
    high = None if max is None else input.dtype.type(max)
    return arithmetic.clip(input, low, high)
