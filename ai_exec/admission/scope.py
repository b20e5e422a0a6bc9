"""A scope: the nodes of a graph, a body or a function, judged one after the other."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ai_exec.admission.assembly import Placed
from ai_exec.admission.bodies import JudgedBody
from ai_exec.admission.builder import Builder
from ai_exec.admission.context import CAST, IDENTITY, Context
from ai_exec.admission.lifting import narrow_type
from ai_exec.admission.names import Names, Setting
from ai_exec.admission.nodes import (
    JudgedNode,
    Refusal,
    Unfit,
    count_complaints,
    domain_of,
    find_operator,
    judge,
    read_attributes,
    read_opsets,
    referred,
)
from ai_exec.model.loader import (
    RawFunction,
    RawGraph,
    RawNode,
    shown,
)
from ai_exec.model.wire import Message
from ai_exec.registry import Attributes, Mismatch, Operand, Operator, Subgraph
from ai_exec.tensor import DTYPE_NUMBERS, NARROW, Tensor


class Scope(Names):
    """Reads nodes in their order."""

    def __init__(
        self,
        context: Context,
        setting: Setting,
        around: Names | None = None,
        nodes: list[Placed] | None = None,
    ) -> None:
        super().__init__(context, setting, around)
        self.nodes: list[Placed] = [] if nodes is None else nodes
        """Nodes that admission does not compute; a function adds to those of its caller."""
        self._widened_names: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        """Names of tensors that there are already, for outputs about to be defined."""

    def read_nodes(self, raws: Sequence[RawNode]) -> None:
        """Judge all nodes."""
        for index, raw in enumerate(raws):
            self.context.count_node()
            if not self._is_known(raw):
                self._read_node(f"node {index} ({shown(raw.operator)})", raw)

    def _is_known(self, raw: RawNode) -> bool:
        """Take what an earlier walk computed, at no matter what lengths."""
        known = self.context.known.operands
        return self.context.again and self.is_main and any(name in known for name in raw.outputs)

    def _read_node(self, where: str, raw: RawNode) -> None:
        if not any(raw.outputs):
            self.complain(where, "no output")
        undefined = [name for name in raw.inputs if name and self.resolve(name) is None]
        reasons = [
            f"input {shown(name)} is neither given nor computed before" for name in undefined
        ]
        targets = tuple(self.unique_of(name) if name else "" for name in raw.outputs)
        done = False
        try:
            done = self._judged(where, raw, targets, reasons)
        except Unfit as unfit:
            self.reasons += unfit.reasons
        except Refusal as refusal:
            reasons.append(str(refusal))
        for reason in reasons:
            self.complain(where, reason)
        for name, target in zip(raw.outputs, targets, strict=True):
            if name:
                unique = self._aliases.pop(target, target)
                operand = self.context.operands.get(unique) if done else None
                self.define(where, name, unique, operand)

    def _judged(
        self, where: str, raw: RawNode, targets: tuple[str, ...], reasons: list[str]
    ) -> bool:
        """Judge a node and keep what it gives under the targets; tell whether that was possible."""
        inputs = tuple(self.resolve(name) or "" for name in raw.inputs)
        messages, complaints = referred(raw, self.setting.given)
        function = self._function(raw)
        if function is not None:
            reasons += complaints
            if reasons or not self.context.is_clear(inputs):
                return False
            return self._expanded(where, raw, function, messages, inputs, targets)
        operator, attributes, more = self._read(where, raw, messages)
        named = tuple("" if self.resolve(name) == "" else name for name in raw.inputs)
        reasons += [*count_complaints(named, operator), *complaints, *more]
        if reasons or not self.context.is_clear(inputs):
            return False
        place = f"{self.setting.place}{where}"
        if operator.unfolds or (operator.name == "Identity" and inputs[0] in self.context.held):
            return self._unfolded(place, operator, attributes, inputs, targets)
        for index, name in enumerate(inputs):
            if name in self.context.held:
                raise Refusal(f"input {index} is no tensor, but a sequence or an empty optional")
        operands = self.context.types(inputs)
        if operator.name == "If" and operands[0] is not None and operands[0].value is not None:
            return self._chosen(attributes, operands[0].value, raw, targets)
        declared = tuple(self.declared(name) if name else None for name in raw.outputs)
        self.compute(place, operator, attributes, inputs, targets, declared)
        return True

    def _read(
        self, where: str, raw: RawNode, messages: list[Message]
    ) -> tuple[Operator, Attributes, list[str]]:
        """Give a node's operator and attributes, and complaints about these; raises Refusal."""
        known = self.context.known.read
        self.context.count_items(messages, main=self.is_main)
        if raw in known:
            return *known[raw], []
        operator = find_operator(raw, self.setting.opsets)
        attributes, complaints = read_attributes(
            messages,
            operator,
            self.context.limits,
            lambda name, graph: self._body(where, name, graph),
        )
        if self.is_main and not operator.bodies and not complaints:
            known[raw] = operator, attributes
        return operator, attributes, complaints

    def compute(
        self,
        place: str,
        operator: Operator,
        attributes: Attributes,
        inputs: tuple[str, ...],
        targets: tuple[str, ...],
        declared: tuple[Operand | None, ...],
    ) -> None:
        """Add a node; one that does not know 16-bit floats among casts."""
        narrow = narrow_type(operator, self.context.types(inputs))
        if narrow is not None:
            inputs = tuple(self._widened(place, name) for name in inputs)
            declared = tuple(
                Operand("float32", said.shape) if said and said.dtype in NARROW else said
                for said in declared
            )
        operands = self.context.types(inputs)
        node = judge(operator, attributes, operands, declared, self.context.limits)
        rounded = [
            bool(target) and narrow in NARROW and output.dtype == "float32"
            for target, output in zip(targets, node.call.outputs, strict=False)
        ]
        names = tuple(
            self.context.unique(target) if round_it else target
            for target, round_it in zip(targets, rounded, strict=False)
        )
        self._add(place, node, inputs, names)
        for name, target, round_it in zip(names, targets, rounded, strict=True):
            if round_it:
                assert narrow is not None
                self._cast(place, name, narrow, target)

    def _widened(self, place: str, name: str) -> str:
        """Give the name of a tensor as binary32."""
        operand = self.context.operands.get(name) if name else None
        if operand is None or operand.dtype not in NARROW:
            return name
        if name not in self._widened_names:
            unique = self._widened_names[name] = self.context.unique(name)
            known = self.context.known
            if name in known.widened:
                self.context.operands[unique] = known.widened[name]
            else:
                self._cast(place, name, "float32", unique)
                found = self.context.operands[unique]
                first = not self.context.again and name in known.operands
                if first and found is not None and found.value is not None:
                    known.widened[name] = found
        return self._widened_names[name]

    def _cast(self, place: str, name: str, dtype: str, target: str) -> None:
        self._apply(place, CAST, {"to": DTYPE_NUMBERS[dtype]}, name, target)

    def _apply(
        self, place: str, operator: Operator, attributes: Attributes, name: str, target: str
    ) -> None:
        """Add a node of one input and one output that cannot be refused."""
        operands = self.context.types((name,))
        node = judge(operator, attributes, operands, (None,), self.context.limits)
        self._add(place, node, (name,), (target,))

    def _add(
        self, place: str, node: JudgedNode, inputs: tuple[str, ...], targets: tuple[str, ...]
    ) -> None:
        """Keep a node, or its results where admission computes them."""
        folding = self.context.folding
        gas, length = folding.gas_left, folding.bytes_left
        folded = folding.fold(node)
        if folded is not None:
            results = tuple(self.context.constant(tensor) for tensor in folded)
            if self._learns(inputs):
                known = self.context.known
                known.folding_left -= gas - folding.gas_left
                known.bytes_left -= length - folding.bytes_left
                named = (name if "\0" not in name else "" for name in targets)
                pairs = zip(named, results, strict=False)
                known.operands |= {name: found for name, found in pairs if name}
        else:
            bodies = {
                name: body.program
                for name in node.operator.bodies
                if isinstance(body := node.attributes[name], JudgedBody)
            }
            self.nodes.append(Placed(node, inputs, targets, place, bodies))
            results = tuple(
                replace(output, value=None) if output.value is not None else output
                for output in node.call.outputs
            )
        for target, operand in zip(targets, results, strict=False):
            if target:
                self.context.operands[target] = operand

    def _learns(self, inputs: tuple[str, ...]) -> bool:
        """Tell whether later walks will know it too: what depends on nothing but initialisers."""
        known = self.context.known.operands
        first = self.is_main and not self.context.again
        return first and all(name in known for name in inputs if name)

    def _body(self, where: str, name: str, graph: RawGraph) -> Subgraph:
        return JudgedBody(self, f"{self.setting.place}{where}: {name}: ", graph)

    def _chosen(
        self, attributes: Attributes, condition: Tensor, raw: RawNode, targets: tuple[str, ...]
    ) -> bool:
        """Take the nodes of the branch that a known condition chooses; the other means nothing."""
        if condition.size != 1:
            raise Refusal(f"a condition of {condition.size} elements")
        branch = attributes["then_branch" if np.any(condition) else "else_branch"]
        assert isinstance(branch, JudgedBody)
        graph = branch.graph
        inner = self.within(branch.place, inline=True)
        inner.read_declarations((*graph.values, *graph.outputs))
        outputs = tuple(message.get("name", "") for message in graph.outputs)
        self._expect(inner, raw, outputs, targets)
        inner.read_initialisers(graph.initialisers)
        inner.read_nodes(graph.nodes)
        return self._handed(inner, outputs, targets)

    def _unfolded(
        self,
        place: str,
        operator: Operator,
        attributes: Attributes,
        inputs: tuple[str, ...],
        targets: tuple[str, ...],
    ) -> bool:
        """Put other nodes in the place of one that knows sequences or optionals."""
        held = self.context.held
        values = tuple(held.get(name, name) if name else None for name in inputs)
        if not operator.unfolds:
            held[targets[0]] = held[inputs[0]]
            return True
        builder = Builder(self, place)
        try:
            found: Any = operator.kernel(*values, **attributes, nodes=builder)
        except Unfit:
            raise
        except Mismatch as error:
            raise Refusal(str(error)) from error
        outputs = found if isinstance(found, tuple) else (found,)
        if len(targets) > len(outputs):
            raise Refusal(f"{len(targets)} outputs, at most {len(outputs)} are supported")
        for target, value in zip(targets, outputs, strict=False):
            if target and isinstance(value, str):
                self._aliases[target] = value
            elif target:
                held[target] = value
        return True

    def within(self, place: str, *, inline: bool = False) -> "Scope":
        """Give a scope for a graph in an attribute; inline if its nodes join those here."""
        setting = replace(self.setting, place=place)
        return Scope(self.context, setting, self, self.nodes if inline else None)

    def rename(self, name: str) -> None:
        """Have a tensor that is called otherwise be computed under the model's own name."""
        unique = self.resolve(name)
        if unique is not None and unique != name and self.context.operands.get(unique):
            self._apply("", IDENTITY, {}, unique, name)
            self.bind(name, name)

    def _function(self, raw: RawNode) -> RawFunction | None:
        key = (domain_of(raw.domain), raw.operator, raw.overload)
        return self.context.functions.get(key)

    def _expanded(
        self,
        where: str,
        raw: RawNode,
        function: RawFunction,
        messages: list[Message],
        inputs: tuple[str, ...],
        targets: tuple[str, ...],
    ) -> bool:
        """Take the nodes of a function where a node stands for it."""
        key, callers = function.key, self.setting.callers
        if key in callers:
            raise Refusal("the function calls itself")
        if len(callers) >= self.context.limits.nesting_max:
            raise Refusal(f"more than {self.context.limits.nesting_max} functions within another")
        if len(inputs) > len(function.inputs):
            raise Refusal(f"{len(inputs)} inputs, the function takes {len(function.inputs)}")
        given = {message.get("name", ""): message for message in function.defaults}
        known = {*function.attributes, *given}
        for message in messages:
            name = message.get("name", "")
            if name not in known or "g" in message:
                raise Refusal(f"attribute {shown(name)} is not supported")
            given[name] = message
        opsets, complaints = read_opsets(function.opsets)
        place = f"{self.setting.place}{where}: "
        self.reasons += [place + complaint for complaint in complaints]
        inner = Scope(
            self.context, Setting(opsets, place, given, (*callers, key)), nodes=self.nodes
        )
        inner.read_declarations(function.values)
        self._expect(inner, raw, function.outputs, targets)
        for index, name in enumerate(function.inputs):
            inner.bind(name, inputs[index] if index < len(inputs) else "")
        inner.read_nodes(function.nodes)
        return self._handed(inner, function.outputs, targets) and not complaints

    def _expect(
        self, inner: Names, raw: RawNode, outputs: tuple[str, ...], targets: tuple[str, ...]
    ) -> None:
        """Tell a scope within what its outputs are called here."""
        if len(targets) > len(outputs):
            raise Refusal(f"{len(targets)} outputs, at most {len(outputs)} are supported")
        for name, inside, target in zip(raw.outputs, outputs, targets, strict=False):
            if target:
                inner.expect(inside, target, self.declared(name))

    def _handed(self, inner: "Scope", outputs: tuple[str, ...], targets: tuple[str, ...]) -> bool:
        """Take over what a scope within computed; tell whether all was right."""
        for index, (name, target) in enumerate(zip(outputs, targets, strict=False)):
            unique = inner.resolve(name)
            if not unique:
                inner.complain(f"output {index} ({shown(name)})", "nothing computes it")
            elif target and unique != target:
                self._aliases[target] = unique
        self.reasons += inner.reasons
        return not inner.reasons
