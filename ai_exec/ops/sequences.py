"""Sequences and optionals: admission follows them, and runs see tensors alone.

A sequence is a list of tensors of one element type whose number admission knows; an optional is its
element, or nothing.  Rules here put other nodes in the place of each operator.
"""

import numpy as np

from ai_exec.ops.picking import part_sizes
from ai_exec.ops.rules import axis_of, listed
from ai_exec.registry import Body, Mismatch, NamedType, unfolding
from ai_exec.tensor import DTYPE_NAMES
from ai_exec.unfolding import Absent, Held, Nodes, Value

LENGTH_MAX = 256
"""Tensors of a sequence."""


def held(names: tuple[str, ...], nodes: Nodes, dtype: str = "float32") -> Held:
    """Give a sequence of these tensors; raises Mismatch if they differ in element type."""
    dtypes = dict.fromkeys(nodes.operand(name).dtype for name in names) or {dtype: None}
    if len(dtypes) > 1:
        raise Mismatch(f"a sequence of {', '.join(dtypes)}")
    if len(names) > LENGTH_MAX:
        raise Mismatch(f"a sequence of {len(names)} tensors, at most {LENGTH_MAX} are allowed")
    return Held(names, next(iter(dtypes)))


def place_of(position: Value | None, length: int, nodes: Nodes, *, ends: bool) -> int:
    """Give a place from the front, the end if none is told; raises Mismatch."""
    if position is None:
        return length if ends else length - 1
    value = nodes.operand(position).value
    if value is None or value.size != 1 or value.dtype.kind != "i":
        raise Mismatch("position must be a constant whole number, so that sequences are bounded")
    place = int(value.reshape(-1)[0])
    if not -length <= place < length + ends:
        raise Mismatch(f"position {place} of a sequence of {length}")
    return place + length if place < 0 else place


@unfolding("SequenceConstruct", since=11)
def sequence_construct(*inputs: str, nodes: Nodes) -> Held:
    """The sequence of the inputs."""
    return held(inputs, nodes)


@unfolding("SequenceEmpty", since=11)
def sequence_empty(*, dtype: int | None = None, nodes: Nodes) -> Held:
    """The sequence without tensors."""
    known = DTYPE_NAMES.get(1 if dtype is None else dtype)
    if known is None:
        raise Mismatch(f"element type number {dtype} is not supported")
    return Held((), known)


@unfolding("SequenceInsert", since=11)
def sequence_insert(
    input_sequence: Value, tensor: str, position: Value | None = None, *, nodes: Nodes
) -> Held:
    """With one more tensor at a place known at admission, the end if none is told."""
    given = nodes.sequence(input_sequence)
    place = place_of(position, len(given.names), nodes, ends=True)
    if nodes.operand(tensor).dtype != given.dtype:
        raise Mismatch(f"{nodes.operand(tensor)} in a sequence of {given.dtype}")
    return held((*given.names[:place], tensor, *given.names[place:]), nodes)


@unfolding("SequenceErase", since=11)
def sequence_erase(input_sequence: Value, position: Value | None = None, *, nodes: Nodes) -> Held:
    """Without the tensor at a place known at admission, the last one if none is told."""
    given = nodes.sequence(input_sequence)
    if not given.names:
        raise Mismatch("the sequence is empty")
    place = place_of(position, len(given.names), nodes, ends=False)
    return Held(given.names[:place] + given.names[place + 1 :], given.dtype)


@unfolding("SequenceAt", since=11)
def sequence_at(input_sequence: Value, position: Value, *, nodes: Nodes) -> str:
    """The tensor at a place known at admission."""
    names = nodes.sequence(input_sequence).names
    return names[place_of(position, len(names), nodes, ends=False)]


@unfolding("SequenceLength", since=11)
def sequence_length(input_sequence: Value, *, nodes: Nodes) -> str:
    """How many tensors there are."""
    return nodes.constant(np.array(len(nodes.sequence(input_sequence).names), dtype=np.int64))


@unfolding("SplitToSequence", since=(11, 24))
def split_to_sequence(
    input: str, split: Value | None = None, *, axis: int = 0, keepdims: int = 1, nodes: Nodes
) -> Held:
    """Parts along an axis as `Split`, of one length (the last one shorter) or of several."""
    data = nodes.operand(input)
    axis = axis_of(axis, data.rank)
    length = data.shape[axis]
    if not data.exact:
        raise Mismatch(f"parts of {data}, whose shape is not certain")
    if split is None:
        sizes = (1,) * length
    else:
        value = nodes.operand(split).value
        if value is None or value.dtype.kind != "i":
            raise Mismatch("split must be a constant, so that sequences are bounded")
        wanted = listed(value)
        if not value.ndim and wanted[0] < 1:
            raise Mismatch(f"parts of length {wanted[0]}")
        count = -(-length // wanted[0]) if not value.ndim else len(wanted)
        cut = (*[wanted[0]] * (count - 1), length - wanted[0] * (count - 1)) if count else ()
        sizes = wanted if value.ndim else tuple(cut)
    if not 1 <= len(sizes) <= LENGTH_MAX:
        raise Mismatch(f"{len(sizes)} parts, allowed are 1 to {LENGTH_MAX}")
    part_sizes(length, sizes, 0)
    lengths = nodes.constant(np.array(sizes, dtype=np.int64))
    parts = nodes.add("Split", input, lengths, count=len(sizes), axis=axis)
    names = parts if isinstance(parts, tuple) else (parts,)
    if split is None and not keepdims:
        along = nodes.constant(np.array([axis], dtype=np.int64))
        names = tuple(nodes.add("Squeeze", name, along) for name in names)
    return held(names, nodes)


@unfolding("ConcatFromSequence", since=11)
def concat_from_sequence(
    input_sequence: Value, *, axis: int, new_axis: int = 0, nodes: Nodes
) -> str:
    """One tensor after the other along an axis, or along a new one."""
    names = nodes.sequence(input_sequence).names
    if not names:
        raise Mismatch("the sequence is empty")
    if new_axis:
        rank = nodes.operand(names[0]).rank + 1
        axis = axis_of(axis, rank)
        along = nodes.constant(np.array([axis], dtype=np.int64))
        names = tuple(nodes.add("Unsqueeze", name, along) for name in names)
    found: str = nodes.add("Concat", *names, axis=axis)
    return found


@unfolding("SequenceMap", since=17)
def sequence_map(
    input_sequence: Value, *additional_inputs: Value, body: Body, nodes: Nodes
) -> tuple[Held, ...]:
    """A body on each tensor of sequences of one length; other tensors are handed to all."""
    length = len(nodes.sequence(input_sequence).names)
    given = (input_sequence, *additional_inputs)
    if any(isinstance(each, Held) and len(each.names) != length for each in given):
        raise Mismatch("sequences of different lengths")
    if not length:
        raise Mismatch("the sequence is empty")
    rows = [
        nodes.inline(
            body, tuple(each.names[index] if isinstance(each, Held) else each for each in given)
        )
        for index in range(length)
    ]
    for row in rows:
        for name in row:
            nodes.operand(name)
    return tuple(
        held(tuple(name for name in column if isinstance(name, str)), nodes)
        for column in zip(*rows, strict=True)
    )


@unfolding("Optional", since=(15, 28))
def optional(input: Value | None = None, *, type: NamedType | None = None, nodes: Nodes) -> Value:
    """An optional with the input in it, or with nothing."""
    return Absent() if input is None else input


@unfolding("OptionalHasElement", since=15)
def optional_has_element_15(input: Value, *, nodes: Nodes) -> str:
    """Whether there is something in an optional."""
    return optional_has_element(input, nodes=nodes)


@unfolding("OptionalHasElement", since=(18, 28))
def optional_has_element(input: Value | None = None, *, nodes: Nodes) -> str:
    """Whether there is something in an optional."""
    return nodes.constant(np.array(input is not None and not isinstance(input, Absent)))


@unfolding("OptionalGetElement", since=(15, 18, 28))
def optional_get_element(input: Value, *, nodes: Nodes) -> Value:
    """What is in an optional."""
    if isinstance(input, Absent):
        raise Mismatch("the optional is empty")
    return input
