"""Nearness: whole numbers by a rule of each number alone, exact distances, order, repeats."""

import numpy as np
import pytest

from runtime.pallets.attribution.neighbours import (
    GREATEST,
    distances,
    orders,
    repeated,
    whole_features,
)


def test_small_integers_stay_what_they_are() -> None:
    for kind in ("u1", "i1", "u2", "i2"):
        numbers = np.array([[0, np.iinfo(kind).min], [1, np.iinfo(kind).max]], kind)
        assert whole_features(numbers).tolist() == numbers.tolist()
    assert whole_features(np.array([[True], [False]])).tolist() == [[1], [0]]


def test_floats_are_counted_in_1024ths_and_cut() -> None:
    numbers = [[0.5, 1 / 2048, 3 / 2048, -1.0, 1e30, -np.inf]]
    for kind in ("<f4", "<f8"):
        found = whole_features(np.array(numbers, kind))
        assert found.tolist() == [[512, 0, 2, -1024, GREATEST, -GREATEST]]
    wide = np.array([[5, -(2**40)]], "<i8")
    assert whole_features(wide).tolist() == [[5, -GREATEST]]


def test_distances_are_exact_where_numbers_are_greatest() -> None:
    one = np.full((1, 1000), 65535, "<u2")
    other = np.zeros((2, 1000), "<u2")
    other[1, 0] = 1
    found = distances(whole_features(one), whole_features(other))
    assert found.tolist() == [[65535**2 * 1000, 65535**2 * 999 + 65534**2]]


@pytest.mark.parametrize("far", [9, 1 << 50])
def test_the_nearest_come_first_and_of_equals_the_lower(far: int) -> None:
    found = np.array([[3, 1, 1, 0], [far, far, far + 1, 2]])
    assert orders(found).tolist() == [[3, 1, 2, 0], [3, 0, 1, 2]]


def test_whoever_repeats_an_earlier_row_that_counts_does_not_count() -> None:
    rows = np.array([[0.0], [3], [5], [6], [6], [20]])
    labels = np.array([1, 1, 1, 1, 2, 1])
    whole = repeated(rows, labels, np.zeros(0, bool), 0, 9)

    # The third is near the second only, which does not count; the fifth has another label.
    assert whole.tolist() == [False, True, False, True, False, False]
    for cut in range(1, 6):
        counted = ~whole[:cut]
        assert repeated(rows, labels, counted, cut, 9).tolist() == whole[cut:].tolist()
