"""NonZero, Compress, Unique and TopK against numpy and onnxruntime; ties, NaNs, zeros; refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from ai_exec.ops.choosing import ordered
from ai_exec.registry import Call, Mismatch, Operand, find
from tests.support.one_node import applied, assert_same, ours, reasons, theirs

ODD = np.array([3, np.nan, -0.0, 0, -np.inf, np.nan, 3, np.inf], np.float32)


def operator(name: str, version: int) -> Any:
    found = find("", name, version)
    assert found is not None
    return found


def integers(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(shape).integers(0, 4, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint64", "int32", "bool"])
def test_order_of_keys(dtype: str) -> None:
    low = 0 if dtype[0] in "ub" else -3
    x = np.array([0, 3, low, 2, 1, low, 0]).astype(dtype)

    keys = ordered(x)

    assert np.argsort(keys, kind="stable").tolist() == np.argsort(x, kind="stable").tolist()
    assert ordered(ODD)[2] == ordered(ODD)[3]


@pytest.mark.parametrize("shape", [(3, 4), (2, 0), (), (5,), (2, 3, 2)])
@pytest.mark.parametrize("dtype", ["float32", "bool", "int64"])
def test_non_zero(shape: Any, dtype: str) -> None:
    x = integers(*shape, dtype=dtype)

    (found,) = applied(operator("NonZero", 13), [x])

    expected = np.array(np.nonzero(x)) if shape else np.zeros((0, int(x != 0)))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_compress(axis: int | None) -> None:
    x, condition = integers(3, 4, 2), np.array([False, True])

    (found,) = applied(operator("Compress", 11), [x, condition], axis=axis)

    np.testing.assert_array_equal(found, np.compress(condition, x, axis=axis))


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("dtype", ["float32", "int8", "uint16"])
def test_unique(dtype: str, axis: int | None) -> None:
    x = integers(6, 2, 1, dtype=dtype)

    found = applied(operator("Unique", 11), [x], 4, axis=axis, sorted=1)

    expected = np.unique(x, True, True, True, axis=axis)
    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, other.reshape(mine.shape))


def test_unique_in_order_of_appearance() -> None:
    found = applied(operator("Unique", 11), [ODD], 4, sorted=0)

    np.testing.assert_array_equal(found[0], [3, np.nan, -0.0, -np.inf, np.inf])
    assert np.signbit(found[0][2])
    assert [one.tolist() for one in found[1:]] == [
        [0, 1, 2, 4, 7],
        [0, 1, 2, 2, 3, 1, 0, 4],
        [2, 2, 2, 1, 1],
    ]


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_unique_of_nothing(shape: Any) -> None:
    counts = [applied(operator("Unique", 11), [integers(*shape)], 4, axis=0)[3].tolist()]

    assert counts == [[3] if shape == (3, 0) else []]


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_top(dtype: str, axis: int, largest: int) -> None:
    node = helper.make_node("TopK", ["x", "k"], ["y", "i"], axis=axis, largest=largest)
    inputs, constants = {"x": integers(5, 6, dtype=dtype)}, {"k": np.array([3])}

    found = ours(node, inputs, constants)

    assert_same(found, theirs(node, inputs, constants))
    computed = [inputs["x"], constants["k"]]
    assert_same(applied(operator("TopK", 11), computed, 2, axis=axis, largest=largest), found)


@pytest.mark.parametrize(
    ("largest", "expected"), [(1, [1, 5, 7, 0, 6, 2, 3, 4]), (0, [4, 2, 3, 0, 6, 7, 1, 5])]
)
def test_top_of_odd_numbers(largest: int, expected: list[int]) -> None:
    found = applied(operator("TopK", 24), [ODD, np.array([8])], 2, largest=largest)

    assert found[1].tolist() == expected
    np.testing.assert_array_equal(found[0], ODD[expected])


@pytest.mark.parametrize("k", [-1, 4])
def test_top_of_more_than_there_are(k: int) -> None:
    node = helper.make_node("TopK", ["x", "k"], ["y", "i"])

    found = reasons(node, {"x": integers(3)}, {"k": np.array([k])})

    assert found == (f"node 0 (TopK): k is {k} of 3 elements",)


def test_condition_that_is_too_long() -> None:
    operands = (Operand("float32", (2,)), Operand("bool", (3,)))

    with pytest.raises(Mismatch, match=r"^condition bool\[3\] is longer than 2$"):
        operator("Compress", 11).infer(Call(operands, {"axis": None}, 1))
