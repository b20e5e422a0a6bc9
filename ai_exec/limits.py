"""What a model may take at most; part of consensus, as admission judges by it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a model.  Whatever exceeds one is refused with a reason."""

    model_bytes_max: int = 256 << 20
    """Length of the ONNX file in bytes."""
    nodes_max: int = 10_000
    """Nodes of a graph or a function."""
    judged_nodes_max: int = 40_000
    """Nodes that admission looks at, those of functions and of bodies each time that they are."""
    judged_items_max: int = 32_000_000
    """Numbers and parts in attributes and constants of functions and of bodies, and of raw data one
    for 8 bytes, each time that admission reads them."""
    nesting_max: int = 6
    """How deep graphs may lie in graphs, and functions in functions."""
    functions_max: int = 1_000
    """Functions of the model."""
    loop_iterations_max: int = 1_024
    """Iterations of a loop whose number depends on values of a run."""
    initialisers_max: int = 10_000
    """Constant tensors of a graph."""
    items_max: int = 4_000_000
    """Numbers in the file: 1 for each that is packed or stands in a row with others, 8 for each
    other number or text with a key of its own, 64 for each part that holds others.

    Elements of raw data do not count.
    """
    values_max: int = 64
    """Inputs of the model, and outputs of the model."""
    operands_max: int = 256
    """Inputs, outputs and attributes of one node, each."""
    name_bytes_max: int = 256
    """Length in bytes of any name."""
    rank_max: int = 8
    """Axes of a tensor."""
    axis_max: int = 1 << 24
    """Length of an axis."""
    elements_max: int = 1 << 26
    """Elements of a tensor."""
    folded_elements_max: int = 4096
    """Elements of a result that is computed at admission, as it depends on no input."""
    folded_bytes_max: int = 1 << 28
    """Memory in bytes of longer results that are computed at admission, from constants as long."""
    folded_cost_max: int = 100_000
    """Work in gas of one node that is computed at admission for a short result."""
    folded_total_max: int = 200_000_000
    """Work in gas of all nodes that are computed at admission."""
    peak_bytes_max: int = 2 << 30
    """Memory of a run in bytes."""
    cost_max: int = 60_000_000_000
    """Work of a run in gas, 1 ns nominal each."""
    reasons_max: int = 64
    """Reasons that are listed; the others are counted."""


DEFAULT_LIMITS: Final = Limits()
