"""The reference engine: node by node, plain numpy.  The executable specification."""

from collections.abc import Mapping

import numpy as np

from ai_exec.executable import check_inputs, finish_outputs
from ai_exec.program import Node, Program
from ai_exec.tensor import Tensor


class ReferenceExecutable:
    """Runs a program by calling each operator's kernel in turn."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._last_use = last_uses(program)

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give the outputs by name in the model's order; raises Trap."""
        check_inputs(self._program, inputs)
        tensors: dict[str, Tensor] = {**self._program.constants, **inputs}
        for index, node in enumerate(self._program.nodes):
            tensors.update(run_node(node, tensors))
            for name in self._last_use.get(index, ()):
                del tensors[name]
        return finish_outputs(self._program, tensors)


def run_node(node: Node, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Compute the named outputs of one node."""
    inputs = tuple(tensors[name] if name else None for name in node.inputs)
    with np.errstate(all="ignore"):
        found = node.operator.run(inputs, node.attributes, len(node.outputs))
    return {name: tensor for name, tensor in zip(node.outputs, found, strict=False) if name}


def last_uses(program: Program) -> dict[int, tuple[str, ...]]:
    """Give for each node's index the results that nobody reads after it."""
    last: dict[str, int] = {}
    for index, node in enumerate(program.nodes):
        for name in (*node.inputs, *node.outputs):
            if name:
                last[name] = index
    kept = {*(output.name for output in program.outputs), *program.constants}
    kept |= {declared.name for declared in program.inputs}
    dropped: dict[int, tuple[str, ...]] = {}
    for name, index in last.items():
        if name not in kept:
            dropped[index] = (*dropped.get(index, ()), name)
    return dropped
