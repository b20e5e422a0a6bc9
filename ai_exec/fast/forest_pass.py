"""The walk of rows through prepared trees, and the sums of what their leaves say.

Eight walks go on together, so that they wait for memory at the same time: of eight rows through a
tree, or of one row through eight trees.  Weights are added in the order of trees and votes.
"""

from typing import Any, Final

import numpy as np

from ai_exec.fast.compilation import compiled, inlined
from ai_exec.fast.forests import PreparedForest
from ai_exec.fast.scores import NOT_SEEN
from ai_exec.tensor import Tensor

LANES: Final = 8
BLOCK_ELEMENTS: Final = 1 << 16
"""Features of the rows that go through all trees before the next ones."""
ADD, LEAST, GREATEST = 0, 1, 2
"""How weights are folded."""


@inlined
def next_node(nodes: Any, at: int, value: Any) -> Any:
    """Where a comparison leads."""
    node = nodes[at]
    fails, holds = np.int64(node.fails), np.int64(node.holds)
    chosen = np.int64(value <= node.split) | (np.int64(value != value) & node.feature & 1)
    # Both are read, as nobody can foretell which way a row goes.
    return fails + (holds - fails) * chosen


@compiled
def walk(nodes: Any, inner: int, x: Any, rows: Any, at: Any) -> None:
    """Take each lane from the node where it is down to a leaf."""
    moving = True
    while moving:
        moving = False
        for lane in range(LANES):
            place = at[lane]
            value = x[rows[lane], nodes[place].feature >> 1]
            to = next_node(nodes, place, value)
            at[lane] = to
            moving = moving or to < inner


@compiled
def vote(
    leaf: int,
    starts: Any,
    targets: Any,
    weights: Any,
    fold: int,
    tracks: bool,
    total: Any,
    seen: Any,
) -> None:
    """Fold the weights of a leaf into a row's totals."""
    for place in range(starts[leaf], starts[leaf + 1]):
        target, weight = targets[place], weights[place]
        if fold == ADD:
            total[target] += weight
        elif not seen[target]:
            total[target] = weight
        else:
            before = total[target]
            lesser = before < weight if fold == LEAST else before > weight
            # Adding +0 takes the sign from a zero.
            total[target] = (before if lesser or before != before else weight) + 0.0
        if tracks:
            seen[target] = True


@compiled
def fold_forest(
    nodes: Any,
    roots: Any,
    inner: int,
    starts: Any,
    targets: Any,
    weights: Any,
    x: Any,
    fold: int,
    tracks: bool,
    total: Any,
    seen: Any,
) -> None:
    """Fold what all trees say of rows [M, K] of features into totals [M, target]."""
    count, trees = x.shape[0], roots.shape[0]
    block = max(LANES, BLOCK_ELEMENTS // x.shape[1] // LANES * LANES)
    rows, at = np.empty(LANES, np.int64), np.empty(LANES, np.int64)
    seen_last = seen.shape[0] - 1
    whole = count // LANES * LANES
    for first in range(0, whole, block):
        for tree in range(trees):
            for row in range(first, min(whole, first + block), LANES):
                for lane in range(LANES):
                    rows[lane], at[lane] = row + lane, roots[tree]
                walk(nodes, inner, x, rows, at)
                for lane in range(LANES):
                    place, leaf = row + lane, at[lane] - inner
                    known = seen[min(place, seen_last)]
                    vote(leaf, starts, targets, weights, fold, tracks, total[place], known)
    for row in range(whole, count):
        rows[:] = row
        known = seen[min(row, seen_last)]
        for tree in range(0, trees, LANES):
            for lane in range(LANES):
                at[lane] = roots[min(tree + lane, trees - 1)]
            walk(nodes, inner, x, rows, at)
            for lane in range(min(LANES, trees - tree)):
                leaf = at[lane] - inner
                vote(leaf, starts, targets, weights, fold, tracks, total[row], known)


def folded(
    forest: PreparedForest, x: Tensor, targets: int, fold: int = ADD
) -> tuple[Tensor, Tensor]:
    """Give the folded weights of each row's leaves, and which targets have one if that matters."""
    shape = (x.shape[0], targets)
    total = np.zeros(shape, forest.weights.dtype)
    seen = np.zeros(shape, np.bool_) if forest.tracks else NOT_SEEN
    fold_forest(
        forest.nodes,
        forest.roots,
        forest.inner,
        forest.starts,
        forest.targets,
        forest.weights,
        x,
        fold,
        forest.tracks,
        total,
        seen,
    )
    return total, seen
