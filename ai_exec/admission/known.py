"""What holds for a model at any lengths of its open axes: found once, by the first walk."""

from dataclasses import dataclass, field
from typing import Final

from ai_exec.model.loader import RawNode
from ai_exec.registry import Attributes, Operand, Operator

MARGIN: Final = 16
"""A model with open axes may take this part more than at their bounds.

Nodes that do nothing at the bounds, as resizing to the same size, do something at other lengths.
"""


@dataclass(slots=True)
class Known:
    """Written by the walk at the bounds alone, so that no run depends on the ones before it."""

    folding_left: int
    """Work in gas that may still be done to fold nodes whose results depend on lengths."""
    bytes_left: int
    """Memory in bytes that their longer results may still take."""
    operands: dict[str, Operand] = field(default_factory=dict)
    """Initialisers of the main graph, and results of its nodes that depend on nothing else."""
    widened: dict[str, Operand] = field(default_factory=dict)
    """Those of 16-bit floats, as binary32."""
    read: dict[RawNode, tuple[Operator, Attributes]] = field(default_factory=dict)
    """Nodes of the main graph whose operator and attributes were found right."""
