"""NonMaxSuppression against a plain greedy loop; ties, NaNs, missing inputs; refusals."""

from typing import Any

import numpy as np
import pytest

from ai_exec.registry import Call, Mismatch, Operand, find
from tests.support.one_node import applied

OPERATOR = find("", "NonMaxSuppression", 11)


def suppress(boxes: Any, scores: Any, *more: Any, **attributes: Any) -> list[list[int]]:
    assert OPERATOR is not None
    inputs = [np.array(boxes, np.float32), np.array(scores, np.float32)]
    kinds = ("int64", "float32", "float32")
    inputs += [
        None if one is None else np.array(one, kind) for one, kind in zip(more, kinds, strict=False)
    ]  # type: ignore[misc]
    return applied(OPERATOR, inputs, **attributes)[0].tolist()  # type: ignore[no-any-return]


def overlap(one: np.ndarray, other: np.ndarray) -> np.float32:
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    if (high <= low).any():
        return np.float32(0)
    shared = (high - low).prod()
    return shared / ((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - shared)


@pytest.mark.parametrize("seed", range(5))
def test_greedy(seed: int) -> None:
    random = np.random.default_rng(seed)
    corner = random.random((2, 12, 2)).astype(np.float32)
    boxes = np.concatenate([corner, corner + random.random((2, 12, 2)).astype(np.float32)], axis=2)
    scores = random.integers(0, 8, (2, 3, 12)).astype(np.float32)
    expected = []
    for sample, label in np.ndindex(2, 3):
        chosen: list[int] = []
        for box in sorted(range(12), key=lambda box: (-scores[sample, label, box], box)):
            near = [overlap(boxes[sample, box], boxes[sample, other]) for other in chosen]
            if scores[sample, label, box] > 2 and len(chosen) < 4 and not any(np.array(near) > 0.3):
                chosen.append(box)
        expected += [[sample, label, box] for box in chosen]

    assert suppress(boxes, scores, 4, 0.3, 2) == expected
    flipped = boxes[..., [2, 1, 0, 3]]
    assert suppress(flipped, scores, 4, 0.3, 2) == expected


def test_centres() -> None:
    boxes = [[[0.5, 0.5, 1, 1], [0.5, 0.6, 1, 1], [0.5, 5, 1, 1]]]

    assert suppress(boxes, [[[1, 2, 3]]], 3, 0.5, center_point_box=1) == [[0, 0, 2], [0, 0, 1]]


def test_left_out_and_odd() -> None:
    boxes = [[[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3]]]

    assert suppress(boxes, [[[1, 2, 3]]]) == []
    assert suppress(boxes, [[[1, 1, -7]]], 9) == [[0, 0, 0], [0, 0, 2]]
    assert suppress(boxes, [[[1, np.nan, np.inf]]], 9, 1.0) == [[0, 0, 2], [0, 0, 0]]
    assert suppress(boxes, [[[1, 1, 1]]], 9, None, 1.0) == []
    assert suppress(np.zeros((1, 0, 4)), np.zeros((1, 2, 0)), 3) == []


@pytest.mark.parametrize(
    ("boxes", "scores", "centre", "reason"),
    [
        ((1, 3, 5), (1, 1, 3), 0, "boxes is float32[1, 3, 5], not [1, 3, 4]"),
        ((1, 3, 4), (1, 1, 2), 0, "scores is float32[1, 1, 2], not [1, 1, 3]"),
        ((1, 3, 4), (1, 1, 3), 2, "center_point_box is 2, not 0 or 1"),
    ],
)
def test_refusals(boxes: Any, scores: Any, centre: int, reason: str) -> None:
    assert OPERATOR is not None
    operands = (Operand("float32", boxes), Operand("float32", scores))

    with pytest.raises(Mismatch) as refusal:
        OPERATOR.infer(Call(operands, {"center_point_box": centre}, 1))

    assert str(refusal.value) == reason
