"""The fast engine: the reference's results by fused passes over prepared weights.

A program becomes a list of steps, made once (`plan.py`), with places in a list instead of names.
"""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ai_exec.dynamic import Meter
from ai_exec.executable import is_plain, own, taken_inputs
from ai_exec.fast.layout import whole
from ai_exec.fast.normal import holds_numbers, one_nan
from ai_exec.fast.plan import METER, Compute, Step, steps_of
from ai_exec.fast.products import STANDARD, Products
from ai_exec.fast.weights import Weights, aligned
from ai_exec.program import Program
from ai_exec.tensor import Tensor, canonical

Slots = list[Any]
Placed = tuple[Compute, tuple[int, ...], int, tuple[int, ...], tuple[int, ...]]
"""What a step computes, from which places, to which place or places, and places then unread."""

COPIED_BYTES_MAX: Final = 1 << 20
"""Constants up to this length are copied to arrays that may be written: passes are compiled for
such ones, and once more for others."""


class FastExecutable:
    """Runs a program step by step; the same bits as the reference engine's."""

    def __init__(
        self, program: Program, products: Products = STANDARD, weights: Weights | None = None
    ) -> None:
        # Constants that no step reads are somebody else's to keep.
        self._declared = replace(program, constants={}, nodes=(), operands={}, specialise=None)
        weights = weights or Weights()
        with np.errstate(all="ignore"):
            steps = steps_of(
                program,
                products,
                weights,
                lambda body: FastExecutable(body, products, weights).run_body,
            )
        places = _places(program, steps)
        self._start: Slots = [None] * (len(places) + 1)
        read = {name for step in steps for name in step.inputs}
        for name, constant in program.constants.items():
            if name in read or any(output.name == name for output in program.outputs):
                make = np.array if constant.nbytes <= COPIED_BYTES_MAX else aligned
                self._start[places[name]] = weights.ready(constant, "as it is", make)
        self._inputs = tuple(
            (declared.name, np.dtype(declared.dtype), declared.shape, places[declared.name])
            for declared in program.inputs
        )
        self._outputs = tuple((output.name, places[output.name]) for output in program.outputs)
        fresh = {name for step in steps if step.fresh for name in step.outputs}
        self._fresh = all(output.name in fresh for output in program.outputs)
        self._meter = places[METER]
        self._steps = _placed(program, steps, places)

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give the outputs by name in the model's order; raises Trap."""
        slots = self._filled(inputs)
        lent = [] if self._fresh else [each for each in slots if each is not None]
        meter = Meter(self._declared.cost)
        meter.add(self._declared.metered_gas)
        self._compute(slots, meter)
        found = {name: _canonical(slots[place]) for name, place in self._outputs}
        return found if self._fresh else own(found, lent)

    def run_body(self, inputs: tuple[Tensor, ...], meter: Meter) -> tuple[Tensor, ...]:
        """Give the outputs of a body in their order; raises Trap."""
        slots = self._start.copy()
        for (_, _, _, place), tensor in zip(self._inputs, inputs, strict=True):
            slots[place] = tensor
        self._compute(slots, meter)
        return tuple(slots[place] for _, place in self._outputs)

    def _compute(self, slots: Slots, meter: Meter) -> None:
        slots[self._meter] = meter
        with np.errstate(all="ignore"):
            for compute, reads, place, writes, dropped in self._steps:
                found = compute(*[slots[read] for read in reads])
                if place >= 0:
                    slots[place] = found
                else:
                    for target, tensor in zip(writes, found, strict=False):
                        if target >= 0:
                            slots[target] = tensor
                for unread in dropped:
                    slots[unread] = None

    def _filled(self, inputs: Mapping[str, Tensor]) -> Slots:
        slots = self._start.copy()
        well_formed = len(inputs) == len(self._inputs)
        for name, dtype, shape, place in self._inputs:
            tensor = inputs.get(name)
            well_formed &= is_plain(tensor, dtype) and tensor.shape == shape  # type: ignore[union-attr]
            slots[place] = tensor
        if not well_formed:
            taken = taken_inputs(self._declared, inputs)
            for name, _, _, place in self._inputs:
                slots[place] = taken[name]
        return slots


def _placed(
    program: Program, steps: tuple[Step, ...], places: Mapping[Hashable, int]
) -> tuple[Placed, ...]:
    """Bind steps to places, and find after which one nobody reads a place any more."""
    last: dict[Hashable, int] = {}
    for index, step in enumerate(steps):
        for name in (*step.inputs, *step.outputs):
            last[name] = index
    kept: set[Hashable] = {output.name for output in program.outputs}
    kept |= {*program.constants, *(declared.name for declared in program.inputs), "", METER}
    found = []
    for index, step in enumerate(steps):
        dropped = {name for name in (*step.inputs, *step.outputs) if last[name] == index} - kept
        writes = tuple(places.get(name, -1) for name in step.outputs)
        found.append(
            (
                step.compute,
                tuple(places.get(name, -1) for name in step.inputs),
                -1 if step.many else writes[0],
                writes,
                tuple(sorted(places[name] for name in dropped)),
            )
        )
    return tuple(found)


def _places(program: Program, steps: tuple[Step, ...]) -> dict[Hashable, int]:
    """Number all names; the place after the last one stays None, for inputs that are left out."""
    names: list[Hashable] = [declared.name for declared in program.inputs]
    names += program.constants
    names += [name for step in steps for name in step.outputs if name]
    names.append(METER)
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _canonical(tensor: Any) -> Tensor:
    """As `tensor.canonical`, quick for usual tensors."""
    if isinstance(tensor, np.ndarray) and tensor.dtype == np.float32:
        flat = whole(tensor, (tensor.size,))
        if not holds_numbers(flat):
            found = np.empty(flat.shape, np.int32)
            one_nan(flat.view(np.int32), found)
            flat = found.view(np.float32)
        return flat if flat.shape == tensor.shape else flat.reshape(tensor.shape)
    plain = isinstance(tensor, np.ndarray) and tensor.dtype.kind not in "fV"
    return tensor if plain and tensor.flags.c_contiguous else canonical(tensor)
