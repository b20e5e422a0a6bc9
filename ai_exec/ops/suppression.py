"""NonMaxSuppression: boxes with high scores that do not overlap much (R1 in binary32)."""

from typing import Final

import numpy as np

from ai_exec.metering import gas
from ai_exec.ops.choosing import ordered, sort_gas
from ai_exec.ops.rules import require_dtype, require_shape, size
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.tensor import Tensor

PAIR_PICOSECONDS: Final = 160_000
"""One box held against a chosen one."""
CHOICE_GAS: Final = 80_000
"""One chosen box, whatever the number of others."""
COUNTED_ELEMENTS_MAX: Final = 1024
"""Known scores whose boxes are counted at once; of more, a bound is told."""


def _scalar(call: Call, index: int, dtype: str) -> None:
    operand = call.optional(index)
    if operand is not None:
        require_dtype(operand, (dtype,), f"input {index}")
        if size(operand.shape) != 1:
            raise Mismatch(f"input {index} is {operand}, not a scalar")


def _most(call: Call) -> int:
    """Count the boxes that may be chosen for one class of one sample."""
    most, boxes = call.optional(2), call.at(0).shape[1]
    if most is None:
        return 0
    return boxes if most.value is None else max(0, min(int(most.value.reshape(())), boxes))


def _suppress(call: Call) -> tuple[Operand, ...]:
    boxes, scores = call.at(0), call.at(1)
    require_dtype(boxes, ("float32",), "boxes")
    require_dtype(scores, ("float32",), "scores")
    require_shape(boxes, (*boxes.shape[:2], 4), "boxes")
    if boxes.rank != 3 or scores.rank != 3:
        raise Mismatch(f"boxes are {boxes}, scores {scores}")
    require_shape(scores, (boxes.shape[0], scores.shape[1], boxes.shape[1]), "scores")
    _scalar(call, 2, "int64")
    _scalar(call, 3, "float32")
    _scalar(call, 4, "float32")
    if call.whole("center_point_box") not in (0, 1):
        raise Mismatch(f"center_point_box is {call.whole('center_point_box')}, not 0 or 1")
    rows = boxes.shape[0] * scores.shape[1] * _most(call)
    known = all(operand is None or operand.value is not None for operand in call.inputs)
    if rows and known and size(scores.shape) <= COUNTED_ELEMENTS_MAX:
        values = [None if operand is None else operand.value for operand in call.inputs]
        centre = call.whole("center_point_box")
        found = non_max_suppression(*values, center_point_box=centre)  # type: ignore[arg-type]
        return (Operand("int64", found.shape),)
    return (Operand("int64", (rows, 3), exact=not rows, least=(0, 3)),)


def _cost(call: Call) -> int:
    scores = call.at(1).shape
    classes, boxes, most = scores[0] * scores[1], scores[2], _most(call)
    pairs = most * boxes - most * (most - 1) // 2
    sorting = sort_gas(size(scores), boxes) + 50_000 * classes
    return sorting + classes * (CHOICE_GAS * most + gas(PAIR_PICOSECONDS * pairs))


@operator("NonMaxSuppression", since=(10, 11), infer=_suppress, cost=_cost)
def non_max_suppression(
    boxes: Tensor,
    scores: Tensor,
    max_output_boxes_per_class: Tensor | None = None,
    iou_threshold: Tensor | None = None,
    score_threshold: Tensor | None = None,
    *,
    center_point_box: int = 0,
) -> Tensor:
    """Sample, class and index of boxes by descending score, none overlapping a chosen one much.

    Of equal scores the lower index goes first.  Scores must be above the threshold, and no NaN.
    Two boxes overlap too much if the area they share, divided by the area they cover, is above the
    threshold; each step is rounded to binary32.
    """
    most = 0 if max_output_boxes_per_class is None else int(max_output_boxes_per_class.reshape(()))
    limit = np.zeros((), np.float32) if iou_threshold is None else iou_threshold.reshape(())
    found: list[tuple[int, int, int]] = []
    for sample in range(scores.shape[0]) if most > 0 else ():
        corners = corners_of(boxes[sample], center_point_box)
        for label in range(scores.shape[1]):
            values = scores[sample, label]
            kept = ~np.isnan(values)
            if score_threshold is not None:
                kept = values > score_threshold.reshape(())
            order = np.argsort(~ordered(values), kind="stable")
            chosen = _greedy(corners, order[kept[order]], most, limit)
            found += [(sample, label, box) for box in chosen]
    return np.array(found, dtype=np.int64).reshape(-1, 3)


def corners_of(boxes: Tensor, center_point_box: int) -> Tensor:
    """Give the least and greatest coordinates [2, axis, box]."""
    first, second = boxes[:, :2].T, boxes[:, 2:].T
    if center_point_box:
        half = second / np.float32(2)
        return np.stack([first - half, first + half])
    return np.stack([np.minimum(first, second), np.maximum(first, second)])


def _greedy(corners: Tensor, order: Tensor, most: int, limit: Tensor) -> list[int]:
    chosen: list[int] = []
    while len(order) and len(chosen) < most:
        best, order = order[0], order[1:]
        chosen.append(int(best))
        order = order[~_overlaps(corners[:, :, best, np.newaxis], corners[:, :, order], limit)]
    return chosen


def _overlaps(one: Tensor, others: Tensor, limit: Tensor) -> Tensor:
    low, high = np.maximum(one[0], others[0]), np.minimum(one[1], others[1])
    sides = high - low
    shared = sides[0] * sides[1]
    areas = [(box[1, 0] - box[0, 0]) * (box[1, 1] - box[0, 1]) for box in (one, others)]
    union = areas[0] + areas[1] - shared
    real = (sides > 0).all(axis=0) & (shared > 0)
    real = real & (areas[0] > 0) & (areas[1] > 0) & (union > 0)
    return np.asarray(real & (shared / np.where(union > 0, union, np.float32(1)) > limit))
