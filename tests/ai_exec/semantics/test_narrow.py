"""16-bit floats: every one of them both ways, and wider numbers around all rounding boundaries."""

from collections.abc import Iterator

import ml_dtypes
import numpy as np
import pytest

from ai_exec.semantics.narrow import narrowed, widened
from ai_exec.semantics.numerics import cast
from ai_exec.tensor import DTYPE_NUMBERS, NARROW, canonical

EVERY = np.arange(1 << 16, dtype=np.uint16)
THEIRS = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Kernels run without numpy's warnings."""
    with np.errstate(all="ignore"):
        yield


def bits(tensor: np.ndarray) -> np.ndarray:
    """Give canonical elements as whole numbers."""
    return canonical(tensor).view(f"u{tensor.itemsize}")


@pytest.mark.parametrize("dtype", NARROW)
def test_every_one_widens_exactly_and_comes_back(dtype: str) -> None:
    every = EVERY.view(dtype)

    np.testing.assert_array_equal(bits(widened(every)), bits(every.astype(np.float32)))
    np.testing.assert_array_equal(bits(narrowed(every, dtype)), bits(every))


@pytest.mark.parametrize("target", sorted(DTYPE_NUMBERS))
@pytest.mark.parametrize("dtype", NARROW)
def test_every_one_to_every_type(dtype: str, target: str) -> None:
    every = EVERY.view(dtype)
    single = every.astype(np.float32)

    found = cast(every, target)

    assert found.dtype.name == target
    if target in NARROW:
        np.testing.assert_array_equal(bits(found), bits(single.astype(THEIRS[target])))
    else:
        np.testing.assert_array_equal(bits(found), bits(cast(single, target)))


def boundaries(dtype: str, wide: type[np.floating]) -> np.ndarray:
    """All finite numbers of a type, the middles between neighbours, and what lies beside them."""
    numbers = EVERY.view(dtype).astype(np.float64)
    numbers = np.unique(numbers[np.isfinite(numbers)])
    step = numbers[-1] - numbers[-2]
    numbers = np.concatenate(([-numbers[-1] - step], numbers, [numbers[-1] + step]))
    middles = (numbers[1:] + numbers[:-1]) / 2
    exact = np.concatenate((numbers, middles)).astype(wide)
    beside = (np.nextafter(exact, wide(side)) for side in (-np.inf, np.inf))
    return np.concatenate((exact, *beside, wide([np.inf, -np.inf, np.nan, 0.0, -0.0])))


@pytest.mark.parametrize("dtype", NARROW)
def test_binary32_around_every_rounding_boundary(dtype: str) -> None:
    values = boundaries(dtype, np.float32)

    expected = values.astype(THEIRS[dtype])

    np.testing.assert_array_equal(bits(narrowed(values, dtype)), bits(expected))


@pytest.mark.parametrize("dtype", NARROW)
def test_binary64_rounds_once(dtype: str) -> None:
    """What lies beside a middle goes to its own side, though binary32 cannot tell it apart."""
    values = boundaries(dtype, np.float64)
    third = len(values[:-5]) // 3
    exact, below, above = (values[part * third : (part + 1) * third] for part in range(3))
    middles = slice(third // 2 + 1, None)

    tied = exact.astype(np.float32).astype(THEIRS[dtype])
    np.testing.assert_array_equal(bits(narrowed(exact, dtype)), bits(tied))
    found = [narrowed(side, dtype).astype(np.float64)[middles] for side in (below, above)]
    assert np.all(found[0] < exact[middles])
    assert np.all(found[1] > exact[middles])


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("integer", [np.int64, np.uint64, np.int32, np.uint8, np.bool_])
def test_whole_numbers_round_once(dtype: str, integer: type[np.integer]) -> None:
    if integer is np.bool_:
        values = np.array([0, 1])
    else:
        bounds = np.iinfo(integer)
        powers = [sign << place for place in range(64) for sign in (1, 3, 5, 257, 129 * 2 + 1)]
        near = {power + beside for power in powers for beside in (-1, 0, 1)}
        near |= {-value for value in near}
        values = np.array(
            sorted(value for value in near if bounds.min <= value <= bounds.max), integer
        )

    found = cast(values.astype(integer), dtype).astype(np.float64)

    for value, rounded in zip(values.tolist(), found.tolist(), strict=True):
        assert rounded == nearest(value, 11 if dtype == "float16" else 8, dtype)


def nearest(value: int, digits: int, dtype: str) -> float:
    """Round a whole number to so many digits, ties to even, in whole numbers alone."""
    size = abs(value)
    spare = max(size.bit_length() - digits, 0)
    down = size >> spare
    rest, half = size - (down << spare), (1 << spare) >> 1
    if spare and (rest > half or (rest == half and down & 1)):
        down += 1
    rounded = float(down << spare)
    limit = 65504.0 if dtype == "float16" else np.inf
    rounded = np.inf if rounded > limit else rounded
    return -rounded if value < 0 else rounded
