"""The walk of admission: from what a file says to a program, noting every reason against it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ai_exec.admission.assembly import assemble
from ai_exec.admission.context import Context, Exhausted
from ai_exec.admission.known import MARGIN, Known
from ai_exec.admission.lengths import input_type
from ai_exec.admission.names import Setting
from ai_exec.admission.nodes import domain_of, read_opsets
from ai_exec.admission.planning import constant_bytes
from ai_exec.admission.scope import Scope
from ai_exec.limits import Limits
from ai_exec.metering import JUDGED_ITEM_GAS, JUDGED_NODE_GAS
from ai_exec.model.loader import (
    DeclaredValue,
    RawFunction,
    RawModel,
    Unreadable,
    declared_value,
    shown,
)
from ai_exec.model.wire import Message
from ai_exec.program import Program
from ai_exec.registry import ML, Operand
from ai_exec.tensor import TensorType

IR_VERSIONS: Final = range(3, 15)
"""Versions of the file format that models may have."""


class Walk:
    """One walk over one model; `reasons` is complete when `program` has returned."""

    def __init__(
        self,
        model: RawModel,
        limits: Limits,
        lengths: Mapping[str, int] | None = None,
        known: Known | None = None,
    ) -> None:
        self.reasons: list[str] = []
        self.gas = 0
        """Work of the walk in gas, known when `program` has returned, without reading the file."""
        self.known = known or Known(limits.folded_total_max, limits.folded_bytes_max)
        self._again = known is not None
        self._model = model
        self._limits = limits
        self._lengths = lengths or {}
        """Of open axes by name, at most or as they are."""
        self._zipped = {
            name
            for node in model.graph.nodes
            if (node.domain, node.operator) == (ML, "ZipMap")
            for name in node.outputs
        }
        """What ZipMaps give."""

    def program(self) -> Program | None:
        """Give the program, or None if there are reasons against it."""
        if self._model.ir_version not in IR_VERSIONS:
            first, last = IR_VERSIONS[0], IR_VERSIONS[-1]
            self.reasons.append(
                f"format version {self._model.ir_version}, supported are {first} to {last}"
            )
        opsets, complaints = read_opsets(self._model.opsets)
        self.reasons += complaints
        context = Context(
            self._limits, self._lengths, self._functions(), self.known, again=self._again
        )
        scope = Scope(context, Setting(opsets))
        graph = self._model.graph
        scope.reasons = self.reasons
        scope.read_declarations((*graph.values, *graph.outputs))
        scope.read_initialisers(graph.initialisers)
        inputs = self._read_inputs(scope)
        try:
            scope.read_nodes(graph.nodes)
        except Exhausted as error:
            self.reasons.append(str(error))
            return None
        outputs = self._read_outputs(scope)
        self.gas = JUDGED_NODE_GAS * context.nodes + JUDGED_ITEM_GAS * context.items
        self.gas += self._spend(context)
        if self.reasons:
            return None
        return self._bounded(assemble(scope.nodes, inputs, outputs, context.operands))

    def _spend(self, context: Context) -> int:
        """Give the gas of folding what depends on lengths, as far as later walks may spend it."""
        spent = self.known.folding_left - context.folding.gas_left
        if self._again:
            return spent
        length = self.known.bytes_left - context.folding.bytes_left
        self.known.folding_left = spent + spent // MARGIN
        self.known.bytes_left = length + length // MARGIN
        return self.known.folding_left

    def _functions(self) -> Mapping[tuple[str, str, str], RawFunction]:
        found: dict[tuple[str, str, str], RawFunction] = {}
        for function in self._model.functions:
            domain, name, overload = function.key
            key = (domain_of(domain), name, overload)
            if key in found:
                self.reasons.append(f"function {shown(name)} is defined twice")
            found[key] = replace(function, key=key)
        return found

    def _read_inputs(self, scope: Scope) -> tuple[TensorType, ...]:
        constants = {message.get("name", "") for message in self._model.graph.initialisers}
        inputs = []
        for index, message in enumerate(self._model.graph.inputs):
            name = message.get("name", "")
            where = f"input {index} ({shown(name)})"
            try:
                value = declared_value(message)
                if name in constants:
                    constants.discard(name)
                    self._check_same(where, scope.known(name), value)
                    continue
                found = input_type(value, self._lengths, self._limits)
            except Unreadable as error:
                self.reasons.append(f"{where}: {error}")
                scope.define(where, name, name, None)
                continue
            inputs.append(found)
            scope.define(where, name, name, Operand(found.dtype, found.shape))
        if len(inputs) > self._limits.values_max:
            self.reasons.append(
                f"{len(inputs)} inputs, at most {self._limits.values_max} are allowed"
            )
        return tuple(inputs)

    def _check_same(self, where: str, found: Operand | None, declared: DeclaredValue) -> None:
        if found is not None and not _agrees(declared, found):
            self.reasons.append(
                f"{where}: declared {_declared(declared)}, its initialiser is {found}"
            )

    def _read_outputs(self, scope: Scope) -> tuple[TensorType, ...]:
        if not self._model.graph.outputs:
            self.reasons.append("the model has no outputs")
        outputs: dict[str, TensorType] = {}
        for index, message in enumerate(self._model.graph.outputs):
            name = message.get("name", "")
            where = f"output {index} ({shown(name)})"
            scope.rename(name)
            if scope.resolve(name) in scope.context.held:
                self.reasons.append(f"{where}: it is no tensor, but a sequence or an optional")
            elif scope.resolve(name) is None:
                self.reasons.append(f"{where}: nothing computes it")
            elif name in outputs:
                self.reasons.append(f"{where}: is there twice")
            else:
                self._check_output(where, message, scope.known(name), outputs)
        return tuple(outputs.values())

    def _check_output(
        self,
        where: str,
        message: Message,
        found: Operand | None,
        outputs: dict[str, TensorType],
    ) -> None:
        try:
            # The maps of a ZipMap are delivered as the tensor that it takes.
            zipped = message["name"] in self._zipped and "sequence_type" in message.get("type", {})
            declared = DeclaredValue("", None, None) if zipped else declared_value(message)
        except Unreadable as error:
            self.reasons.append(f"{where}: {error}")
            return
        if found is None:
            return
        if not _agrees(declared, found, batch=bool(self._lengths)):
            self.reasons.append(f"{where}: declared {_declared(declared)}, computed {found}")
        name = message["name"]
        outputs[name] = TensorType(name, found.dtype, found.shape)

    def _bounded(self, program: Program) -> Program | None:
        peak = program.peak_bytes + constant_bytes(program)
        for what, value, most in (
            ("gas", program.cost, self._limits.cost_max),
            ("bytes of memory", peak, self._limits.peak_bytes_max),
        ):
            if value > most:
                self.reasons.append(f"a run takes {value} {what}, at most {most} are allowed")
        return None if self.reasons else replace(program, peak_bytes=peak)


def _agrees(declared: DeclaredValue, found: Operand, *, batch: bool = False) -> bool:
    """Tell whether a declared type fits; lengths of an uncertain shape are bounds.

    With axes open for a `batch`, exporters declare length 1 of results that have them, too.
    """
    if declared.dtype is not None and declared.dtype != found.dtype:
        return False
    if declared.shape is None:
        return True
    return len(declared.shape) == found.rank and all(
        length == said or not isinstance(said, int) or not found.exact or (batch and said == 1)
        for said, length in zip(declared.shape, found.shape, strict=True)
    )


def _declared(declared: DeclaredValue) -> str:
    lengths = tuple(
        shown(length) if isinstance(length, str) else "?" if length is None else str(length)
        for length in declared.shape or ()
    )
    return f"{declared.dtype or 'no type'}[{', '.join(lengths)}]"
