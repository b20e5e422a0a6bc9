"""Prepared convolutions against the operator: every way, shapes of all kinds, hostile values."""

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ai_exec.fast import convolution
from ai_exec.fast.convolution import (
    Depth,
    Direct,
    PreparedConvolution,
    Squares,
    channels_last,
    channels_second,
)
from ai_exec.fast.convolution_finish import ending_of
from ai_exec.fast.convolution_kernels import Packed, panel_columns, square_kernels
from ai_exec.ops.convolution import conv
from ai_exec.ops.deconvolution import conv_transpose
from ai_exec.ops.windows import windows
from ai_exec.tensor import Tensor

HOSTILE = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e38, -1e38, 1e-38, 1e-45, -1e-45, 3.4e38)


def numbers(seed: int, shape: tuple[int, ...], hostile: int = 0) -> Tensor:
    """Give normal numbers with some hostile ones among them."""
    random = np.random.default_rng(seed)
    found = random.standard_normal(shape).astype(np.float32)
    places = random.integers(0, found.size, hostile)
    found.reshape(-1)[places] = random.choice(np.array(HOSTILE, np.float32), hostile)
    return found


def attributes(rank: int, **given: Any) -> dict[str, Any]:
    """Give the attributes of a convolution over so many axes."""
    usual = {
        "group": 1,
        "strides": (1,) * rank,
        "dilations": (1,) * rank,
        "pads": (0,) * (2 * rank),
        "auto_pad": "NOTSET",
    }
    return {**usual, **given}


def prepared_and_expected(
    x: Tensor, w: Tensor, b: Tensor | None, given: dict[str, Any]
) -> tuple[PreparedConvolution, Tensor, Tensor]:
    """Give the convolution, its results and the operator's."""
    with np.errstate(all="ignore"):
        prepared = PreparedConvolution(x.shape, w, b, given)
        found, sizes = prepared.run(x)
        bits = np.abs(found).view(np.int32)
        np.testing.assert_array_equal(sizes, bits.max(axis=tuple(range(2, x.ndim))))
        return prepared, found, conv(x, w, b, **given)


def assert_same_bits(found: Tensor, expected: Tensor) -> None:
    """Compare bits, all NaNs alike."""
    assert found.shape == expected.shape
    bits = [np.where(np.isnan(one), np.float32(7), one).view(np.int32) for one in (found, expected)]
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_array_equal(*bits)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor | None, dict[str, Any]]:
    """Operands and attributes whose windows fit."""
    rank = draw(st.sampled_from((1, 2, 2, 2, 3)))
    sizes = [draw(st.integers(1, 4)) for _ in range(rank)]
    strides = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    dilations = tuple(draw(st.integers(1, 2)) for _ in range(rank))
    pads = tuple(draw(st.integers(0, 3)) for _ in range(2 * rank))
    reach = [(size - 1) * dilation + 1 for size, dilation in zip(sizes, dilations, strict=True)]
    lengths = [
        max(1, least - pads[axis] - pads[rank + axis]) + draw(st.integers(0, 7))
        for axis, least in enumerate(reach)
    ]
    group, by_channel = draw(st.integers(1, 3)), draw(st.booleans())
    channels, maps = draw(st.sampled_from((1, 2, 5, 8, 17))), draw(st.sampled_from((1, 3, 8, 25)))
    if by_channel:
        group, channels, maps = draw(st.sampled_from((1, 7, 8, 19))), 1, draw(st.integers(1, 2))
    seed, hostile = draw(st.integers(0, 1 << 16)), draw(st.sampled_from((0, 0, 1, 2)))
    x = numbers(seed, (draw(st.integers(1, 2)), group * channels, *lengths), hostile)
    w = numbers(seed + 1, (group * maps, channels, *sizes), draw(st.sampled_from((0, 0, 0, 1))))
    b = numbers(seed + 2, (group * maps,), hostile) if draw(st.booleans()) else None
    given = attributes(rank, group=group, strides=strides, dilations=dilations, pads=pads)
    return x, w, b, given


@settings(max_examples=200, deadline=None)
@given(cases(), st.booleans(), st.booleans())
def test_bits_are_those_of_the_operator(case: Any, gathered: bool, last: bool) -> None:
    x, w, b, given = case
    if last:
        x = channels_second(channels_last(x))
    with pytest.MonkeyPatch.context() as patch:
        if gathered:
            patch.setattr(convolution, "IMAGE_BYTES_MAX", 0)
        prepared, found, expected = prepared_and_expected(x, w, b, given)
    assert not isinstance(prepared._way, Direct if gathered else ())
    assert_same_bits(found, expected)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 2),
    st.sampled_from((8, 9, 16, 40)),
    st.sampled_from((1, 8, 24, 30)),
    st.tuples(st.integers(8, 12), st.integers(8, 12)),
    st.tuples(*[st.integers(0, 2)] * 4),
    st.sampled_from((0, 0, 1, 3)),
    st.integers(0, 1 << 16),
)
def test_squares_have_the_bits_of_the_operator(
    samples: int, channels: int, maps: int, size: Any, pads: Any, hostile: int, seed: int
) -> None:
    x = numbers(seed, (samples, channels, *size), hostile)
    w, b = numbers(seed + 1, (maps, channels, 3, 3)), numbers(seed + 2, (maps,))
    # A great element makes the others small beside it, so that many fit into a chunk.
    w[:, 0, 1, 1] = 16.0
    prepared, found, expected = prepared_and_expected(x, w, b, attributes(2, pads=pads))
    assert isinstance(prepared._way, Squares)
    assert_same_bits(found, expected)


@pytest.mark.parametrize(
    ("channels", "maps", "given", "way"),
    [
        (300, 26, {"pads": (1, 1, 1, 1)}, Squares),
        (256, 5, {"pads": (1, 1, 1, 1)}, Squares),
        (256, 9, {"strides": (2, 2)}, Direct),
        (470, 5, {"pads": (0, 1, 1, 0), "dilations": (2, 1)}, Direct),
        (24, 24, {"group": 24, "strides": (2, 1)}, Depth),
        (24, 24, {"group": 24, "auto_pad": "SAME_UPPER", "pads": None}, Depth),
        (24, 48, {"group": 24}, Direct),
        (16, 8, {"group": 2, "auto_pad": "SAME_LOWER", "pads": None}, Direct),
    ],
)
def test_blocks_of_channels_and_groups(
    channels: int, maps: int, given: dict[str, Any], way: type
) -> None:
    w = numbers(2, (maps, channels // given.get("group", 1), 3, 3))
    for hostile in (0, 2):
        x = numbers(1, (2, channels, 9, 10), hostile)
        prepared, found, expected = prepared_and_expected(x, w, None, attributes(2, **given))
        assert isinstance(prepared._way, way)
        assert_same_bits(found, expected)


def test_a_view_with_channels_last_is_read_as_it_lies() -> None:
    x, w = numbers(1, (2, 16, 7, 7)), numbers(2, (8, 16, 3, 3))
    view = channels_second(channels_last(x))
    assert view.shape == x.shape
    assert np.shares_memory(channels_last(view), view)
    prepared = PreparedConvolution(x.shape, w, None, attributes(2))
    assert_same_bits(prepared.run(view)[0], prepared.run(x)[0])


def test_kernels_too_large_for_squares_go_another_way() -> None:
    w = np.ones((4, 32, 3, 3), np.float32)
    x = numbers(1, (1, 32, 8, 8))
    assert square_kernels(w).packed.size == 0
    prepared, found, expected = prepared_and_expected(x, w, None, attributes(2))
    assert isinstance(prepared._way, Direct)
    assert_same_bits(found, expected)


def in_one_chunk(kernels: Packed) -> Packed:
    """Give kernels of a single panel as if no sum could be too large."""
    width, start, parts = int(kernels.columns[-1]), 0, []
    for first, last, _ in kernels.chunks:
        size = int(last - first) * 16 * width
        parts.append(kernels.packed[start : start + size].reshape(16, -1, width))
        start += size
    packed = np.concatenate(parts, axis=1).reshape(-1)
    return replace(kernels, packed=packed, chunks=np.array([[0, kernels.chunks[-1, 1], 0]]))


def test_chunks_are_what_keeps_squares_exact() -> None:
    """Two halves that cancel: sums over all channels at once pass 2^53, and leave a rest."""
    random = np.random.default_rng(3)
    half = random.choice((-1, 1), (8, 112, 3, 3)) * random.uniform(0.2, 1, (8, 112, 3, 3))
    kernels = np.concatenate([half, -half], axis=1).astype(np.float32)
    image = random.uniform(0.9, 1, (1, 112, 8, 8))
    # The signs of a map's kernels, so that no product cancels before the second half.
    image = (image * np.sign(half[0, :, 1, 1]).reshape(1, -1, 1, 1)).astype(np.float32)
    x = np.concatenate([image, image], axis=1)
    half[0] = np.abs(half[0]) * np.sign(half[0, :, 1:2, 1:2])
    kernels[0] = np.concatenate([half[0], -half[0]]).astype(np.float32)
    packed = square_kernels(kernels)
    assert len(packed.chunks) > 1
    expected = conv(x, kernels, **attributes(2))
    np.testing.assert_array_equal(expected, np.zeros((1, 8, 6, 6), np.float32))

    def run(kernels: Packed) -> Tensor:
        out = np.empty((36, 8), np.float32)
        nothing = np.zeros((1, 1), np.float32)
        way = Squares(kernels, (0, 0), (6, 6))
        known, sizes = np.zeros((1, 0), np.int32), np.zeros((1, 8), np.int32)
        data = x.reshape(1, 224, 1, 8, 8)
        way.run(data, (ending_of((), None, 8), nothing, known, out, sizes))
        return out.T.reshape(1, 8, 6, 6)

    assert_same_bits(run(packed), expected)
    assert np.any(run(in_one_chunk(packed)) != 0)


@pytest.mark.parametrize("maps", range(1, 130))
def test_panels_hold_all_maps(maps: int) -> None:
    columns = panel_columns(maps)
    lanes = panel_columns(1)[-1] // 2
    assert columns[0] == 0
    assert set(np.diff(columns)) <= {2 * lanes, 3 * lanes}
    assert maps <= columns[-1] < max(maps + lanes, 2 * lanes + 1)


def test_windows_that_lie_in_the_padding_only() -> None:
    x, w = numbers(1, (1, 3, 2, 2)), numbers(2, (4, 3, 1, 1))
    given = attributes(2, pads=(3, 3, 3, 3))
    assert windows((2, 2), (1, 1), strides=None, dilations=None, pads=(3,) * 4, auto_pad="NOTSET")
    _, found, expected = prepared_and_expected(x, w, numbers(3, (4,)), given)
    assert_same_bits(found, expected)


@st.composite
def paintings(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor | None, dict[str, Any]]:
    """Operands and attributes of transposed convolutions, of which something is left."""
    rank = draw(st.sampled_from((1, 2, 2, 2, 3)))
    sizes = [draw(st.integers(1, 5)) for _ in range(rank)]
    strides = tuple(draw(st.integers(1, 4)) for _ in range(rank))
    dilations = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    lengths = [draw(st.integers(1, 6)) for _ in range(rank)]
    extra = tuple(draw(st.integers(0, 5)) for _ in range(rank))
    full = [
        (length - 1) * stride + (size - 1) * dilation + 1 + more
        for length, stride, size, dilation, more in zip(
            lengths, strides, sizes, dilations, extra, strict=True
        )
    ]
    before = [draw(st.integers(0, min(3, length - 1))) for length in full]
    after = [draw(st.integers(0, min(3, b - a - 1))) for a, b in zip(before, full, strict=True)]
    kind = draw(st.sampled_from(("pads", "pads", "shape", "SAME_UPPER", "SAME_LOWER")))
    given: dict[str, Any] = {
        "group": draw(st.integers(1, 3)),
        "strides": strides,
        "dilations": dilations,
        "output_padding": extra,
        "auto_pad": kind if kind.startswith("SAME") else "NOTSET",
        "output_shape": None,
        "pads": (*before, *after) if kind == "pads" else None,
    }
    if kind == "shape":
        given["output_shape"] = tuple(draw(st.integers(1, length + 4)) for length in full)
    channels, maps = draw(st.sampled_from((1, 2, 5, 8, 17))), draw(st.sampled_from((1, 3, 8, 25)))
    seed, hostile = draw(st.integers(0, 1 << 16)), draw(st.sampled_from((0, 0, 1, 2)))
    group = given["group"]
    x = numbers(seed, (draw(st.integers(1, 2)), group * channels, *lengths), hostile)
    w = numbers(seed + 1, (group * channels, maps, *sizes), draw(st.sampled_from((0, 0, 0, 1))))
    b = numbers(seed + 2, (group * maps,), hostile) if draw(st.booleans()) else None
    return x, w, b, given


def painted_and_expected(
    x: Tensor, w: Tensor, b: Tensor | None, given: dict[str, Any]
) -> tuple[Tensor, Tensor]:
    """Give the results of a prepared transposed convolution and the operator's."""
    with np.errstate(all="ignore"):
        found, sizes = PreparedConvolution(x.shape, w, b, given, painting=True).run(x)
        bits = np.abs(found).view(np.int32)
        np.testing.assert_array_equal(sizes, bits.max(axis=tuple(range(2, x.ndim))))
        return found, conv_transpose(x, w, b, **given)


@settings(max_examples=200, deadline=None)
@given(paintings())
def test_painting_has_the_bits_of_the_operator(case: Any) -> None:
    assert_same_bits(*painted_and_expected(*case))


def test_painting_by_blocks_of_channels_and_of_sums_that_cancel() -> None:
    x, w = numbers(1, (1, 700, 4, 5)), numbers(2, (700, 9, 3, 3))
    x[:, 350:], w[350:] = x[:, :350], -w[:350]
    given = attributes(2, strides=(2, 2), output_padding=(1, 1), output_shape=None)
    found, expected = painted_and_expected(x, w, numbers(3, (9,)), given)
    assert_same_bits(found, expected)
    x[0, 3, 2, 2] = np.inf
    assert_same_bits(*painted_and_expected(x, w, None, given))
