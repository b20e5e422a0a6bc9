"""What rules that unfold a node may do: look at values, and add nodes, constants and bodies."""

from typing import TYPE_CHECKING, Any

from ai_exec import registry
from ai_exec.admission.bodies import JudgedBody
from ai_exec.admission.nodes import Unfit
from ai_exec.model.loader import shown
from ai_exec.registry import Attribute, Body, Mismatch, Operand
from ai_exec.tensor import Tensor
from ai_exec.unfolding import Held, Value

if TYPE_CHECKING:
    from ai_exec.admission.scope import Scope


class Builder:
    """Puts nodes in the place of one."""

    def __init__(self, scope: "Scope", place: str) -> None:
        self._scope = scope
        self._place = place

    def operand(self, value: Value) -> Operand:
        """Give what is known of a tensor; raises Mismatch for anything else."""
        found = self._scope.context.operands.get(value) if isinstance(value, str) else None
        if found is None:
            raise Mismatch("a sequence or an empty optional where a tensor is needed")
        return found

    def sequence(self, value: Value) -> Held:
        """Give a sequence; raises Mismatch for anything else."""
        if not isinstance(value, Held):
            raise Mismatch("a tensor or an empty optional where a sequence is needed")
        return value

    def add(self, operator: str, *inputs: str, count: int = 1, **given: Attribute) -> Any:
        """Add a node of the main domain, and give the names of its outputs."""
        newest = registry.find("", operator, registry.versions_of("", operator)[-1])
        assert newest is not None
        self._scope.context.count_node()
        attributes = {
            name: given.get(name, newest.defaults.get(name)) for name in newest.attribute_kinds
        }
        unique = self._scope.context.unique
        targets = tuple(unique(operator) for _ in range(count))
        self._scope.compute(self._place, newest, attributes, inputs, targets, (None,) * count)
        return targets if count > 1 else targets[0]

    def constant(self, tensor: Tensor) -> str:
        """Add a constant, and give its name."""
        context = self._scope.context
        name = context.unique("constant")
        context.operands[name] = context.constant(tensor)
        return name

    def inline(self, body: Body, inputs: tuple[Value, ...]) -> tuple[Value, ...]:
        """Add the nodes of a body, and give its outputs."""
        assert isinstance(body, JudgedBody)
        graph, held = body.graph, self._scope.context.held
        if len(inputs) != len(graph.inputs):
            raise Mismatch(f"a body of {len(graph.inputs)} inputs where it gets {len(inputs)}")
        inner = self._scope.within(body.place, inline=True)
        inner.read_declarations((*graph.values, *graph.outputs))
        inner.read_initialisers(graph.initialisers)
        for message, value in zip(graph.inputs, inputs, strict=True):
            inner.bind(message.get("name", ""), self._name(value))
        inner.read_nodes(graph.nodes)
        outputs: list[Value] = []
        for index, message in enumerate(graph.outputs):
            name = message.get("name", "")
            unique = inner.resolve(name)
            if not unique:
                inner.complain(f"output {index} ({shown(name)})", "nothing computes it")
            else:
                outputs.append(held.get(unique, unique))
        if inner.reasons:
            raise Unfit(tuple(inner.reasons))
        return tuple(outputs)

    def _name(self, value: Value) -> str:
        """Give a name for a value, new for what has none."""
        if isinstance(value, str):
            return value
        context = self._scope.context
        name = context.unique("held")
        context.held[name] = value
        return name
