"""The innermost loops of matrix products: a few rows times three vectors, held in registers.

Written as instructions for the compiler (LLVM), because what decides their speed is that all sums
of a tile stay in registers.  Operands are whole numbers whose sums are exact in any order, with or
without fused steps, so the bits do not depend on how a loop is cut.

A tile takes addresses and distances in bytes: rows of the left operand, a panel of the right one
with the columns of three vectors side by side for each step, how many steps, and where sums go.
"""

from collections.abc import Callable
from typing import Any, Final

from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from ai_exec.fast.machine import this_machine
from ai_exec.fast.vectors import I32, I64, address_of, load, multiply_add, splat

VECTORS: Final = 3
"""Vectors side by side in a panel."""
NARROW_VECTORS: Final = 2
"""The same of a narrow panel."""
PAIR_LANES: Final = 16
"""Sums in a vector of the tile that multiplies pairs."""
WIDE_LANES: Final = this_machine().lanes
WIDE_COLUMNS: Final = VECTORS * WIDE_LANES
"""Columns of a panel of 32-bit whole numbers."""
PAIR_COLUMNS: Final = VECTORS * PAIR_LANES
"""Columns of a panel of pairs of 16-bit whole numbers."""

_F64 = ir.DoubleType()
_WIDE_SUMS = ir.VectorType(_F64, WIDE_LANES)
_PAIR_SUMS = ir.VectorType(I32, PAIR_LANES)

Step = Callable[[Any, Any, Any, Any], Any]
"""Adds the products of a splatted left operand and a vector to a vector of sums."""

# Instructions are written as text, and text needs a parser.
binding.initialize_native_asmparser()


def _wide_vector(builder: Any, base: Any, offset: Any) -> Any:
    whole = load(builder, base, offset, ir.VectorType(I32, WIDE_LANES), 4)
    return builder.sitofp(whole, _WIDE_SUMS)


def _pair_vector(builder: Any, base: Any, offset: Any) -> Any:
    return load(builder, base, offset, _PAIR_SUMS, 4)


def _instruction(name: str) -> Step:
    """A step by one instruction, as text: as an intrinsic the compiler would take it apart."""

    def step(builder: Any, left: Any, right: Any, total: Any) -> Any:
        signature = ir.FunctionType(_PAIR_SUMS, [_PAIR_SUMS] * 3)
        multiply = ir.InlineAsm(signature, f"{name} $3, $2, $0", "=v,0,v,v")
        return builder.call(multiply, [total, left, right])

    return step


pair_step = _instruction("vpdpwssd")
"""Adds products of pairs of 16-bit numbers to sums, where the processor has that."""


def _targets(
    builder: Any, target: Any, stride: Any, rows: int, vectors: int, sums: Any
) -> list[list[Any]]:
    """Where the vectors of sums lie, row by row."""
    size = sums.count * (8 if sums is _WIDE_SUMS else 4)
    lines = [builder.add(target, builder.mul(stride, I64(row))) for row in range(rows)]
    return [
        [address_of(builder, line, I64(number * size), sums) for number in range(vectors)]
        for line in lines
    ]


def _loop(
    builder: Any,
    rows: int,
    vectors: int,
    sums: Any,
    element: Any,
    vector: Any,
    step: Step,
    arguments: Any,
    onto: bool,
) -> None:
    """Emit the loop over the contraction axis and the stores after it.

    Sums start from nothing, or from what lies at the target.
    """
    left, left_stride, panel, steps, target, target_stride = arguments
    size = element.width // 8 if element is I32 else 8
    item = 4
    starts = [builder.add(left, builder.mul(left_stride, I64(row))) for row in range(rows)]
    targets = _targets(builder, target, target_stride, rows, vectors, sums)
    zero = ir.Constant(sums, [0] * sums.count)
    begun = [[builder.load(place, align=4) if onto else zero for place in line] for line in targets]
    before, function = builder.block, builder.function
    loop, done = function.append_basic_block("loop"), function.append_basic_block("done")
    builder.branch(loop)
    builder.position_at_end(loop)
    index = builder.phi(I64)
    index.add_incoming(I64(0), before)
    totals = [[builder.phi(sums) for _ in range(vectors)] for _ in range(rows)]
    place = builder.mul(index, I64(vectors * sums.count * item))
    rights = [
        vector(builder, panel, builder.add(place, I64(number * sums.count * item)))
        for number in range(vectors)
    ]
    following = []
    for start, row in zip(starts, totals, strict=True):
        value = load(builder, start, builder.mul(index, I64(size)), element, size)
        splatted = splat(builder, value, sums.count)
        following.append(
            [
                step(builder, splatted, right, total)
                for right, total in zip(rights, row, strict=True)
            ]
        )
    next_index = builder.add(index, I64(1))
    index.add_incoming(next_index, loop)
    for row, new, first in zip(totals, following, begun, strict=True):
        for total, value, start in zip(row, new, first, strict=True):
            total.add_incoming(start, before)
            total.add_incoming(value, loop)
    builder.cbranch(builder.icmp_signed("<", next_index, steps), loop, done)
    builder.position_at_end(done)
    for line, new in zip(targets, following, strict=True):
        for place, value in zip(line, new, strict=True):
            builder.store(value, place, align=4)


def _tile(
    rows: int,
    sums: Any,
    element: Any,
    vector: Any,
    step: Step,
    vectors: int = VECTORS,
    *,
    onto: bool = False,
) -> Any:
    """Make a tile of so many rows that compiled functions can call; steps must be at least 1."""

    def tile(  # type: ignore[no-untyped-def]
        typing_context, left, left_stride, panel, steps, target, target_stride
    ):
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _loop(builder, rows, vectors, sums, element, vector, step, arguments, onto)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6), generate

    return intrinsic(tile)


def _wide(rows: int, vectors: int = VECTORS) -> Any:
    return _tile(rows, _WIDE_SUMS, _F64, _wide_vector, multiply_add, vectors)


def _pair(rows: int) -> Any:
    return _tile(rows, _PAIR_SUMS, I32, _pair_vector, pair_step)


WIDE_ROWS: Final = this_machine().rows_max
wide_many, wide_four, wide_two, wide_one = _wide(WIDE_ROWS), _wide(4), _wide(2), _wide(1)
"""Rows of binary64 times panels of 32-bit whole numbers [step, column]; sums in binary64."""

NARROW_ROWS: Final = WIDE_ROWS * VECTORS // NARROW_VECTORS
narrow_many, narrow_four = _wide(NARROW_ROWS, NARROW_VECTORS), _wide(4, NARROW_VECTORS)
narrow_one = _wide(1, NARROW_VECTORS)
"""The same with panels of two vectors."""

PAIR_ROWS: Final = 8
pair_many, pair_one = _pair(PAIR_ROWS), _pair(1)
"""Rows of 16-bit pairs times panels of pairs [step, column, 2]; sums in int32 that wrap."""


def byte_tile(rows: int, vectors: int) -> Any:
    """Rows of unsigned bytes times panels of signed ones [step, column, 4], added to sums in int32.

    Every step takes four bytes of a row; nothing saturates, sums wrap.
    """
    step = _instruction("vpdpbusd")
    return _tile(rows, _PAIR_SUMS, I32, _pair_vector, step, vectors, onto=True)
