"""The walk of admission: from what a file says to a program, noting every reason against it."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ai_exec.admission.nodes import (
    OPSETS,
    JudgedNode,
    Refusal,
    count_complaints,
    domain_of,
    find_operator,
    fold,
    judge,
    read_attributes,
)
from ai_exec.admission.planning import needed_nodes, peak_bytes
from ai_exec.limits import Limits
from ai_exec.metering import run_cost
from ai_exec.model.loader import (
    DeclaredValue,
    RawModel,
    RawNode,
    Unreadable,
    check_shape,
    declared_value,
    shown,
    tensor_of,
)
from ai_exec.model.wire import Message
from ai_exec.program import Node, Program
from ai_exec.registry import Operand
from ai_exec.tensor import Tensor, TensorType

IR_VERSIONS: Final = range(3, 15)
"""Versions of the file format that models may have."""


class Walk:
    """One walk over one model; `reasons` is complete when `program` has returned."""

    def __init__(self, model: RawModel, limits: Limits) -> None:
        self.reasons: list[str] = []
        self._model = model
        self._limits = limits
        self._operands: dict[str, Operand | None] = {}
        """Every tensor defined so far; None where its type could not be told."""
        self._nodes: list[tuple[RawNode, JudgedNode]] = []
        self._folding_left = limits.folded_total_max

    def program(self) -> Program | None:
        """Give the program, or None if there are reasons against it."""
        opsets = self._read_opsets()
        self._read_initialisers()
        inputs = self._read_inputs()
        for index, raw in enumerate(self._model.nodes):
            self._read_node(index, raw, opsets)
        outputs = self._read_outputs()
        if self.reasons:
            return None
        return self._finish(inputs, outputs)

    def _read_opsets(self) -> Mapping[str, int]:
        if self._model.ir_version not in IR_VERSIONS:
            first, last = IR_VERSIONS[0], IR_VERSIONS[-1]
            self.reasons.append(
                f"format version {self._model.ir_version}, supported are {first} to {last}"
            )
        opsets: dict[str, int] = {}
        for domain, version in self._model.opsets:
            domain = domain_of(domain)
            name = shown(domain) or "ai.onnx"
            supported = OPSETS.get(domain)
            if opsets.setdefault(domain, version) != version:
                self.reasons.append(f"operator set {name} {opsets[domain]} and also {version}")
            elif supported is not None and version not in supported:
                self.reasons.append(
                    f"operator set {name} {version}, "
                    f"supported are {supported[0]} to {supported[-1]}"
                )
        return {
            domain: _nearest(OPSETS[domain], version)
            for domain, version in opsets.items()
            if domain in OPSETS
        }

    def _read_initialisers(self) -> None:
        for index, message in enumerate(self._model.initialisers):
            name = message.get("name", "")
            where = f"initialiser {index} ({shown(name)})"
            operand = None
            try:
                operand = self._constant(tensor_of(message, self._limits))
            except Unreadable as error:
                self.reasons.append(f"{where}: {error}")
            self._define(where, name, operand)

    def _read_inputs(self) -> tuple[TensorType, ...]:
        constants = set(self._operands)
        inputs = []
        for index, message in enumerate(self._model.inputs):
            where = f"input {index} ({shown(message.get('name', ''))})"
            operand = self._input(where, message)
            name = message.get("name", "")
            if name in constants:
                constants.discard(name)
                self._check_same(where, self._operands[name], operand)
                continue
            self._define(where, name, operand)
            if operand is not None:
                inputs.append(TensorType(name, operand.dtype, operand.shape))
        if len(inputs) > self._limits.values_max:
            self.reasons.append(
                f"{len(inputs)} inputs, at most {self._limits.values_max} are allowed"
            )
        return tuple(inputs)

    def _input(self, where: str, message: Message) -> Operand | None:
        try:
            value = declared_value(message)
            if value.dtype is None or value.shape is None:
                raise Unreadable("its type and shape are not given")
            lengths = []
            for axis, length in enumerate(value.shape):
                if not isinstance(length, int):
                    label = f" ({shown(length)})" if length else ""
                    raise Unreadable(f"axis {axis}{label} is open: fix its length")
                lengths.append(length)
            check_shape(tuple(lengths), self._limits)
            return Operand(value.dtype, tuple(lengths))
        except Unreadable as error:
            self.reasons.append(f"{where}: {error}")
            return None

    def _check_same(self, where: str, found: Operand | None, declared: Operand | None) -> None:
        if found is None or declared is None:
            return
        if (found.dtype, found.shape) != (declared.dtype, declared.shape):
            self.reasons.append(f"{where}: declared {declared}, its initialiser is {found}")

    def _read_node(self, index: int, raw: RawNode, opsets: Mapping[str, int]) -> None:
        where = f"node {index} ({shown(raw.operator)})"
        results: tuple[Operand, ...] = ()
        reasons = [f"input {shown(name)} is not computed before" for name in self._undefined(raw)]
        try:
            operator = find_operator(raw, opsets)
            attributes, complaints = read_attributes(raw, operator, self._limits)
            reasons += [*count_complaints(raw, operator), *complaints]
            inputs = self._inputs_of(raw)
            if not reasons and inputs is not None:
                results = self._results(raw, judge(raw, operator, attributes, inputs, self._limits))
        except Refusal as refusal:
            reasons.append(str(refusal))
        self.reasons += [f"{where}: {reason}" for reason in reasons]
        if not any(raw.outputs):
            self.reasons.append(f"{where}: no output")
        for place, name in enumerate(raw.outputs):
            if name:
                self._define(where, name, results[place] if place < len(results) else None)

    def _undefined(self, raw: RawNode) -> list[str]:
        return [name for name in raw.inputs if name and name not in self._operands]

    def _inputs_of(self, raw: RawNode) -> tuple[Operand | None, ...] | None:
        """Give the inputs, or None if the type of one could not be told."""
        found = tuple(self._operands.get(name) for name in raw.inputs)
        clear = all(found[place] is not None for place, name in enumerate(raw.inputs) if name)
        return found if clear else None

    def _results(self, raw: RawNode, node: JudgedNode) -> tuple[Operand, ...]:
        folded = fold(node, self._limits, self._folding_left)
        if folded is None:
            self._nodes.append((raw, node))
            return node.call.outputs
        self._folding_left -= node.cost
        return tuple(
            self._constant(operand.value) for operand in folded if operand.value is not None
        )

    def _constant(self, value: Tensor) -> Operand:
        value = np.array(value)
        value.flags.writeable = False
        return Operand(value.dtype.name, value.shape, value)

    def _define(self, where: str, name: str, operand: Operand | None) -> None:
        if not name:
            self.reasons.append(f"{where}: without a name")
        elif name in self._operands:
            self.reasons.append(f"{where}: {shown(name)} is defined twice")
        else:
            self._operands[name] = operand

    def _read_outputs(self) -> tuple[TensorType, ...]:
        if not self._model.outputs:
            self.reasons.append("the model has no outputs")
        outputs: dict[str, TensorType] = {}
        for index, message in enumerate(self._model.outputs):
            name = message.get("name", "")
            where = f"output {index} ({shown(name)})"
            if name not in self._operands:
                self.reasons.append(f"{where}: nothing computes it")
            elif name in outputs:
                self.reasons.append(f"{where}: is there twice")
            else:
                self._check_output(where, message, outputs)
        return tuple(outputs.values())

    def _check_output(self, where: str, message: Message, outputs: dict[str, TensorType]) -> None:
        name = message["name"]
        try:
            declared = declared_value(message)
        except Unreadable as error:
            self.reasons.append(f"{where}: {error}")
            return
        found = self._operands[name]
        if found is None:
            return
        if not _agrees(declared, found):
            self.reasons.append(f"{where}: declared {_declared(declared)}, computed {found}")
        outputs[name] = TensorType(name, found.dtype, found.shape)

    def _finish(
        self, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...]
    ) -> Program | None:
        kept = needed_nodes(
            [(raw.inputs, raw.outputs) for raw, _ in self._nodes],
            tuple(output.name for output in outputs),
        )
        chosen = [self._nodes[index] for index in kept]
        used = {name for raw, _ in chosen for name in raw.inputs}
        used |= {output.name for output in outputs}
        operands = {name: operand for name, operand in self._operands.items() if operand}
        constants = {
            name: operand.value
            for name, operand in operands.items()
            if name in used and operand.value is not None
        }
        cost = run_cost(tuple(node.cost for _, node in chosen))
        peak = peak_bytes(chosen, inputs, outputs, constants)
        for what, value, most in (
            ("gas", cost, self._limits.cost_max),
            ("bytes of memory", peak, self._limits.peak_bytes_max),
        ):
            if value > most:
                self.reasons.append(f"a run takes {value} {what}, at most {most} are allowed")
        nodes = tuple(
            Node(node.operator, raw.inputs, raw.outputs, node.attributes, node.cost)
            for raw, node in chosen
        )
        program = Program(inputs, outputs, constants, nodes, operands, cost, peak)
        return None if self.reasons else program


def _nearest(supported: range, version: int) -> int:
    """Go on with a supported version, so that other reasons are still found."""
    return min(max(version, supported[0]), supported[-1])


def _agrees(declared: DeclaredValue, found: Operand) -> bool:
    if declared.dtype is not None and declared.dtype != found.dtype:
        return False
    if declared.shape is None:
        return True
    return len(declared.shape) == found.rank and all(
        length == said or not isinstance(said, int)
        for said, length in zip(declared.shape, found.shape, strict=True)
    )


def _declared(declared: DeclaredValue) -> str:
    lengths = tuple(
        shown(length) if isinstance(length, str) else "?" if length is None else str(length)
        for length in declared.shape or ()
    )
    return f"{declared.dtype or 'no type'}[{', '.join(lengths)}]"
