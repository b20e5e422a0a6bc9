"""Rests, powers and shifts of integers and floats; running sums and products."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from onnx import helper

from ai_exec.registry import Call, Mismatch, Operand, find
from tests.support.one_node import applied, assert_same, ours, reasons, theirs

ODD = np.array([0.0, -0.0, 1.5, -1.5, np.inf, -np.inf, np.nan, 1e-40, -7.25], np.float32)


def operator(name: str, version: int) -> Any:
    found = find("", name, version)
    assert found is not None
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rest_of_floats_has_the_sign_of_the_divisor(dtype: str) -> None:
    a, b = ODD.astype(dtype)[:, np.newaxis], ODD.astype(dtype)

    (found,) = applied(operator("Mod", 28), [a, b])

    for x, row in zip(ODD.astype(dtype), found, strict=True):
        for y, rest in zip(ODD.astype(dtype), row, strict=True):
            if np.isnan(x) or np.isnan(y) or np.isinf(x) or y == 0:
                assert np.isnan(rest)
            elif np.isinf(y):
                assert rest == (x if x == 0 or (x < 0) == (y < 0) else y)
            else:
                exact = Fraction(float(x)) % Fraction(float(y))
                assert rest == np.dtype(dtype).type(float(exact))
            assert np.isnan(rest) or np.signbit(rest) == np.signbit(y)


def test_whole_powers() -> None:
    x = np.array([2, -3, 1, -1, 0, 7, -1, 3], np.int64)
    y = np.array([10, 3, -5, -3, -1, 0, -2, 50], np.int64)

    (found,) = applied(operator("Pow", 15), [x, y])
    (cut,) = applied(operator("Pow", 15), [x, np.full(8, 0.5, np.float32)])

    wrapped = (3**50 + (1 << 63)) % (1 << 64) - (1 << 63)
    assert found.tolist() == [1024, -27, 1, -1, 0, 1, 1, wrapped]
    assert cut.tolist() == [1, 0, 1, 0, 0, 2, 0, 1]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64", "int8", "int64"])
@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
def test_shifts(dtype: str, direction: str) -> None:
    bounds, width = np.iinfo(dtype), 8 * np.dtype(dtype).itemsize
    x = np.array([0, 1, 5, bounds.max, bounds.min, bounds.max - 1], dtype)[:, np.newaxis]
    y = np.array([0, 1, 3, width - 1, width, 100, bounds.min], dtype)

    (found,) = applied(operator("BitShift", 28), [x, y], direction=direction)

    for one, row in zip(x[:, 0].tolist(), found.tolist(), strict=True):
        for step, shifted in zip(y.tolist(), row, strict=True):
            inside = step if 0 <= step < width else width
            exact = one << inside if direction == "LEFT" else one >> inside
            assert shifted == (exact - bounds.min) % (1 << width) + bounds.min


def test_bits() -> None:
    a, b = np.array([12, -1], np.int8), np.array([10, 7], np.int8)

    found = [applied(operator(f"Bitwise{name}", 18), [a, b])[0] for name in ("And", "Or", "Xor")]

    assert [one.tolist() for one in found] == [[8, 7], [14, -1], [6, -8]]
    assert applied(operator("BitwiseNot", 18), [a])[0].tolist() == [-13, 0]


def test_infinities() -> None:
    both, down, up = (
        applied(operator("IsInf", 20), [ODD], detect_negative=n, detect_positive=p)[0]
        for n, p in ((1, 1), (1, 0), (0, 1))
    )

    np.testing.assert_array_equal(both, np.isinf(ODD))
    np.testing.assert_array_equal(down, -np.inf == ODD)
    np.testing.assert_array_equal(up, np.inf == ODD)


@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_running_sums(dtype: str, reverse: int, exclusive: int) -> None:
    x = (np.random.default_rng(1).normal(size=(3, 5, 2)) * 100).astype(dtype)
    node = helper.make_node("CumSum", ["x", "axis"], ["y"], exclusive=exclusive, reverse=reverse)

    for axis in (0, 1, -1):
        given = {"x": x, "axis": np.array(axis)}
        assert_same(ours(node, given), theirs(node, given))


def test_running_products_and_infinities() -> None:
    x = np.array([1e30, 1e30, 1e-30, 1e-30, np.inf, 2], np.float32)

    (products,) = applied(operator("CumProd", 26), [x, np.array([0])], exclusive=1)
    (sums,) = applied(operator("CumSum", 14), [x, np.array(0, np.int32)])

    np.testing.assert_allclose(products, [1, 1e30, np.inf, 1e30, 1, np.inf], rtol=1e-6)
    assert np.isfinite(sums[:4]).all()
    assert sums[4:].tolist() == [np.inf, np.inf]
    empty = np.zeros((2, 0), np.float32)
    assert applied(operator("CumSum", 14), [empty, np.array(1)], exclusive=1)[0].shape == (2, 0)


def test_refusals() -> None:
    node = helper.make_node("CumSum", ["x", "axis"], ["y"])
    given = {"x": np.zeros((2, 3), np.float32)}

    assert reasons(node, given, {"axis": np.array(2)}) == (
        "node 0 (CumSum): axis 2 of a tensor with 2 axes",
    )
    shift = Operand("uint8", (1,))
    with pytest.raises(Mismatch, match="direction is UP"):
        operator("BitShift", 28).infer(Call((shift, shift), {"direction": "UP"}, 1))
