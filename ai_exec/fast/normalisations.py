"""Normalisations beside layer normalisation in compiled passes over rows (`normal.py`)."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.layout import Rows, by_rows, layout_of, whole
from ai_exec.fast.normal import softmax_rows, sum_of_singles, sum_of_squares
from ai_exec.fast.reductions import MAGNITUDES, SQUARES, exact_total, log_softmax_rows
from ai_exec.program import Node, Program
from ai_exec.semantics.numerics import Floats
from ai_exec.tensor import Shape, Tensor

Kernel = Callable[..., Tensor]
LITTLE: Final = 1e-9
"""What MeanVarianceNormalization adds to a deviation."""


@compiled
def group_rows(x: Any, epsilon: float, scale: Any, bias: Any, out: Any) -> None:
    """Normalise rows [M, S, L] of S parts; scale and bias [G, S] in binary64 serve in turns."""
    parts, length = x.shape[1], x.shape[2]
    centred, squares = np.empty(parts * length, np.float64), np.empty(parts * length, np.float64)
    for line in range(x.shape[0]):
        row, target = x[line].reshape(-1), out[line].reshape(-1)
        mean = sum_of_singles(row) / (parts * length)
        for index in range(parts * length):
            centred[index] = np.float64(row[index]) - mean
            squares[index] = centred[index] * centred[index]
        deviation = np.sqrt(sum_of_squares(squares) / (parts * length) + epsilon)
        group = line % scale.shape[0]
        for part in range(parts):
            factor, added = scale[group, part], bias[group, part]
            for index in range(part * length, part * length + length):
                target[index] = np.float32(centred[index] / deviation * factor + added)


@compiled
def centred_rows(x: Any, out: Any) -> None:
    """MeanVarianceNormalization of rows [M, K]."""
    length = x.shape[1]
    centred, squares = np.empty(length, np.float64), np.empty(length, np.float64)
    for line in range(x.shape[0]):
        row, target = x[line], out[line]
        mean = sum_of_singles(row) / length
        for index in range(length):
            centred[index] = np.float64(row[index]) - mean
            squares[index] = centred[index] * centred[index]
        deviation = np.sqrt(sum_of_squares(squares) / length + 0.0) + LITTLE
        for index in range(length):
            target[index] = np.float32(centred[index] / deviation)


@compiled
def root_rows(x: Any, epsilon: float, scale: Any, out: Any) -> None:
    """RMSNormalization of rows [M, K]; scale in binary64."""
    length = x.shape[1]
    for line in range(x.shape[0]):
        row, target = x[line], out[line]
        root = np.sqrt(exact_total(row, SQUARES) / length + epsilon)
        for index in range(length):
            target[index] = np.float32(np.float64(row[index]) / root * scale[index])


@compiled
def norm_rows(x: Any, squared: bool, out: Any) -> None:
    """LpNormalization of rows [M, K]."""
    length = x.shape[1]
    for line in range(x.shape[0]):
        row, target = x[line], out[line]
        norm = np.sqrt(exact_total(row, SQUARES)) if squared else exact_total(row, MAGNITUDES)
        for index in range(length):
            quotient = np.float32(np.float64(row[index]) / norm)
            target[index] = np.float32(0) if norm == 0.0 else quotient


@compiled
def batch_rows(x: Any, mean: Any, factor: Any, bias: Any, out: Any) -> None:
    """BatchNormalization of [sample, channel, element]; all in binary64."""
    for sample in range(x.shape[0]):
        for channel in range(x.shape[1]):
            row, target = x[sample, channel], out[sample, channel]
            centre, times, added = mean[channel], factor[channel], bias[channel]
            for index in range(row.shape[0]):
                target[index] = np.float32((np.float64(row[index]) - centre) * times + added)


@compiled
def batch_columns(x: Any, mean: Any, factor: Any, bias: Any, out: Any) -> None:
    """BatchNormalization of [sample, channel]; all in binary64."""
    for sample in range(x.shape[0]):
        row, target = x[sample], out[sample]
        for channel in range(row.shape[0]):
            wide = np.float64(row[channel]) - mean[channel]
            target[channel] = np.float32(wide * factor[channel] + bias[channel])


def _wide(tensor: Tensor | None) -> Floats:
    assert tensor is not None
    return np.array(tensor, np.float64)


def _instance(node: Node, program: Program) -> Kernel:
    shape = program.operands[node.inputs[0]].shape
    epsilon: Any = node.attributes["epsilon"]
    flat = (shape[0] * shape[1], 1, prod(shape[2:]))

    def kernel(x: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
        out = np.empty(flat, np.float32)
        channels = (shape[1], 1)
        factor, added = _wide(scale).reshape(channels), _wide(bias).reshape(channels)
        group_rows(whole(x, flat), epsilon, factor, added, out)
        return out.reshape(shape)

    return kernel


def _group(node: Node, program: Program) -> Kernel:
    shape = program.operands[node.inputs[0]].shape
    epsilon: Any = node.attributes["epsilon"]
    groups: Any = node.attributes["num_groups"]
    each = shape[1] // groups if "stash_type" in node.attributes else 1
    flat = (shape[0] * groups, each, prod(shape[1:]) // (groups * each))

    def kernel(x: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
        out = np.empty(flat, np.float32)
        channels = (groups, each)
        factor, added = _wide(scale).reshape(channels), _wide(bias).reshape(channels)
        group_rows(whole(x, flat), epsilon, factor, added, out)
        return out.reshape(shape)

    return kernel


def _root(node: Node, program: Program) -> Kernel:
    shape = program.operands[node.inputs[0]].shape
    epsilon: Any = node.attributes["epsilon"]
    axis: Any = node.attributes["axis"]
    folded = shape[axis % len(shape) :]
    flat = (prod(shape) // prod(folded), prod(folded))

    def kernel(x: Tensor, scale: Tensor) -> Tensor:
        out = np.empty(flat, np.float32)
        factor = np.array(np.broadcast_to(scale, folded), np.float64).reshape(-1)
        root_rows(whole(x, flat), epsilon, factor, out)
        return out.reshape(shape)

    return kernel


def _norm(node: Node, program: Program) -> Kernel:
    shape = program.operands[node.inputs[0]].shape
    axis: Any = node.attributes["axis"]
    squared = node.attributes["p"] == 2
    layout = layout_of(shape, (axis % len(shape),))
    return by_rows(layout, lambda rows, out: norm_rows(rows, squared, out))


def _along(compute: Rows) -> Callable[[Node, Program], Kernel]:
    """Along an axis, or in old versions along all from one on together."""

    def prepare(node: Node, program: Program) -> Kernel:
        shape = program.operands[node.inputs[0]].shape
        axis: Any = node.attributes["axis"]
        axis %= len(shape)
        axes = tuple(range(axis, len(shape))) if node.operator.since < 13 else (axis,)
        return by_rows(layout_of(shape, axes), compute)

    return prepare


def _mean_and_variance(node: Node, program: Program) -> Kernel:
    shape = program.operands[node.inputs[0]].shape
    named: Any = node.attributes["axes"]
    axes = tuple(sorted({axis % len(shape) for axis in named}))
    return by_rows(layout_of(shape, axes), centred_rows)


def _batch(node: Node, program: Program) -> Kernel | None:
    shape = program.operands[node.inputs[0]].shape
    epsilon: Any = node.attributes["epsilon"]
    if node.attributes.get("training_mode"):
        return None
    single = prod(shape[2:]) == 1
    compute: Any = batch_columns if single else batch_rows
    flat: Shape = shape[:2] if single else (shape[0], shape[1], prod(shape[2:]))

    def kernel(x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        out = np.empty(flat, np.float32)
        factor = _wide(scale) / np.sqrt(_wide(variance) + epsilon)
        compute(whole(x, flat), _wide(mean), factor, _wide(bias), out)
        return out.reshape(shape)

    return kernel


NORMALISATIONS: Final[Mapping[str, Callable[[Node, Program], Kernel | None]]] = {
    "BatchNormalization": _batch,
    "GroupNormalization": _group,
    "InstanceNormalization": _instance,
    "LogSoftmax": _along(log_softmax_rows),
    "LpNormalization": _norm,
    "MeanVarianceNormalization": _mean_and_variance,
    "RMSNormalization": _root,
    "Softmax": _along(softmax_rows),
}
"""By operator: gives the kernel of a node."""


def normalisation(node: Node, program: Program) -> Kernel | None:
    """Give the kernel of a node, or None where it is left to the operator's own."""
    if 0 in program.operands[node.inputs[0]].shape:
        return None
    return NORMALISATIONS[node.operator.name](node, program)
