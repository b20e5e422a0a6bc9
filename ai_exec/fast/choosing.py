"""Choosing a few elements of many in compiled passes: TopK and NonMaxSuppression."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled, inlined
from ai_exec.fast.layout import layout_of, whole
from ai_exec.ops.suppression import corners_of
from ai_exec.program import Node, Program
from ai_exec.tensor import Tensor

FEW: Final = 128
"""As many as these are kept in order while all others are looked at once."""
FLIP: Final = 0x7FFFFFFF


@inlined
def key_of(value: Any) -> np.int32:
    """A whole number in the order of numbers of binary32; NaN is the greatest, zeros are equal."""
    bits = np.float32(value + np.float32(0)).view(np.int32)
    key = np.int32(bits ^ ((bits >> 31) & FLIP))
    return np.int32(FLIP) if value != value else key


@compiled
def top_rows(rows: Any, sign: int, values: Any, places: Any) -> None:
    """Write the greatest of each row in order, of equals the first; the least with sign -1."""
    count = values.shape[1]
    keys = np.empty(count, np.int32)
    for line in range(rows.shape[0]):
        row, held = rows[line], 0
        for index in range(row.shape[0]):
            key = key_of(row[index])
            key = key if sign > 0 else np.int32(~key)
            if held == count and key <= keys[count - 1]:
                continue
            place = min(held, count - 1)
            while place > 0 and keys[place - 1] < key:
                keys[place] = keys[place - 1]
                places[line, place] = places[line, place - 1]
                place -= 1
            keys[place] = key
            places[line, place] = index
            held = min(held + 1, count)
        for place in range(count):
            values[line, place] = row[places[line, place]]


def top(node: Node, program: Program) -> Callable[..., tuple[Tensor, ...]] | None:
    """Give the kernel of a TopK that wants a few of binary32; None leaves it to the operator's."""
    data, result = program.operands[node.inputs[0]], program.operands[_first(node)]
    axis: Any = node.attributes["axis"]
    axis %= max(data.rank, 1)
    if data.dtype != "float32" or 0 in data.shape or not 0 < result.shape[axis] <= FEW:
        return None
    count, layout = result.shape[axis], layout_of(data.shape, (axis,))
    back = layout_of(result.shape, (axis,))
    sign = 1 if node.attributes.get("largest", 1) else -1

    def kernel(x: Tensor, *others: Tensor | None) -> tuple[Tensor, ...]:
        rows = layout.rows(x)
        values = np.empty((rows.shape[0], count), np.float32)
        places = np.empty((rows.shape[0], count), np.int64)
        top_rows(rows, sign, values, places)
        return back.back(values), back.back(places)

    return kernel


def _first(node: Node) -> str:
    return next(name for name in node.outputs if name)


@compiled
def sift_down(heap: Any, keys: Any, start: int, count: int) -> None:
    """Bring one place of a heap of boxes into order: greater keys, then lower places first."""
    place, box = start, heap[start]
    while 2 * place + 1 < count:
        child = 2 * place + 1
        if child + 1 < count:
            one, two = heap[child], heap[child + 1]
            if keys[two] > keys[one] or (keys[two] == keys[one] and two < one):
                child += 1
        other = heap[child]
        if keys[box] > keys[other] or (keys[box] == keys[other] and box < other):
            break
        heap[place] = other
        place = child
    heap[place] = box


@compiled
def overlaps(one: Any, other: Any, limit: Any) -> bool:
    """Tell whether two boxes of corners and area overlap too much; a NaN makes no area."""
    top_, left = max(one[0], other[0]), max(one[1], other[1])
    down = np.float32(min(one[2], other[2]) - top_)
    right = np.float32(min(one[3], other[3]) - left)
    shared = np.float32(down * right)
    union = np.float32(np.float32(one[4] + other[4]) - shared)
    real = (down > 0) & (right > 0) & (shared > 0) & (one[4] > 0) & (other[4] > 0) & (union > 0)
    return bool(real and np.float32(shared / union) > limit)


@compiled
def suppress(
    corners: Any, scores: Any, bounded: bool, threshold: Any, limit: Any, chosen: Any
) -> int:
    """Write the places of boxes that are chosen, by falling score; tell how many.

    Corners are [box, 5]: the least and greatest coordinates and the area.  Scores are above the
    threshold if they are bounded, else any numbers.
    """
    heap, keys = np.empty(scores.shape[0], np.int64), np.empty(scores.shape[0], np.int32)
    count, found = 0, 0
    for box in range(scores.shape[0]):
        score = scores[box]
        if score > threshold if bounded else score == score:
            keys[box] = key_of(scores[box])
            heap[count] = box
            count += 1
    for start in range(count // 2 - 1, -1, -1):
        sift_down(heap, keys, start, count)
    while count and found < chosen.shape[0]:
        box, free = heap[0], True
        count -= 1
        heap[0] = heap[count]
        sift_down(heap, keys, 0, count)
        for other in range(found):
            if overlaps(corners[chosen[other]], corners[box], limit):
                free = False
                break
        if free:
            chosen[found] = box
            found += 1
    return found


def non_max_suppression(
    boxes: Tensor,
    scores: Tensor,
    max_output_boxes_per_class: Tensor | None = None,
    iou_threshold: Tensor | None = None,
    score_threshold: Tensor | None = None,
    *,
    center_point_box: int = 0,
) -> Tensor:
    """The operator's NonMaxSuppression."""
    most = 0 if max_output_boxes_per_class is None else int(max_output_boxes_per_class.reshape(()))
    limit = np.float32(0) if iou_threshold is None else np.float32(iou_threshold.reshape(()))
    bounded = score_threshold is not None
    threshold = np.float32(0 if score_threshold is None else score_threshold.reshape(()))
    chosen = np.empty(max(0, min(most, boxes.shape[1])), np.int64)
    found = [np.zeros((0, 3), np.int64)]
    for sample in range(scores.shape[0]) if most > 0 else ():
        least, greatest = corners_of(boxes[sample], center_point_box)
        sides = greatest - least
        corners = np.stack([*least, *greatest, sides[0] * sides[1]], axis=1)
        for label in range(scores.shape[1]):
            values = whole(scores[sample, label], (scores.shape[2],))
            count = suppress(corners, values, bounded, threshold, limit, chosen)
            rows = np.empty((count, 3), np.int64)
            rows[:, 0], rows[:, 1], rows[:, 2] = sample, label, chosen[:count]
            found.append(rows)
    return np.concatenate(found)
