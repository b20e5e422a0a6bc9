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
"""Checking the inputs, handing over the outputs."""
RUN_BYTE_PICOSECONDS: Final = 30
"""Reading one byte of an input, or writing one of an output."""

MULTIPLY_ADD_PICOSECONDS: Final = 100
QUANTISE_PICOSECONDS: Final = 8_000
"""Writing one element of an operand in block fixed point."""
MOVE_PICOSECONDS: Final = 1_500
"""Copying one element."""
PASS_PICOSECONDS: Final = 4_500
"""One correctly rounded function of one binary32 element in a compiled pass."""
WIDE_PASS_PICOSECONDS: Final = 200_000
"""One function of one binary64 element."""
FUNCTION_PICOSECONDS: Final = 100_000
"""One correctly rounded function of one element amid a kernel's other work."""
EXP_PICOSECONDS: Final = 50_000
"""The exponential and what is made of it alone, amid a kernel's other work."""
BYTE_PICOSECONDS: Final = 80
"""Reading or writing one byte of an operator that does one simple step with each element."""
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


def per_byte(picoseconds: int = BYTE_PICOSECONDS) -> Cost:
    """Price each byte of the inputs and outputs, whatever the element type."""

    def price(call: Call) -> int:
        present = [operand for operand in call.inputs if operand is not None]
        held = sum(tensor_bytes(one.dtype, one.shape) for one in (*present, *call.outputs))
        return gas(picoseconds * held)

    return price


def by_type(floats: Cost, others: Cost) -> Cost:
    """Price by whether the first input is of floats."""
    return lambda call: (floats if "float" in call.at(0).dtype else others)(call)


def by_width(narrow: Cost, wide: Cost) -> Cost:
    """Price by whether the first input is of binary64."""
    return lambda call: (wide if call.at(0).dtype == "float64" else narrow)(call)


def function(picoseconds: int = PASS_PICOSECONDS) -> Cost:
    """Price one correctly rounded function of each element, the pass as given for binary32."""
    return by_width(per_element(picoseconds), per_element(WIDE_PASS_PICOSECONDS))


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
JUDGED_ITEM_GAS: Final = 100
"""Reading one number of an attribute or of a body's constant once more, for such a run."""


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
