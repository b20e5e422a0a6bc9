"""Discrete Fourier transforms: exact contractions with tables of sines and cosines (R3)."""

from collections.abc import Iterable
from math import pi
from typing import Final

import numpy as np

from ai_exec.metering import QUANTISE_PICOSECONDS, contraction, gas
from ai_exec.ops.rules import (
    FLOATS,
    INDICES,
    require_dtype,
    require_rank,
    require_shape,
    size,
)
from ai_exec.registry import Call, Mismatch, Operand, Unbounded, operator
from ai_exec.semantics import functions
from ai_exec.semantics.numerics import Columns, Floats, columns_of, contract_with
from ai_exec.tensor import Shape, Tensor

COLUMNS: Final = 128
"""Columns of a table that are made at a time, to save memory."""
LENGTH_MAX: Final = 1 << 24


def circle(places: Tensor, count: int) -> tuple[Floats, Floats]:
    """Cosine and sine of places / count of a full turn, in binary64.

    The angle is brought to an eighth of a turn by whole numbers: with q the nearest quarter and
    r = 4 places - q count it is (r (pi / 2)) / count, whose cosine and sine are those of binary64.
    """
    turn = places % count
    quarter = (8 * turn + count) // (2 * count)
    angle = (4 * turn - quarter * count).astype(np.float64) * (pi / 2) / float(count)
    cosine, sine = functions.cos(angle), functions.sin(angle)
    swapped, turned = quarter % 2 == 1, quarter % 4
    x, y = np.where(swapped, sine, cosine), np.where(swapped, cosine, sine)
    minus_x, minus_y = (turned == 1) | (turned == 2), (turned == 2) | (turned == 3)
    return np.where(minus_x, 0.0 - x, x), np.where(minus_y, 0.0 - y, y)


Tables = Iterable[tuple[int, slice, Columns]]
"""Cosines and sines as right operands, for which of two parts and for which bins."""


def tables_of(count: int, bins: int, parts: int, *, inverse: bool, real: bool) -> Tables:
    """Give the tables of a transform, some columns at a time."""
    places = np.arange(count)[:, np.newaxis]
    for start in range(0, bins, COLUMNS):
        wanted = slice(start, min(start + COLUMNS, bins))
        cosine, sine = circle(places * np.arange(wanted.start, wanted.stop), count)
        sine = sine if inverse else 0.0 - sine
        tables = [(cosine, 0.0 - sine), (sine, cosine)]
        for part in range(1 if real else 2):
            right = np.concatenate(tables[part][:parts], axis=0)
            yield part, wanted, columns_of(right, fine=True)


def transform(
    rows: Floats,
    count: int,
    bins: int,
    *,
    inverse: bool,
    real: bool,
    tables: Tables | None = None,
) -> Floats:
    """Transform rows [..., count, 1 or 2] of binary64 to [..., bins, 2], or 1 if only real parts.

    One contraction in slices, the real parts before the imaginary ones, with cosines and sines;
    then divided by the count in binary64 if inverse.
    """
    parts = rows.shape[-1]
    left = np.concatenate([rows[..., part] for part in range(parts)], axis=-1)
    left = left.reshape(-1, parts * count) if left.size else left.reshape(0, parts * count)
    found = np.zeros((left.shape[0], bins, 1 if real else 2))
    if tables is None:
        tables = tables_of(count, bins, parts, inverse=inverse, real=real)
    for part, wanted, columns in tables:
        found[:, wanted, part] = contract_with(left, columns)
    shape: Shape = (*rows.shape[:-2], bins, found.shape[2])
    return (found / float(count) if inverse else found).reshape(shape)


def whole_spectrum(rows: Floats, count: int) -> Floats:
    """Complete the spectrum of a real signal from its first half."""
    places = np.arange(count)
    mirrored = places > count // 2
    spectrum = np.take(rows, np.where(mirrored, count - places, places), axis=-2)
    sign = np.where(mirrored, -1.0, 1.0)
    return np.stack([spectrum[..., 0], spectrum[..., 1] * sign], axis=-1)


def fitted(rows: Floats, length: int) -> Floats:
    """Cut rows along the last axis but one, or fill them with zeros."""
    kept = rows[..., :length, :]
    missing = length - kept.shape[-2]
    return np.pad(kept, [*[(0, 0)] * (rows.ndim - 2), (0, missing), (0, 0)])


def scalar_of(call: Call, index: int, what: str) -> int:
    """Give a constant whole number."""
    operand = call.at(index)
    require_dtype(operand, INDICES, what)
    if size(operand.shape) != 1:
        raise Mismatch(f"{what} is {operand}, not a scalar")
    return int(call.constant(index).reshape(()))


def _axis(call: Call, rank: int) -> int:
    if "axis" in call.attributes:
        axis = call.whole("axis")
    else:
        axis = -2 if call.optional(2) is None else scalar_of(call, 2, "axis")
    if not (-rank <= axis <= -2 or 0 <= axis <= rank - 2):
        raise Mismatch(f"axis is {axis} of a tensor with {rank} axes")
    return axis % rank


def _lengths(call: Call) -> tuple[int, int, int]:
    """Give the axis, the length of the transform and that of the output's axis."""
    data = call.at(0)
    require_rank(data, range(2, 9), "input")
    parts, axis = data.shape[-1], _axis(call, data.rank)
    inverse, onesided = call.whole("inverse"), call.whole("onesided")
    if parts not in (1, 2):
        raise Mismatch(f"input is {data}, not of real or complex numbers")
    if onesided and parts != 1 + bool(inverse):
        raise Mismatch(f"input is {data}, inverse is {inverse}, onesided is {onesided}")
    count = data.shape[axis]
    if call.optional(1) is not None:
        count = scalar_of(call, 1, "dft_length")
    elif onesided and inverse:
        count = 2 * (count - 1)
    if not 1 <= count <= LENGTH_MAX:
        raise Mismatch(f"dft_length is {count}")
    return axis, count, count // 2 + 1 if onesided and not inverse else count


def _dft(call: Call) -> tuple[Operand, ...]:
    axis, _, bins = _lengths(call)
    shape = list(call.at(0).shape)
    shape[axis] = bins
    shape[-1] = 1 if call.whole("onesided") and call.whole("inverse") else 2
    return (Operand(call.at(0).dtype, tuple(shape)),)


def transform_cost(rows: int, count: int, parts: int, bins: int, found: int) -> int:
    """Price transforms of so many rows; tables are made anew at each run."""
    length = parts * count
    table = gas((150_000 + 6 * QUANTISE_PICOSECONDS * parts * found) * count * bins)
    turned = contraction(
        6 * rows * length * bins * found, 6 * rows * length, 8 * rows * bins * found
    )
    return 400_000 + table + turned


def _cases(call: Call) -> list[tuple[int, int, int, int]]:
    """Give rows, length, bins and the input's length; for each axis while a run tells them."""
    data, result = call.at(0).shape, call.outputs[0].shape
    try:
        axis, count, bins = _lengths(call)
    except Unbounded:
        half = call.whole("onesided") and not call.whole("inverse")
        return [
            (
                size(result[:axis]) * size(result[axis + 1 : -1]),
                result[axis] * (2 if half else 1),
                result[axis],
                data[axis],
            )
            for axis in range(len(data) - 1)
        ]
    return [(size(data[:axis]) * size(data[axis + 1 : -1]), count, bins, data[axis])]


def _cost(call: Call) -> int:
    found, parts = call.outputs[0].shape[-1], call.at(0).shape[-1]
    return max(
        transform_cost(rows, count, parts, bins, found) for rows, count, bins, _ in _cases(call)
    )


def transform_scratch(rows: int, count: int, parts: int, bins: int) -> int:
    """Rows in binary64 and their slices, and some columns of a table."""
    return 96 * rows * parts * count + 192 * parts * count * COLUMNS + 64 * rows * bins


def _scratch(call: Call) -> int:
    return max(
        transform_scratch(rows, max(count, length), 2, bins)
        for rows, count, bins, length in _cases(call)
    )


def transformed(
    x: Tensor,
    axis: int,
    count: int,
    inverse: int,
    onesided: int,
    tables: Tables | None = None,
) -> Tensor:
    """`DFT` along an axis, with tables that are made before."""
    rank = x.ndim
    order = [*(place for place in range(rank - 1) if place != axis), axis, rank - 1]
    rows = x.transpose(order).astype(np.float64)
    backwards, real = bool(inverse), bool(onesided and inverse)
    if real:
        rows = whole_spectrum(fitted(rows, count // 2 + 1), count)
    bins = count // 2 + 1 if onesided and not inverse else count
    rows = fitted(rows, count)
    found = transform(rows, count, bins, inverse=backwards, real=real, tables=tables)
    return found.astype(x.dtype).transpose([order.index(place) for place in range(rank)])


def _count(x: Tensor, axis: int, dft_length: Tensor | None, inverse: int, onesided: int) -> int:
    if dft_length is not None:
        return int(dft_length.reshape(()))
    length: int = x.shape[axis]
    return 2 * (length - 1) if inverse and onesided else length


@operator("DFT", since=20, infer=_dft, cost=_cost, scratch=_scratch, values=FLOATS)
def dft(
    input: Tensor,
    dft_length: Tensor | None = None,
    axis: Tensor | None = None,
    *,
    inverse: int = 0,
    onesided: int = 0,
) -> Tensor:
    """Sum of x e^(-2 pi i k n / N) by an exact contraction of binary64 numbers, rounded once.

    Cosines and sines are those of `circle`, contracted as `transform` says.  The inverse is divided
    by N before.
    """
    along = -2 if axis is None else int(axis.reshape(()))
    along %= input.ndim
    count = _count(input, along, dft_length, inverse, onesided)
    return transformed(input, along, count, inverse, onesided)


@operator("DFT", since=17, infer=_dft, cost=_cost, scratch=_scratch, values=FLOATS)
def dft_17(
    input: Tensor,
    dft_length: Tensor | None = None,
    *,
    axis: int = 1,
    inverse: int = 0,
    onesided: int = 0,
) -> Tensor:
    """As later versions, with the axis as an attribute."""
    along = axis % input.ndim
    count = _count(input, along, dft_length, inverse, onesided)
    return transformed(input, along, count, inverse, onesided)


def _frames(call: Call) -> tuple[int, int, int]:
    """Give the number of frames, their length and the bins of each."""
    signal, window = call.at(0), call.optional(2)
    require_rank(signal, range(3, 4), "signal")
    if signal.shape[2] not in (1, 2):
        raise Mismatch(f"signal is {signal}, not of real or complex numbers")
    step = scalar_of(call, 1, "frame_step")
    length = signal.shape[1]
    if window is not None:
        require_dtype(window, (signal.dtype,), "window")
        require_rank(window, range(1, 2), "window")
        length = window.shape[0]
    if call.optional(3) is not None:
        length = scalar_of(call, 3, "frame_length")
        if window is not None:
            require_shape(window, (length,), "window")
    if step < 1 or not 1 <= length <= signal.shape[1]:
        raise Mismatch(f"frame_step is {step}, frame_length is {length} for {signal}")
    if call.whole("onesided") and signal.shape[2] == 2:
        raise Mismatch("onesided must be 0 for a complex signal")
    bins = length // 2 + 1 if call.whole("onesided") else length
    return (signal.shape[1] - length) // step + 1, length, bins


def _stft(call: Call) -> tuple[Operand, ...]:
    frames, _, bins = _frames(call)
    return (Operand(call.at(0).dtype, (call.at(0).shape[0], frames, bins, 2)),)


def _rows_of(call: Call) -> tuple[int, int, int]:
    """Give the rows, their length and the bins of each, at most."""
    batch, frames, bins, _ = call.outputs[0].shape
    length = min(2 * bins if call.whole("onesided") else bins, call.at(0).shape[1])
    return batch * frames, length, bins


def _stft_cost(call: Call) -> int:
    (rows, length, bins), parts = _rows_of(call), call.at(0).shape[2]
    return gas(20_000 * rows * length) + transform_cost(rows, length, parts, bins, 2)


def _stft_scratch(call: Call) -> int:
    rows, length, bins = _rows_of(call)
    return transform_scratch(rows, length, 2, bins)


@operator("STFT", since=17, infer=_stft, cost=_stft_cost, scratch=_stft_scratch, values=FLOATS)
def stft(
    signal: Tensor,
    frame_step: Tensor,
    window: Tensor | None = None,
    frame_length: Tensor | None = None,
    *,
    onesided: int = 1,
) -> Tensor:
    """`DFT` of frames of the signal, each times the window in binary64."""
    return framed(signal, frame_step, window, frame_length, onesided)


def framed(
    signal: Tensor,
    frame_step: Tensor,
    window: Tensor | None,
    frame_length: Tensor | None,
    onesided: int,
    tables: Tables | None = None,
) -> Tensor:
    """`STFT`, with tables that are made before."""
    length, step = signal.shape[1], int(frame_step.reshape(()))
    if frame_length is not None:
        length = int(frame_length.reshape(()))
    elif window is not None:
        length = window.shape[0]
    starts = np.arange((signal.shape[1] - length) // step + 1)[:, np.newaxis] * step
    rows = np.take(signal, starts + np.arange(length), axis=1).astype(np.float64)
    if window is not None:
        rows = rows * window.astype(np.float64)[:, np.newaxis]
    bins = length // 2 + 1 if onesided else length
    found = transform(rows, length, bins, inverse=False, real=False, tables=tables)
    return found.astype(signal.dtype)
