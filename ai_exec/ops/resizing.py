"""Resize and Upsample: which axes become how long (see `interpolation` for the elements)."""

from typing import Final

import numpy as np

from ai_exec.metering import MOVE_PICOSECONDS, gas
from ai_exec.ops.interpolation import MODES, PLACES, ROUNDINGS, Filter, Stretch, stretched
from ai_exec.ops.rules import (
    FLOATS,
    INTEGERS,
    LIST_LENGTH_MAX,
    axis_of,
    bounds_of,
    listed,
    require_dtype,
    require_rank,
    require_shape,
    require_word,
    size,
    wholes_of,
)
from ai_exec.registry import Attributes, Call, Mismatch, Operand, earlier, operator
from ai_exec.tensor import Shape, Tensor

Wholes = tuple[int, ...]

POLICIES: Final = ("stretch", "not_larger", "not_smaller")

NEAREST_PICOSECONDS: Final = 3_000
"""Picking one element along one axis."""
TAP_PICOSECONDS: Final = 10_000
"""Taking one element, multiplying it by its weight and adding it."""
TAP_GAS: Final = 35_000
"""One tap along one axis, whatever the tensor holds."""
AXIS_GAS: Final = 40_000
"""Places along one axis."""


def by_scales(shape: Shape, axes: Wholes, scales: Tensor) -> tuple[Stretch, ...]:
    """Give the resized axes; a length is the product in binary32, cut.  Raises Mismatch."""
    factors = [float(scale) for scale in scales.reshape(-1)]
    if len(factors) != len(axes):
        raise Mismatch(f"{len(factors)} scales for {len(axes)} axes")
    found = []
    for axis, factor in zip(axes, factors, strict=True):
        with np.errstate(all="ignore"):
            length = np.float32(shape[axis]) * np.float32(factor)
        if not (factor > 0.0 and np.isfinite(length)):
            raise Mismatch(f"scale {factor} of an axis of length {shape[axis]}")
        found.append(Stretch(axis, shape[axis], int(length), factor))
    return _checked(found)


def by_sizes(shape: Shape, axes: Wholes, sizes: Wholes, policy: str) -> tuple[Stretch, ...]:
    """Give the resized axes; with a policy all have one scale.  Raises Mismatch."""
    if len(sizes) != len(axes) or any(length < 0 for length in sizes):
        raise Mismatch(f"sizes {list(sizes)} for {len(axes)} axes")
    lengths = [shape[axis] for axis in axes]
    scales = [outputs / max(length, 1) for outputs, length in zip(sizes, lengths, strict=True)]
    if policy != "stretch" and axes:
        scales = [min(scales) if policy == "not_larger" else max(scales)] * len(axes)
        sizes = tuple(
            int(scale * length + 0.5) for scale, length in zip(scales, lengths, strict=True)
        )
    parts = zip(axes, lengths, sizes, scales, strict=True)
    return _checked([Stretch(*part) for part in parts])


def cropped(stretches: tuple[Stretch, ...], axes: Wholes, roi: Tensor) -> tuple[Stretch, ...]:
    """Give the axes with the part of each that `roi` says: all starts, then all ends."""
    ends = roi.astype(np.float64).reshape(2, len(axes))
    part = {axis: (float(ends[0, at]), float(ends[1, at])) for at, axis in enumerate(axes)}
    return tuple(
        Stretch(one.axis, one.length, one.outputs, one.scale, *part[one.axis]) for one in stretches
    )


def _checked(stretches: list[Stretch]) -> tuple[Stretch, ...]:
    for stretch in stretches:
        if stretch.outputs and not stretch.length:
            raise Mismatch(f"axis {stretch.axis} of length 0 cannot be resized")
    return tuple(stretches)


def _axes_of(rank: int, axes: Wholes | None) -> Wholes:
    found = tuple(range(rank)) if axes is None else tuple(axis_of(axis, rank) for axis in axes)
    if len(set(found)) != len(found):
        raise Mismatch(f"axes {list(found)} name one twice")
    return found


def _scales_of(call: Call, index: int) -> Tensor:
    scales = call.at(index)
    require_dtype(scales, ("float32",), "scales")
    require_rank(scales, range(1, 2), "scales")
    if size(scales.shape) > LIST_LENGTH_MAX:
        raise Mismatch(f"scales is {scales}, longer than {LIST_LENGTH_MAX}")
    if call.known(index) is None and scales.span is not None:
        return np.broadcast_to(scales.span.high, scales.shape)
    return call.constant(index)


def _sizes_of(call: Call, index: int) -> Wholes:
    """Give the sizes, or the most that they can be where a run tells them."""
    if call.known(index) is None:
        return bounds_of(call, index)[1]
    return wholes_of(call, index)


def _given(call: Call, index: int) -> bool:
    """Tell whether an input is neither left out nor empty."""
    operand = call.optional(index)
    return operand is not None and size(operand.shape) > 0


def _stretches(call: Call) -> tuple[Stretch, ...]:
    """Give the axes that a node of any version resizes; raises Mismatch."""
    shape, given = call.at(0).shape, call.attributes
    if "width_scale" in given:
        require_rank(call.at(0), range(4, 5), "X")
        pair = (given["height_scale"], given["width_scale"])
        return by_scales(shape, (2, 3), np.array(pair, np.float32))
    axes = _axes_of(len(shape), call.wholes("axes") if "axes" in given else None)
    if "scales" in given:
        return by_scales(shape, axes, np.array(given["scales"], np.float32))
    if "coordinate_transformation_mode" not in given:
        return by_scales(shape, axes, _scales_of(call, 1))
    if _given(call, 2) == _given(call, 3):
        raise Mismatch("give either scales or sizes")
    if _given(call, 3):
        policy = str(given.get("keep_aspect_ratio_policy", "stretch"))
        return by_sizes(shape, axes, _sizes_of(call, 3), policy)
    return by_scales(shape, axes, _scales_of(call, 2))


def _resize(call: Call) -> tuple[Operand, ...]:
    require_word(call, "mode", (*MODES, "bilinear"))
    require_word(call, "coordinate_transformation_mode", PLACES)
    require_word(call, "nearest_mode", ROUNDINGS)
    require_word(call, "keep_aspect_ratio_policy", POLICIES)
    nearest, data = call.word("mode") == "nearest", call.at(0)
    if data.dtype == "bool" and not nearest:
        raise Mismatch(f"mode {call.word('mode')} of truth values")
    if call.attributes.get("antialias") and nearest:
        raise Mismatch("antialias with mode nearest")
    if call.attributes.get("coordinate_transformation_mode") == "tf_crop_and_resize":
        axes = call.wholes("axes") if "axes" in call.attributes else None
        require_dtype(call.at(1), FLOATS, "roi")
        require_shape(call.at(1), (2 * len(_axes_of(data.rank, axes)),), "roi")
    shape = list(data.shape)
    for stretch in _stretches(call):
        shape[stretch.axis] = stretch.outputs
    told = [index for index in range(1, len(call.inputs)) if _given(call, index)]
    exact = all(call.known(index) is not None for index in told)
    return (Operand(data.dtype, tuple(shape), exact=exact),)


def _work(call: Call) -> tuple[int, int]:
    """Give the gas of a node, and the most elements that it holds in between."""
    filter_ = Filter(_mode(call.word("mode")), antialias=bool(call.attributes.get("antialias")))
    crops = call.attributes.get("coordinate_transformation_mode") == "tf_crop_and_resize"
    shape, result = list(call.at(0).shape), call.outputs[0].shape
    work, most = gas(MOVE_PICOSECONDS * size(result)), size(tuple(shape))
    for stretch in _likely(call):
        idle = not stretch.outputs or (stretch.is_idle and not crops)
        taps = 0 if idle else len(filter_.taps(stretch.scale))
        shape[stretch.axis] = stretch.outputs
        elements = size(tuple(shape))
        work += (
            AXIS_GAS
            + gas((TAP_PICOSECONDS if taps > 1 else NEAREST_PICOSECONDS) * taps * elements)
            + taps * TAP_GAS
        )
        most = max(most, elements)
    return work, most


def _likely(call: Call) -> tuple[Stretch, ...]:
    """Give the resized axes; all of them, by their lengths, where that is not known yet."""
    try:
        return _stretches(call)
    except Mismatch:
        lengths = zip(call.at(0).shape, call.outputs[0].shape, strict=True)
        return tuple(
            Stretch(axis, length, outputs, outputs / max(length, 1))
            for axis, (length, outputs) in enumerate(lengths)
        )


def _cost(call: Call) -> int:
    return _work(call)[0]


def _scratch(call: Call) -> int:
    return 32 * _work(call)[1]


def _mode(mode: str) -> str:
    return "linear" if mode == "bilinear" else mode


VALUES: Final = (*FLOATS, *INTEGERS, "bool")


@operator(
    "Upsample", since=1, infer=_resize, cost=_cost, scratch=_scratch, values=VALUES, mixed=True
)
def upsample_1(
    x: Tensor, *, height_scale: float, mode: str = "nearest", width_scale: float
) -> Tensor:
    """As `Resize` 10 of the last two axes of four."""
    scales = np.array((height_scale, width_scale), np.float32)
    return stretched(x, by_scales(x.shape, (2, 3), scales), Filter(_mode(mode)))


@operator(
    "Upsample", since=7, infer=_resize, cost=_cost, scratch=_scratch, values=VALUES, mixed=True
)
def upsample_7(x: Tensor, *, mode: str = "nearest", scales: tuple[float, ...]) -> Tensor:
    """As `Resize` 10."""
    return resize_10(x, np.array(scales, np.float32), mode=mode)


@operator("Upsample", since=(9, 10), infer=_resize, cost=_cost, scratch=_scratch, values=VALUES)
@operator(
    "Resize", since=10, infer=_resize, cost=_cost, scratch=_scratch, values=VALUES, mixed=True
)
def resize_10(x: Tensor, scales: Tensor, *, mode: str = "nearest") -> Tensor:
    """As later versions at `asymmetric` places; nearest is up where an axis shrinks, else down."""
    return stretched(x, by_scales(x.shape, _axes_of(x.ndim, None), scales), Filter(_mode(mode)))


@operator(
    "Resize", since=(18, 19), infer=_resize, cost=_cost, scratch=_scratch, values=VALUES, mixed=True
)
def resize(
    x: Tensor,
    roi: Tensor | None = None,
    scales: Tensor | None = None,
    sizes: Tensor | None = None,
    *,
    antialias: int = 0,
    axes: Wholes | None = None,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: str = "stretch",
    mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> Tensor:
    """Weighted neighbours axis by axis in binary64, rounded once (see `interpolation`)."""
    found = _found(x.shape, scales, sizes, axes, keep_aspect_ratio_policy)
    if coordinate_transformation_mode == "tf_crop_and_resize":
        assert roi is not None
        found = cropped(found, _axes_of(x.ndim, axes), roi)
    filter_ = Filter(
        _mode(mode),
        coordinate_transformation_mode,
        nearest_mode,
        cubic_coeff_a,
        bool(antialias),
        bool(exclude_outside),
        extrapolation_value,
    )
    return stretched(x, found, filter_)


def _found(
    shape: Shape, scales: Tensor | None, sizes: Tensor | None, axes: Wholes | None, policy: str
) -> tuple[Stretch, ...]:
    along = _axes_of(len(shape), axes)
    if sizes is not None and sizes.size:
        return by_sizes(shape, along, listed(sizes), policy)
    assert scales is not None
    return by_scales(shape, along, scales)


def linear_stretches(
    shape: Shape, scales: Tensor | None, sizes: Tensor | None, given: Attributes
) -> tuple[tuple[Stretch, ...], Filter] | None:
    """Give what `resize` does to a shape if it weighs neighbours and crops nothing, else None."""
    place, axes = str(given["coordinate_transformation_mode"]), given.get("axes")
    mode = _mode(str(given["mode"]))
    if mode == "nearest" or place == "tf_crop_and_resize":
        return None
    policy, cubic = str(given.get("keep_aspect_ratio_policy", "stretch")), given["cubic_coeff_a"]
    assert isinstance(cubic, float)
    found = _found(shape, scales, sizes, axes, policy)  # type: ignore[arg-type]
    outside = bool(given["exclude_outside"])
    antialias = bool(given.get("antialias"))
    return found, Filter(mode, place, "", cubic, antialias, outside)


earlier(
    "Resize",
    since=11,
    of=18,
    lacks=("antialias", "axes", "keep_aspect_ratio_policy"),
    inputs_needed=3,
)


earlier("Resize", since=13, of=18, lacks=("antialias", "axes", "keep_aspect_ratio_policy"))
