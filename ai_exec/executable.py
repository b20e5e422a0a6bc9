"""What engines have in common: inputs are checked, outputs canonical, refusals are traps."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from ai_exec.axes import lengths_of
from ai_exec.program import Program
from ai_exec.registry import Mismatch
from ai_exec.tensor import Tensor, canonical, type_of

SPECIALISED_MAX: Final = 8
"""Sets of lengths for which an open program is kept ready."""
KEPT_BYTES_MAX: Final = 512 << 20
"""Constants of all that are kept, as if none were shared; one set of lengths is kept anyway."""


class Trap(Exception):
    """The run cannot give a result, on any validator.  Correct the inputs."""


class Executable(Protocol):
    """A program made ready by one engine."""

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give the outputs by name in the model's order; raises Trap."""
        ...


class OpenExecutable:
    """A program with open axes: one executable for each set of lengths, the latest are kept."""

    def __init__(self, program: Program, make: Callable[[Program], Executable]) -> None:
        self._program, self._make = program, make
        self._kept: OrderedDict[tuple[int, ...], Executable] = OrderedDict()
        held = sum(constant.nbytes for constant in program.constants.values())
        self._kept_max = max(1, min(SPECIALISED_MAX, KEPT_BYTES_MAX // max(held, 1)))

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give the outputs by name in the model's order; raises Trap."""
        check_inputs(self._program, inputs)
        shapes = {name: tensor.shape for name, tensor in inputs.items()}
        try:
            lengths = lengths_of(self._program.inputs, shapes)
            executable = self._kept.pop(tuple(lengths.values()), None)
            if executable is None:
                assert self._program.specialise is not None
                executable = self._make(self._program.specialise(lengths))
        except Mismatch as error:
            raise Trap(str(error)) from error
        self._kept[tuple(lengths.values())] = executable
        if len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)
        return executable.run(inputs)


def check_inputs(program: Program, inputs: Mapping[str, Tensor]) -> None:
    """Raise Trap unless the inputs are exactly those that the program declares."""
    reasons = []
    declared = {expected.name: expected for expected in program.inputs}
    reasons += [f"no input {name}" for name in declared if name not in inputs]
    reasons += [f"unknown input {name}" for name in sorted(inputs) if name not in declared]
    for name, expected in declared.items():
        if name in inputs:
            found = type_of(name, inputs[name])
            if not expected.takes(found.dtype, found.shape):
                reasons.append(f"{found} where the model takes {expected}")
    if reasons:
        raise Trap("; ".join(reasons))


def finish_outputs(program: Program, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Pick the program's outputs, in C order and with canonical NaNs."""
    return {output.name: canonical(tensors[output.name]) for output in program.outputs}
