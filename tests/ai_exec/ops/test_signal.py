"""Fourier transforms beside numpy's in binary64, windows and mel weights beside formulas."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from ai_exec.ops.fourier import circle
from tests.support.one_node import assert_same, computed, ours, reasons, theirs


def numbers(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(shape).normal(size=shape).astype(dtype)


def pairs(x: np.ndarray) -> np.ndarray:
    return np.stack([x.real, x.imag], axis=-1)


def as_complex(x: np.ndarray) -> np.ndarray:
    return x[..., 0] + 1j * x[..., 1] if x.shape[-1] == 2 else x[..., 0].astype(complex)


TOLERANCES = {"float32": 1e-6, "float64": 1e-14}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("length", [1, 2, 5, 8, 12, 30])
@pytest.mark.parametrize("inverse", [0, 1])
@pytest.mark.parametrize("parts", [1, 2])
def test_transforms(parts: int, inverse: int, length: int, dtype: str) -> None:
    x = numbers(3, 12, parts, dtype=dtype)

    (found,) = computed("DFT", 20, x, np.array(length), np.array(1), inverse=inverse)

    transform = np.fft.ifft if inverse else np.fft.fft
    expected = pairs(transform(as_complex(x.astype(float)), n=length, axis=1))
    assert_same([found], [expected.astype(dtype)], TOLERANCES[dtype])


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("length", [6, 7, 10, 20])
def test_one_side(length: int, dtype: str) -> None:
    x = numbers(2, 10, 3, 1, dtype=dtype)

    (half,) = computed("DFT", 17, x, np.array(length), axis=1, onesided=1)
    (back,) = computed("DFT", 17, half, np.array(length), axis=1, onesided=1, inverse=1)

    expected = pairs(np.fft.rfft(x[..., 0].astype(float), n=length, axis=1))
    assert_same([half], [expected.astype(dtype)], TOLERANCES[dtype])
    padded = np.zeros((2, length, 3, 1), dtype)
    padded[:, : min(length, 10)] = x[:, :length]
    assert_same([back], [padded], TOLERANCES[dtype])


def test_default_axis_and_length() -> None:
    half = numbers(2, 5, 2)

    (found,) = computed("DFT", 20, half, onesided=1, inverse=1)

    expected = np.fft.irfft(as_complex(half.astype(float)), axis=1)[..., np.newaxis]
    assert_same([found], [expected.astype(np.float32)])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 1000])
def test_circle(count: int) -> None:
    places = np.arange(-2 * count, 3 * count)

    cosine, sine = circle(places, count)

    angle = places / np.float64(count) * 2 * np.pi
    np.testing.assert_allclose(cosine, np.cos(angle), atol=4e-15)
    np.testing.assert_allclose(sine, np.sin(angle), atol=4e-15)
    np.testing.assert_allclose(cosine**2 + sine**2, 1, rtol=1e-15)
    if count % 4 == 0:
        assert cosine[[0, count // 4, count // 2]].tolist() == [1, 0, -1]


@pytest.mark.parametrize("onesided", [0, 1])
@pytest.mark.parametrize("windowed", [False, True])
def test_frames(windowed: bool, onesided: int) -> None:
    signal, window = numbers(2, 20, 1), np.abs(numbers(6))
    names = ["x", "step", "window" if windowed else "", "" if windowed else "length"]
    node = helper.make_node("STFT", names, ["y"], onesided=onesided)
    constants = {"step": np.array(3), "length": np.array(6), "window": window}
    used = {name: constants[name] for name in names[1:] if name}

    (found,) = ours(node, {"x": signal}, used)

    frames = np.stack([signal[:, i : i + 6, 0].astype(float) for i in range(0, 15, 3)], 1)
    frames = frames * window if windowed else frames
    expected = pairs((np.fft.rfft if onesided else np.fft.fft)(frames, axis=-1))
    assert_same([found], [expected.astype(np.float32)])


@pytest.mark.parametrize("name", ["HannWindow", "HammingWindow", "BlackmanWindow"])
@pytest.mark.parametrize("size", [0, 1, 2, 5, 16])
@pytest.mark.parametrize("periodic", [0, 1])
@pytest.mark.parametrize("number", [1, 11, 10])
def test_windows(name: str, size: int, periodic: int, number: int) -> None:
    (found,) = computed(name, 17, np.array(size), periodic=periodic, output_datatype=number)

    count = size if periodic else size - 1
    turn = 2 * np.pi * np.arange(size) / max(count, 1)
    expected = {
        "HannWindow": 0.5 - 0.5 * np.cos(turn),
        "HammingWindow": 25 / 46 - 21 / 46 * np.cos(turn),
        "BlackmanWindow": 0.42 - 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn),
    }[name]
    expected = np.ones(1) if size == 1 else expected
    assert found.dtype == helper.tensor_dtype_to_np_dtype(number)
    np.testing.assert_allclose(found, expected, atol={1: 1e-7, 11: 1e-15, 10: 1e-3}[number])


def test_mel_weights() -> None:
    node = helper.make_node("MelWeightMatrix", ["n", "length", "rate", "low", "high"], ["y"])
    given = {
        "n": np.array(8),
        "length": np.array(64),
        "rate": np.array(8192),
        "low": np.array(0, np.float32),
        "high": np.array(4096, np.float32),
    }

    found = ours(node, {}, given)

    assert_same(found, theirs(node, {}, given))


@pytest.mark.parametrize(
    ("shape", "length", "attributes", "reason"),
    [
        ((2, 4, 3), 4, {}, "input is float32[2, 4, 3], not of real or complex numbers"),
        ((2, 4, 1), 0, {}, "dft_length is 0"),
        ((2, 4, 1), 4, {"axis": 2}, "axis is 2 of a tensor with 3 axes"),
        (
            (2, 4, 2),
            4,
            {"onesided": 1},
            "input is float32[2, 4, 2], inverse is 0, onesided is 1",
        ),
    ],
)
def test_refusals(shape: Any, length: int, attributes: Any, reason: str) -> None:
    node = helper.make_node("DFT", ["x", "n"], ["y"], **attributes)
    found = reasons(node, {"x": numbers(*shape)}, {"n": np.array(length)}, opset=17)

    assert found == (f"node 0 (DFT): {reason}",)


def test_frames_fit() -> None:
    node = helper.make_node("STFT", ["x", "step", "", "length"], ["y"])
    constants = {"step": np.array(0), "length": np.array(6)}

    assert reasons(node, {"x": numbers(1, 5, 1)}, constants) == (
        "node 0 (STFT): frame_step is 0, frame_length is 6 for float32[1, 5, 1]",
    )
