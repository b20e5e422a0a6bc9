"""Which nodes a run needs, and how much memory it takes at most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ai_exec.metering import tensor_bytes
from ai_exec.program import Program
from ai_exec.registry import Operand
from ai_exec.tensor import Tensor

PREPARED_BYTES: Final = 8
"""Engines keep constants as they are and in a form that is faster to compute with: for each
element at most so many bytes, or twice its own."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a node reads and writes, and the memory that it needs itself in bytes."""

    reads: tuple[str, ...]
    outputs: tuple[str, ...]
    scratch_bytes: int


def needed_nodes(
    nodes: Sequence[tuple[tuple[str, ...], tuple[str, ...]]], outputs: tuple[str, ...]
) -> tuple[int, ...]:
    """Give the indices of nodes (inputs, outputs) that some output depends on, ascending."""
    wanted = set(outputs)
    kept = []
    for index in reversed(range(len(nodes))):
        reads, writes = nodes[index]
        if not wanted.isdisjoint(name for name in writes if name):
            kept.append(index)
            wanted.update(reads)
    return tuple(reversed(kept))


def peak_bytes(
    nodes: Sequence[Held],
    operands: Mapping[str, Operand],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    constants: Mapping[str, Tensor],
) -> int:
    """Add up what is held at the worst moment beside constants: live tensors, a node's needs."""
    last = {name: index for index, node in enumerate(nodes) for name in node.reads}
    kept = {*inputs, *outputs, *constants}
    live = sum(_bytes(operands[name]) for name in inputs)
    peak = live
    held: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in node.outputs:
            if name:
                held[name] = _bytes(operands[name])
                live += held[name]
        peak = max(peak, live + node.scratch_bytes)
        for name in dict.fromkeys((*node.reads, *node.outputs)):
            if last.get(name, -1) <= index and name not in kept:
                live -= held.pop(name, 0)
    return peak


def constant_bytes(program: Program) -> int:
    """Add up the memory of all constants, those of bodies included, and of their other forms."""
    return sum(
        tensor.nbytes + max(2 * tensor.nbytes, PREPARED_BYTES * tensor.size)
        for tensor in all_constants(program).values()
    )


def all_constants(program: Program) -> dict[str, Tensor]:
    """Give the constants of a program and of all bodies in it."""
    found = dict(program.constants)
    for node in program.nodes:
        for body in node.bodies.values():
            found.update(all_constants(body))
    return found


def _bytes(operand: Operand) -> int:
    return tensor_bytes(operand.dtype, operand.shape)
