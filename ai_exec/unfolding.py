"""Sequences and optionals as admission follows them, and what rules that unfold nodes may do."""

from dataclasses import dataclass
from typing import Any, Protocol

from ai_exec.registry import Attribute, Body, Operand
from ai_exec.tensor import Tensor


@dataclass(frozen=True, slots=True)
class Held:
    """A sequence as admission follows it: the names of its tensors, all of one element type."""

    names: tuple[str, ...]
    dtype: str


class Absent:
    """An optional that holds nothing."""


Value = str | Held | Absent
"""A tensor by its name, a sequence, or an optional without an element."""


class Nodes(Protocol):
    """What a rule that unfolds a node may do."""

    def operand(self, value: Value) -> Operand:
        """Give what is known of a tensor; raises Mismatch for anything else."""
        ...

    def sequence(self, value: Value) -> Held:
        """Give a sequence; raises Mismatch for anything else."""
        ...

    def add(self, operator: str, *inputs: str, count: int = 1, **given: Attribute) -> Any:
        """Add a node of the main domain, and give the names of its outputs."""
        ...

    def constant(self, tensor: Tensor) -> str:
        """Add a constant, and give its name."""
        ...

    def inline(self, body: Body, inputs: tuple[Value, ...]) -> tuple[Value, ...]:
        """Add the nodes of a body, and give its outputs."""
        ...
