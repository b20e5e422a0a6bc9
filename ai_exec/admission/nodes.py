"""Judging one node: its operator, attributes and inputs, and the types of what it gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ai_exec import ops, registry
from ai_exec.limits import Limits
from ai_exec.model.loader import (
    ATTRIBUTE_KINDS,
    RawNode,
    Unreadable,
    attribute_of,
    check_shape,
    shown,
)
from ai_exec.registry import ML, Attribute, Attributes, Call, Mismatch, Operand, Operator
from ai_exec.tensor import TINY

OPSETS: Final[Mapping[str, range]] = {"": range(7, 27), ML: range(1, 6)}
"""Versions of each domain's operator sets that models may import.

The greatest is one below the first set in which a supported operator has a version that is not
supported, so that the newest version not above an import is always the right one.
"""

assert ops.__all__


class Refusal(Exception):
    """The node cannot be admitted.  The message is the reason."""


@dataclass(frozen=True, slots=True, eq=False)
class JudgedNode:
    """A node that was found right."""

    operator: Operator
    attributes: Attributes
    call: Call
    cost: int
    scratch_bytes: int


def domain_of(name: str) -> str:
    """Give a domain's name; the main one has two."""
    return "" if name == "ai.onnx" else name


def find_operator(raw: RawNode, opsets: Mapping[str, int]) -> Operator:
    """Give the operator that a node means under the model's imports; raises Refusal."""
    domain = domain_of(raw.domain)
    if domain not in OPSETS:
        raise Refusal(f"domain {shown(domain)} is not supported")
    if not registry.is_known(domain, raw.operator):
        raise Refusal("the operator is not supported")
    if domain not in opsets:
        raise Refusal(f"the model imports no operator set of {domain or 'the main domain'}")
    version = registry.newest(domain, raw.operator, opsets[domain])
    if version is None:
        raise Refusal(f"the operator is not supported in operator set {opsets[domain]}")
    return version


def read_attributes(
    raw: RawNode, operator: Operator, limits: Limits
) -> tuple[Attributes, list[str]]:
    """Give all attributes, defaults filled in, and every complaint about them."""
    found: dict[str, Attribute | None] = dict(operator.defaults)
    given: set[str] = set()
    complaints = []
    for message in raw.attributes:
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
                found[name] = attribute_of(message, limits)
            except Unreadable as error:
                complaints.append(f"attribute {name}: {error}")
        given.add(name)
    for name in operator.attribute_kinds:
        if name not in operator.defaults and name not in given:
            complaints.append(f"attribute {name} is missing")
    return {name: found.get(name) for name in operator.attribute_kinds}, complaints


def count_complaints(raw: RawNode, operator: Operator) -> list[str]:
    """Give every complaint about how many inputs a node names."""
    complaints = [
        f"input {index} is missing"
        for index in range(operator.inputs_min)
        if index >= len(raw.inputs) or not raw.inputs[index]
    ]
    if operator.inputs_max is None:
        complaints += ["no inputs"] * (not raw.inputs)
        complaints += ["an input without a name"] * (not all(raw.inputs))
    elif len(raw.inputs) > operator.inputs_max:
        complaints.append(f"{len(raw.inputs)} inputs, at most {operator.inputs_max} are allowed")
    return complaints


def judge(
    raw: RawNode,
    operator: Operator,
    attributes: Attributes,
    inputs: tuple[Operand | None, ...],
    limits: Limits,
) -> JudgedNode:
    """Infer the types of the outputs and the price; raises Refusal."""
    count = len(raw.outputs)
    call = Call(inputs, attributes, count)
    first = inputs[0] if inputs else None
    for operand in inputs if not (operator.moves or operator.native) else ():
        if operand is not None and operand.dtype in TINY:
            raise Refusal(f"{operand}: such elements are only cast, quantised and moved")
    if operator.values and first is not None and first.dtype not in operator.values:
        raise Refusal(f"{first} is not of {', '.join(operator.values)}")
    try:
        outputs = operator.infer(call)
        if count > len(outputs):
            raise Refusal(f"{count} outputs, at most {len(outputs)} are supported")
        for output in outputs:
            check_shape(output.shape, limits)
    except (Mismatch, Unreadable) as error:
        raise Refusal(str(error)) from error
    if not all(output.exact for output in outputs):
        raise Refusal("the shape of its result depends on values that are not known")
    call = Call(inputs, attributes, count, outputs)
    return JudgedNode(operator, attributes, call, operator.cost(call), operator.scratch(call))


def fold(node: JudgedNode, limits: Limits, budget: int) -> tuple[Operand, ...] | None:
    """Give the outputs with their elements if these are known and small, else None."""
    outputs = node.call.outputs
    if all(output.value is not None for output in outputs):
        return outputs
    inputs = node.call.inputs
    if any(operand is not None and operand.value is None for operand in inputs):
        return None
    present = [operand for operand in inputs if operand is not None]
    largest = max(int(np.prod(operand.shape)) for operand in (*present, *outputs))
    if largest > limits.folded_elements_max or node.cost > min(limits.folded_cost_max, budget):
        return None
    values = tuple(None if operand is None else operand.value for operand in inputs)
    with np.errstate(all="ignore"):
        found = node.operator.run(values, node.attributes, node.call.output_count)
    return tuple(
        Operand(output.dtype, output.shape, value)
        for output, value in zip(outputs, found, strict=False)
    )
