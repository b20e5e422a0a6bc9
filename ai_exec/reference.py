"""The reference engine: node by node, plain numpy.  The executable specification."""

from collections.abc import Mapping

import numpy as np

from ai_exec.dynamic import Meter, run_node
from ai_exec.executable import finish_outputs, taken_inputs
from ai_exec.program import Program
from ai_exec.tensor import Tensor


class ReferenceExecutable:
    """Runs a program by calling each operator's kernel in turn."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._last_use = last_uses(program)
        self._bodies = tuple(
            {name: ReferenceExecutable(body).run_body for name, body in node.bodies.items()}
            for node in program.nodes
        )

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give the outputs by name in the model's order; raises Trap."""
        taken = taken_inputs(self._program, inputs)
        meter = Meter(self._program.cost)
        meter.add(self._program.metered_gas)
        return finish_outputs(self._program, self._computed(taken, meter))

    def run_body(self, inputs: tuple[Tensor, ...], meter: Meter) -> tuple[Tensor, ...]:
        """Give the outputs of a body in their order."""
        names = (declared.name for declared in self._program.inputs)
        tensors = self._computed(dict(zip(names, inputs, strict=True)), meter)
        return tuple(tensors[output.name] for output in self._program.outputs)

    def _computed(self, inputs: Mapping[str, Tensor], meter: Meter) -> dict[str, Tensor]:
        program = self._program
        tensors: dict[str, Tensor] = {**program.constants, **inputs}
        for index, node in enumerate(program.nodes):
            reads = tuple(tensors[name] if name else None for name in node.inputs)
            with np.errstate(all="ignore"):
                found = run_node(node, reads, tensors, self._bodies[index], program.operands, meter)
            for name, tensor in zip(node.outputs, found, strict=False):
                if name:
                    tensors[name] = tensor
            for name in self._last_use.get(index, ()):
                del tensors[name]
        return tensors


def last_uses(program: Program) -> dict[int, tuple[str, ...]]:
    """Give for each node's index the results that nobody reads after it."""
    last: dict[str, int] = {}
    for index, node in enumerate(program.nodes):
        for name in (*node.reads, *node.outputs):
            if name:
                last[name] = index
    kept = {*(output.name for output in program.outputs), *program.constants}
    kept |= {declared.name for declared in program.inputs}
    dropped: dict[int, tuple[str, ...]] = {}
    for name, index in last.items():
        if name not in kept:
            dropped[index] = (*dropped.get(index, ()), name)
    return dropped
