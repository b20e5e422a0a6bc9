"""What an admitted model consists of, node by node: types, price, memory, kernel."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from ai_exec.fast.plan import Step, steps_of
from ai_exec.fast.products import STANDARD
from ai_exec.metering import tensor_bytes
from ai_exec.program import Node, Program
from ai_exec.registry import Call, Operand


@dataclass(frozen=True, slots=True)
class Row:
    """One node of a program."""

    node: int
    """Its place in the order of a run."""
    operator: str
    version: int
    """Of the operator's specification."""
    inputs: tuple[str, ...]
    """Types; empty for an input that is left out."""
    outputs: tuple[str, ...]
    """Types; empty for an output that nobody reads."""
    gas: int
    share: float
    """Of the gas of all nodes."""
    memory_bytes: int
    """Its results, and what it needs beside them."""
    kernel: str
    """How the fast engine computes it."""


@dataclass(frozen=True, slots=True)
class Total:
    """All nodes of one operator."""

    operator: str
    nodes: int
    gas: int
    share: float
    """Of the gas of all nodes."""


def rows_of(program: Program) -> tuple[Row, ...]:
    """Explain every node in the order of a run."""
    whole = max(1, sum(node.cost for node in program.nodes))
    kernels = kernels_of(program)
    return tuple(
        Row(
            index,
            title(node),
            node.operator.since,
            _types(program, node.inputs),
            _types(program, node.outputs),
            node.cost,
            node.cost / whole,
            _memory_bytes(program, node),
            kernels[index],
        )
        for index, node in enumerate(program.nodes)
    )


def totals_of(rows: Iterable[Row]) -> tuple[Total, ...]:
    """Add up what nodes of one operator take, the dearest first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.operator, []).append(row)
    totals = [
        Total(name, len(own), sum(row.gas for row in own), sum(row.share for row in own))
        for name, own in found.items()
    ]
    return tuple(sorted(totals, key=lambda total: (-total.gas, total.operator)))


def kernels_of(program: Program) -> tuple[str, ...]:
    """Tell for every node how the fast engine computes it."""
    producers = {
        name: step for step in steps_of(program, STANDARD) for name in step.outputs if name
    }
    readers: dict[str, int] = {}
    for index, node in reversed(tuple(enumerate(program.nodes))):
        readers.update(dict.fromkeys(filter(None, node.inputs), index))
    return tuple(_kernel(program, index, producers, readers) for index in range(len(program.nodes)))


def _kernel(
    program: Program, index: int, producers: dict[Hashable, Step], readers: dict[str, int]
) -> str:
    followed = index
    while True:
        outputs = [name for name in program.nodes[followed].outputs if name]
        step = next((producers[name] for name in outputs if name in producers), None)
        if step is not None:
            break
        followed = min(readers[name] for name in outputs if name in readers)
    if followed != index:
        return f"with node {followed}"
    compute: Any = getattr(step.compute, "func", step.compute)
    module = getattr(compute, "__module__", None) or "numpy"
    module, _, _ = module.removeprefix("ai_exec.").partition(" ")
    name = getattr(compute, "__qualname__", compute.__class__.__name__).split(".")[0].lstrip("_")
    return "as the reference" if name == "alone" else f"{module}: {name}"


def title(node: Node) -> str:
    """Write the operator of a node with its domain, unless it is the main one."""
    operator = node.operator
    return f"{operator.domain}.{operator.name}" if operator.domain else operator.name


def _types(program: Program, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(program.operands[name]) if name else "" for name in names)


def _memory_bytes(program: Program, node: Node) -> int:
    outputs = tuple(
        program.operands[name] if name else Operand("bool", ()) for name in node.outputs
    )
    inputs = tuple(program.operands[name] if name else None for name in node.inputs)
    call = Call(inputs, node.attributes, len(node.outputs), outputs)
    results = sum(
        tensor_bytes(operand.dtype, operand.shape)
        for name, operand in zip(node.outputs, outputs, strict=True)
        if name
    )
    return results + node.operator.scratch(call)
