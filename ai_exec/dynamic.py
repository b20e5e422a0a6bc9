"""What engines share where a run decides: graphs within, shapes that values tell, and the meter.

Rules are asked again with the real shapes before a kernel sees them, results are held against what
was admitted, and work is added up.  All engines run such nodes in the program's order, so that all
trap alike.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ai_exec.executable import Trap
from ai_exec.program import Node, Program
from ai_exec.registry import Call, Mismatch, Operand
from ai_exec.tensor import Shape, Tensor, TensorType, dtype_name, type_text

Inputs = tuple[Tensor | None, ...]


class Meter:
    """Adds up the work of one run, and ends it above what was admitted."""

    def __init__(self, gas_max: int) -> None:
        self._gas_max = gas_max
        self._gas = 0

    def add(self, gas: int) -> None:
        """Note more work in gas; raises Trap."""
        self._gas += gas
        if self._gas > self._gas_max:
            raise Trap(f"the run takes more than the {self._gas_max} gas that are admitted")


RunBody = Callable[[tuple[Tensor, ...], Meter], tuple[Tensor, ...]]
"""Runs a body on all its inputs, captures included."""


@dataclass(slots=True, eq=False)
class EnteredBody:
    """A body during one run of its node."""

    program: Program
    place: str
    run: RunBody
    captured: tuple[Tensor, ...]
    meter: Meter
    calls: int = 0

    @property
    def results(self) -> tuple[TensorType, ...]:
        """What it gives: of an inexact shape the most that each axis can have."""
        return self.program.outputs

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Run it once on tensors; raises Trap."""
        self.calls += 1
        if self.calls > self.program.calls_max:
            raise Trap(f"{self.place}: more than {self.program.calls_max} iterations")
        self.meter.add(self.program.metered_gas)
        found = self.run((*inputs, *self.captured), self.meter)
        for tensor, most in zip(found, self.program.outputs, strict=True):
            _hold(self.place, dtype_name(tensor.dtype), tensor.shape, most.dtype, most.shape)
        return found


def run_node(
    node: Node,
    inputs: Inputs,
    captured: Mapping[str, Tensor],
    bodies: Mapping[str, RunBody],
    operands: Mapping[str, Operand],
    meter: Meter,
    kernel: Callable[..., tuple[Tensor, ...]] | None = None,
) -> tuple[Tensor, ...]:
    """Compute the outputs of a node of any kind, by a kernel if there is one; raises Trap."""
    attributes = dict(node.attributes)
    for name, body in node.bodies.items():
        own = tuple(captured[each] for each in body.captures)
        attributes[name] = EnteredBody(body, node.place, bodies[name], own, meter)
    try:
        if node.dynamic and not node.bodies:
            meter.add(_real_cost(node, inputs, operands))
        if kernel is not None:
            found = kernel(*inputs)
        else:
            found = node.operator.run(inputs, attributes, len(node.outputs))
    except Mismatch as error:
        raise Trap(f"{node.place}: {error}") from error
    if node.dynamic:
        for name, tensor in zip(node.outputs, found, strict=False):
            if name:
                most = operands[name]
                _hold(node.place, dtype_name(tensor.dtype), tensor.shape, most.dtype, most.shape)
    return found


def _real_cost(node: Node, inputs: Inputs, operands: Mapping[str, Operand]) -> int:
    """Ask the operator's rules again with real shapes; raises Mismatch, and Trap above bounds."""
    real = tuple(
        None
        if tensor is None
        else Operand(dtype_name(tensor.dtype), tensor.shape, operands[name].value)
        for name, tensor in zip(node.inputs, inputs, strict=True)
    )
    count = len(node.outputs)
    first = real[0] if real else None
    if node.operator.values and first is not None and first.dtype not in node.operator.values:
        raise Mismatch(f"{first} is not of {', '.join(node.operator.values)}")
    outputs = node.operator.infer(Call(real, node.attributes, count, tensors=inputs))
    for name, output in zip(node.outputs, outputs, strict=False):
        if name and output.exact:
            most = operands[name]
            _hold(node.place, output.dtype, output.shape, most.dtype, most.shape)
    return node.operator.cost(Call(real, node.attributes, count, outputs, tensors=inputs))


def _hold(place: str, dtype: str, shape: Shape, most_dtype: str, most: Shape) -> None:
    """Raise Trap if a result exceeds what was admitted."""
    within = len(shape) == len(most) and all(map(int.__le__, shape, most))
    if not within or dtype != most_dtype:
        raise Trap(
            f"{place}: the result is {type_text(dtype, shape)}, "
            f"at most {type_text(most_dtype, most)} is admitted"
        )
