"""Programs built by hand, node by node, for tests of engines that need no model file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ai_exec import ops  # noqa: F401  registers the operators
from ai_exec.program import Node, Program
from ai_exec.registry import Attribute, Call, Operand, find, versions_of
from ai_exec.tensor import Tensor, TensorType


@dataclass(frozen=True)
class Line:
    """One node: operator, names read, name written, attributes that differ from the defaults."""

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


def program_of(
    lines: Sequence[Line],
    inputs: Mapping[str, tuple[int, ...]],
    constants: Mapping[str, Tensor] | None = None,
    outputs: Sequence[str] | None = None,
) -> Program:
    """Give a program with float32 inputs; all that the lines write are outputs, if not given."""
    constants = constants or {}
    operands = {name: Operand("float32", shape) for name, shape in inputs.items()}
    for name, value in constants.items():
        operands[name] = Operand(value.dtype.name, value.shape, value)
    nodes = []
    for line in lines:
        operator = find("", line.operator, versions_of("", line.operator)[-1])
        assert operator is not None, line.operator
        optional = dict.fromkeys(operator.attribute_kinds)
        attributes = {**optional, **operator.defaults, **line.attributes}
        reads = tuple(operands[name] if name else None for name in line.inputs)
        operands[line.output] = operator.infer(Call(reads, attributes, 1))[0]
        nodes.append(Node(operator, line.inputs, (line.output,), attributes, 0))
    return Program(
        tuple(TensorType(name, "float32", shape) for name, shape in inputs.items()),
        tuple(
            TensorType(name, operands[name].dtype, operands[name].shape)
            for name in ([line.output for line in lines] if outputs is None else outputs)
        ),
        constants,
        tuple(nodes),
        operands,
        0,
        0,
    )
