"""Triangles, identities and determinants beside numpy and fractions; refusals."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import assert_same, computed, ours, reasons, theirs


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("k", [None, 0, 1, -2, 10, -10, 2**63 - 1, -(2**63)])
@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "float16"])
def test_triangles(dtype: str, k: int | None, upper: int) -> None:
    x = np.arange(1, 25).reshape(2, 3, 4).astype(dtype)

    (found,) = computed("Trilu", 14, x, None if k is None else np.array(k), upper=upper)

    distance = max(-50, min(50, k or 0))
    np.testing.assert_array_equal(found, (np.triu if upper else np.tril)(x, distance))
    assert found.dtype == dtype


@pytest.mark.parametrize("k", [0, 1, -1, 9, 1 << 62])
def test_identities(k: int) -> None:
    x = np.zeros((3, 4), np.int32)

    (same,) = computed("EyeLike", 22, x, k=k)
    (other,) = computed("EyeLike", 9, x, k=k, dtype=11)

    expected = np.eye(3, 4, min(k, 50))
    assert_same([same, other], [expected.astype(np.int32), expected])


def exact(matrix: list[list[float]]) -> Fraction:
    if not matrix:
        return Fraction(1)
    return sum(
        (
            (-1) ** column
            * Fraction(value)
            * exact([row[:column] + row[column + 1 :] for row in matrix[1:]])
            for column, value in enumerate(matrix[0])
        ),
        Fraction(0),
    )


@pytest.mark.parametrize("length", [0, 1, 2, 3, 5])
def test_determinants(length: int) -> None:
    x = np.random.default_rng(length).normal(size=(4, length, length)).astype(np.float32)

    (found,) = computed("Det", 22, x)

    expected = [float(exact(matrix)) for matrix in x.tolist()]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_node() -> None:
    x = np.array([[[2, 1], [4, 2]], [[0, 1], [1, 0]], [[np.nan, 1], [1, 0]]], np.float32)
    node = helper.make_node("Det", ["x"], ["y"])

    found = ours(node, {"x": x})

    assert found[0][:2].tolist() == [0, -1]
    assert np.isnan(found[0][2])
    assert_same(ours(node, {"x": x[1]}), theirs(node, {"x": x[1]}))


@pytest.mark.parametrize(
    ("name", "shape", "attributes", "reason"),
    [
        ("Det", (2, 3), {}, "float32[2, 3] is not of square matrices"),
        ("EyeLike", (2,), {}, "input is float32[2]: its number of axes is not supported"),
        ("EyeLike", (2, 2), {"dtype": 8}, "element type number 8 is not supported"),
    ],
)
def test_refusals(name: str, shape: Any, attributes: Any, reason: str) -> None:
    node = helper.make_node(name, ["x"], ["y"], **attributes)

    assert reasons(node, {"x": np.zeros(shape, np.float32)}) == (f"node 0 ({name}): {reason}",)
