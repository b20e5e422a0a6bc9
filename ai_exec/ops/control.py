"""Operators that run graphs: If, Loop and Scan.

Rules judge a body on the types that it will get.  Whatever changes its shape from one iteration to
the next is known by an upper bound only; what exceeds it at a run, traps.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ai_exec.ops.rules import axis_of, require_dtype, size
from ai_exec.registry import Body, Call, Mismatch, Operand, operator
from ai_exec.span import Span, union
from ai_exec.tensor import Shape, Tensor, TensorType

Wholes = tuple[int, ...]

SINCE_16: Final = (16, 19, 21, 23, 24, 25)
TRUE: Final = np.array(True)
"""The condition that an iteration sees: it would not run else."""


def _plain(operand: Operand) -> Operand:
    """A value of a run of the operand's type."""
    return Operand(operand.dtype, operand.shape, None, operand.exact, operand.least)


def _single(operand: Operand, dtype: str, what: str) -> None:
    require_dtype(operand, (dtype,), what)
    if size(operand.shape) != 1:
        raise Mismatch(f"{what} is {operand}, not one element")


# If.


def _branches(call: Call) -> tuple[Operand, ...]:
    _single(call.at(0), "bool", "the condition")
    pairs = [call.subgraph(name).judge(()) for name in ("else_branch", "then_branch")]
    if len(pairs[0]) != len(pairs[1]):
        raise Mismatch(f"branches with {len(pairs[0])} and {len(pairs[1])} outputs")
    return tuple(_either(index, *pair) for index, pair in enumerate(zip(*pairs, strict=True)))


def _either(index: int, first: Operand, second: Operand) -> Operand:
    if first.dtype != second.dtype or first.rank != second.rank:
        raise Mismatch(
            f"output {index} is {second} in one branch and {first} in the other: "
            "give both the same element type and number of axes"
        )
    shape = tuple(map(max, first.shape, second.shape))
    exact = first.exact and second.exact and first.shape == second.shape
    least = tuple(map(min, first.shortest, second.shortest))
    within = union(first.span, second.span)
    return Operand(first.dtype, shape, None, exact, least, within)


def _dearer(call: Call) -> int:
    return max(call.subgraph(name).cost for name in ("else_branch", "then_branch"))


def _larger(call: Call) -> int:
    return max(call.subgraph(name).scratch_bytes for name in ("else_branch", "then_branch"))


@operator(
    "If", since=(1, 11, 13, *SINCE_16), infer=_branches, cost=_dearer, scratch=_larger, moves=True
)
def branch(cond: Tensor, *, else_branch: Body, then_branch: Body) -> tuple[Tensor, ...]:
    """What one of two graphs gives: the first if the condition holds."""
    return then_branch() if cond.reshape(-1)[0] else else_branch()


# Loop.


def _loop(call: Call) -> tuple[Operand, ...]:
    body = call.subgraph("body")
    limit, going = call.optional(0), call.optional(1)
    if limit is not None:
        _single(limit, "int64", "the trip count")
    if going is not None:
        _single(going, "bool", "the condition")
    count = None if limit is None else limit.value
    span = None if limit is None else limit.span
    trips = body.calls_max if span is None else max(0, int(span.high.max()))
    start = tuple(_plain(call.at(index)) for index in range(2, len(call.inputs)))
    counted = Span(np.array(0), np.array(max(trips - 1, 0)))
    number, condition = Operand("int64", (), within=counted), Operand("bool", (), TRUE)
    outputs = body.judge((number, condition, *start))
    if len(outputs) <= len(start):
        raise Mismatch(f"a body of {len(outputs)} outputs for {len(start)} carried values")
    _single(outputs[0], "bool", "the condition that the body gives")
    certain = count is not None and _always(going) and _always(outputs[0])
    if not certain:
        trips = min(trips, body.calls_max, _declared_trips(call, len(start)))
    carried = outputs[1 : 1 + len(start)]
    pairs = enumerate(zip(start, carried, strict=True))
    most = tuple(_bound(index, call, trips, *pair) for index, pair in pairs)
    if any(_differ(first, bound) for first, bound in zip(start, most, strict=True)):
        outputs = body.judge((number, condition, *most), (None, *most))
        carried = outputs[1 : 1 + len(start)]
        for index, (bound, found) in enumerate(zip(most, carried, strict=True)):
            _same_kind(index, bound, found)
    body.calls = trips
    stacks = tuple(
        Operand(found.dtype, (trips, *found.shape), None, certain and found.exact)
        for found in outputs[1 + len(start) :]
    )
    return (*most, *stacks)


def _always(condition: Operand | None) -> bool:
    """Tell whether a condition is known to hold."""
    return condition is None or (condition.value is not None and bool(condition.value.all()))


def _declared_trips(call: Call, carried: int) -> int:
    """Give the least length that the model declares for a stack of results."""
    said = [operand.shape[0] for operand in call.declared[carried:] if operand and operand.shape]
    return min(said, default=1 << 62)


def _differ(first: Operand, second: Operand) -> bool:
    return first.shape != second.shape or first.exact != second.exact


def _same_kind(index: int, first: Operand, second: Operand) -> None:
    if first.dtype != second.dtype or first.rank != second.rank:
        raise Mismatch(
            f"carried value {index} is {first} at first and then {second}: "
            "its element type and number of axes must stay"
        )


def _bound(index: int, call: Call, trips: int, start: Operand, found: Operand) -> Operand:
    """Give the type of a carried value in every iteration: it may shrink, or grow to a bound."""
    _same_kind(index, start, found)
    if not _differ(start, found):
        return start
    said = call.declared[index] if index < len(call.declared) else None
    if said is not None and (said.dtype, said.rank) == (start.dtype, start.rank):
        shape = tuple(map(max, start.shape, said.shape))
    else:
        pairs = zip(start.shape, found.shape, strict=True)
        shape = tuple(first + trips * max(0, second - first) for first, second in pairs)
    return Operand(start.dtype, shape, None, exact=False)


def _repeated(call: Call) -> int:
    body = call.subgraph("body")
    return body.calls * body.cost


def _stacked(call: Call) -> int:
    """The body, and the parts of stacks while they are put together."""
    parts = sum(size(output.shape) for output in call.outputs)
    return call.subgraph("body").scratch_bytes + 8 * parts


@operator(
    "Loop", since=(1, 11, 13, *SINCE_16), infer=_loop, cost=_repeated, scratch=_stacked, moves=True
)
def loop(
    m: Tensor | None = None, cond: Tensor | None = None, *v_initial: Tensor, body: Body
) -> tuple[Tensor, ...]:
    """A body again and again while its condition holds, at most so often; results are stacked."""
    trips = None if m is None else int(m.reshape(-1)[0])
    going = cond is None or bool(cond.reshape(-1)[0])
    carried: Sequence[Tensor] = v_initial
    parts: list[tuple[Tensor, ...]] = []
    trip = 0
    while going and (trips is None or trip < trips):
        condition, *found = body(np.array(trip, dtype=np.int64), TRUE, *carried)
        going = bool(condition.reshape(-1)[0])
        carried = found[: len(v_initial)]
        parts.append(tuple(found[len(v_initial) :]))
        trip += 1
    return (*carried, *stacks_of(parts, body.results[1 + len(v_initial) :]))


# Scan.


def _scanned(
    call: Call, first: int, count: int, given: tuple[Wholes | None, Wholes | None], lead: int = 0
) -> tuple[Operand, ...]:
    """Types of a scan: states from input `first` on, axes of sequences and of stacks as given.

    With `lead` 1 all tensors have an axis of batches in front.
    """
    body = call.subgraph("body")
    states, sequences = _parted(call.inputs[first:], count)
    axes = _axes(given[0], [operand.rank for operand in sequences], lead)
    lengths = {operand.shape[axis] for operand, axis in zip(sequences, axes, strict=True)}
    batches = {operand.shape[:lead] for operand in (*states, *sequences)}
    if len(lengths) != 1 or len(batches) != 1 or (0,) in batches:
        raise Mismatch(f"sequences of different lengths: {', '.join(map(str, sequences))}")
    (length,), (front,) = lengths, batches
    start = tuple(_cut(state, *range(lead)) for state in states)
    parts = (_cut(each, axis, *range(lead)) for each, axis in zip(sequences, axes, strict=True))
    outputs = body.judge((*start, *parts))
    if len(outputs) < len(start):
        raise Mismatch(f"a body of {len(outputs)} outputs for {len(start)} states")
    for index, (state, found) in enumerate(zip(start, outputs, strict=False)):
        _same_kind(index, state, found)
        if _differ(state, found):
            raise Mismatch(f"state {index} is {state} at first and then {found}")
    body.calls = length * size(front)
    results = outputs[len(start) :]
    places = _axes(given[1], [result.rank + 1 + lead for result in results], lead)
    exact = all(operand.exact for operand in sequences)
    stacks = tuple(
        Operand(
            result.dtype,
            _inserted((*front, *result.shape), axis, length),
            None,
            exact and result.exact,
        )
        for result, axis in zip(results, places, strict=True)
    )
    return (*map(_plain, states), *stacks)


def _parted(
    inputs: Sequence[Operand | None], count: int
) -> tuple[tuple[Operand, ...], tuple[Operand, ...]]:
    """States, and sequences, which are the last `count` inputs."""
    present = tuple(operand for operand in inputs if operand is not None)
    if not 1 <= count <= len(present):
        raise Mismatch(f"{count} sequences of {len(present)} inputs")
    return present[: len(present) - count], present[len(present) - count :]


def _axes(given: Wholes | None, ranks: list[int], default: int) -> Wholes:
    axes = given or (default,) * len(ranks)
    if len(axes) != len(ranks):
        raise Mismatch(f"{len(axes)} axes for {len(ranks)} tensors")
    return tuple(axis_of(axis, rank) for axis, rank in zip(axes, ranks, strict=True))


def _cut(operand: Operand, *axes: int) -> Operand:
    """One part of a tensor, without the axes along which parts lie."""
    if operand.rank < len(axes):
        raise Mismatch(f"{operand} has too few axes")
    shape = tuple(length for axis, length in enumerate(operand.shape) if axis not in axes)
    return Operand(operand.dtype, shape, None, operand.exact)


def _inserted(shape: Shape, axis: int, length: int) -> Shape:
    return (*shape[:axis], length, *shape[axis:])


def _check_directions(given: Wholes | None, count: int) -> None:
    if given and (len(given) != count or any(way not in (0, 1) for way in given)):
        raise Mismatch(f"directions {list(given)} of {count} tensors")


def _scan_9(call: Call) -> tuple[Operand, ...]:
    count = call.whole("num_scan_inputs")
    axes = (call.wholes("scan_input_axes"), call.wholes("scan_output_axes"))
    outputs = _scanned(call, 0, count, axes)
    states = len(call.inputs) - count
    _check_directions(call.wholes("scan_input_directions"), count)
    _check_directions(call.wholes("scan_output_directions"), len(outputs) - states)
    return outputs


@operator(
    "Scan", since=(9, 11, *SINCE_16), infer=_scan_9, cost=_repeated, scratch=_stacked, moves=True
)
def scan(
    *initial_state_and_scan_inputs: Tensor,
    body: Body,
    num_scan_inputs: int,
    scan_input_axes: Wholes | None = None,
    scan_input_directions: Wholes | None = None,
    scan_output_axes: Wholes | None = None,
    scan_output_directions: Wholes | None = None,
) -> tuple[Tensor, ...]:
    """A body on each part of sequences, with states that it hands on; results are stacked."""
    start = len(initial_state_and_scan_inputs) - num_scan_inputs
    given = initial_state_and_scan_inputs[start:]
    axes = scan_input_axes or (0,) * num_scan_inputs
    ways = scan_input_directions or (0,) * num_scan_inputs
    sequences = [
        _turned(np.moveaxis(each, axis, 0), way)
        for each, axis, way in zip(given, axes, ways, strict=True)
    ]
    states, stacks = _scan_all(initial_state_and_scan_inputs[:start], sequences, body)
    axes = scan_output_axes or (0,) * len(stacks)
    ways = scan_output_directions or (0,) * len(stacks)
    results = (
        np.moveaxis(_turned(stack, way), 0, axis)
        for stack, axis, way in zip(stacks, axes, ways, strict=True)
    )
    return (*states, *results)


def _turned(sequence: Tensor, way: int) -> Tensor:
    return np.flip(sequence, 0) if way else sequence


def _scan_all(
    states: Sequence[Tensor], sequences: Sequence[Tensor], body: Body
) -> tuple[Sequence[Tensor], list[Tensor]]:
    """Give the last states, and stacks of results, of sequences along their first axis."""
    count = len(states)
    parts: list[tuple[Tensor, ...]] = []
    for index in range(len(sequences[0])):
        found = body(*states, *(np.array(sequence[index]) for sequence in sequences))
        states = found[:count]
        parts.append(tuple(found[count:]))
    return states, stacks_of(parts, body.results[count:])


def stacks_of(parts: list[tuple[Tensor, ...]], most: Sequence[TensorType]) -> list[Tensor]:
    """Put the results of all iterations behind each other along a new first axis."""
    stacks = []
    for index, result in enumerate(most):
        column = [part[index] for part in parts]
        if any(part.shape != column[0].shape for part in column):
            raise Mismatch("results of iterations differ in shape")
        empty = np.zeros((0, *result.shape), np.dtype(result.dtype))
        stacks.append(np.stack(column) if column else empty)
    return stacks


def _scan_8(call: Call) -> tuple[Operand, ...]:
    if call.optional(0) is not None:
        raise Mismatch("lengths of sequences are not supported")
    count = call.whole("num_scan_inputs")
    _check_directions(call.wholes("directions"), count)
    return _scanned(call, 1, count, (None, None), lead=1)


@operator("Scan", since=8, infer=_scan_8, cost=_repeated, scratch=_stacked, moves=True)
def scan_8(
    sequence_lens: Tensor | None = None,
    *initial_state_and_scan_inputs: Tensor,
    body: Body,
    directions: Wholes | None = None,
    num_scan_inputs: int,
) -> tuple[Tensor, ...]:
    """As later versions, for each batch."""
    start = len(initial_state_and_scan_inputs) - num_scan_inputs
    ways = directions or (0,) * num_scan_inputs
    found = []
    for batch in range(len(initial_state_and_scan_inputs[0])):
        inputs = [np.array(each[batch]) for each in initial_state_and_scan_inputs]
        sequences = [_turned(each, way) for each, way in zip(inputs[start:], ways, strict=True)]
        states, stacks = _scan_all(inputs[:start], sequences, body)
        found.append((*states, *stacks))
    return tuple(np.stack(parts) for parts in zip(*found, strict=True))
