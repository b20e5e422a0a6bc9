"""An admitted model: checked, typed, shaped, and ready for any engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    """All attributes but bodies, defaults filled in; None for one without that is left out."""
    cost: int
    """Work of one run in gas, at most."""
    dynamic: bool = False
    """Shapes are known at a run only: rules are asked again, and the work is added up."""
    bodies: "Mapping[str, Program]" = field(default_factory=dict)
    """Graphs that the operator runs, by the attributes that hold them."""
    place: str = ""
    """Where the model has it, for people."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of its inputs, then of what its bodies read beside their own inputs."""
        return (*self.inputs, *self.captures)

    @property
    def captures(self) -> tuple[str, ...]:
        """Names of what its bodies read beside their own inputs."""
        bodies = self.bodies.values()
        return tuple(dict.fromkeys(name for body in bodies for name in body.captures))


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Nodes in an order in which each finds its inputs, and all that is known beforehand.

    A body is a program too.  Names of tensors are unique over a program and all bodies in it.
    """

    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    """Of an inexact shape the most that each axis can have."""
    constants: Mapping[str, Tensor]
    """Initialisers, and results of nodes that depend on no input; read-only arrays."""
    nodes: tuple[Node, ...]
    """Nodes that some output depends on and whose results are not constants."""
    operands: Mapping[str, Operand]
    """Type of every tensor by name."""
    cost: int
    """Work of one run in gas, 1 ns nominal each."""
    peak_bytes: int
    """Memory that a run may need at most, in bytes; of a body without its constants."""
    captures: tuple[str, ...] = ()
    """Of a body: names of tensors around it that it reads; they are its last inputs."""
    calls_max: int = 1
    """Of a body: how often one run of its node may run it."""
    specialise: "Callable[[Mapping[str, int]], Program] | None" = None
    """With open axes: gives the program for lengths of them by name; raises Mismatch."""
    metered_gas: int = 0
    """What a run adds to its meter at once: the work of all nodes but dynamic ones and bodies."""
