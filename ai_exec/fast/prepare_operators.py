"""Compiling the passes of single operators (see `prepare.py`)."""

from typing import Final

import numpy as np

from ai_exec.fast import (
    activations,
    choosing,
    elementwise,
    interpolation,
    movement,
    normal,
    normalisations,
    powers,
    reductions,
    rotation,
)
from ai_exec.fast.casts import CASTS

SIZE: Final = 8


def prepare_operators() -> None:
    """Call each pass once, on a few numbers."""
    numbers = np.ones(SIZE, np.float32)
    prepare_elementwise(numbers)
    prepare_rows(numbers.reshape(2, SIZE // 2))
    prepare_movement(numbers)
    for (given, _), cast in CASTS.items():
        cast(np.ones(SIZE, np.dtype(given)))


def prepare_elementwise(numbers: np.ndarray) -> None:
    """Do so for functions of each element."""
    result, one = np.empty(SIZE, np.float32), np.float32(1)
    elementwise.relu_pass(numbers, result)
    elementwise.leaky_relu_pass(numbers, result, one)
    elementwise.thresholded_relu_pass(numbers, result, one)
    elementwise.hard_swish_pass(numbers, result, one)
    elementwise.hard_sigmoid_pass(numbers, result, one, one)
    elementwise.shrink_pass(numbers, result, one, one)
    elementwise.clip_pass(numbers, result, one, one)
    activations.celu_pass(numbers, result, one)
    activations.elu_pass(numbers, result, one)
    activations.selu_pass(numbers, result, one, one)
    powers.power_pass(numbers, numbers.astype(np.float64), result, np.empty(SIZE, np.bool_))
    powers.cube_pass(numbers, result)
    elementwise.is_inf_pass(numbers, np.empty(SIZE, np.bool_), True, True)
    elementwise.p_relu_pass(numbers, result, numbers)
    cube = numbers.reshape(1, 1, SIZE)
    elementwise.p_relu_rows(cube, numbers, np.empty(cube.shape, np.float32))


def prepare_rows(rows: np.ndarray) -> None:
    """Do so for reductions and normalisations."""
    count, length = rows.shape
    out, wide = np.empty(rows.shape, np.float32), np.ones(SIZE)
    cube, cubes = rows.reshape(1, count, length), out.reshape(1, count, length)
    normal.one_nan(rows.reshape(-1).view(np.int32), np.empty(SIZE, np.int32))
    reductions.fold_rows(rows, 0, 0, np.empty(count, np.float32))
    reductions.fold_columns(cube, 0, 0, np.empty((1, length), np.float32))
    reductions.log_sum_exp_rows(rows, np.empty(count, np.float32))
    reductions.log_softmax_rows(rows, out)
    reductions.greatest_rows(rows, 1, np.empty(count, np.float32))
    parts = wide.reshape(1, SIZE)
    normalisations.group_rows(cube, 0.0, parts, parts, cubes)
    normalisations.centred_rows(rows, out)
    normalisations.root_rows(rows, 0.0, wide, out)
    normalisations.norm_rows(rows, True, out)
    normalisations.batch_rows(cube, wide, wide, wide, cubes)
    normalisations.batch_columns(rows, wide, wide, wide, out)


def prepare_movement(numbers: np.ndarray) -> None:
    """Do so for what chooses, moves and interpolates elements."""
    rows, wide = numbers.reshape(1, SIZE), np.ones((1, SIZE))
    places, cube = np.zeros((1, SIZE), np.int64), numbers.reshape(1, 1, SIZE)
    choosing.top_rows(rows, 1, rows.copy(), places.copy())
    boxes, one = np.ones((SIZE, 5), np.float32), np.float32(1)
    choosing.suppress(boxes, numbers, True, one, one, places.reshape(-1).copy())
    for bits in movement.UNSIGNED:
        whole = np.zeros((1, 1, SIZE), bits)
        movement.triangle(whole, 0, True, whole.copy())
        for index in (np.int32, np.int64):
            movement.gather_along(whole, np.zeros(whole.shape, index), whole.copy())
    four = numbers.reshape(1, 1, 1, SIZE)
    pairs = np.ones((1, 1, SIZE // 2), np.float32)
    rotation.rotate(four, pairs, pairs, False, False, four.copy())
    movement.sum_along(cube, False, False, np.zeros(SIZE), cube.copy())
    for given in (numbers, wide):
        interpolation.stretch_rows(given.reshape(1, SIZE), places, wide, wide.copy())
        lines = given.reshape(1, SIZE, 1)
        interpolation.stretch_axis(lines, places, wide, np.empty((1, SIZE, 1)))
