"""The fast engine: the reference's results by kernels with prepared weights, others unchanged.

A program becomes a list of steps, made once.  A step is a kernel of the fast engine, bound to what
it prepared, where there is one for the operator and these operands; else the operator's own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ai_exec.executable import check_inputs
from ai_exec.fast.kernels import find_kernel
from ai_exec.fast.products import STANDARD, Products
from ai_exec.program import Node, Program
from ai_exec.reference import last_uses
from ai_exec.tensor import Tensor, canonical

Slots = list[Tensor | None]
Compute = Callable[..., Tensor | tuple[Tensor, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One node, with places in a list instead of names."""

    compute: Compute
    """Takes the inputs; gives one output as it is, several as a tuple."""
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    """Places of the outputs, -1 for one that nobody reads."""
    dropped: tuple[int, ...]
    """Places that nobody reads after this step."""


class FastExecutable:
    """Runs a program step by step; the same bits as the reference engine's."""

    def __init__(self, program: Program, products: Products = STANDARD) -> None:
        self._program, self._products = program, products
        self._places = _places(program)
        self._start: Slots = [None] * (len(self._places) + 1)
        for name, constant in program.constants.items():
            self._start[self._places[name]] = constant
        self._inputs = tuple(
            (declared.name, np.dtype(declared.dtype), declared.shape, self._places[declared.name])
            for declared in program.inputs
        )
        last = last_uses(program)
        with np.errstate(all="ignore"):
            self._steps = tuple(
                self._step(node, last.get(index, ())) for index, node in enumerate(program.nodes)
            )

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give the outputs by name in the model's order; raises Trap."""
        slots = self._filled(inputs)
        with np.errstate(all="ignore"):
            for step in self._steps:
                found = step.compute(*[slots[place] for place in step.inputs])
                if not isinstance(found, tuple):
                    slots[step.outputs[0]] = found
                else:
                    for place, tensor in zip(step.outputs, found, strict=False):
                        if place >= 0:
                            slots[place] = tensor
                for place in step.dropped:
                    slots[place] = None
            return self._finished(slots)

    def _filled(self, inputs: Mapping[str, Tensor]) -> Slots:
        slots = self._start.copy()
        well_formed = len(inputs) == len(self._inputs)
        for name, dtype, shape, place in self._inputs:
            tensor = inputs.get(name)
            if tensor is None or tensor.dtype != dtype or tensor.shape != shape:
                well_formed = False
            slots[place] = tensor
        if not well_formed:
            check_inputs(self._program, inputs)
        return slots

    def _finished(self, slots: Slots) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for output in self._program.outputs:
            tensor = slots[self._places[output.name]]
            assert tensor is not None, output.name
            found[output.name] = tensor if _is_canonical(tensor) else canonical(tensor)
        return found

    def _step(self, node: Node, dropped: tuple[str, ...]) -> Step:
        kernel = find_kernel(node, self._program, self._products)
        return Step(
            _own_kernel(node) if kernel is None else kernel,
            tuple(self._places[name] if name else -1 for name in node.inputs),
            tuple(self._places[name] if name else -1 for name in node.outputs),
            tuple(self._places[name] for name in dropped),
        )


def _places(program: Program) -> dict[str, int]:
    """Number all names; the place after the last one stays None, for inputs that are left out."""
    names = [declared.name for declared in program.inputs]
    names += program.constants
    names += [name for node in program.nodes for name in node.outputs if name]
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _own_kernel(node: Node) -> Compute:
    """Bind the operator's kernel to its attributes once."""
    operator, attributes, count = node.operator, node.attributes, len(node.outputs)

    def compute(*inputs: Tensor | None) -> tuple[Tensor, ...]:
        return operator.run(inputs, attributes, count)

    return compute


def _is_canonical(tensor: Tensor) -> bool:
    """Tell quickly that a tensor is in C order without NaN: squares add up to one only from one."""
    if not isinstance(tensor, np.ndarray) or not tensor.flags.c_contiguous:
        return False
    return tensor.dtype.kind != "f" or not np.isnan(np.vdot(tensor, tensor))
