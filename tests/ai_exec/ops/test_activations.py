"""Activations and functions of one number beside onnxruntime, and their edges."""

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import ours, reasons, theirs

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 3.25, -7.5, np.inf, -np.inf, np.nan]
X = np.float32([*EDGES, *np.linspace(-9, 9, 37)])
INSIDE = np.float32(np.linspace(-1, 1, 41))
FROM_ONE = np.float32([1.0, 1.5, 2.0, 100.0, np.inf])

CASES: list[tuple[str, np.ndarray, dict[str, object], int]] = [
    *((name, INSIDE, {}, 22) for name in ("Acos", "Asin", "Atanh")),
    *((name, X, {}, 22) for name in ("Atan", "Asinh", "Cos", "Cosh", "Sin", "Sinh", "Tan")),
    ("Acosh", FROM_ONE, {}, 22),
    ("Celu", X, {"alpha": 1.5}, 12),
    ("Elu", X, {"alpha": 1.5}, 22),
    ("Gelu", X[np.isfinite(X)], {}, 20),
    ("Gelu", X[np.isfinite(X)], {"approximate": "tanh"}, 20),
    ("HardSigmoid", X, {"alpha": 0.3}, 22),
    ("HardSwish", X[np.isfinite(X)], {}, 22),
    ("LeakyRelu", X, {"alpha": 0.2}, 16),
    ("Mish", X[np.isfinite(X)], {}, 22),
    ("Selu", X, {}, 22),
    ("Shrink", X, {"bias": 0.25, "lambd": 1.0}, 9),
    ("Softplus", X, {}, 22),
    ("Softsign", X[np.isfinite(X)], {}, 22),
    ("ThresholdedRelu", X[~np.isnan(X)], {"alpha": 0.7}, 22),
]


@pytest.mark.parametrize(
    ("name", "x", "attributes", "opset"),
    CASES,
    ids=[f"{case[0]}-{i}" for i, case in enumerate(CASES)],
)
def test_beside_onnxruntime(
    name: str, x: np.ndarray, attributes: dict[str, object], opset: int
) -> None:
    node = helper.make_node(name, ["x"], ["y"], **attributes)
    (found,) = ours(node, {"x": x}, None, opset)
    (expected,) = theirs(node, {"x": x}, None, opset)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=3e-6, atol=3e-7)


@pytest.mark.parametrize(
    "name", ["Acos", "Asin", "Atan", "Cos", "Erf", "Exp", "Gelu", "Sigmoid", "Sin", "Tanh", "Elu"]
)
def test_of_binary64(name: str) -> None:
    opset = 20 if name == "Gelu" else 22
    node = helper.make_node(name, ["x"], ["y"])
    x = INSIDE.astype(np.float64) * 0.99
    (found,) = ours(node, {"x": x}, None, opset)
    (single,) = ours(node, {"x": x.astype(np.float32)}, None, opset)
    assert (found.dtype, single.dtype) == (np.float64, np.float32)
    np.testing.assert_allclose(found, single, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("alpha", [1.0, 1.702, -0.5])
def test_swish(alpha: float) -> None:
    node = helper.make_node("Swish", ["x"], ["y"], alpha=alpha)
    x = X[np.isfinite(X)]
    (found,) = ours(node, {"x": x}, None, 24)
    wide = x.astype(np.float64)
    expected = wide / (1 + np.exp(-float(np.float32(alpha)) * wide))
    np.testing.assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8])
def test_shrink_of_integers(dtype: type) -> None:
    x = np.array([0, 1, 2, 5, 100], dtype)
    node = helper.make_node("Shrink", ["x"], ["y"], lambd=1.5, bias=0.5)
    (found,) = ours(node, {"x": x}, None, 9)
    assert found.dtype == dtype
    assert found.tolist() == [0, 0, 1, 4, 99]


def test_zeros_keep_or_lose_their_sign() -> None:
    x = np.float32([-0.0])
    kept = ("Sin", "Tan", "Asin", "Atan", "Sinh", "Asinh", "Atanh", "Tanh", "Erf", "Gelu", "Mish")
    for name in kept:
        (found,) = ours(helper.make_node(name, ["x"], ["y"]), {"x": x}, None, 22)
        assert (found.tolist(), np.signbit(found).tolist()) == ([0.0], [True]), name
    for name in ("Relu", "Celu", "Shrink"):
        (found,) = ours(helper.make_node(name, ["x"], ["y"]), {"x": x}, None, 22)
        assert (found.tolist(), np.signbit(found).tolist()) == ([0.0], [False]), name


def test_empty_tensors() -> None:
    for name in ("Sin", "Gelu", "Swish", "Shrink", "Celu"):
        (found,) = ours(
            helper.make_node(name, ["x"], ["y"]), {"x": np.zeros((0, 3), np.float32)}, None, 24
        )
        assert found.shape == (0, 3)


def test_integers_have_no_sine() -> None:
    node = helper.make_node("Sin", ["x"], ["y"])
    assert "int32" in reasons(node, {"x": np.arange(3, dtype=np.int32)}, None, 22)[0]
