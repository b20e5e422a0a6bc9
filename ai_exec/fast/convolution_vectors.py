"""Innermost loops of convolutions with 3 x 3 kernels and by channel, in vectors of binary64.

Written as instructions for the compiler (LLVM), which can't tell that so many arrays lie apart.
All operands are whole numbers whose sums are exact in any order.  Arguments are addresses,
distances in bytes, and counts.  There are at least as many channels as a vector holds: the last
vector ends with the last channel, and repeats some of those before.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ai_exec.fast.scalar import WHOLE
from ai_exec.fast.tiles import WIDE_LANES
from ai_exec.fast.vectors import I32, I64, address_of, load, multiply_add, splat

PLACES: Final = 16
"""Elements of a square of 4 x 4."""
PIXELS: Final = 4
"""Results of a row that are summed together, by channel."""
RECORD: Final = 11
"""Addresses and such that `settle` finds in a record."""
SIZE_BITS: Final = 0x7FFFFFFF
"""The bits of a number of binary32 without its sign."""

_WIDE = ir.VectorType(ir.DoubleType(), WIDE_LANES)
_NARROW = ir.VectorType(ir.FloatType(), WIDE_LANES)
_WHOLES = ir.VectorType(I32, WIDE_LANES)

Emit = Callable[[Any, Sequence[Any]], None]


def _store(builder: Any, value: Any, base: Any, offset: Any) -> None:
    builder.store(value, address_of(builder, base, offset, value.type), align=4)


def _constant(value: float) -> Any:
    return ir.Constant(_WIDE, [value] * WIDE_LANES)


@contextmanager
def _channels(builder: Any, channels: Any) -> Iterator[Any]:
    """Loop over vectors of channels; gives the first channel of each."""
    last = builder.sub(channels, I64(WIDE_LANES))
    count = builder.udiv(builder.add(channels, I64(WIDE_LANES - 1)), I64(WIDE_LANES))
    with cgutils.for_range(builder, count) as loop:
        first = builder.mul(loop.index, I64(WIDE_LANES))
        yield builder.select(builder.icmp_signed("<", first, last), first, last)


def _callable(emit: Emit, count: int, *, factor: bool = False) -> Any:
    """Make what compiled functions can call, with so many whole numbers and perhaps a factor."""
    arguments = [types.int64] * count + [types.float64] * factor
    assert len(arguments) in (4, 5, 6, 7)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        emit(builder, given)
        return context.get_dummy_value()

    def four(typing_context, a, b, c, d):  # type: ignore[no-untyped-def]
        return types.void(*arguments), generate

    def five(typing_context, a, b, c, d, e):  # type: ignore[no-untyped-def]
        return types.void(*arguments), generate

    def six(typing_context, a, b, c, d, e, f):  # type: ignore[no-untyped-def]
        return types.void(*arguments), generate

    def seven(typing_context, a, b, c, d, e, f, g):  # type: ignore[no-untyped-def]
        return types.void(*arguments), generate

    return intrinsic({4: four, 5: five, 6: six, 7: seven}[len(arguments)])


def _combined(builder: Any, row: Sequence[Any]) -> list[Any]:
    """Rows (1 0 -1 0), (0 1 1 0), (0 -1 1 0), (0 1 0 -1) times four vectors."""
    first, second, third, fourth = row
    return [
        builder.fsub(first, third),
        builder.fadd(second, third),
        builder.fsub(third, second),
        builder.fsub(second, fourth),
    ]


def _gathered(builder: Any, row: Sequence[Any]) -> list[Any]:
    """Rows (1 1 1 0), (0 1 -1 -1) times four vectors."""
    first, second, third, fourth = row
    return [
        builder.fadd(builder.fadd(first, second), third),
        builder.fsub(builder.fsub(second, third), fourth),
    ]


def _both_ways(
    builder: Any, square: Sequence[Any], one_way: Callable[[Any, Sequence[Any]], list[Any]]
) -> list[Any]:
    columns = [one_way(builder, square[column::4]) for column in range(4)]
    rows = zip(*columns, strict=True)
    return [value for row in rows for value in one_way(builder, row)]


def _emit_input(builder: Any, arguments: Sequence[Any]) -> None:
    sources, target, plane, channels, factor = arguments
    starts = [load(builder, sources, I64(8 * place), I64) for place in range(PLACES)]
    factors, whole = splat(builder, factor, WIDE_LANES), _constant(WHOLE)
    with _channels(builder, channels) as channel:
        square = []
        for start in starts:
            offset = builder.mul(channel, I64(4))
            value = builder.fpext(load(builder, start, offset, _NARROW), _WIDE)
            shifted = builder.fadd(builder.fmul(value, factors), whole)
            square.append(builder.fsub(shifted, whole))
        place = builder.add(target, builder.mul(channel, I64(8)))
        for index, value in enumerate(_both_ways(builder, square, _combined)):
            _store(builder, value, place, builder.mul(plane, I64(index)))


def _emit_output(builder: Any, arguments: Sequence[Any]) -> None:
    sums, plane, squares, columns, target, fresh = arguments
    first = builder.icmp_signed("!=", fresh, I64(0))
    zero, quarter = _constant(0.0), _constant(0.25)
    row = builder.mul(columns, I64(8))
    with cgutils.for_range(builder, squares) as outer, _channels(builder, columns) as column:
        shift = builder.add(builder.mul(outer.index, row), builder.mul(column, I64(8)))
        square = [
            load(builder, sums, builder.add(shift, builder.mul(plane, I64(index))), _WIDE)
            for index in range(PLACES)
        ]
        for index, value in enumerate(_both_ways(builder, square, _gathered)):
            line = builder.add(builder.mul(outer.index, I64(4)), I64(index))
            start = builder.add(builder.mul(line, row), builder.mul(column, I64(8)))
            before = builder.select(first, zero, load(builder, target, start, _WIDE))
            added = builder.fadd(before, builder.fmul(value, quarter))
            _store(builder, added, target, start)


def _emit_runs(builder: Any, arguments: Sequence[Any]) -> None:
    source, target, runs, distance, count, factor = arguments
    factors, wholes = splat(builder, factor, WIDE_LANES), _constant(WHOLE)

    def move(run: Any, place: Any) -> None:
        start = builder.add(source, builder.mul(run, distance))
        into = builder.add(target, builder.mul(run, builder.mul(count, I64(8))))
        value = load(builder, start, builder.mul(place, I64(4)), _NARROW)
        scaled = builder.fmul(builder.fpext(value, _WIDE), factors)
        rounded = builder.fsub(builder.fadd(scaled, wholes), wholes)
        _store(builder, rounded, into, builder.mul(place, I64(8)))

    long = builder.icmp_signed(">", count, I64(WIDE_LANES))
    with builder.if_else(long) as (several, single):
        with several, cgutils.for_range(builder, runs) as outer, _channels(builder, count) as place:
            move(outer.index, place)
        with single, cgutils.for_range(builder, runs) as loop:
            move(loop.index, I64(0))


def _emit_join(builder: Any, arguments: Sequence[Any]) -> None:
    sums, totals, rows, columns, scales, fresh = arguments
    first, zero = builder.icmp_signed("!=", fresh, I64(0)), _constant(-0.0)
    row = builder.mul(columns, I64(8))
    with _channels(builder, columns) as column:
        offset = builder.mul(column, I64(8))
        scale = load(builder, scales, offset, _WIDE)
        with cgutils.for_range(builder, rows) as loop:
            place = builder.add(builder.mul(loop.index, row), offset)
            before = builder.select(first, zero, load(builder, totals, place, _WIDE))
            part = builder.fmul(load(builder, sums, place, _WIDE), scale)
            _store(builder, builder.fadd(before, part), totals, place)


def _settled(
    builder: Any, total: Any, constants: Sequence[Any], other: Any, limits: Sequence[Any]
) -> Any:
    """Scale and bias sums and round them; normalise, add and clip them, each if so."""
    low, high, zero = limits
    scaled = builder.fmul(total, constants[0])
    value = builder.fptrunc(builder.fadd(scaled, constants[1]), _NARROW)
    if len(constants) > 2:
        centred = builder.fsub(builder.fpext(value, _WIDE), constants[2])
        moved = builder.fadd(builder.fmul(centred, constants[3]), constants[4])
        value = builder.fptrunc(moved, _NARROW)
    if other is not None:
        value = builder.fadd(value, other)
    value = builder.select(builder.fcmp_ordered("<", value, low), low, value)
    value = builder.select(builder.fcmp_ordered(">", value, high), high, value)
    return builder.fadd(value, zero)


def _settle(*, normalised: bool, tensor: bool, slim: bool = False) -> Emit:
    def emit(builder: Any, arguments: Sequence[Any]) -> None:
        record, sums, stride, rows, column, columns, scales = arguments
        given = [load(builder, record, I64(8 * place), I64) for place in range(RECORD)]
        places, out, row_bytes, others, *wide_starts, limits, sizes, scratch = given
        starts = [scales, *wide_starts[: 4 if normalised else 1]]
        marks = [
            splat(builder, load(builder, limits, I64(4 * place), ir.FloatType()), WIDE_LANES)
            for place in range(3)
        ]
        best = cgutils.alloca_once(builder, _WHOLES)

        def settle_columns(first: Any) -> Any:
            """Settle a vector of columns of all rows; gives where they lie in a row."""
            at = builder.add(column, first)
            wide, narrow = builder.mul(at, I64(8)), builder.mul(at, I64(4))
            constants = [load(builder, start, wide, _WIDE) for start in starts]
            with cgutils.for_range(builder, rows) as loop:
                pixel = load(builder, places, builder.mul(loop.index, I64(8)), I64)
                inside = builder.icmp_signed(">=", pixel, I64(0))
                line = builder.add(builder.mul(pixel, row_bytes), narrow)
                source = builder.add(builder.mul(loop.index, stride), builder.mul(first, I64(8)))
                other = None
                if tensor:
                    offset = builder.select(inside, line, narrow)
                    other = load(builder, others, offset, _NARROW)
                total = load(builder, sums, source, _WIDE)
                value = _settled(builder, total, constants, other, marks)
                mask = builder.select(inside, I32(SIZE_BITS), I32(0))
                size = builder.and_(
                    builder.bitcast(value, _WHOLES), splat(builder, mask, WIDE_LANES)
                )
                builder.store(_greater(builder, size, builder.load(best)), best)
                target = builder.select(inside, builder.add(out, line), scratch)
                if slim:
                    _store(builder, value, scratch, I64(0))
                    _copy(builder, scratch, target, columns)
                else:
                    _store(builder, value, target, I64(0))
            return narrow

        if slim:
            _raise_slim(builder, settle_columns, best, columns, sizes, scratch)
            return
        with _channels(builder, columns) as first:
            at = builder.mul(builder.add(column, first), I64(4))
            builder.store(load(builder, sizes, at, _WHOLES), best)
            settle_columns(first)
            _store(builder, builder.load(best), sizes, at)

    return emit


def _copy(builder: Any, source: Any, target: Any, count: Any) -> None:
    """Copy a few numbers of 32 bits."""
    with cgutils.for_range(builder, count) as loop:
        offset = builder.mul(loop.index, I64(4))
        _store(builder, load(builder, source, offset, I32), target, offset)


def _raise_slim(
    builder: Any,
    settle_columns: Callable[[Any], Any],
    best: Any,
    columns: Any,
    sizes: Any,
    scratch: Any,
) -> None:
    """Settle fewer columns than a vector holds, and raise their sizes one by one."""
    builder.store(ir.Constant(_WHOLES, [0] * WIDE_LANES), best)
    own = builder.add(sizes, settle_columns(I64(0)))
    _store(builder, builder.load(best), scratch, I64(0))
    with cgutils.for_range(builder, columns) as loop:
        offset = builder.mul(loop.index, I64(4))
        found, before = (load(builder, start, offset, I32) for start in (scratch, own))
        _store(builder, _greater(builder, found, before), own, offset)


def _greater(builder: Any, first: Any, second: Any) -> Any:
    return builder.select(builder.icmp_signed(">", first, second), first, second)


def _emit_depth(builder: Any, arguments: Sequence[Any]) -> None:
    sources, weights, taps, step, channels, target, groups = arguments
    stride = builder.mul(channels, I64(8))
    with cgutils.for_range(builder, groups) as outer, _channels(builder, channels) as channel:
        shift, first = builder.mul(channel, I64(8)), builder.mul(outer.index, I64(PIXELS))
        along = builder.add(shift, builder.mul(first, step))
        before, function = builder.block, builder.function
        loop, done = function.append_basic_block("taps"), function.append_basic_block("summed")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(I64)
        index.add_incoming(I64(0), before)
        totals = [builder.phi(_WIDE) for _ in range(PIXELS)]
        start = load(builder, sources, builder.mul(index, I64(8)), I64)
        weight = load(builder, weights, builder.add(shift, builder.mul(index, stride)), _WIDE)
        place, following = builder.add(start, along), []
        for pixel, total in enumerate(totals):
            value = load(builder, place, builder.mul(step, I64(pixel)), _WIDE)
            following.append(multiply_add(builder, value, weight, total))
        next_index = builder.add(index, I64(1))
        index.add_incoming(next_index, loop)
        for total, value in zip(totals, following, strict=True):
            total.add_incoming(_constant(0.0), before)
            total.add_incoming(value, loop)
        builder.cbranch(builder.icmp_signed("<", next_index, taps), loop, done)
        builder.position_at_end(done)
        for pixel, value in enumerate(following):
            line = builder.mul(stride, builder.add(first, I64(pixel)))
            _store(builder, value, target, builder.add(shift, line))


def _emit_lines(builder: Any, arguments: Sequence[Any]) -> None:
    source, target, pixels, channels, factors = arguments
    wholes = _constant(WHOLE)
    with _channels(builder, channels) as channel:
        factor = load(builder, factors, builder.mul(channel, I64(8)), _WIDE)
        with cgutils.for_range(builder, pixels) as loop:
            place = builder.add(builder.mul(loop.index, channels), channel)
            value = load(builder, source, builder.mul(place, I64(4)), _NARROW)
            scaled = builder.fmul(builder.fpext(value, _WIDE), factor)
            rounded = builder.fsub(builder.fadd(scaled, wholes), wholes)
            _store(builder, rounded, target, builder.mul(place, I64(8)))


def _emit_greatest(builder: Any, arguments: Sequence[Any]) -> None:
    source, pixels, channels, sizes = arguments
    mask = ir.Constant(_WHOLES, [0x7FFFFFFF] * WIDE_LANES)
    best = cgutils.alloca_once(builder, _WHOLES)
    with _channels(builder, channels) as channel:
        offset = builder.mul(channel, I64(4))
        builder.store(ir.Constant(_WHOLES, [0] * WIDE_LANES), best)
        with cgutils.for_range(builder, pixels) as loop:
            line = builder.mul(loop.index, builder.mul(channels, I64(4)))
            size = builder.and_(load(builder, source, builder.add(line, offset), _WHOLES), mask)
            builder.store(_greater(builder, size, builder.load(best)), best)
        _store(builder, builder.load(best), sizes, offset)


square_of_input = _callable(_emit_input, 4, factor=True)
"""From 16 addresses of pixels of binary32 to 16 planes of whole numbers at a target.

Takes the address of the addresses, the target, the distance of planes, channels and the factor.
Each element times the factor is rounded to a whole number; the square of 4 x 4 is multiplied by
the matrix of `_combined` from the left and by its transpose from the right.
"""

squares_of_output = _callable(_emit_output, 6)
"""From 16 planes of sums [square, column] to results [square, 4, column], summed with those
before unless fresh.

Takes sums, the distance of planes, squares, columns, the target, fresh.
"""

depth_sums = _callable(_emit_depth, 7)
"""Sums over taps for a row of results [pixel, channel], PIXELS of them at a time.

Takes the address of the taps' addresses for the first result, weights [tap, channel], how many
taps, the distance of neighbouring results in the sources, channels, the target, and how many times
PIXELS results.
"""

quantise_pixels = _callable(_emit_lines, 5)
"""Whole numbers of pixels [pixel, channel] of binary32, in binary64.

Takes source, target, pixels, channels, and the factor of each channel.
"""

greatest_pixels = _callable(_emit_greatest, 4)
"""Greatest bits of the sizes of each channel: source, pixels, channels, and where they go."""

quantise_runs = _callable(_emit_runs, 5, factor=True)
"""Whole numbers of runs of binary32, put one after the other in binary64.

Takes source, target, how many runs, their distance in the source, the elements of each, the factor.
A run that is shorter than a vector reads and writes one, thus beyond its end.
"""

join_sums = _callable(_emit_join, 6)
"""Sums [row, column] times the scale of their column, added to totals unless fresh.

Takes sums, totals, rows, columns, scales, fresh.
"""

settle_plain = _callable(_settle(normalised=False, tensor=False), 7)
settle_normal = _callable(_settle(normalised=True, tensor=False), 7)
settle_tensor = _callable(_settle(normalised=False, tensor=True), 7)
settle_both = _callable(_settle(normalised=True, tensor=True), 7)
"""From sums [row, column] to binary32: scaled, biased, rounded; normalised and rounded; added to
another tensor; clipped; each if so.

Takes the address of a record, sums, the distance of rows, rows, their first column among all
results, columns, and scales by column of all results.  The record has the addresses of each row's
pixel (or of -1: it counts for nothing) and of all results, the bytes of a pixel, the addresses of
another tensor, then by column of biases, of means, factors and biases of the normalisation, then of
three numbers: low, high, and a zero that is added last, -0 to change nothing; then of the greatest
bits of sizes by column, which are updated, and of room for a vector.
"""

settle_plain_slim = _callable(_settle(normalised=False, tensor=False, slim=True), 7)
settle_normal_slim = _callable(_settle(normalised=True, tensor=False, slim=True), 7)
"""The same with fewer columns than a vector holds."""
