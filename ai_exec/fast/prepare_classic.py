"""Compiling the passes of classic models before anybody waits for one (`prepare.py`)."""

from typing import Final

import numpy as np

from ai_exec.fast.features import divide_rows, scale_rows
from ai_exec.fast.forest_pass import folded
from ai_exec.fast.forests import PreparedForest, record_of
from ai_exec.fast.kernel_machines import count_votes, couple_rows
from ai_exec.fast.ordered import rounded, sums_of
from ai_exec.fast.powers import power
from ai_exec.fast.scores import ZERO, best, both

ROWS: Final = 2
SIZE: Final = 8


def prepare_classic() -> None:
    """Call each pass once, on a few numbers of each kind that it meets in runs."""
    singles = np.ones((ROWS, SIZE), np.float32)
    labels = np.arange(SIZE)
    for dtype, total in (("f4", "f4"), ("f4", "f8"), ("f8", "f8")):
        nodes = np.zeros(2, record_of(np.dtype(dtype)))
        nodes["fails"] = nodes["holds"] = 1
        wholes, weights = np.zeros(2, np.int64), np.ones(1, total)
        for tracks in (False, True):
            forest = PreparedForest(None, nodes, wholes, 1, wholes, wholes, weights, tracks)
            found, seen = folded(forest, singles.astype(dtype), SIZE)
            best(found, labels, seen, tracks=tracks)
            both(found[:, 0], labels, "SOFTMAX_ZERO", border=0.0, first=ZERO)
    best(np.zeros((1, 2), np.int64), labels)
    rounded(sums_of(singles, np.ones((SIZE, SIZE)), distances=True), np.zeros(1))
    count_votes(np.zeros((1, 1)), np.zeros((1, 2), np.int64))
    couple_rows(np.zeros((1, 1), np.float32), np.zeros((1, 2), np.float32))
    power(singles, np.array(3, np.float32))
    for dtype in ("f4", "f8"):
        rows, ones = singles.astype(dtype), np.ones(SIZE, dtype)
        scale_rows(rows, ones, ones, singles)
        divide_rows(rows, 0, singles)
