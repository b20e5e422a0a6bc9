"""Prices: the work of a node and of a run in gas, told from shapes before anything runs.

One gas is one nanosecond of one reference core.  Prices are per element or per multiply-add in
picoseconds and round up; a node costs NODE_GAS beside, a run RUN_GAS.
"""

from collections.abc import Mapping
from math import prod
from typing import Final

from ai_exec.axes import lengths_of
from ai_exec.program import Program
from ai_exec.registry import Call, Cost, Mismatch
from ai_exec.tensor import ITEM_BYTES, Shape

NODE_GAS: Final = 5_000
"""Calling a kernel, whatever it does."""
RUN_GAS: Final = 50_000
"""Reading inputs, checking them, writing outputs."""

MULTIPLY_ADD_PICOSECONDS: Final = 100
QUANTISE_PICOSECONDS: Final = 8_000
"""Writing one element of an operand in block fixed point."""
MOVE_PICOSECONDS: Final = 1_500
"""Copying one element."""
FUNCTION_PICOSECONDS: Final = 100_000
"""One correctly rounded function of one element."""
EXP_PICOSECONDS: Final = 50_000
"""The exponential and what is made of it alone."""
GROUP_GAS: Final = 60_000
"""One group of a convolution, whatever it holds."""


def gas(picoseconds: int) -> int:
    """Round picoseconds up to gas."""
    return -(-picoseconds // 1_000)


def per_element(picoseconds: int = MOVE_PICOSECONDS, start: int = 0) -> Cost:
    """Price each element of the outputs, and gas to start with."""
    return lambda call: (
        start + gas(picoseconds * sum(prod(output.shape) for output in call.outputs))
    )


def per_input_element(picoseconds: int = MOVE_PICOSECONDS, start: int = 0) -> Cost:
    """Price each element of the inputs, for operators that make less of more, and a start."""
    return lambda call: (
        start
        + gas(
            picoseconds * sum(prod(operand.shape) for operand in call.inputs if operand is not None)
        )
    )


def function(count: int = 1) -> Cost:
    """Price so many correctly rounded functions of each element."""
    return per_element(count * FUNCTION_PICOSECONDS)


def free(call: Call) -> int:
    """Price what only renames or reshapes."""
    return 0


def contraction(multiply_adds: int, quantised: int, results: int) -> int:
    """Price a contraction in gas."""
    return gas(
        multiply_adds * MULTIPLY_ADD_PICOSECONDS + (quantised + results) * QUANTISE_PICOSECONDS
    )


JUDGED_NODE_GAS: Final = 100_000
"""Judging a node and making it ready, for a run of lengths that were not seen before."""


BODY_GAS: Final = 15_000
"""Running a body once, whatever is in it."""
HANDED_GAS: Final = 400
"""Handing one tensor to a body or back, or to the bodies of a node."""


def nodes_cost(node_costs: tuple[int, ...]) -> int:
    """Price nodes one after the other in gas."""
    return sum(node_costs) + NODE_GAS * len(node_costs)


def cost(program: Program, shapes: Mapping[str, Shape] | None = None) -> int:
    """Give the gas of a run, at most, or of one on inputs of these shapes; raises Mismatch."""
    if shapes is None:
        return program.cost
    for declared in program.inputs:
        if not declared.takes(declared.dtype, tuple(shapes.get(declared.name, ()))):
            raise Mismatch(f"the program takes {declared}: admit the model with other shapes")
    if program.specialise is None:
        return program.cost
    return program.specialise(lengths_of(program.inputs, shapes)).cost


def tensor_bytes(dtype: str, shape: Shape) -> int:
    """Give the memory of a tensor in bytes."""
    return prod(shape) * ITEM_BYTES[dtype]
