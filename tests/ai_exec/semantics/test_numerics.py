"""R3 as written: exact in any order, scaled by powers of two, rounded once."""

from fractions import Fraction
from math import frexp, ldexp

import numpy as np
import pytest

from ai_exec.semantics import numerics
from ai_exec.semantics.numerics import contract, exact_sum, quantise, round_to_float32

TINY = 2.0**-149
GREATEST = float(np.finfo(np.float32).max)


def random_floats(shape: tuple[int, ...], seed: int, spread: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    scale = np.exp2(random.integers(-spread, spread + 1, shape))
    return (random.normal(size=shape) * scale).astype(np.float32)


def row_by_definition(row: list[float], bits: int) -> tuple[list[int], int]:
    """Quantise with whole numbers and fractions only."""
    largest = max(map(abs, row))
    exponent = 0
    if largest:
        mantissa, exponent = frexp(largest)
        exponent -= mantissa == 0.5
    scale = Fraction(2) ** (bits - exponent)
    return [round(Fraction(value) * scale) for value in row], exponent - bits


def bits_by_definition(row: list[float]) -> int:
    sizes = [abs(value) for value in row_by_definition(row, 23)[0]]
    squares = sum((size + 5) ** 2 for size in sizes)
    fitting = [bits for bits in (23, 22, 21, 20) if squares <= 2 ** (53 + 2 * (23 - bits))]
    return min(fitting[0], 23 if max(sizes) <= 0x7F7F7F else 22)


def product_by_definition(left: list[float], right: list[float]) -> float:
    total = 0.0
    for index, block in enumerate(numerics.block_slices(len(left))):
        a, a_exponent = row_by_definition(left[block], bits_by_definition(left[block]))
        b, b_exponent = row_by_definition(right[block], bits_by_definition(right[block]))
        whole = sum(x * y for x, y in zip(a, b, strict=True))
        assert sum(x * x for x in a) <= 2**53
        assert sum(x * x for x in b) <= 2**53
        part = ldexp(whole, a_exponent + b_exponent)
        total = part if index == 0 else total + part
    return total


@pytest.mark.parametrize("length", [1, 2, 3, 64, 511, 512, 513, 1025, 2048, 2049, 5000])
@pytest.mark.parametrize("spread", [0, 30])
def test_contraction_is_its_definition(length: int, spread: int) -> None:
    left = random_floats((2, length), seed=length, spread=spread)
    right = random_floats((length, 3), seed=length + 1, spread=spread)

    expected = [
        [product_by_definition(row.tolist(), column.tolist()) for column in right.T] for row in left
    ]

    assert contract(left, right).tolist() == expected


@pytest.mark.parametrize("length", [1, 2, 3, 100, 1000, 20_000])
def test_sum_is_its_definition(length: int) -> None:
    row = random_floats((length,), seed=length, spread=20)

    digits, exponent = row_by_definition(row.tolist(), numerics.sum_bits(length))

    assert exact_sum(row, (0,)).tolist() == [ldexp(sum(digits), exponent)]


def test_no_order_changes_a_bit() -> None:
    left = random_floats((4, 2048), seed=1, spread=12)
    right = random_floats((2048, 4), seed=2, spread=12)
    expected = contract(left, right).tobytes()

    for seed in range(5):
        order = np.random.default_rng(seed).permutation(2048)
        assert contract(left[:, order], right[order]).tobytes() == expected
        assert exact_sum(left[:, order], (1,)).tobytes() == exact_sum(left, (1,)).tobytes()


def test_layout_of_memory_changes_no_bit() -> None:
    left = random_floats((5, 700), seed=3)
    right = random_floats((700, 6), seed=4)
    expected = contract(left, right)

    assert contract(np.asfortranarray(left), right[:, ::-1])[:, ::-1].tobytes() == (
        expected.tobytes()
    )
    assert contract(left[2:3], right).tobytes() == expected[2:3].tobytes()
    assert (
        contract(left, right[:, 4:5]).tobytes() == np.ascontiguousarray(expected[:, 4:5]).tobytes()
    )


@pytest.mark.parametrize("length", [1, 2, 3, 512, 513, 2048])
def test_whole_products_fit_even_at_their_greatest(length: int) -> None:
    bits = numerics.product_bits(length)

    assert length * 2 ** (2 * bits) <= 2**53
    assert length * 2 ** numerics.sum_bits(length) <= 2**52
    ones = np.ones((1, length), np.float32)
    assert contract(ones, ones.T).tolist() == [[float(length)]]


@pytest.mark.parametrize(
    ("row", "bits"),
    [
        ([0.0, 0.0], 23),
        ([1.0], 22),
        ([0.99], 23),
        ([0.9960785, 1e-30], 22),
        ([0.9960783, 1e-30], 23),
        ([0.7] * 262, 22),
        ([0.7] * 261 + [0.0], 23),
        ([0.99] * 2048, 21),
        ([1.0] * 2048, 20),
        ([1e-45] * 9, 22),
        ([3e38] * 100, 23),
    ],
)
def test_bits_of_a_row(row: list[float], bits: int) -> None:
    array = np.array([row], np.float32)

    assert bits_by_definition(array[0].tolist()) == bits
    assert numerics.row_bits(array, -1).tolist() == [[bits]]


def test_quantised_bits() -> None:
    lengths = (1, 32, 33, 512, 513, 2048, 2049, 1 << 20)
    bits = [numerics.product_bits(length) for length in lengths]
    assert bits == [24, 24, 23, 22, 21, 21, 20, 16]
    assert numerics.block_slices(4100) == (slice(0, 2048), slice(2048, 4096), slice(4096, 4100))
    assert numerics.block_slices(0) == ()
    assert [numerics.channels_of_block(size) for size in (1, 9, 2048, 5000)] == [2048, 227, 1, 1]


@pytest.mark.parametrize(
    ("row", "scale", "digits"),
    [
        ([0.0, -0.0], 2.0**-4, [0.0, 0.0]),
        ([1.0, -0.5], 2.0**-4, [16.0, -8.0]),
        ([1.5, 0.0625], 2.0**-3, [12.0, 0.0]),
        ([1.5, 0.1875], 2.0**-3, [12.0, 2.0]),
        ([TINY, -TINY], 2.0**-153, [16.0, -16.0]),
        ([GREATEST, TINY], 2.0**124, [16.0, 0.0]),
    ],
)
def test_row_in_block_fixed_point(row: list[float], scale: float, digits: list[float]) -> None:
    quantised = quantise(np.array(row, np.float32), (0,), 4)

    assert quantised.scale.tolist() == [scale]
    assert quantised.digits.tolist() == digits
    assert not np.signbit(quantised.digits[np.array(digits) == 0]).any()


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_gives_nan_where_it_takes_part(odd: float) -> None:
    left, right = np.ones((2, 3), np.float32), np.ones((3, 2), np.float32)
    left[1, 2] = odd
    right[0, 0] = odd

    found = contract(left, right)

    assert np.isnan(found).tolist() == [[True, False], [True, True]]
    assert found[0, 1] == 3.0


@pytest.mark.parametrize(
    ("row", "total"),
    [
        ([np.inf, 1.0], np.inf),
        ([-np.inf, GREATEST], -np.inf),
        ([np.inf, -np.inf], np.nan),
        ([np.nan, np.inf], np.nan),
        ([], 0.0),
    ],
)
def test_sums_that_are_not_finite(row: list[float], total: float) -> None:
    found = exact_sum(np.array(row, np.float32), (0,))

    np.testing.assert_array_equal(found, [total])


def test_ends_of_the_exponent_range() -> None:
    def product(left: float, right: float) -> float:
        a, b = np.full((1, 1), left, np.float32), np.full((1, 1), right, np.float32)
        with np.errstate(over="ignore"):
            return float(round_to_float32(contract(a, b))[0, 0])

    assert product(TINY, TINY) == 0.0
    assert product(TINY, 1.0) == TINY
    assert product(TINY, 0.5) == 0.0
    assert product(3 * TINY, 0.5) == 2 * TINY
    assert product(GREATEST, GREATEST) == float("inf")
    assert product(-(2.0**127), 2.0) == float("-inf")
    assert product(2.0**127, 1.0) == 2.0**127


def test_zeros_are_positive() -> None:
    zeros = np.array([-0.0], np.float32)

    for found in (
        numerics.maximum(zeros, zeros),
        numerics.minimum(zeros, -zeros),
        numerics.greatest(zeros, (0,)),
        numerics.least(zeros, (0,)),
        exact_sum(zeros, (0,)),
        contract(zeros.reshape(1, 1), np.ones((1, 1), np.float32)),
    ):
        assert not np.signbit(found).any()


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (np.float32(-1.9), "int8", -1),
        (np.float32(300.0), "uint8", 255),
        (np.float32(-3.0), "uint8", 0),
        (np.float32(np.nan), "int64", 0),
        (np.float32(np.inf), "int64", 2**63 - 1),
        (np.float32(-np.inf), "int64", -(2**63)),
        (np.float32(2.0**63), "uint64", 2**63),
        (np.float64(2.0**64), "uint64", 2**64 - 1),
        (np.int64(300), "int8", 44),
        (np.int64(-1), "uint16", 65535),
        (np.int64(2**53 + 1), "float64", 2.0**53),
        (np.float64(1e300), "float32", np.inf),
        (np.float32(np.nan), "bool", True),
        (np.float32(-0.0), "bool", False),
        (np.bool_(True), "float32", 1.0),
    ],
)
def test_cast(value: np.generic, dtype: str, expected: float) -> None:
    with np.errstate(over="ignore"):
        found = numerics.cast(np.asarray(value), dtype)

    assert (found.dtype.name, found.item()) == (dtype, expected)


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [(7, 2, 3), (-7, 2, -3), (7, -2, -3), (-7, -2, 3), (5, 0, 0), (-128, -1, -128), (0, -3, 0)],
)
def test_integers_are_divided_towards_zero(numerator: int, denominator: int, quotient: int) -> None:
    found = numerics.divide_whole(np.int8([numerator]), np.int8([denominator]))

    assert (found.dtype.name, found.tolist()) == ("int8", [quotient])
