"""Products of every rank and type, and Gemm in all versions."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import assert_same, computed, ours, reasons, theirs


def numbers(*shape: int, dtype: str = "float64") -> np.ndarray:
    return np.asarray(np.random.default_rng(shape).normal(size=shape) * 10).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint64"])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3,), (3,)),
        ((3,), (3, 2)),
        ((4, 3), (3,)),
        ((2, 4, 3), (3, 2)),
        ((2, 1, 4, 3), (5, 3, 2)),
        ((3,), (2, 3, 4)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 2)),
    ],
)
def test_products(left: Any, right: Any, dtype: str) -> None:
    a, b = numbers(*left, dtype=dtype), numbers(*right, dtype=dtype)
    node = helper.make_node("MatMul", ["a", "b"], ["y"])

    assert_same(ours(node, {"a": a, "b": b}), [np.asarray(np.matmul(a, b))], 1e-6)


def test_binary64_is_the_true_value_rounded() -> None:
    a, b = numbers(4, 50), numbers(50, 4)

    (found,) = computed("MatMul", 13, a, b)

    for row, results in zip(a.tolist(), found.tolist(), strict=True):
        for column, result in zip(b.T.tolist(), results, strict=True):
            exact = sum(Fraction(x) * Fraction(y) for x, y in zip(row, column, strict=True))
            assert result == float(exact)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("factors", [{}, {"alpha": 0.5, "beta": 2.0}, {"transA": 1, "transB": 1}])
@pytest.mark.parametrize("bias", [(), (4,), (3, 1), (3, 4)])
def test_gemm(bias: Any, factors: Any, dtype: str) -> None:
    a, b, c = numbers(3, 5, dtype=dtype), numbers(5, 4, dtype=dtype), numbers(*bias, dtype=dtype)
    node = helper.make_node("Gemm", ["a", "b", "c"], ["y"], **factors)
    given = {"a": a, "b": b, "c": c}
    if "transA" in factors:
        given = {"a": np.ascontiguousarray(a.T), "b": np.ascontiguousarray(b.T), "c": c}

    expected = factors.get("alpha", 1) * (a @ b) + factors.get("beta", 1) * c
    (found,) = ours(node, given)

    np.testing.assert_allclose(found, expected.astype(dtype), rtol=1e-5, atol=1e-4)
    if dtype[0] == "f":
        assert_same([found], theirs(node, given), 1e-6)


def test_first_gemm_broadcasts_if_asked() -> None:
    a, b, c = numbers(3, 5), numbers(5, 4), numbers(4)

    (asked,) = computed("Gemm", 6, a, b, c, broadcast=1)
    (later,) = computed("Gemm", 13, a, b, c)

    assert asked.tobytes() == later.tobytes()


def test_refusals() -> None:
    node = helper.make_node("Gemm", ["a", "b", "c"], ["y"])

    assert reasons(node, {"a": numbers(3, 5), "b": numbers(5, 4), "c": numbers(3)}) == (
        "node 0 (Gemm): C is float64[3], which does not broadcast to [3, 4]",
    )
