"""What whole numbers of a run are at least and at most: shapes that they tell are bounded by it.

Lengths of results whose shape a run tells are known by a greatest number, truth values are 0 or 1,
an index lies in its axis.  Bounds go on through arithmetic and movement, element by element for
short tensors, else for all elements alike.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Final

import numpy as np

from ai_exec.ops.rules import FLOATS, LIST_LENGTH_MAX, axis_of
from ai_exec.registry import Call, Operand, Operator
from ai_exec.span import Span, union
from ai_exec.tensor import Tensor

SHORT: Final = 64
"""Elements of a tensor whose elements have bounds of their own."""
SEARCHED_MAX: Final = 4096
"""Elements of a constant whose least and greatest are looked for."""
GREATEST: Final = 1 << 40
"""Bounds beyond are none, so that sums and products of two are exact in int64 or float64."""


_DTYPES: Final = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", *FLOATS)


class _Unknown(Exception):
    """Nothing is known of an element."""


Rule = Callable[[Operator, Call, Operand], Span]
"""Bounds one output; raises _Unknown."""


def bounded(operator: Operator, call: Call, outputs: Sequence[Operand]) -> list[Span | None]:
    """Bound the elements of each output of a node, where something is known of them."""
    found: list[Span | None] = [output.within for output in outputs]
    rules = _RULES.get(operator.name, ()) if not operator.domain and _tells(operator, call) else ()
    for index, (rule, output) in enumerate(zip(rules, outputs, strict=False)):
        if output.value is None and output.within is None:
            try:
                with np.errstate(all="ignore"):
                    found[index] = _settled(rule(operator, call, output), output)
            except _Unknown:
                continue
    return found


def _tells(operator: Operator, call: Call) -> bool:
    """Tell whether there is something to find: results of constants are computed anyway."""
    inputs = [operand for operand in call.inputs if operand is not None]
    if all(operand.value is not None for operand in inputs):
        return False
    return operator.name in _MAKING or any(
        operand.within is not None or operand.dtype == "bool" for operand in inputs
    )


def _settled(span: Span, output: Operand) -> Span:
    """Give bounds the form that they have in an operand; raises _Unknown for useless ones."""
    low, high = np.asarray(span.low), np.asarray(span.high)
    if not low.size or not high.size:
        raise _Unknown
    _require_moderate(low)
    _require_moderate(high)
    if low.shape == high.shape == output.shape and _is_short(output):
        return Span(low, high)
    return Span(low.min(), high.max())


def _is_short(operand: Operand) -> bool:
    return operand.exact and prod(operand.shape) <= SHORT


def _span(call: Call, index: int) -> Span:
    """Give the bounds of an input, whose elements are numbers of moderate size."""
    operand = call.optional(index)
    span = None if operand is None or operand.dtype not in _DTYPES else operand.span
    if span is None or not 0 < span.low.size <= SEARCHED_MAX:
        raise _Unknown
    _require_moderate(span.low)
    _require_moderate(span.high)
    return span


def _require_moderate(bound: Tensor) -> None:
    """Raise _Unknown for what is too large, or no number."""
    if not (np.abs(bound.astype(np.float64)) < GREATEST).all():
        raise _Unknown


def _alike(span: Span) -> Span:
    """Give bounds for all elements alike."""
    return Span(span.low.min(), span.high.max())


def _run(operator: Operator, call: Call, inputs: Sequence[Tensor | None]) -> Tensor:
    return operator.run(tuple(inputs), call.attributes, call.output_count)[0]


def _whole(call: Call, index: int) -> Span:
    """Give bounds of each element of a short input."""
    span, operand = _span(call, index), call.at(index)
    if not _is_short(operand) and span.low.shape != operand.shape:
        raise _Unknown
    shape = operand.shape
    return Span(np.broadcast_to(span.low, shape), np.broadcast_to(span.high, shape))


def _moved(*carriers: int) -> Rule:
    """Elements of some inputs (of all if none is named), moved as the others tell."""

    def rule(operator: Operator, call: Call, output: Operand) -> Span:
        carried = carriers or range(len(call.inputs))
        present = [index for index in carried if call.optional(index) is not None]
        try:
            spans = {index: _whole(call, index) for index in present}
            low, high = [list[Tensor | None]() for _ in range(2)]
            for index, operand in enumerate(call.inputs):
                if operand is not None and index not in spans and operand.value is None:
                    raise _Unknown
                fixed = None if operand is None else operand.value
                low.append(spans[index].low if index in spans else fixed)
                high.append(spans[index].high if index in spans else fixed)
            if not _is_short(output):
                raise _Unknown
            return Span(_run(operator, call, low), _run(operator, call, high))
        except _Unknown:
            found = union(*(_span(call, index) for index in present))
            if found is None:
                raise
            return found

    return rule


def _each(call: Call) -> list[Span]:
    """Give the bounds of all inputs that are there, in a form in which they broadcast."""
    spans = [_span(call, index) for index in range(len(call.inputs)) if call.optional(index)]
    operands = [operand for operand in call.inputs if operand is not None]
    short = all(
        not span.low.shape or _is_short(operand)
        for span, operand in zip(spans, operands, strict=True)
    )
    return spans if short else [_alike(span) for span in spans]


def _rising(operator: Operator, call: Call, output: Operand) -> Span:
    """An elementwise operator that grows with each of its inputs."""
    spans = _each(call)
    low = _run(operator, call, [span.low for span in spans])
    return Span(low, _run(operator, call, [span.high for span in spans]))


def _limited(operator: Operator, call: Call, output: Operand) -> Span:
    """Least, greatest or clipped numbers: some may be anything, as others hold them."""
    dtype = np.dtype(output.dtype)
    if output.dtype not in _DTYPES or dtype.itemsize < 4:
        raise _Unknown
    anything = Span(np.array(-GREATEST // 2).astype(dtype), np.array(GREATEST // 2).astype(dtype))
    spans = []
    for index, operand in enumerate(call.inputs):
        if operand is not None:
            try:
                spans.append(_alike(_span(call, index)))
            except _Unknown:
                spans.append(anything)
    if operator.name in ("Max", "Min") and all(span is anything for span in spans):
        raise _Unknown
    low = _run(operator, call, [span.low for span in spans])
    return Span(low, _run(operator, call, [span.high for span in spans]))


def _held(operator: Operator, call: Call, output: Operand) -> Span:
    try:
        return _rising(operator, call, output)
    except _Unknown:
        return _limited(operator, call, output)


def _within(low: int, high: int) -> Rule:
    """A function whose values are bounded."""

    def rule(operator: Operator, call: Call, output: Operand) -> Span:
        dtype = np.dtype(output.dtype)
        return Span(np.array(low, dtype), np.array(high, dtype))

    return rule


def _difference(operator: Operator, call: Call, output: Operand) -> Span:
    first, second = _each(call)
    low = _run(operator, call, [first.low, second.high])
    return Span(low, _run(operator, call, [first.high, second.low]))


def _corners(operator: Operator, call: Call, output: Operand) -> Span:
    """Least and greatest of what the ends give: products, and quotients by numbers above 0."""
    first, second = _each(call)
    if operator.name == "Div":
        if (second.high < 1).any() or (second.low < 0).any():
            raise _Unknown
        second = Span(np.maximum(second.low, second.low.dtype.type(1)), second.high)
    pairs = [(a, b) for a in (first.low, first.high) for b in (second.low, second.high)]
    sizes = [float(np.abs(part.astype(np.float64)).max()) for part in (first.low, first.high)]
    others = [float(np.abs(part.astype(np.float64)).max()) for part in (second.low, second.high)]
    if max(sizes) * max(others) > GREATEST:
        raise _Unknown
    found = np.stack(np.broadcast_arrays(*(_run(operator, call, pair) for pair in pairs)))
    return Span(found.min(axis=0), found.max(axis=0))


def _rest(operator: Operator, call: Call, output: Operand) -> Span:
    first, second = _each(call)
    if (second.low < 1).any() or (first.low < 0).any():
        raise _Unknown
    most = np.minimum(first.high, second.high - 1)
    return Span(np.zeros_like(most), most)


def _falling(operator: Operator, call: Call, output: Operand) -> Span:
    (span,) = _each(call)
    return Span(_run(operator, call, [span.high]), _run(operator, call, [span.low]))


def _size(operator: Operator, call: Call, output: Operand) -> Span:
    (span,) = _each(call)
    ends = np.stack([np.abs(span.low), np.abs(span.high)])
    crosses = (span.low < 0) & (span.high > 0)
    return Span(np.where(crosses, 0, ends.min(axis=0)).astype(ends.dtype), ends.max(axis=0))


def _cast(operator: Operator, call: Call, output: Operand) -> Span:
    span = _span(call, 0)
    others = [None if operand is None else operand.value for operand in call.inputs[1:]]
    if any(other is None for other in others):
        raise _Unknown
    low = _run(operator, call, [span.low, *others])
    return Span(low, _run(operator, call, [span.high, *others]))


def _chosen(operator: Operator, call: Call, output: Operand) -> Span:
    """One of two, where the condition tells at all; else either."""
    condition, yes, no = _each(call)
    either = (np.minimum(yes.low, no.low), np.maximum(yes.high, no.high))
    always, never = condition.low.astype(bool), ~condition.high.astype(bool)
    low = np.where(always, yes.low, np.where(never, no.low, either[0]))
    return Span(low, np.where(always, yes.high, np.where(never, no.high, either[1])))


def _equal(operator: Operator, call: Call, output: Operand) -> Span:
    first, second = _each(call)
    possible = (first.low <= second.high) & (second.low <= first.high)
    certain = (first.low == first.high) & (second.low == second.high) & possible
    return Span(certain, possible)


def _compared(operator: Operator, call: Call, output: Operand) -> Span:
    """An order of two numbers: a is surely above b if its least is above the greatest b."""
    first, second = _each(call)
    if operator.name.startswith("Less"):
        first, second = second, first
    above = np.greater_equal if operator.name.endswith("OrEqual") else np.greater
    return Span(above(first.low, second.high), above(first.high, second.low))


def _folded_sum(operator: Operator, call: Call, output: Operand) -> Span:
    data = call.at(0)
    try:
        return _moved(0)(operator, call, output) if _is_short(data) else _times(call, output)
    except _Unknown:
        return _times(call, output)


def _times(call: Call, output: Operand) -> Span:
    """The bounds of an element as often as there may be some in a sum."""
    data, span = call.at(0), _alike(_span(call, 0))
    if data.dtype.startswith("float"):
        raise _Unknown
    count = prod(data.shape)
    if max(abs(int(span.low)), abs(int(span.high))) * count > GREATEST:
        raise _Unknown
    ends = [np.array(int(end) * count) for end in (span.low, span.high)]
    none = np.array(0)
    return Span(np.minimum(none, ends[0]), np.maximum(none, ends[1]))


def _position(operator: Operator, call: Call, output: Operand) -> Span:
    data = call.at(0)
    length = data.shape[axis_of(call.whole("axis"), data.rank)]
    return Span(np.array(0), np.array(max(length - 1, 0)))


def _coordinate(operator: Operator, call: Call, output: Operand) -> Span:
    lengths = [length for operand in call.inputs[:2] if operand for length in operand.shape]
    return Span(np.array(0), np.array(max(max(lengths, default=1) - 1, 0)))


def _ranged(operator: Operator, call: Call, output: Operand) -> Span:
    start, limit, step = (_span(call, index) for index in range(3))
    if (step.low <= 0).any():
        raise _Unknown
    return Span(start.low.min(), np.maximum(start.low.min(), limit.high.max()))


def _filled(operator: Operator, call: Call, output: Operand) -> Span:
    value = call.attributes["value"]
    fill = value.reshape(()) if isinstance(value, np.ndarray) else np.zeros((), np.float32)
    return Span(fill, fill)


def _hot(operator: Operator, call: Call, output: Operand) -> Span:
    return _alike(_span(call, 2))


def _part(operator: Operator, call: Call, output: Operand) -> Span:
    return _alike(_span(call, 0))


_RISING: Final = ("Add", "Sum", "Floor", "Ceil", "Round", "Relu", "And", "Or")
_MOVING: Final = (
    *("Slice", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose", "Expand", "Tile"),
    *("Gather", "GatherElements", "GatherND", "Compress", "Unique", "ReverseSequence"),
    *("ReduceMax", "ReduceMin"),
)
_MAKING: Final = frozenset(
    {
        *("ArgMax", "ArgMin", "NonZero", "NonMaxSuppression", "TopK", "ConstantOfShape", "OneHot"),
        *("Sigmoid", "HardSigmoid", "Softmax", "Tanh", "Max", "Min", "Clip", "Compress", "Gather"),
        *("GatherElements", "GatherND", "Where", "Expand", "Range", "Mod"),
    }
)
"""Operators that bound their results whatever is known of what they take."""
_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    **dict.fromkeys(_RISING, (_rising,)),
    **dict.fromkeys(_MOVING, (_moved(0),)),
    **dict.fromkeys(("Concat", "Identity"), (_moved(),)),
    **dict.fromkeys(("ScatterElements", "ScatterND"), (_moved(0, 2),)),
    **dict.fromkeys(("Greater", "GreaterOrEqual", "Less", "LessOrEqual"), (_compared,)),
    **dict.fromkeys(("ArgMax", "ArgMin"), (_position,)),
    **dict.fromkeys(("NonZero", "NonMaxSuppression"), (_coordinate,)),
    **dict.fromkeys(("Mul", "Div"), (_corners,)),
    **dict.fromkeys(("Neg", "Not"), (_falling,)),
    **dict.fromkeys(("Cast", "CastLike"), (_cast,)),
    **dict.fromkeys(("Sigmoid", "HardSigmoid", "Softmax"), (_within(0, 1),)),
    "Tanh": (_within(-1, 1),),
    **dict.fromkeys(("Max", "Min", "Clip"), (_held,)),
    "Sub": (_difference,),
    "Split": (_part,) * LIST_LENGTH_MAX,
    "Mod": (_rest,),
    "Abs": (_size,),
    "Where": (_chosen,),
    "Equal": (_equal,),
    "ReduceSum": (_folded_sum,),
    "CumSum": (_folded_sum,),
    "TopK": (_moved(0), _position),
    "Range": (_ranged,),
    "ConstantOfShape": (_filled,),
    "OneHot": (_hot,),
}
