"""Normalisations beside onnxruntime and their formulas, of both float types; training; edges."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from ai_exec.registry import Call, Mismatch, Operand, find
from tests.support.one_node import assert_same, computed, ours, reasons, theirs

TYPES = ["float32", "float64"]


def numbers(*shape: int, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    return (np.random.default_rng([*shape, seed]).normal(size=shape) * 3 + 1).astype(dtype)


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        *(
            (name, dtype)
            for name in ("Softmax", "LogSoftmax", "LpNormalization")
            for dtype in TYPES
        ),
        ("Hardmax", "float32"),
    ],
)
@pytest.mark.parametrize("opset", [11, 19])
def test_along_an_axis(name: str, axis: int, dtype: str, opset: int) -> None:
    x = numbers(3, 4, 5, dtype=dtype)
    node = helper.make_node(name, ["x"], ["y"], axis=axis)

    assert_same(ours(node, {"x": x}, opset=opset), theirs(node, {"x": x}, opset=opset))


def test_binary64_is_finer() -> None:
    x = numbers(4, 100, dtype="float64")

    (shares,) = computed("Softmax", 13, x)
    (normal, mean, inverse) = computed("LayerNormalization", 17, x, np.ones(100), count=3)

    powers = np.exp(x - x.max(-1, keepdims=True))
    np.testing.assert_allclose(shares, powers / powers.sum(-1, keepdims=True), rtol=1e-14)
    centred = x - x.mean(-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(1e-5))
    np.testing.assert_allclose(normal, centred / deviation, rtol=1e-13, atol=1e-14)
    assert mean.dtype == inverse.dtype == np.float32
    np.testing.assert_allclose(inverse, 1 / deviation, rtol=1e-6)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("axis", [-1, 1])
def test_layer(axis: int, dtype: str) -> None:
    x = numbers(2, 3, 4, dtype=dtype)
    scale, bias = (numbers(*x.shape[axis:], dtype=dtype, seed=seed) for seed in (1, 2))
    node = helper.make_node("LayerNormalization", ["x", "s", "b"], ["y"], axis=axis)
    given = {"x": x, "s": scale, "b": bias}

    assert_same(ours(node, given), theirs(node, given), 2e-6)
    assert_same(ours(node, {"x": x}, {"s": scale, "b": bias}), ours(node, given), 0)


@pytest.mark.parametrize("dtype", TYPES)
def test_root_mean_square(dtype: str) -> None:
    x, scale = numbers(2, 3, 8, dtype=dtype), numbers(8, dtype=dtype)

    (found,) = computed("RMSNormalization", 23, x, scale)

    root = np.sqrt((x.astype(float) ** 2).mean(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(found, x / root * scale, rtol=1e-6)
    assert found.dtype == dtype


@pytest.mark.parametrize("dtype", TYPES)
def test_groups(dtype: str) -> None:
    x = numbers(2, 6, 3, 2, dtype=dtype)
    each, group = numbers(6, dtype=dtype), numbers(2, dtype=dtype)

    (found,) = computed("GroupNormalization", 21, x, each, each, num_groups=2)
    (older,) = computed("GroupNormalization", 18, x, group, group, num_groups=2)
    (alone,) = computed("GroupNormalization", 21, x, each, each, num_groups=6)
    (instance,) = computed("InstanceNormalization", 22, x, each, each)

    grouped = x.astype(float).reshape(2, 2, -1)
    normal = (grouped - grouped.mean(-1, keepdims=True)) / np.sqrt(
        grouped.var(-1, keepdims=True) + 1e-5
    )
    scale = each.reshape(6, 1, 1)
    np.testing.assert_allclose(found, normal.reshape(x.shape) * scale + scale, 1e-5, 1e-6)
    wide = np.repeat(group, 3).reshape(6, 1, 1)
    np.testing.assert_allclose(older, normal.reshape(x.shape) * wide + wide, 1e-5, 1e-6)
    assert alone.tobytes() == instance.tobytes()


@pytest.mark.parametrize("dtype", TYPES)
def test_training(dtype: str) -> None:
    x = numbers(4, 3, 5, dtype=dtype)
    scale, bias, mean = (numbers(3, dtype=dtype, seed=seed) for seed in range(3))
    variance = np.abs(numbers(3, dtype=dtype, seed=3))

    given = (x, scale, bias, mean, variance)
    normal, means, variances = computed(
        "BatchNormalization", 15, *given, count=3, training_mode=1, momentum=0.75
    )
    (plain,) = computed("BatchNormalization", 15, *given)

    wide = x.astype(float)
    now, spread = wide.mean((0, 2)), wide.var((0, 2))
    shaped = [one.reshape(3, 1) for one in (now, spread, scale, bias, mean, variance)]
    expected = (wide - shaped[0]) / np.sqrt(shaped[1] + 1e-5) * shaped[2] + shaped[3]
    np.testing.assert_allclose(normal, expected, 1e-5, 1e-6)
    np.testing.assert_allclose(means, 0.75 * mean + 0.25 * now, rtol=1e-6)
    np.testing.assert_allclose(variances, 0.75 * variance + 0.25 * spread, rtol=1e-6)
    expected = (wide - shaped[4]) / np.sqrt(shaped[5] + 1e-5) * shaped[2] + shaped[3]
    np.testing.assert_allclose(plain, expected, 1e-5, 1e-6)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 1 << 40])
def test_neighbours(size: int) -> None:
    x = numbers(2, 5, 3)
    node = helper.make_node("LRN", ["x"], ["y"], size=size, alpha=0.5, bias=2.0)
    low, high = (size - 1) // 2, size // 2
    sums = np.stack(
        [(x[:, max(0, c - low) : c + high + 1].astype(float) ** 2).sum(1) for c in range(5)], 1
    )

    (found,) = ours(node, {"x": x})

    np.testing.assert_allclose(found, x / (2 + 0.5 / size * sums) ** 0.75, rtol=1e-6)


def test_mean_and_variance() -> None:
    x = numbers(2, 3, 4, 5)
    node = helper.make_node("MeanVarianceNormalization", ["x"], ["y"])

    assert_same(ours(node, {"x": x}), theirs(node, {"x": x}), 5e-6)


def test_a_norm_of_zero_and_hard_ties() -> None:
    x = np.array([[0.0, -0.0], [3, 3], [np.nan, 5]], np.float32)

    (norms,) = computed("LpNormalization", 22, x, p=1)
    (hard,) = computed("Hardmax", 13, x)

    assert norms[:2].tolist() == [[0, 0], [0.5, 0.5]]
    assert not np.signbit(norms[0]).any()
    assert hard.tolist() == [[1, 0], [1, 0], [1, 0]]


@pytest.mark.parametrize(
    ("name", "attributes", "reason"),
    [
        ("LpNormalization", {"p": 3}, "p is 3, not 1 or 2"),
        ("LRN", {"size": 0}, "size is 0"),
        ("MeanVarianceNormalization", {"axes": [5]}, "axis 5 of a tensor with 3 axes"),
        ("Hardmax", {"axis": 3}, "axis 3 of a tensor with 3 axes"),
    ],
)
def test_refusals(name: str, attributes: Any, reason: str) -> None:
    node = helper.make_node(name, ["x"], ["y"], **attributes)

    assert reasons(node, {"x": numbers(2, 3, 4)}) == (f"node 0 ({name}): {reason}",)


def test_old_training_is_refused() -> None:
    old = find("", "BatchNormalization", 6)
    assert old is not None
    channels = Operand("float32", (3,))
    call = Call((Operand("float32", (2, 3)), *[channels] * 4), {"is_test": 0, "spatial": 1}, 1)

    with pytest.raises(Mismatch, match="is_test must be 1"):
        old.infer(call)
