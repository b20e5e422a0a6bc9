"""First versions of operators: the second operand is lined up by attributes."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from ai_exec.ops.first_versions import lined_up
from ai_exec.registry import Call, Mismatch, Operand, find
from tests.support.one_node import applied, ours

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def operator(name: str, version: int) -> Any:
    found = find("", name, version)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("second", "axis", "expected"),
    [
        ((), None, (1, 1, 1)),
        ((1, 1), None, (1, 1, 1)),
        ((4,), None, (1, 1, 4)),
        ((3, 4), None, (1, 3, 4)),
        ((2,), 0, (2, 1, 1)),
        ((3,), 1, (1, 3, 1)),
        ((3,), -2, (1, 3, 1)),
        ((2, 3), 0, (2, 3, 1)),
    ],
)
def test_places(second: Any, axis: int | None, expected: Any) -> None:
    assert lined_up((2, 3, 4), second, axis) == expected


@pytest.mark.parametrize(("second", "axis"), [((3,), None), ((2, 3, 4, 1), None), ((5,), 7)])
def test_no_place(second: Any, axis: int | None) -> None:
    with pytest.raises(Mismatch, match="no part of"):
        lined_up((2, 3, 4), second, axis)


@pytest.mark.parametrize("version", [1, 6])
def test_arithmetic(version: int) -> None:
    y = np.array([1, 2, 4], np.float32)
    lined = y.reshape(1, 3, 1)

    for name, expected in (
        ("Add", X + lined),
        ("Sub", X - lined),
        ("Mul", X * lined),
        ("Div", X / lined),
    ):
        (found,) = applied(operator(name, version), [X, y], axis=1, broadcast=1)
        np.testing.assert_array_equal(found, expected)
    (same,) = applied(operator("Add", version), [X, X])
    np.testing.assert_array_equal(same, X + X)


def test_comparisons_and_powers() -> None:
    y = np.array([3, 9, 15], np.float32)

    (less,) = applied(operator("Less", 1), [X, y], axis=1, broadcast=1)
    (both,) = applied(operator("And", 1), [X > 3, np.array(True)], broadcast=1)
    (powers,) = applied(operator("Pow", 1), [X, np.array([2.0], np.float32)], broadcast=1)

    np.testing.assert_array_equal(less, y.reshape(1, 3, 1) > X)
    np.testing.assert_array_equal(both, X > 3)
    np.testing.assert_array_equal(powers, X * X)


def test_shapes_must_be_equal_without_broadcast() -> None:
    operands = (Operand("float32", (2, 3)), Operand("float32", (3,)))

    with pytest.raises(Mismatch, match="broadcast is 0"):
        operator("Add", 6).infer(Call(operands, {"axis": None, "broadcast": 0}, 1))
    with pytest.raises(Mismatch, match="differ in shape"):
        operator("Max", 6).infer(Call(operands, {}, 1))


@pytest.mark.parametrize("version", [1, 6])
def test_several_and_one(version: int) -> None:
    (greatest,) = applied(operator("Max", version), [X, -X])
    (total,) = applied(operator("Sum", version), [X, X, X])

    np.testing.assert_array_equal(greatest, X)
    np.testing.assert_array_equal(total, 3 * X)


def test_one() -> None:
    (root,) = applied(operator("Sqrt", 1), [X * X])
    (clipped,) = applied(operator("Clip", 1), [X], max=5.0)

    np.testing.assert_array_equal(root, X)
    np.testing.assert_array_equal(clipped, np.minimum(X, 5))


@pytest.mark.parametrize("opset", [1, 6])
@pytest.mark.parametrize("name", ["Add", "Sub", "Mul", "Div", "Pow", "Less"])
def test_both_engines_line_up(name: str, opset: int) -> None:
    node = helper.make_node(name, ["x", "y"], ["z"], axis=1, broadcast=1)
    y = np.array([1, 2, 4], np.float32)
    later = helper.make_node(name, ["x", "y"], ["z"])

    constant = ours(node, {"x": X}, {"y": y}, opset=opset)
    given = ours(node, {"x": X, "y": y}, opset=opset)
    expected = ours(later, {"x": X, "y": y.reshape(3, 1)}, opset=13)

    assert constant[0].tobytes() == given[0].tobytes() == expected[0].tobytes()
