"""Range of floats and whole numbers, against sums by hand; refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import ours, reasons

NODE = helper.make_node("Range", ["start", "limit", "delta"], ["y"])


def scalars(dtype: str, *numbers: Any) -> dict[str, np.ndarray]:
    return {
        name: np.array(number, dtype)
        for name, number in zip(("start", "limit", "delta"), numbers, strict=True)
    }


@pytest.mark.parametrize(
    ("dtype", "numbers", "expected"),
    [
        ("int16", (1, 8, 3), [1, 4, 7]),
        ("int64", (5, -2, -3), [5, 2, -1]),
        ("int64", (2**63 - 3, 2**63 - 1, 1), [2**63 - 3, 2**63 - 2]),
        ("int32", (3, 1, 1), []),
        ("float32", (0, 1, 0.1), [np.float32(i * float(np.float32(0.1))) for i in range(10)]),
        ("float64", (1, -1, -0.5), [1, 0.5, 0, -0.5]),
        ("float32", (1e8, 1e8 + 24, 8), [1e8, 1e8 + 8, 1e8 + 16]),
    ],
)
def test_range(dtype: str, numbers: Any, expected: list[Any]) -> None:
    node = helper.make_node("Range", ["start", "limit", "delta"], ["r"])

    found = ours(node, {}, scalars(dtype, *numbers))[0]

    assert (found.dtype, found.tolist()) == (dtype, np.array(expected, dtype).tolist())


@pytest.mark.parametrize(
    ("dtype", "numbers", "reason"),
    [
        ("int64", (0, 1, 0), "delta is 0"),
        ("float32", (0, np.inf, 1), "a range from 0.0 to inf by 1.0 has no end"),
        ("float32", (0, 1, np.nan), "a range from 0.0 to 1.0 by nan has no end"),
        ("int64", (0, 1 << 60, 1), f"an axis of length {1 << 60}, allowed are 0 to 16777216"),
    ],
)
def test_refusals(dtype: str, numbers: Any, reason: str) -> None:
    assert reasons(NODE, {}, scalars(dtype, *numbers)) == (f"node 0 (Range): {reason}",)
