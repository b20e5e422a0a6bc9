"""From judged nodes to a program: what a run needs, what it costs, how much memory it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from ai_exec.admission.nodes import JudgedNode
from ai_exec.admission.planning import Held, needed_nodes, peak_bytes
from ai_exec.metering import (
    BODY_GAS,
    HANDED_GAS,
    MOVE_PICOSECONDS,
    RUN_BYTE_PICOSECONDS,
    RUN_GAS,
    gas,
    nodes_cost,
)
from ai_exec.program import Node, Program
from ai_exec.registry import Operand
from ai_exec.tensor import Tensor, TensorType


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A judged node by the unique names of what it reads and writes."""

    node: JudgedNode
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    place: str
    """Where the model has it."""
    bodies: Mapping[str, Program] = field(default_factory=dict)

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of its inputs and of what its bodies read beside theirs."""
        captures = (name for body in self.bodies.values() for name in body.captures)
        return (*self.inputs, *captures)


def assemble(
    placed: Sequence[Placed],
    inputs: tuple[TensorType, ...],
    outputs: tuple[TensorType, ...],
    operands: Mapping[str, Operand | None],
    *,
    body: bool = False,
) -> Program:
    """Give the program of those nodes that some output depends on."""
    results = tuple(output.name for output in outputs)
    kept = needed_nodes([(each.reads, each.outputs) for each in placed], results)
    chosen = [placed[index] for index in kept]
    read = [name for each in chosen for name in each.reads if name]
    written = [name for each in chosen for name in each.outputs if name]
    own = [declared.name for declared in inputs]
    names = dict.fromkeys((*own, *read, *results, *written))
    known = {name: operand for name in names if (operand := operands[name]) is not None}
    constants: dict[str, Tensor] = {}
    for name in dict.fromkeys((*read, *results)):
        value = known[name].value
        if value is not None:
            constants[name] = value
    around = {*own, *written, *constants}
    captures = tuple(name for name in dict.fromkeys((*read, *results)) if name not in around)
    nodes = tuple(_node(each) for each in chosen)
    handed = HANDED_GAS * (len(own) + len(captures) + len(outputs))
    copied = gas(MOVE_PICOSECONDS * _elements(outputs))
    held = sum(declared.content_bytes for declared in (*inputs, *outputs))
    run = RUN_GAS + gas(RUN_BYTE_PICOSECONDS * held)
    start = BODY_GAS + handed + copied if body else run
    start += HANDED_GAS * sum(len(node.captures) for node in nodes)
    fixed = tuple(0 if node.dynamic or node.bodies else node.cost for node in nodes)
    needs = tuple(Held(each.reads, each.outputs, each.node.scratch_bytes) for each in chosen)
    return Program(
        (*inputs, *(TensorType(name, known[name].dtype, known[name].shape) for name in captures)),
        outputs,
        constants,
        nodes,
        known,
        start + nodes_cost(tuple(node.cost for node in nodes)),
        peak_bytes(needs, known, tuple(own), results, constants),
        captures,
        metered_gas=start + nodes_cost(fixed),
    )


def _node(placed: Placed) -> Node:
    node = placed.node
    attributes = {
        name: value for name, value in node.attributes.items() if name not in placed.bodies
    }
    return Node(
        node.operator,
        placed.inputs,
        placed.outputs,
        attributes,
        node.cost,
        node.dynamic,
        placed.bodies,
        placed.place,
    )


def _elements(outputs: tuple[TensorType, ...]) -> int:
    return sum(prod(output.shape) for output in outputs)
