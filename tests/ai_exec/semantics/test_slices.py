"""R3 of binary64: slices of whole numbers as written, near the true value, in any order."""

from fractions import Fraction
from math import frexp, inf, isnan, ldexp, nan

import numpy as np
import pytest

from ai_exec.semantics import numerics
from ai_exec.semantics.numerics import contract, exact_sum, fine_sum, slice_rows, sum_for


def random_floats(shape: tuple[int, ...], seed: int, spread: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    scale = np.exp2(random.integers(-spread, spread + 1, shape))
    return np.asarray(random.normal(size=shape) * scale)


def slices_by_definition(row: list[float], bits: int) -> tuple[list[list[int]], int]:
    """Cut a row with whole numbers and fractions only."""
    largest = max(map(abs, row))
    exponent = 0
    if largest:
        mantissa, exponent = frexp(largest)
        exponent -= mantissa == 0.5
    rest = [Fraction(value) * Fraction(2) ** (bits - exponent) for value in row]
    slices = []
    for _ in range(3):
        slices.append([round(value) for value in rest])
        rest = [
            (value - whole) * 2 ** (bits + 1) for value, whole in zip(rest, slices[-1], strict=True)
        ]
    return slices, exponent - bits


def product_by_definition(left: list[float], right: list[float]) -> float:
    total = 0.0
    for index, block in enumerate(numerics.block_slices(len(left))):
        bits = numerics.product_bits(block.stop - block.start)
        a, a_exponent = slices_by_definition(left[block], bits)
        b, b_exponent = slices_by_definition(right[block], bits)
        n = [[float(sum(x * y for x, y in zip(p, q, strict=True))) for q in b] for p in a]
        assert all(abs(whole) <= 2**53 for row in n for whole in row)
        unit = 2.0 ** -(bits + 1)
        third = (n[0][2] + n[1][1]) + n[2][0]
        joined = n[0][0] + ((n[0][1] + n[1][0]) + third * unit) * unit
        part = ldexp(joined, a_exponent + b_exponent) + 0.0
        total = part if index == 0 else total + part
    return total


@pytest.mark.parametrize("length", [1, 2, 3, 64, 512, 513, 2049])
@pytest.mark.parametrize("spread", [0, 300])
def test_contraction_is_its_definition(length: int, spread: int) -> None:
    left = random_floats((1, length), seed=length, spread=spread)
    right = random_floats((length, 2), seed=length + 1, spread=spread)

    expected = [
        [product_by_definition(row.tolist(), column.tolist()) for column in right.T] for row in left
    ]

    assert contract(left, right).tolist() == expected


@pytest.mark.parametrize("length", [1, 7, 700, 2048])
def test_contraction_is_near_the_true_value(length: int) -> None:
    left, right = random_floats((1, length), 1), random_floats((length, 1), 2)

    exact = sum(
        Fraction(x) * Fraction(y)
        for x, y in zip(left[0].tolist(), right[:, 0].tolist(), strict=True)
    )
    found = contract(left, right)[0, 0]

    bound = Fraction(2.0**-53) * abs(exact) + Fraction(
        2.0**-60 * length * np.abs(left).max() * np.abs(right).max()
    )
    assert abs(Fraction(float(found)) - exact) <= bound


@pytest.mark.parametrize("length", [1, 3, 1000, 70_000])
@pytest.mark.parametrize("spread", [0, 30])
def test_sum_is_the_true_value_rounded(length: int, spread: int) -> None:
    row = random_floats((length,), seed=length, spread=spread)

    exact = sum(map(Fraction, row.tolist()))

    assert fine_sum(row, (0,)).tolist() == [float(exact)]


def test_no_order_and_no_layout_changes_a_bit() -> None:
    left = random_floats((4, 2048), seed=1, spread=12)
    right = random_floats((2048, 4), seed=2, spread=12)
    expected = contract(left, right)
    total = fine_sum(left, (1,))

    order = np.random.default_rng(5).permutation(2048)
    assert contract(left[:, order], right[order]).tobytes() == expected.tobytes()
    assert fine_sum(left[:, order], (1,)).tobytes() == total.tobytes()
    assert contract(np.asfortranarray(left), right).tobytes() == expected.tobytes()


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_ends_of_the_range() -> None:
    most, least = 1.7976931348623157e308, 5e-324
    rows = np.array([[most, 0.0], [least, 0.0], [most, least], [least, least]])

    assert contract(rows, np.array([[1.0], [1.0]])).ravel().tolist() == [
        most,
        least,
        most,
        2 * least,
    ]
    assert contract(rows, np.array([[2.0], [0.0]])).ravel().tolist() == [inf, 1e-323, inf, 1e-323]
    assert fine_sum(np.array([most, most]), (0,)).tolist() == [inf]
    assert fine_sum(np.array([least, least, -least]), (0,)).tolist() == [least]
    assert not np.signbit(contract(np.array([[-least]]), np.array([[least]]))).any()


@pytest.mark.parametrize(
    ("row", "expected"), [([inf, 1.0], inf), ([-inf, 1.0], -inf), ([inf, -inf], nan), ([nan], nan)]
)
def test_rows_that_are_not_finite(row: list[float], expected: float) -> None:
    found = fine_sum(np.array(row), (0,))[0]
    product = contract(np.array([row]), np.ones((len(row), 1)))

    assert found == expected or (isnan(found) and isnan(expected))
    assert np.isnan(product).all()


def test_slices_and_nothing() -> None:
    cut = slice_rows(np.array([1.5, -0.1]), (0,), 4)

    assert [digits.tolist() for digits in cut.digits] == [[12.0, -1.0], [0.0, 6.0], [0.0, 13.0]]
    assert cut.exponent.tolist() == [-3]
    assert fine_sum(np.zeros((2, 0)), (1,)).tolist() == [[0.0], [0.0]]
    assert sum_for(np.dtype(np.float32)) is exact_sum
    assert sum_for(np.dtype(np.float64)) is fine_sum
