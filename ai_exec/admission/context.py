"""What all scopes of one model share: limits, what is known of tensors, and budgets."""

from collections.abc import Mapping, Sequence
from typing import Final

from ai_exec import registry
from ai_exec.admission.known import Known
from ai_exec.admission.nodes import Folding
from ai_exec.limits import Limits
from ai_exec.model.loader import RawFunction, Unreadable, declared_value, weight_of
from ai_exec.model.wire import Message
from ai_exec.registry import Operand, Operator
from ai_exec.tensor import Tensor, dtype_name
from ai_exec.unfolding import Absent, Held

_CAST: Final = registry.find("", "Cast", 13)
_IDENTITY: Final = registry.find("", "Identity", 13)
assert _CAST is not None
assert _IDENTITY is not None
CAST: Final[Operator] = _CAST
"""Widens and narrows what other operators do not know."""
IDENTITY: Final[Operator] = _IDENTITY
"""Gives a tensor a second name."""


class Exhausted(Exception):
    """The model makes admission look at too many nodes, or read too much."""


class Context:
    """One for each walk over a model."""

    def __init__(
        self,
        limits: Limits,
        lengths: Mapping[str, int],
        functions: Mapping[tuple[str, str, str], RawFunction],
        known: Known,
        *,
        again: bool,
    ) -> None:
        self.limits = limits
        self.lengths = lengths
        """Length of each axis that the model names."""
        self.functions = functions
        self.folding = Folding(limits, known.folding_left, known.bytes_left)
        self.known = known
        self.again = again
        """Whether an earlier walk has written what is known."""
        self.operands: dict[str, Operand | None] = {}
        """Every tensor by its unique name; None where its type could not be told."""
        self._names = 0
        self.held: dict[str, Held | Absent] = {}
        """Sequences and empty optionals by unique name; they have no operand."""
        self.nodes = 0
        """How many nodes were looked at."""
        self.items = 0
        """How much was read that the next walk reads again."""
        self._items_within = 0

    def unique(self, name: str) -> str:
        """Give a name that nothing in the model has."""
        self._names += 1
        return f"{name}\0{self._names}"

    def count_node(self) -> None:
        """Note that one more node is looked at; raises Exhausted."""
        self.nodes += 1
        if self.nodes > self.limits.judged_nodes_max:
            most = self.limits.judged_nodes_max
            raise Exhausted(f"functions and bodies come to more than {most} nodes")

    def count_items(self, messages: Sequence[Message], *, main: bool) -> None:
        """Note what is read of attributes or constants; raises Exhausted.

        The next walk has those of the main graph already; rules look at lists again.
        """
        items = sum(weight_of(message, lists_only=main) for message in messages)
        self.items += items
        self._items_within += 0 if main else items
        if self._items_within > self.limits.judged_items_max:
            most = self.limits.judged_items_max
            raise Exhausted(
                f"attributes and constants of functions and bodies come to more than {most} numbers"
            )

    def constant(self, value: Tensor) -> Operand:
        """Give the operand of a known tensor, which nobody may write any more."""
        value = value.view()
        value.flags.writeable = False
        return Operand(dtype_name(value.dtype), value.shape, value)

    def declared(self, message: Message | None) -> Operand | None:
        """Give the bound that a declaration says, if it says a whole one."""
        if message is None:
            return None
        try:
            value = declared_value(message)
        except Unreadable:
            return None
        if value.dtype is None or value.shape is None:
            return None
        shape = [
            self.lengths.get(length) if isinstance(length, str) else length
            for length in value.shape
        ]
        if len(shape) > self.limits.rank_max:
            return None
        lengths = tuple(length for length in shape if length is not None and length >= 0)
        return Operand(value.dtype, lengths) if len(lengths) == len(shape) else None

    def is_clear(self, names: tuple[str, ...]) -> bool:
        """Tell whether the types of all could be told."""
        return all(self.operands.get(name) or name in self.held for name in names if name)

    def types(self, names: tuple[str, ...]) -> tuple[Operand | None, ...]:
        """Give what is known of tensors."""
        return tuple(self.operands.get(name) if name else None for name in names)
