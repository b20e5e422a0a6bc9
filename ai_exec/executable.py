"""What engines have in common: inputs are checked, outputs canonical, refusals are traps."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import numpy as np

from ai_exec.axes import lengths_of
from ai_exec.program import Program
from ai_exec.registry import Mismatch
from ai_exec.tensor import PACKED_BITS, Tensor, canonical, type_of

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


Kind = tuple[tuple["np.dtype[Any]", tuple[int, ...]] | None, ...]
"""Element type and shape of each input; None for what is no array."""


class OpenExecutable:
    """A program with open axes: one executable for each set of lengths, the latest are kept."""

    def __init__(self, program: Program, make: Callable[[Program], Executable]) -> None:
        self._program, self._make = program, make
        self._names = tuple(declared.name for declared in program.inputs)
        self._kept: OrderedDict[Kind, Executable] = OrderedDict()
        held = sum(constant.nbytes for constant in program.constants.values())
        self._kept_max = max(1, min(SPECIALISED_MAX, KEPT_BYTES_MAX // max(held, 1)))

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give the outputs by name in the model's order; raises Trap."""
        kind = self._kind(inputs)
        executable = self._kept.pop(kind, None) or self._specialised(inputs)
        self._kept[kind] = executable
        if len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)
        return executable.run(inputs)

    def _kind(self, inputs: Mapping[str, Tensor]) -> Kind:
        """Give what tells inputs apart that were found right, as far as they are arrays."""
        if len(inputs) != len(self._names):
            return ()
        found = (inputs.get(name) for name in self._names)
        return tuple(
            (each.dtype, each.shape) if type(each) is np.ndarray else None for each in found
        )

    def _specialised(self, inputs: Mapping[str, Tensor]) -> Executable:
        check_inputs(self._program, inputs)
        assert self._program.specialise is not None
        try:
            shapes = {name: tensor.shape for name, tensor in inputs.items()}
            lengths = lengths_of(self._program.inputs, shapes)
            return self._make(self._program.specialise(lengths))
        except Mismatch as error:
            raise Trap(str(error)) from error


def check_inputs(program: Program, inputs: Mapping[str, Tensor]) -> None:
    """Raise Trap unless the inputs are exactly those that the program declares."""
    reasons = []
    declared = {expected.name: expected for expected in program.inputs}
    reasons += [f"no input {name}" for name in declared if name not in inputs]
    reasons += [f"unknown input {name}" for name in sorted(inputs) if name not in declared]
    for name, expected in declared.items():
        if name in inputs and not isinstance(inputs[name], np.ndarray | np.generic):
            reasons.append(f"{name} is no array")
        elif name in inputs:
            found = type_of(name, inputs[name])
            if not expected.takes(found.dtype, found.shape):
                reasons.append(f"{found} where the model takes {expected}")
    if reasons:
        raise Trap("; ".join(reasons))


def taken_inputs(program: Program, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the inputs as engines read them, in the program's order; raises Trap."""
    check_inputs(program, inputs)
    return {
        expected.name: plain(inputs[expected.name], np.dtype(expected.dtype))
        for expected in program.inputs
    }


def is_plain(tensor: Any, dtype: "np.dtype[Any]") -> bool:
    """Tell quickly whether a tensor is of this machine's elements, in one piece, and writable.

    Passes are compiled for such arrays alone.
    """
    return (
        type(tensor) is np.ndarray
        and tensor.dtype == dtype
        and tensor.flags.carray
        and (dtype.kind not in "bV" or not _has_spare_bits(tensor))
    )


def plain(tensor: Tensor, dtype: "np.dtype[Any]") -> Tensor:
    """Give a tensor that `is_plain`: itself, or else a copy whose elements have no spare bits."""
    if is_plain(tensor, dtype):
        return tensor
    if dtype == np.bool_:
        return np.asarray(np.array(tensor).view(np.uint8) != 0)
    return canonical(np.array(tensor, dtype))


def _has_spare_bits(tensor: Tensor) -> bool:
    if tensor.dtype.kind == "b":
        return bool(tensor.view(np.uint8).max(initial=0) > 1)
    return tensor.dtype.name in PACKED_BITS


def finish_outputs(program: Program, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Pick the program's outputs, in C order and with canonical NaNs, each in memory of its own."""
    lent = [*program.constants.values(), *(tensors[each.name] for each in program.inputs)]
    found = {output.name: canonical(tensors[output.name]) for output in program.outputs}
    return own(found, lent)


def own(found: dict[str, Tensor], lent: list[Tensor]) -> dict[str, Tensor]:
    """Give results, copied where they lie in the memory of what is lent or of an earlier one.

    What a caller does to a result then changes no constant, and no other result.
    """
    taken = {id(root_of(tensor)) for tensor in lent}
    for name, tensor in found.items():
        root = id(root_of(tensor))
        found[name] = tensor.copy() if root in taken else tensor
        taken.add(root)
    return found


def root_of(tensor: Tensor) -> Any:
    """Give the array whose memory a tensor shares."""
    root: Any = tensor
    while isinstance(root.base, np.ndarray):
        root = root.base
    return root
