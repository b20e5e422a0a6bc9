"""Regions of images: RoiAlign and MaxRoiPool."""

from dataclasses import dataclass
from itertools import product
from math import ceil
from typing import Final

import numpy as np

from ai_exec.metering import gas
from ai_exec.ops.picking import inside, require_inside
from ai_exec.ops.rules import FLOATS, require_dtype, require_rank, require_shape, require_word, size
from ai_exec.registry import Call, Mismatch, Operand, earlier, operator
from ai_exec.semantics.numerics import Floats, greatest, maximum
from ai_exec.tensor import Shape, Tensor

SAMPLE_PICOSECONDS: Final = 35_000
"""One sample of one channel: four elements, their weights and the sum."""
REGION_GAS: Final = 200_000
"""One region, whatever it holds."""
GRID_GAS: Final = 10_000
"""One sample of all bins, or one bin, whatever it holds."""
SIDE_MAX: Final = 1 << 12
"""Bins along one side, and samples along one side of a bin."""


def samples_max(length: int, bins: int, ratio: int) -> int:
    """Give how many samples a bin may have along an axis: no more than elements of the image."""
    return ratio if ratio > 0 else ceil(length / bins)


def _roi_align(call: Call) -> tuple[Operand, ...]:
    data, rois, batch = call.at(0), call.at(1), call.at(2)
    require_rank(data, range(4, 5), "X")
    require_word(call, "mode", ("avg", "max"))
    require_word(call, "coordinate_transformation_mode", ("half_pixel", "output_half_pixel"))
    require_dtype(rois, (data.dtype,), "rois")
    require_dtype(batch, ("int64",), "batch_indices")
    require_rank(batch, range(1, 2), "batch_indices")
    require_shape(rois, (batch.shape[0], 4), "rois")
    require_inside(batch, data.shape[0])
    bins = (call.whole("output_height"), call.whole("output_width"))
    ratio = call.whole("sampling_ratio")
    if not (min(bins) >= 1 and max(bins) <= SIDE_MAX and 0 <= ratio <= SIDE_MAX):
        raise Mismatch(f"{list(bins)} bins of {ratio} samples")
    if 0 in data.shape[2:]:
        raise Mismatch(f"nothing to sample in {data}")
    return (Operand(data.dtype, (batch.shape[0], data.shape[1], *bins)),)


def _grid(call: Call) -> int:
    """Count the samples of one bin, at most."""
    pairs = zip(call.at(0).shape[2:], call.outputs[0].shape[2:], strict=True)
    height, width = (
        samples_max(length, bins, call.whole("sampling_ratio")) for length, bins in pairs
    )
    return height * width


def _align_cost(call: Call) -> int:
    grid, result = _grid(call), call.outputs[0].shape
    work = gas(SAMPLE_PICOSECONDS * grid * size(result) + 1_000 * size(call.at(0).shape))
    return work + result[0] * (REGION_GAS + GRID_GAS * grid)


def _align_scratch(call: Call) -> int:
    result = call.outputs[0].shape
    return 48 * (_grid(call) * size(result[1:]) + size(result)) + 16 * size(call.at(0).shape)


@operator(
    "RoiAlign",
    since=(16, 22),
    infer=_roi_align,
    cost=_align_cost,
    scratch=_align_scratch,
    values=FLOATS,
    mixed=True,
)
def roi_align(
    x: Tensor,
    rois: Tensor,
    batch_indices: Tensor,
    *,
    coordinate_transformation_mode: str = "half_pixel",
    mode: str = "avg",
    output_height: int = 1,
    output_width: int = 1,
    sampling_ratio: int = 0,
    spatial_scale: float = 1.0,
) -> Tensor:
    """Mean or greatest of samples in each bin of a region, in binary64, rounded once.

    Ends of regions and lengths of bins are computed step by step in the element type.
    A sample is w1 v1 + w2 v2 + w3 v3 + w4 v4, added in this order, or the greatest of these four
    products with `max`; samples are added row by row.  With ratio 0 a bin has as many samples along
    an axis as ceil(its length), but no more than ceil(length of the axis / bins).  A sample whose
    place is not inside [-1, length] is 0.
    """
    shift = 0.5 if coordinate_transformation_mode == "half_pixel" else 0.0
    places = rois * rois.dtype.type(spatial_scale) - rois.dtype.type(shift)
    extents = places[:, 2:] - places[:, :2]
    bins = (output_height, output_width)
    extents = extents if shift else np.maximum(extents, 1)
    steps = extents[:, ::-1] / np.array(bins, rois.dtype)
    found, wide = np.zeros((len(rois), x.shape[1], *bins)), x.astype(np.float64)
    images = inside(batch_indices, x.shape[0]) if len(rois) else batch_indices
    for region, image in enumerate(images):
        rows, columns = (
            _side(float(places[region, 1 - axis]), float(steps[region, axis]), *lengths)
            for axis, lengths in enumerate(
                zip(x.shape[2:], bins, (sampling_ratio,) * 2, strict=True)
            )
        )
        found[region] = _bins(wide[image], rows, columns, bins, mode)
    return found.astype(x.dtype)


earlier(
    "RoiAlign",
    since=10,
    of=16,
    settles={"coordinate_transformation_mode": "output_half_pixel"},
)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Samples along one axis of a region."""

    elements: tuple[Tensor, Tensor]
    """The element at or before each sample, and the one behind."""
    weights: tuple[Floats, Floats]
    """What they weigh; 0 for a sample that lies outside."""
    count: int
    """Samples of one bin."""


def _side(start: float, step: float, length: int, bins: int, ratio: int) -> Side:
    most = samples_max(length, bins, ratio)
    wanted = float(np.ceil(step)) if np.isfinite(step) else 0.0
    count = ratio if ratio > 0 else int(min(max(wanted, 0.0), most))
    bin_starts = start + np.arange(bins, dtype=np.float64).reshape(-1, 1) * step
    within = (np.arange(count, dtype=np.float64) + 0.5) * step / max(count, 1)
    place = (bin_starts + within).reshape(-1)
    seen = (place >= -1.0) & (place <= length)
    place = np.clip(np.where(seen, place, 0.0), 0.0, length - 1.0)
    low = np.minimum(np.floor(place), max(length - 2, 0))
    first, behind = low.astype(np.int64), place - low
    weights = np.where(seen, 1.0 - behind, 0.0), np.where(seen, behind, 0.0)
    return Side((first, np.minimum(first + 1, length - 1)), weights, count)


def _bins(image: Floats, rows: Side, columns: Side, bins: Shape, mode: str) -> Floats:
    channels, grid = image.shape[0], (rows.count, columns.count)
    result: Floats = np.zeros((channels, *bins))
    if 0 in grid:
        return result
    total: Floats | None = None
    for row, height in zip(rows.elements, rows.weights, strict=True):
        for column, width in zip(columns.elements, columns.weights, strict=True):
            part = np.take(np.take(image, row, axis=1), column, axis=2)
            part = part * (height[:, np.newaxis] * width)
            if total is None:
                total = part
            else:
                total = total + part if mode == "avg" else maximum(total, part)
    assert total is not None
    samples = total.reshape(channels, bins[0], grid[0], bins[1], grid[1])
    if mode == "max":
        return greatest(samples, (2, 4), keepdims=False)
    for down, along in product(range(grid[0]), range(grid[1])):
        result = result + samples[:, :, down, :, along]
    return result / (grid[0] * grid[1])


def _max_roi_pool(call: Call) -> tuple[Operand, ...]:
    data, rois = call.at(0), call.at(1)
    bins = call.wholes("pooled_shape") or ()
    require_rank(data, range(4, 5), "X")
    require_dtype(rois, (data.dtype,), "rois")
    require_shape(rois, (*rois.shape[:1], 5), "rois")
    if len(bins) != 2 or min(bins) < 1 or max(bins) > SIDE_MAX:
        raise Mismatch(f"pooled_shape is {list(bins)}")
    if 0 in (data.shape[0], *data.shape[2:]):
        raise Mismatch(f"nothing to pool in {data}")
    return (Operand(data.dtype, (rois.shape[0], data.shape[1], *bins)),)


def _max_cost(call: Call) -> int:
    data, (regions, channels, *bins) = call.at(0), call.outputs[0].shape
    area = (data.shape[2] + 2 * bins[0]) * (data.shape[3] + 2 * bins[1])
    return regions * (REGION_GAS + GRID_GAS * size(tuple(bins)) + gas(2_000 * channels * area))


@operator("MaxRoiPool", since=(1, 22), infer=_max_roi_pool, cost=_max_cost, values=FLOATS)
def max_roi_pool(
    x: Tensor, rois: Tensor, *, pooled_shape: tuple[int, ...], spatial_scale: float = 1.0
) -> Tensor:
    """Greatest of each bin of a region, 0 of an empty one; NaN if there is one; a zero is +0.

    Ends of regions are rounded half away from zero; bins end at whole elements, outwards.
    """
    found = np.zeros((len(rois), x.shape[1], *pooled_shape), x.dtype)
    wide = np.where(np.isfinite(rois), rois, 0).astype(np.float64)
    scaled = wide[:, 1:] * spatial_scale
    ends = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled)
    for region, (left, top, right, bottom) in enumerate(ends.tolist()):
        image = int(np.mod(np.trunc(wide[region, 0]), x.shape[0]))
        rows = _bin_ends(top, bottom, x.shape[2], pooled_shape[0])
        columns = _bin_ends(left, right, x.shape[3], pooled_shape[1])
        for (row, height), (column, width) in product(enumerate(rows), enumerate(columns)):
            part = x[image, :, slice(*height), slice(*width)]
            if part.size:
                found[region, :, row, column] = greatest(part, (1, 2), keepdims=False)
    return found


def _bin_ends(start: float, end: float, length: int, bins: int) -> list[tuple[int, int]]:
    step = max(end - start + 1.0, 1.0) / bins
    number = np.arange(bins, dtype=np.float64)
    first = np.clip(np.floor(number * step) + start, 0.0, length).astype(np.int64)
    last = np.clip(np.ceil((number + 1.0) * step) + start, 0.0, length).astype(np.int64)
    return [(int(low), int(high)) for low, high in zip(first, last, strict=True)]
