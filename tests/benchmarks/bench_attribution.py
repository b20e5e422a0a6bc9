"""Valuing rows: exact whole numbers as the chain does it, beside KNN-Shapley in plain numpy floats.

Rows valued are rows of the snapshot times evaluation rows.  Times are of the processor.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from runtime.frame.weight import MILLISECOND
from runtime.pallets.attribution import weights
from runtime.pallets.attribution.engine import measure
from runtime.pallets.attribution.neighbours import repeated, whole_features
from runtime.pallets.attribution.shapley import fold_of

Array = npt.NDArray[Any]
NEIGHBOURS: Final = 5
DIGITS: Final = Path(__file__).parents[2] / "examples" / "digits"


def plain(rows: Array, labels: Array, points: Array, wanted: Array) -> Array:
    """Give each row's worth by theorem 1, one evaluation row at a time, in floats."""
    count = len(rows)
    places = np.arange(1, count + 1)
    total = np.zeros(count)
    for point, label in zip(points, wanted, strict=True):
        order = np.argsort(((rows - point) ** 2).sum(axis=1), kind="stable")
        right = (labels[order] == label).astype(float)
        steps = -np.diff(right, append=0.0) * np.minimum(places, NEIGHBOURS)
        steps /= NEIGHBOURS * places
        total[order] += np.cumsum(steps[::-1])[::-1]
    return total / len(points)


def seconds(work: Callable[[], Any], times: int = 3) -> float:
    """Give the least processor time of some runs."""
    best = float("inf")
    for _ in range(times):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


def compare(
    name: str, rows: Array, labels: Array, points: Array, wanted: Array, groups: int
) -> None:
    """Print both speeds, their ratio, and what is charged for the work."""
    count, width = rows.shape
    owners = np.arange(count) * groups // count
    fold_of(NEIGHBOURS, count)

    def exact() -> list[int]:
        return measure(rows, labels, owners, (points, wanted), NEIGHBOURS, groups)

    ours, theirs = seconds(exact), seconds(lambda: plain(rows, labels, points, wanted))
    sums = np.bincount(owners, plain(rows, labels, points, wanted), minlength=groups)
    whole = fold_of(NEIGHBOURS, count).denominator * len(points)
    assert np.allclose([each / whole for each in exact()], sums, atol=1e-9)
    charged = weights.fold(count, groups)
    charged += len(points) * weights.measure(count, width, groups)
    valued = count * len(points)
    print(
        f"{name}, {count} rows in {groups} records: {valued / ours:,.0f} rows/s exact, "
        f"{valued / theirs:,.0f} in floats, {theirs / ours:.2f} times as fast; "
        f"{ours * 1000:.1f} ms, charged as {charged / MILLISECOND:.1f}"
    )


def main() -> None:
    """Value real digits, then rows at random at the limits."""
    names = ("bob", "carol")
    files = [np.frombuffer((DIGITS / f"{each}.rows").read_bytes(), np.uint8) for each in names]
    known = np.concatenate(files).reshape(-1, 65)
    unseen = np.frombuffer((DIGITS / "unseen.rows").read_bytes(), np.uint8).reshape(-1, 65)
    rows, points = whole_features(known[:, :64]), whole_features(unseen[:, :64])
    compare("digits", rows, known[:, 64], points, unseen[:, 64], 2)
    begun = seconds(lambda: repeated(rows, known[:, 64], np.zeros(0, bool), 0, 9))
    charged = len(rows) * weights.repeat(len(rows), 64) / MILLISECOND
    print(f"digits, repeated rows found in {begun * 1000:.1f} ms, charged as {charged:.1f}")
    dice = np.random.default_rng(0)
    for count, groups, wanted in ((1024, 1024, 20), (4096, 64, 20), (16384, 16, 4)):
        cloud = dice.integers(0, 256, (count, 64)).astype(float)
        asked = dice.integers(0, 256, (wanted, 64)).astype(float)
        labels, answers = dice.integers(0, 10, count), dice.integers(0, 10, wanted)
        compare("random", cloud, labels, asked, answers, groups)


if __name__ == "__main__":
    main()
