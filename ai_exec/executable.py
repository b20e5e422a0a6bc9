"""What engines have in common: inputs are checked, outputs canonical, refusals are traps."""

from collections.abc import Mapping
from typing import Protocol

from ai_exec.program import Program
from ai_exec.tensor import Tensor, canonical, type_of


class Trap(Exception):
    """The run cannot give a result, on any validator.  Correct the inputs."""


class Executable(Protocol):
    """A program made ready by one engine."""

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give the outputs by name in the model's order; raises Trap."""
        ...


def check_inputs(program: Program, inputs: Mapping[str, Tensor]) -> None:
    """Raise Trap unless the inputs are exactly those that the program declares."""
    reasons = []
    declared = {expected.name: expected for expected in program.inputs}
    reasons += [f"no input {name}" for name in declared if name not in inputs]
    reasons += [f"unknown input {name}" for name in sorted(inputs) if name not in declared]
    for name, expected in declared.items():
        if name in inputs:
            found = type_of(name, inputs[name])
            if found != expected:
                reasons.append(f"{found} where the model takes {expected}")
    if reasons:
        raise Trap("; ".join(reasons))


def finish_outputs(program: Program, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Pick the program's outputs, in C order and with canonical NaNs."""
    return {output.name: canonical(tensors[output.name]) for output in program.outputs}
