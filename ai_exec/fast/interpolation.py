"""Resize of binary32 by weights, axis by axis in binary64, in compiled passes."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.layout import whole
from ai_exec.ops.interpolation import coordinates, taps_of
from ai_exec.ops.resizing import linear_stretches
from ai_exec.program import Node, Program
from ai_exec.tensor import Tensor


@compiled
def stretch_axis(x: Any, places: Any, weights: Any, result: Any) -> None:
    """Mix lines of [outer, K, inner] to [outer, N, inner]: taps [tap, N] in their order."""
    for outer in range(result.shape[0]):
        for line in range(result.shape[1]):
            target = result[outer, line]
            for tap in range(places.shape[0]):
                row, weight = x[outer, places[tap, line]], weights[tap, line]
                if tap == 0:
                    for place in range(target.shape[0]):
                        target[place] = np.float64(row[place]) * weight
                else:
                    for place in range(target.shape[0]):
                        target[place] = target[place] + np.float64(row[place]) * weight


@compiled
def stretch_rows(x: Any, places: Any, weights: Any, result: Any) -> None:
    """The same of rows [M, K] to [M, N]; results have any float type."""
    for line in range(x.shape[0]):
        row, target = x[line], result[line]
        for place in range(target.shape[0]):
            total = np.float64(row[places[0, place]]) * weights[0, place]
            for tap in range(1, places.shape[0]):
                total += np.float64(row[places[tap, place]]) * weights[tap, place]
            target[place] = total


def resize(node: Node, program: Program) -> Callable[..., Tensor] | None:
    """Give the kernel of a Resize by weights; None leaves it to the operator's own."""
    given, shape = node.attributes, program.operands[node.inputs[0]].shape
    names = dict(enumerate(node.inputs))
    scales, sizes = (program.constants.get(names.get(index, "")) for index in (2, 3))
    if node.operator.since < 11 or 0 in shape or (scales is None and sizes is None):
        return None
    found = linear_stretches(shape, scales, sizes, given)
    result = program.operands[node.outputs[0]].shape
    if found is None or 0 in result:
        return None
    steps = []
    for stretch in found[0]:
        if not stretch.is_idle:
            x = coordinates(stretch, found[1].place, "float64")
            taps = taps_of(x, stretch, found[1])
            places, weights = (np.stack(parts) for parts in zip(*taps, strict=True))
            steps.append((stretch.axis, stretch.length, places, np.ascontiguousarray(weights)))

    def kernel(x: Tensor, *others: Tensor | None) -> Tensor:
        total, lengths = x, list(shape)
        for axis, length, places, weights in steps:
            lengths[axis] = places.shape[1]
            outer, inner = prod(lengths[:axis]), prod(lengths[axis + 1 :])
            if inner == 1:
                stretched = np.empty((outer, places.shape[1]))
                stretch_rows(whole(total, (outer, length)), places, weights, stretched)
            else:
                stretched = np.empty((outer, places.shape[1], inner))
                stretch_axis(whole(total, (outer, length, inner)), places, weights, stretched)
            total = stretched
        return total.reshape(result).astype(np.float32)

    return kernel
