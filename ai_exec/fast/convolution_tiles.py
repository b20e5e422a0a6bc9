"""Innermost loops of products whose rows are windows of an image: found by distances, not gathered.

A row begins at its own address; the elements of all rows lie at the same distances from there.
Operands are whole numbers whose sums are exact in any order.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ai_exec.fast.machine import this_machine
from ai_exec.fast.tiles import NARROW_VECTORS, VECTORS, WIDE_LANES
from ai_exec.fast.vectors import I32, I64, address_of, load, multiply_add, splat

DIRECT_ROWS: Final = this_machine().rows_max
"""Rows of the highest tile."""

_F64 = ir.DoubleType()
_SUMS = ir.VectorType(_F64, WIDE_LANES)
_WHOLES = ir.VectorType(I32, WIDE_LANES)


def _loop(builder: Any, rows: int, vectors: int, arguments: Any) -> None:
    """Emit the loop over the elements of windows and the stores after it."""
    left, bases, offsets, panel, steps, target = arguments
    starts = [builder.add(left, load(builder, bases, I64(8 * row), I64)) for row in range(rows)]
    before, function = builder.block, builder.function
    loop, done = function.append_basic_block("loop"), function.append_basic_block("done")
    builder.branch(loop)
    builder.position_at_end(loop)
    index = builder.phi(I64)
    index.add_incoming(I64(0), before)
    totals = [[builder.phi(_SUMS) for _ in range(vectors)] for _ in range(rows)]
    offset = load(builder, offsets, builder.mul(index, I64(8)), I64)
    place = builder.mul(index, I64(vectors * WIDE_LANES * 4))
    rights = [
        builder.sitofp(
            load(builder, panel, builder.add(place, I64(number * WIDE_LANES * 4)), _WHOLES), _SUMS
        )
        for number in range(vectors)
    ]
    following = []
    for start, row in zip(starts, totals, strict=True):
        value = splat(builder, load(builder, start, offset, _F64, 8), WIDE_LANES)
        pairs = zip(rights, row, strict=True)
        following.append([multiply_add(builder, value, right, total) for right, total in pairs])
    next_index = builder.add(index, I64(1))
    index.add_incoming(next_index, loop)
    zero = ir.Constant(_SUMS, [0] * WIDE_LANES)
    for row, new in zip(totals, following, strict=True):
        for total, value in zip(row, new, strict=True):
            total.add_incoming(zero, before)
            total.add_incoming(value, loop)
    builder.cbranch(builder.icmp_signed("<", next_index, steps), loop, done)
    builder.position_at_end(done)
    for number, value in enumerate(value for new in following for value in new):
        builder.store(value, address_of(builder, target, I64(number * WIDE_LANES * 8), _SUMS), 4)


def _tile(rows: int, vectors: int) -> Any:
    """Make a tile of so many rows that compiled functions can call; steps must be at least 1."""

    def tile(typing_context, left, bases, offsets, panel, steps, target):  # type: ignore[no-untyped-def]
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _loop(builder, rows, vectors, arguments)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6), generate

    return intrinsic(tile)


direct_many, direct_four, direct_one = (_tile(rows, VECTORS) for rows in (DIRECT_ROWS, 4, 1))
"""Windows of binary64 times panels of 32-bit whole numbers [step, column]; sums [row, column].

Takes an address, the addresses of the rows' distances from it and of the elements' distances from
there in bytes, of the panel, how many steps, and where sums go.
"""

slim_many, slim_four, slim_one = (_tile(rows, NARROW_VECTORS) for rows in (DIRECT_ROWS, 4, 1))
"""The same with panels of two vectors."""
