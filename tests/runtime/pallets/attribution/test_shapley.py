"""Exact Shapley values: as by definition, efficient, block by block the same."""

import os
import subprocess
import sys
from fractions import Fraction
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.pallets.attribution.neighbours import distances, orders
from runtime.pallets.attribution.shapley import fold_of, gain, group_sums

Array = npt.NDArray[Any]


def by_definition(order: list[int], labels: list[int], label: int, k: int) -> list[Fraction]:
    """Give each row's worth as the mean of its contributions to all sets of others."""
    rows = len(order)

    def worth(members: tuple[int, ...]) -> Fraction:
        nearest = [row for row in order if row in members][:k]
        return Fraction(sum(labels[row] == label for row in nearest), k)

    values = [Fraction(0)] * rows
    for row in range(rows):
        others = [each for each in range(rows) if each != row]
        for size in range(rows):
            weight = Fraction(factorial(size) * factorial(rows - 1 - size), factorial(rows))
            for chosen in combinations(others, size):
                values[row] += weight * (worth((*chosen, row)) - worth(chosen))
    return values


def in_floats(order: Array, labels: Array, wanted: Array, k: int) -> Array:
    """Give what the theorem says, row by row, in the plainest way."""
    count = order.shape[1]
    total = np.zeros(count)
    for line, label in zip(order, wanted, strict=True):
        right = (labels[line] == label).astype(float)
        worth = np.zeros(count)
        worth[-1] = right[-1] * min(k, count) / (count * k)
        for place in range(count - 2, -1, -1):
            step = (right[place] - right[place + 1]) / k * min(k, place + 1) / (place + 1)
            worth[place] = worth[place + 1] + step
        total[line] += worth
    return total


def exact(order: Array, labels: Array, wanted: Array, k: int, groups: Array) -> list[Fraction]:
    fold = fold_of(k, order.shape[1])
    sums = group_sums(order, labels, wanted, groups, int(groups.max()) + 1)
    return [Fraction(each, fold.denominator) for each in fold.numerators(sums)]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 7), st.integers(1, 9), st.integers(0, 2**32))
def test_values_are_those_of_the_definition(rows: int, k: int, seed: int) -> None:
    dice = np.random.default_rng(seed)
    order, labels = dice.permutation(rows)[None], dice.integers(0, 2, rows)

    found = exact(order, labels, np.array([1]), k, np.arange(rows))

    assert found == by_definition(order[0].tolist(), labels.tolist(), 1, k)


def test_values_of_eight_rows_and_three_evaluation_rows_are_those_of_the_definition() -> None:
    dice = np.random.default_rng(1)
    order = np.array([dice.permutation(8) for _ in range(3)])
    labels, wanted = dice.integers(0, 3, 8), dice.integers(0, 3, 3)
    defined = [
        by_definition(line.tolist(), labels.tolist(), int(label), 3)
        for line, label in zip(order, wanted, strict=True)
    ]

    found = exact(order, labels, wanted, 3, np.arange(8))

    assert found == [sum(each, Fraction(0)) for each in zip(*defined, strict=True)]


@pytest.mark.parametrize(("rows", "k"), [(300, 5), (257, 1), (40, 64), (1000, 13)])
def test_groups_are_worth_what_their_rows_are(rows: int, k: int) -> None:
    dice = np.random.default_rng(rows)
    features, points = dice.integers(0, 17, (rows, 6)), dice.integers(0, 17, (12, 6))
    labels, wanted = dice.integers(0, 4, rows), dice.integers(0, 4, 12)
    groups = dice.integers(0, 7, rows)
    order = orders(distances(points.astype(float), features.astype(float)))

    found = exact(order, labels, wanted, k, groups)
    each = exact(order, labels, wanted, k, np.arange(rows))
    parts = exact(order[:5], labels, wanted[:5], k, groups)
    rest = exact(order[5:], labels, wanted[5:], k, groups)

    own = [sum((each[row] for row in np.flatnonzero(groups == at)), Fraction(0)) for at in range(7)]
    assert found == own
    assert found == [one + other for one, other in zip(parts, rest, strict=True)]
    assert sum(found) == Fraction(gain(order, labels, wanted, k), k)
    plain = in_floats(order, labels, wanted, k)
    assert np.abs(plain - np.array([float(value) for value in each])).max() < 1e-12


def test_rows_that_nobody_asks_for_play_all_the_same() -> None:
    dice = np.random.default_rng(3)
    order = np.array([dice.permutation(50) for _ in range(4)])
    labels, wanted = dice.integers(0, 2, 50), dice.integers(0, 2, 4)
    groups = np.arange(50)
    whole = group_sums(order, labels, wanted, groups, 50)

    some = group_sums(order, labels, wanted, np.minimum(groups, 20), 20)

    assert some.tolist() == whole[:20].tolist()


PROGRAM = """
import numpy as np
from fractions import Fraction
from runtime.pallets.attribution.engine import hash_of, measure
dice = np.random.default_rng(4)
rows, points = dice.integers(0, 9, (90, 3)).astype(float), dice.integers(0, 9, (9, 3)).astype(float)
labels, groups = dice.integers(0, 3, 90), dice.integers(0, 5, 90)
found = measure(rows, labels, groups, (points, labels[:9]), 4, 5)
print(hash_of([Fraction(each) for each in found]).hex())
"""


def test_hash_seeds_change_nothing() -> None:
    ran = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert ran[0] == ran[1] != b""
