"""Judging one node: its operator, attributes and inputs, and the types of what it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Final

import numpy as np

from ai_exec import ops, registry
from ai_exec.admission.inexact import agreeing, between_bounds, tightened, uncertain
from ai_exec.admission.spans import bounded
from ai_exec.limits import Limits
from ai_exec.metering import tensor_bytes
from ai_exec.model.loader import (
    ATTRIBUTE_KINDS,
    RawGraph,
    RawNode,
    Unreadable,
    attribute_of,
    check_shape,
    shown,
)
from ai_exec.model.wire import Message
from ai_exec.registry import (
    ML,
    Attribute,
    Attributes,
    Call,
    Mismatch,
    Operand,
    Operator,
    Subgraph,
    Unbounded,
)
from ai_exec.tensor import TINY, Tensor

OPSETS: Final[Mapping[str, range]] = {"": range(1, 29), ML: range(1, 6)}
"""Versions of each domain's operator sets that models may import.

The greatest is one below the first set in which a supported operator has a version that is not
supported, so that the newest version not above an import is always the right one.
"""

Environment = Mapping[str, Message]
"""Attributes of the node that stands for a function, by name."""

RANDOM: Final = frozenset(
    {
        *("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike"),
        *("RandomUniform", "RandomUniformLike"),
    }
)
"""Operators of the main domain whose results differ from one library to the next."""

FOLDING_SLOWNESS: Final = 8
"""How much longer than gas says a kernel of the reference may take that computes something."""

QUANTISED_CONTRIBUTIONS: Final = frozenset(
    {
        *("QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax"),
        *("QLinearAveragePool", "QLinearGlobalAveragePool", "QLinearConcat", "QLinearReduceMean"),
        *("QLinearWhere", "QGemm", "QAttention", "QuantizeLinear", "DequantizeLinear"),
    }
)
"""Operators of onnxruntime's own that its tools for quantisation write in their QOperator form."""

assert ops.__all__


class Refusal(Exception):
    """The node cannot be admitted.  The message is the reason."""


class Unfit(Mismatch):
    """A graph in an attribute cannot be admitted, for several reasons."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True, eq=False)
class JudgedNode:
    """A node that was found right."""

    operator: Operator
    attributes: Attributes
    call: Call
    cost: int
    scratch_bytes: int
    dynamic: bool
    """Whether its shapes are known at a run only; what `call.outputs` says is an upper bound."""


def domain_of(name: str) -> str:
    """Give a domain's name; the main one has two."""
    return "" if name == "ai.onnx" else name


def read_opsets(imports: tuple[tuple[str, int], ...]) -> tuple[dict[str, int], list[str]]:
    """Give the version of each known domain's operator set, and every complaint about imports.

    Where a version is not supported the nearest one stands, so that other reasons are found.
    """
    opsets: dict[str, int] = {}
    complaints = []
    for domain, version in imports:
        domain = domain_of(domain)
        name = shown(domain) or "ai.onnx"
        supported = OPSETS.get(domain)
        if opsets.setdefault(domain, version) != version:
            complaints.append(f"operator set {name} {opsets[domain]} and also {version}")
        elif supported is not None and version not in supported:
            complaints.append(
                f"operator set {name} {version}, supported are {supported[0]} to {supported[-1]}"
            )
    known = {domain: OPSETS[domain] for domain in opsets if domain in OPSETS}
    return {
        domain: min(max(opsets[domain], supported[0]), supported[-1])
        for domain, supported in known.items()
    }, complaints


def _advice(domain: str, operator: str) -> str:
    """Say how to write a model without an operator of onnxruntime's own."""
    if not domain.startswith("com.microsoft"):
        return ": write it with operators of ai.onnx, or as a function of the model"
    if operator in QUANTISED_CONTRIBUTIONS:
        return ": quantise with quant_format=QuantFormat.QDQ, which writes operators of ONNX"
    return (
        ": it is of onnxruntime's own operators, which its optimiser writes; export the model "
        "without optimisation, or optimise it with ORT_ENABLE_BASIC at most"
    )


def find_operator(raw: RawNode, opsets: Mapping[str, int]) -> Operator:
    """Give the operator that a node means under the model's imports; raises Refusal."""
    domain = domain_of(raw.domain)
    if domain not in OPSETS:
        raise Refusal(f"domain {shown(domain)} is not supported{_advice(domain, raw.operator)}")
    if not domain and raw.operator in RANDOM:
        raise Refusal(
            "its numbers are random, also with a seed, as ONNX specifies no generator: "
            "make them an input of the model"
        )
    if raw.overload or not registry.is_known(domain, raw.operator):
        raise Refusal("the operator is not supported; ai_exec/README.md lists those that are")
    if domain not in opsets:
        raise Refusal(f"the model imports no operator set of {domain or 'the main domain'}")
    version = registry.newest(domain, raw.operator, opsets[domain])
    if version is None:
        raise Refusal(f"the operator is not supported in operator set {opsets[domain]}")
    return version


def referred(raw: RawNode, given: Environment | None) -> tuple[list[Message], list[str]]:
    """Give a node's attributes, those of a function's node for what refers to them.

    An attribute that refers to one that is not given is left out.
    """
    found, complaints = [], []
    for message in raw.attributes:
        source = message.get("ref_attr_name", "")
        if not source:
            found.append(message)
        elif given is None:
            complaints.append(f"attribute {shown(message.get('name', ''))} is that of no function")
        elif source in given:
            found.append({**given[source], "name": message.get("name", "")})
    return found, complaints


def read_attributes(
    messages: list[Message],
    operator: Operator,
    limits: Limits,
    graph: Callable[[str, RawGraph], Subgraph],
) -> tuple[Attributes, list[str]]:
    """Give all attributes, defaults filled in and graphs by `graph`, and every complaint."""
    found: dict[str, Attribute | None] = dict(operator.defaults)
    given: set[str] = set()
    complaints = []
    for message in messages:
        name = message.get("name", "")
        kind = operator.attribute_kinds.get(name)
        if kind is None:
            complaints.append(f"attribute {shown(name)} is not supported")
        elif name in given:
            complaints.append(f"attribute {name} is there twice")
        elif ATTRIBUTE_KINDS.get(message.get("type", 0)) != kind:
            complaints.append(f"attribute {name} is of a wrong type")
        else:
            try:
                value = attribute_of(message, limits)
                found[name] = graph(name, value) if isinstance(value, RawGraph) else value
            except Unreadable as error:
                complaints.append(f"attribute {name}: {error}")
        given.add(name)
    for name in operator.attribute_kinds:
        if name not in operator.defaults and name not in given:
            complaints.append(f"attribute {name} is missing")
    return {name: found.get(name) for name in operator.attribute_kinds}, complaints


def count_complaints(inputs: tuple[str, ...], operator: Operator) -> list[str]:
    """Give every complaint about how many inputs a node names."""
    complaints = [
        f"input {index} is missing"
        for index in range(operator.inputs_min)
        if index >= len(inputs) or not inputs[index]
    ]
    if operator.inputs_max is None:
        complaints += ["no inputs"] * (not inputs and not operator.inputs_listed)
        complaints += ["an input without a name"] * (not all(inputs[operator.inputs_listed :]))
    elif len(inputs) > operator.inputs_max:
        complaints.append(f"{len(inputs)} inputs, at most {operator.inputs_max} are allowed")
    return complaints


def judge(
    operator: Operator,
    attributes: Attributes,
    inputs: tuple[Operand | None, ...],
    declared: tuple[Operand | None, ...],
    limits: Limits,
) -> JudgedNode:
    """Infer the types of the outputs, of which there are as many as declared; raises Refusal."""
    count = len(declared)
    call = Call(inputs, attributes, count, declared=declared)
    first = inputs[0] if inputs else None
    for operand in inputs if not (operator.moves or operator.native) else ():
        if operand is not None and operand.dtype in TINY:
            raise Refusal(f"{operand}: such elements are only cast, quantised and moved")
    if operator.values and first is not None and first.dtype not in operator.values:
        raise Refusal(f"{first} is not of {', '.join(operator.values)}")
    inexact = any(operand is not None and not operand.exact for operand in inputs)
    try:
        outputs = _inferred(operator, call, inexact=inexact)
    except Unfit:
        raise
    except Mismatch as error:
        raise Refusal(str(error)) from error
    if count > len(outputs):
        raise Refusal(f"{count} outputs, at most {len(outputs)} are supported")
    try:
        for output in outputs:
            check_shape(output.shape, limits)
    except Unreadable as error:
        raise Refusal(str(error)) from error
    call = Call(inputs, attributes, count, outputs, declared)
    try:
        cost, scratch = operator.cost(call), operator.scratch(call)
    except Unbounded as error:
        raise Refusal(str(error)) from error
    dynamic = inexact or not all(output.exact for output in outputs)
    if dynamic:
        outputs = tuple(
            tightened(output, said)
            for output, said in zip(outputs, (*declared, *[None] * len(outputs)), strict=False)
        )
    spans = bounded(operator, call, outputs)
    outputs = tuple(
        output if span is output.within else replace(output, within=span)
        for output, span in zip(outputs, spans, strict=True)
    )
    call = Call(inputs, attributes, count, outputs, declared)
    return JudgedNode(operator, attributes, call, cost, scratch, dynamic)


def _inferred(operator: Operator, call: Call, *, inexact: bool) -> tuple[Operand, ...]:
    """Ask the operator's rule; where values or inexact shapes forbid an answer, the model's."""
    said = [operand for operand in call.declared if operand is not None]
    complete = len(said) == call.output_count > 0
    try:
        outputs = operator.infer(call)
    except Unfit:
        raise
    except Unbounded as error:
        if not complete:
            raise Refusal(
                f"{error}, or declare the greatest shape of the result in the model (value_info)"
            ) from error
        return tuple(uncertain(operand) for operand in said)
    except Mismatch:
        if not inexact or operator.bodies:
            raise
        if complete:
            return tuple(uncertain(operand) for operand in said)
        call = replace(call, inputs=agreeing(call.inputs))
        outputs = operator.infer(call)
    if inexact and not operator.bodies:
        return between_bounds(operator, call, outputs)
    return outputs


def _folding_gas(node: JudgedNode) -> int:
    """Give the work of computing a node at admission, which the reference's kernels do."""
    return node.cost * (1 if node.operator.moves or node.operator.native else FOLDING_SLOWNESS)


class Folding:
    """What admission may still compute by itself."""

    def __init__(self, limits: Limits, gas_left: int, bytes_left: int) -> None:
        self._limits = limits
        self.gas_left = gas_left
        self.bytes_left = bytes_left

    def fold(self, node: JudgedNode) -> tuple[Tensor, ...] | None:
        """Give the outputs if they are known and not too dear, else None."""
        outputs = node.call.outputs
        if node.dynamic or node.operator.bodies:
            return None
        if all(output.value is not None for output in outputs):
            return tuple(output.value for output in outputs if output.value is not None)
        inputs = node.call.inputs
        if any(operand is not None and operand.value is None for operand in inputs):
            return None
        if not self._affords(node):
            return None
        self.gas_left -= _folding_gas(node)
        self.bytes_left -= self._length(node)
        values = tuple(None if operand is None else operand.value for operand in inputs)
        with np.errstate(all="ignore"):
            return node.operator.run(values, node.attributes, node.call.output_count)

    def _affords(self, node: JudgedNode) -> bool:
        """Ask whether a node may be computed: a short one, or one that makes no more of much."""
        if _folding_gas(node) > self.gas_left:
            return False
        if not self._is_long(node):
            return node.cost <= self._limits.folded_cost_max
        given = sum(prod(operand.shape) for operand in node.call.inputs if operand is not None)
        made = sum(prod(output.shape) for output in node.call.outputs)
        return made <= given and self._length(node) <= self.bytes_left

    def _is_long(self, node: JudgedNode) -> bool:
        operands = (*node.call.inputs, *node.call.outputs)
        longest = max((prod(each.shape) for each in operands if each is not None), default=0)
        return longest > self._limits.folded_elements_max

    def _length(self, node: JudgedNode) -> int:
        """Give the memory of a long result in bytes; short ones do not count."""
        if not self._is_long(node):
            return 0
        return sum(tensor_bytes(output.dtype, output.shape) for output in node.call.outputs)
