"""Which nodes a run needs, and how much memory it takes at most."""

from collections.abc import Mapping, Sequence

from ai_exec.admission.nodes import JudgedNode
from ai_exec.metering import tensor_bytes
from ai_exec.model.loader import RawNode
from ai_exec.tensor import Tensor, TensorType

PREPARED_COPIES = 4
"""Engines keep constants as they are and in a form that is faster to compute with."""


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
    nodes: Sequence[tuple[RawNode, JudgedNode]],
    inputs: tuple[TensorType, ...],
    outputs: tuple[TensorType, ...],
    constants: Mapping[str, Tensor],
) -> int:
    """Add up what is held at the worst moment: constants, live tensors, one node's own needs."""
    last = {name: index for index, (raw, _) in enumerate(nodes) for name in raw.inputs}
    kept = {declared.name for declared in (*inputs, *outputs)} | set(constants)
    live = sum(declared.content_bytes for declared in inputs)
    peak = live
    held: dict[str, int] = {}
    for index, (raw, node) in enumerate(nodes):
        for name, operand in zip(raw.outputs, node.call.outputs, strict=False):
            held[name] = tensor_bytes(operand.dtype, operand.shape)
            live += held[name]
        peak = max(peak, live + node.scratch_bytes)
        for name in dict.fromkeys((*raw.inputs, *raw.outputs)):
            if last.get(name, -1) <= index and name not in kept:
                live -= held.pop(name, 0)
    return peak + PREPARED_COPIES * sum(tensor.nbytes for tensor in constants.values())
