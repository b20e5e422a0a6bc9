"""Interpolation along axes, for Resize and Upsample.

Nearest neighbours are picked (R5), by places computed in binary32.  All else is a pinned sequence
of binary64 operations, axis by axis, rounded once at the end: to the element type, or to a whole
number half to even, saturating.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ai_exec.ops.rules import FLOATS
from ai_exec.semantics.numerics import Floats, cast
from ai_exec.tensor import Tensor

MODES: Final = ("nearest", "linear", "cubic")
PLACES: Final = (
    *("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners"),
    *("asymmetric", "tf_crop_and_resize", "tf_half_pixel_for_nn"),
)
ROUNDINGS: Final = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


@dataclass(frozen=True, slots=True)
class Stretch:
    """How one axis is resized."""

    axis: int
    length: int
    outputs: int
    scale: float
    start: float = 0.0
    """With `end`: the part of the axis to crop, where that is asked for; 1 is the last element."""
    end: float = 1.0

    @property
    def width(self) -> float:
        """Length of the resized axis before it is cut to a whole number."""
        return self.scale * self.length

    @property
    def is_idle(self) -> bool:
        """Whether the axis stays as it is."""
        whole = (self.start, self.end) == (0.0, 1.0)
        return whole and self.scale == 1.0 and self.length == self.outputs


@dataclass(frozen=True, slots=True)
class Filter:
    """How elements are weighed."""

    mode: str = "nearest"
    place: str = "asymmetric"
    rounding: str = "simple"
    """Only of `nearest`; "simple" rounds up where the axis shrinks, else down."""
    coefficient: float = -0.75
    antialias: bool = False
    exclude_outside: bool = False
    extrapolation: float = 0.0

    def taps(self, scale: float) -> range:
        """Give where the weighed elements lie, counted from the one at or before the place."""
        reach = {"nearest": 0, "linear": 1, "cubic": 2}[self.mode]
        first = int(np.floor(-reach / self._squeeze(scale))) + 1
        return range(first, 2 - first) if reach else range(1)

    def weights(self, ratio: Floats, scale: float) -> list[Floats]:
        """Give the weight of each tap for places that lie `ratio` behind tap 0."""
        squeeze = self._squeeze(scale)
        found = [self._weight(np.abs(tap - ratio) * squeeze) for tap in self.taps(scale)]
        return _shares(found) if self.antialias else found

    def _squeeze(self, scale: float) -> float:
        return min(scale, 1.0) if self.antialias else 1.0

    def _weight(self, x: Floats) -> Floats:
        if self.mode == "linear":
            return np.clip(1.0 - x, 0.0, 1.0)
        a = self.coefficient
        near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
        far = ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
        return np.where(x <= 1.0, near, np.where(x < 2.0, far, 0.0))


def coordinates(stretch: Stretch, place: str, dtype: str) -> Tensor:
    """Give where each output lies on the input's axis, each step rounded to the given type."""
    x: Tensor = np.arange(stretch.outputs, dtype=dtype)
    return np.asarray(_places(x, stretch, place)) if stretch.outputs else x


def _places(x: Any, stretch: Stretch, place: str) -> Any:
    scale, width, last, start, end = np.array(
        [stretch.scale, stretch.width, stretch.length - 1, stretch.start, stretch.end]
    ).astype(x.dtype)
    if place == "asymmetric":
        return x / scale
    if place == "tf_half_pixel_for_nn":
        return (x + 0.5) / scale
    if place == "align_corners":
        return x * last / (width - 1.0) if width != 1.0 else x * 0.0
    if place == "tf_crop_and_resize":
        if stretch.outputs == 1:
            return x + (start + end) * 0.5 * last
        return start * last + x * (end - start) * last / (stretch.outputs - 1.0)
    if place == "pytorch_half_pixel" and stretch.outputs == 1:
        return x
    if place == "half_pixel_symmetric":
        offset = (1.0 - stretch.outputs / width) * (stretch.length / 2.0)
        return offset + (x + 0.5) / scale - 0.5
    return (x + 0.5) / scale - 0.5


def nearest(place: Tensor, rounding: str, stretch: Stretch) -> Tensor:
    """Round places to elements."""
    x = place.astype(np.float64)
    if rounding == "simple":
        rounding = "ceil" if stretch.scale < 1.0 else "floor"
    found = {
        "floor": lambda: np.floor(x),
        "ceil": lambda: np.ceil(x),
        "round_prefer_floor": lambda: np.ceil(x - 0.5),
        "round_prefer_ceil": lambda: np.floor(x + 0.5),
    }[rounding]()
    return np.clip(found, 0, stretch.length - 1).astype(np.int64)


def stretched(data: Tensor, stretches: tuple[Stretch, ...], filter_: Filter) -> Tensor:
    """Resize a tensor along axes, one after the other.

    An output is the sum of its taps in their order, each weight times element.  Taps before the
    first element or behind the last take that one's value, or with `exclude_outside` weight 0, the
    weights then divided by their sum.  Weights of `antialias` are divided by their sum first.
    With `tf_crop_and_resize` an output with a place outside the tensor is the extrapolation value.
    """
    picks = filter_.mode == "nearest"
    total = data if picks else data.astype(np.float64)
    outside: Tensor = np.zeros((1,) * data.ndim, np.bool_)
    for stretch in stretches:
        if stretch.is_idle:
            continue
        x = coordinates(stretch, filter_.place, "float32" if picks else "float64")
        if filter_.place == "tf_crop_and_resize":
            inside = (x >= 0.0) & (x <= stretch.length - 1)
            outside = outside | _along(~inside, stretch.axis, data.ndim)
            x = np.where(inside, x, 0.0)
        if picks:
            total = np.take(total, nearest(x, filter_.rounding, stretch), axis=stretch.axis)
        else:
            total = _interpolated(total, x, stretch, filter_)
    found = total if picks else _rounded(total, data.dtype.name)
    if not outside.any():
        return found
    value = cast(np.array(filter_.extrapolation, np.float64), data.dtype.name)
    return np.asarray(np.where(outside, value, found))


def taps_of(x: Floats, stretch: Stretch, filter_: Filter) -> list[tuple[Tensor, Floats]]:
    """Give for each tap which element it takes for each place, and what that one weighs."""
    if not stretch.outputs:
        # A scale so small may ask for more taps than can be counted.
        return [(x.astype(np.int64), x)]
    base = np.floor(x)
    taps = filter_.taps(stretch.scale)
    weights = filter_.weights(x - base, stretch.scale)
    places = [base + tap for tap in taps]
    if filter_.exclude_outside:
        kept = [(place >= 0) & (place < stretch.length) for place in places]
        weights = _shares([np.where(*pair, 0.0) for pair in zip(kept, weights, strict=True)])
    inside = [np.clip(place, 0, stretch.length - 1).astype(np.int64) for place in places]
    return list(zip(inside, weights, strict=True))


def _interpolated(data: Tensor, x: Floats, stretch: Stretch, filter_: Filter) -> Tensor:
    total: Tensor = np.zeros(())
    for index, (inside, weight) in enumerate(taps_of(x, stretch, filter_)):
        part = np.take(data, inside, axis=stretch.axis) * _along(weight, stretch.axis, data.ndim)
        total = total + part if index else part
    return total


def _shares(weights: list[Floats]) -> list[Floats]:
    total = weights[0]
    for weight in weights[1:]:
        total = total + weight
    return [weight / np.where(total == 0.0, 1.0, total) for weight in weights]


def _along(values: Tensor, axis: int, rank: int) -> Tensor:
    return values.reshape((1,) * axis + (-1,) + (1,) * (rank - axis - 1))


def _rounded(total: Tensor, dtype: str) -> Tensor:
    return total.astype(dtype) if dtype in FLOATS else cast(np.rint(total), dtype)
