"""An admitted model: checked, typed, shaped, and ready for any engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ai_exec.registry import Attributes, Operand, Operator
from ai_exec.tensor import Tensor, TensorType

SEMANTICS_VERSION: Final = 1
"""Names the meaning of all operators in bits.  A change of any bit is a new version."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One operator of a program with the names it reads and writes."""

    operator: Operator
    inputs: tuple[str, ...]
    """Names of tensors; empty for an optional input that is left out."""
    outputs: tuple[str, ...]
    """Names of tensors; empty for an output that nobody reads."""
    attributes: Attributes
    """All attributes, defaults filled in; None for one without default that is left out."""
    cost: int
    """Work of one run in gas."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Nodes in an order in which each finds its inputs, and all that is known beforehand."""

    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    constants: Mapping[str, Tensor]
    """Initialisers, and results of nodes that depend on no input; read-only arrays."""
    nodes: tuple[Node, ...]
    """Nodes that some output depends on and whose results are not constants."""
    operands: Mapping[str, Operand]
    """Type of every tensor by name."""
    cost: int
    """Work of one run in gas, 1 ns nominal each."""
    peak_bytes: int
    """Memory that a run may need at most, in bytes."""
