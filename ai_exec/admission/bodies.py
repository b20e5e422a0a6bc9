"""Graphs in attributes: judged on the types that a rule gives them."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ai_exec.admission.assembly import assemble
from ai_exec.admission.nodes import Unfit
from ai_exec.model.loader import RawGraph, Unreadable, check_shape, declared_value, shown
from ai_exec.program import Program
from ai_exec.registry import Mismatch, Operand
from ai_exec.tensor import TensorType

if TYPE_CHECKING:
    from ai_exec.admission.scope import Scope


class JudgedBody:
    """A graph in an attribute: judged, perhaps more than once, on inputs that a rule gives."""

    def __init__(self, scope: "Scope", place: str, graph: RawGraph) -> None:
        self.graph = graph
        self.place = place
        self.calls = 1
        self._scope = scope
        self._program: Program | None = None

    @property
    def calls_max(self) -> int:
        """How often it may run where the number depends on values of a run."""
        return self._scope.context.limits.loop_iterations_max

    @property
    def cost(self) -> int:
        """Work in gas of running it once, as it was judged last."""
        return self.program.cost

    @property
    def scratch_bytes(self) -> int:
        """Memory in bytes that it needs, as it was judged last."""
        return self.program.peak_bytes

    @property
    def program(self) -> Program:
        """The graph as it was judged last."""
        assert self._program is not None
        return replace(self._program, calls_max=self.calls)

    def judge(
        self, inputs: tuple[Operand, ...], most: tuple[Operand | None, ...] = ()
    ) -> tuple[Operand, ...]:
        """Give the types of its outputs, some bounded from above; raises Mismatch."""
        graph, context = self.graph, self._scope.context
        if len(inputs) != len(graph.inputs):
            raise Mismatch(f"a body of {len(graph.inputs)} inputs where it gets {len(inputs)}")
        scope = self._scope.within(self.place)
        scope.read_declarations((*graph.values, *graph.outputs))
        scope.read_initialisers(graph.initialisers)
        formal = self._read_inputs(scope, inputs)
        scope.read_nodes(graph.nodes)
        outputs = self._read_outputs(scope, most)
        if scope.reasons or len(outputs) < len(graph.outputs):
            raise Unfit(tuple(scope.reasons))
        self._program = assemble(scope.nodes, formal, outputs, context.operands, body=True)
        found = context.types(tuple(output.name for output in outputs))
        return tuple(
            operand
            if operand.shape == output.shape
            else Operand(output.dtype, output.shape, None, exact=False)
            for operand, output in zip(found, outputs, strict=True)
            if operand is not None
        )

    def _read_inputs(self, scope: "Scope", inputs: tuple[Operand, ...]) -> tuple[TensorType, ...]:
        formal = []
        for index, (message, operand) in enumerate(zip(self.graph.inputs, inputs, strict=True)):
            name = message.get("name", "")
            where = f"input {index} ({shown(name)})"
            try:
                said = declared_value(message).dtype
                check_shape(operand.shape, scope.context.limits)
                if said is not None and said != operand.dtype:
                    scope.complain(where, f"declared {said}, it gets {operand}")
            except Unreadable as error:
                scope.complain(where, str(error))
            unique = scope.unique_of(name)
            scope.define(where, name, unique, operand)
            formal.append(TensorType(unique, operand.dtype, operand.shape))
        return tuple(formal)

    def _read_outputs(
        self, scope: "Scope", most: tuple[Operand | None, ...]
    ) -> tuple[TensorType, ...]:
        outputs = []
        for index, message in enumerate(self.graph.outputs):
            name = message.get("name", "")
            unique = scope.resolve(name)
            operand = scope.known(name)
            where = f"output {index} ({shown(name)})"
            if not unique:
                scope.complain(where, "nothing computes it")
            elif unique in scope.context.held:
                scope.complain(where, "it is no tensor, but a sequence or an empty optional")
            elif operand is not None:
                bound = most[index] if index < len(most) else None
                shape = operand.shape
                if bound is not None and bound.rank == operand.rank:
                    shape = tuple(map(min, shape, bound.shape))
                outputs.append(TensorType(unique, operand.dtype, shape))
        return tuple(outputs)
