"""Sampling a tensor at computed places: GridSample, and AffineGrid that makes such places."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ai_exec.metering import gas
from ai_exec.ops.rules import (
    ANY,
    FLOATS,
    require_dtype,
    require_rank,
    require_shape,
    require_word,
    size,
    wholes_of,
)
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics.numerics import Floats, cast
from ai_exec.tensor import Shape, Tensor

MODES: Final = {"nearest": 1, "linear": 2, "bilinear": 2, "cubic": 4, "bicubic": 4}
"""How many elements along each axis make one of the result."""
PADDINGS: Final = ("zeros", "border", "reflection")

TAP_PICOSECONDS: Final = 25_000
"""Taking one element by a computed index, multiplying it by its weight and adding it."""
TAP_GAS: Final = 30_000
"""One element of a neighbourhood, whatever the tensor holds."""


@dataclass(frozen=True, slots=True, eq=False)
class Tap:
    """One element along one axis for each place, and what it weighs."""

    index: Tensor
    inside: Tensor
    """Whether it lies in the tensor; if not, it counts as 0."""
    weight: Floats


def reflected(x: Floats, low: float, high: float) -> Floats:
    """Mirror places at two borders until they lie between them."""
    width = high - low
    if width <= 0.0:
        return np.where(np.isnan(x), x, low)
    beyond = np.where(x < low, low - x, x - high)
    times = np.floor(beyond / width)
    rest = beyond - times * width
    even = np.floor(times * 0.5) * 2.0 == times
    mirrored = np.where((x < low) == even, low + rest, high - rest)
    return np.where((x >= low) & (x <= high), x, mirrored)


def axis_taps(place: Floats, length: int, mode: str, padding: str, corners: bool) -> list[Tap]:
    """Give the elements along one axis that make up each place in [-1, 1]."""
    if corners:
        low, high, x = 0.0, length - 1.0, (place + 1.0) / 2.0 * (length - 1.0)
    else:
        low, high, x = -0.5, length - 0.5, ((place + 1.0) * length - 1.0) / 2.0
    count = MODES[mode]
    if count == 1:
        x = np.rint(x)
    if padding == "border" and count != 4:
        x = np.where((x < low) | (x > high), np.clip(x, 0.0, length - 1.0), x)
    if padding != "reflection":
        return taps_at(x, length, count, zeros=padding == "zeros")
    x = reflected(x, low, high)
    return taps_at(x, length, count, zeros=False, borders=(low, high))


def taps_at(
    x: Floats,
    length: int,
    count: int,
    *,
    zeros: bool,
    borders: tuple[float, float] | None = None,
) -> list[Tap]:
    """Give the elements around places on an axis of some length, mirrored at borders if given."""
    base = x if count == 1 else np.floor(x)
    found = []
    for tap, weight in enumerate(_weights(x - base, count)):
        at = base + (tap - (count == 4))
        if borders is not None:
            at = np.trunc(reflected(at, *borders))
        inside = (at >= 0.0) & (at <= length - 1.0) | np.isnan(at) | (not zeros)
        index = np.clip(np.where(np.isnan(at), 0.0, at), 0.0, length - 1.0).astype(np.int64)
        found.append(Tap(index, inside, weight))
    return found


def _weights(x: Floats, count: int) -> list[Floats]:
    """Give the weights of elements where a place lies x behind the one before it."""
    if count == 1:
        return [np.ones_like(x)]
    if count == 2:
        return [1.0 - x, x]
    a = -0.75
    back = 1.0 - x
    return [
        ((a * (x + 1.0) - 5.0 * a) * (x + 1.0) + 8.0 * a) * (x + 1.0) - 4.0 * a,
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        ((a + 2.0) * back - (a + 3.0)) * back * back + 1.0,
        ((a * (back + 1.0) - 5.0 * a) * (back + 1.0) + 8.0 * a) * (back + 1.0) - 4.0 * a,
    ]


def _grid_sample(call: Call) -> tuple[Operand, ...]:
    data, grid = call.at(0), call.at(1)
    require_word(call, "mode", tuple(MODES))
    require_word(call, "padding_mode", PADDINGS)
    require_dtype(grid, FLOATS, "grid")
    require_rank(data, range(3, 9), "X")
    require_shape(grid, (data.shape[0], *grid.shape[1:-1], data.rank - 2), "grid")
    require_rank(grid, range(data.rank, data.rank + 1), "grid")
    if data.dtype == "bool" and call.word("mode") != "nearest":
        raise Mismatch(f"mode {call.word('mode')} of truth values")
    if 0 in data.shape[2:]:
        raise Mismatch(f"nothing to sample in {data}")
    return (Operand(data.dtype, (*data.shape[:2], *grid.shape[1:-1])),)


def _sample_cost(call: Call) -> int:
    grid, taps = call.at(1), MODES[call.word("mode")]
    count = int(taps ** grid.shape[-1])
    places = 20 * taps * grid.shape[-1] * size(grid.shape[:-1])
    elements = count * (size(call.outputs[0].shape) + size(grid.shape[:-1]))
    return 4 * TAP_GAS + TAP_GAS * count + gas(TAP_PICOSECONDS * elements + 2_000 * places)


def _sample_scratch(call: Call) -> int:
    grid, taps = call.at(1), MODES[call.word("mode")]
    kept = grid.shape[-1] * size(call.outputs[0].shape) + size(call.at(0).shape)
    return 32 * (kept + (taps + 4) * size(grid.shape))


@operator(
    "GridSample",
    since=(20, 22),
    infer=_grid_sample,
    cost=_sample_cost,
    scratch=_sample_scratch,
    values=ANY,
    mixed=True,
)
def grid_sample(
    x: Tensor,
    grid: Tensor,
    *,
    align_corners: int = 0,
    mode: str = "linear",
    padding_mode: str = "zeros",
) -> Tensor:
    """Weighted neighbours of each place in binary64, the last axis first, rounded once.

    Along an axis of length d a place p lies at ((p + 1) d - 1) / 2, or with `align_corners` at
    (p + 1) / 2 (d - 1), in binary64; `nearest` takes the nearest element, half to even.  Sums take
    elements in their order.  One outside counts as 0 with `zeros`, as the nearest inside with
    `border`; places are mirrored with `reflection`, then elements.  NaN makes NaN, but picks the
    first element with `nearest`.  Integers are cut as by Cast.
    """
    rank, places = x.ndim - 2, grid.shape[1:-1]
    taps = [
        axis_taps(
            grid[..., rank - 1 - axis].reshape(x.shape[0], size(places)).astype(np.float64),
            x.shape[2 + axis],
            mode,
            padding_mode,
            bool(align_corners),
        )
        for axis in range(rank)
    ]
    picks = MODES[mode] == 1
    flat = x if picks else x.astype(np.float64)
    flat = flat.reshape(*x.shape[:2], size(x.shape[2:]))
    found = mixed(flat, x.shape[2:], taps).reshape(*x.shape[:2], *places)
    if picks or x.dtype.name in FLOATS:
        return found.astype(x.dtype)
    return cast(found, x.dtype.name)


def mixed(flat: Tensor, lengths: Shape, taps: list[list[Tap]]) -> Tensor:
    """Give the weighed neighbours [sample, channel, place] of a tensor [sample, channel, element].

    The last axis is mixed first; each sum takes elements in their order.
    """
    nowhere = np.zeros(taps[0][0].index.shape, np.int64)
    return _mixed(flat, lengths, taps, nowhere, np.ones(nowhere.shape, np.bool_))


def _mixed(
    flat: Tensor, lengths: Shape, taps: list[list[Tap]], index: Tensor, inside: Tensor
) -> Tensor:
    if not taps:
        found = np.take_along_axis(flat, index[:, np.newaxis], axis=2)
        return np.where(inside[:, np.newaxis], found, flat.dtype.type(0))
    total: Tensor = np.zeros(())
    for at, tap in enumerate(taps[0]):
        part = _mixed(
            flat, lengths[1:], taps[1:], index * lengths[0] + tap.index, inside & tap.inside
        )
        if len(taps[0]) == 1:
            return part
        part = part * tap.weight[:, np.newaxis]
        total = total + part if at else part
    return total


def _grid_sample_16(call: Call) -> tuple[Operand, ...]:
    require_rank(call.at(0), range(4, 5), "X")
    return _grid_sample(call)


@operator(
    "GridSample",
    since=16,
    infer=_grid_sample_16,
    cost=_sample_cost,
    scratch=_sample_scratch,
    values=ANY,
    mixed=True,
)
def grid_sample_16(
    x: Tensor,
    grid: Tensor,
    *,
    align_corners: int = 0,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
) -> Tensor:
    """As later versions, of images."""
    return grid_sample(x, grid, align_corners=align_corners, mode=mode, padding_mode=padding_mode)


def _affine_grid(call: Call) -> tuple[Operand, ...]:
    lengths = wholes_of(call, 1)
    if len(lengths) not in (4, 5) or any(length < 1 for length in lengths):
        raise Mismatch(f"size is {list(lengths)}, not that of an image or a volume")
    rank = len(lengths) - 2
    require_shape(call.at(0), (lengths[0], rank, rank + 1), "theta")
    return (Operand(call.at(0).dtype, (lengths[0], *lengths[2:], rank)),)


def _affine_cost(call: Call) -> int:
    return 40_000 + gas(20_000 * size(call.outputs[0].shape))


@operator("AffineGrid", since=20, infer=_affine_grid, cost=_affine_cost, values=FLOATS)
def affine_grid(theta: Tensor, size: Tensor, *, align_corners: int = 0) -> Tensor:
    """theta (x, y, z, 1): products added one after the other in binary64, rounded once.

    The place of element i of an axis of length d is (2 i + 1 - d) / d, or with `align_corners`
    (2 i + 1 - d) / (d - 1), 0 if d is 1.
    """
    lengths = [int(length) for length in size[2:]]
    rank, wide = len(lengths), theta.astype(np.float64)
    total = np.zeros(())
    for column in range(rank):
        axis = rank - 1 - column
        place = 2.0 * np.arange(lengths[axis], dtype=np.float64) + (1.0 - lengths[axis])
        place = place / max(lengths[axis] - bool(align_corners), 1)
        place = place.reshape((1,) * (1 + axis) + (-1,) + (1,) * (rank - axis))
        part = wide[:, :, column].reshape(-1, *[1] * rank, rank) * place
        total = total + part if column else part
    shift = wide[:, :, rank].reshape(-1, *[1] * rank, rank)
    return np.asarray(total + shift).astype(theta.dtype)
