"""Decision trees made ready for one pass: every comparison becomes x <= split, leaves come last.

A comparison of another kind is one or two of that kind with sides swapped; of sets, two for each
member.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ai_exec.ops.forests import EQUAL, LEAF, MEMBER, MODES, UNEQUAL, Forest
from ai_exec.tensor import Tensor

_LESS, _GREATER_EQUAL = MODES.index("BRANCH_LT"), MODES.index("BRANCH_GTE")
_GREATER: Final = MODES.index("BRANCH_GT")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class PreparedForest:
    """Trees in the form that the pass reads."""

    source: Forest | None
    """What it was made of, so that it lives as long."""
    nodes: Tensor
    """Records: split, twice the feature plus whether a NaN counts as less, and where to go."""
    roots: Tensor
    inner: int
    """Nodes from here on are leaves."""
    starts: Tensor
    """Place of each leaf's first vote, and the end."""
    targets: Tensor
    weights: Tensor
    """Votes of 0 are left out where they change nothing."""
    tracks: bool
    """Whether a run has to find out which targets have a vote."""


def prepared_forest(
    forest: Forest, dtype: Any, total: Any, targets: int, *, adds: bool, tracks: bool
) -> PreparedForest:
    """Prepare trees for features of a float type and sums of another.

    Which targets have a vote matters unless weights add up; if it `tracks` that, then, too, unless
    each leaf votes for all targets.
    """
    nodes = _Nodes(forest)
    for mode in range(LEAF):
        nodes.lower(mode)
    place = nodes.places()
    made = np.zeros(place.size, record_of(dtype))
    made["split"][place] = not_above(nodes.splits, dtype)
    made["feature"][place] = 2 * nodes.features + nodes.missing
    for side, name in enumerate(("fails", "holds")):
        made[name][place] = place[nodes.branches[:, side]]
    leaves = np.flatnonzero(nodes.leaf)
    leaf = np.zeros(nodes.leaf.size, np.int64)
    leaf[leaves] = np.arange(leaves.size)
    owners = np.repeat(np.arange(forest.modes.size), np.diff(forest.vote_starts))
    pairs = np.unique(leaf[owners] * targets + forest.targets).size
    matters = not adds or (tracks and pairs < leaves.size * targets)
    kept = nodes.leaf[owners] & (matters | (forest.weights != 0))
    return PreparedForest(
        forest,
        made,
        place[forest.roots],
        int(place.size - leaves.size),
        np.searchsorted(leaf[owners[kept]], np.arange(leaves.size + 1)),
        forest.targets[kept],
        forest.weights[kept].astype(total),
        matters,
    )


def record_of(dtype: Any) -> Any:
    """Give the type of a node for features of a float type."""
    names = ("feature", "fails", "holds")
    return np.dtype([("split", dtype), *((name, np.int32) for name in names)], align=True)


def before(splits: Tensor) -> Tensor:
    """Give for each split the number y such that x < split means x <= y; NaN if there is none."""
    return np.where(splits == -np.inf, np.nan, np.nextafter(splits, -np.inf))


def not_above(splits: Tensor, dtype: Any) -> Tensor:
    """Give the greatest number of a float type that is not above each binary64 split."""
    nearest = splits.astype(dtype)
    return np.where(nearest > splits, np.nextafter(nearest, dtype(-np.inf)), nearest)


class _Nodes:
    """Nodes on their way to comparisons of one kind; the missing goes where `holds` does."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self.leaf = forest.modes == LEAF
        self.splits, self.features = forest.splits.copy(), forest.features.copy()
        self.branches, self.missing = forest.branches.copy(), forest.missing.astype(np.int64)
        at = np.flatnonzero(self.leaf)
        self.branches[at] = at[:, np.newaxis]

    def places(self) -> Tensor:
        """Give each node its place: leaves last, else in order."""
        inner = np.cumsum(~self.leaf) - 1
        return np.where(self.leaf, inner[-1] + np.cumsum(self.leaf), inner)

    def lower(self, mode: int) -> None:
        """Turn all comparisons of a mode to those of x <= split."""
        at = np.flatnonzero(self._forest.modes == mode)
        if mode in (_LESS, _GREATER_EQUAL):
            self.splits[at] = before(self.splits[at])
        if mode in (_GREATER, _GREATER_EQUAL):
            self._swap(at[~np.isnan(self._forest.splits[at])])
        if mode == UNEQUAL:
            self._swap(at)
        if mode in (EQUAL, UNEQUAL):
            self._equal(at, self.splits[at])
        if mode == MEMBER:
            self._members(at)

    def _swap(self, at: Tensor) -> None:
        """Let comparisons that hold lead where those that fail did."""
        self.branches[at] = self.branches[at][:, ::-1]
        self.missing[at] = 1 - self.missing[at]

    def _equal(self, at: Tensor, splits: Tensor) -> Tensor:
        """Let nodes ask whether x is split: x <= split, then not x < split, which nodes are given.

        A NaN that counts as equal goes through both.
        """
        second = self._more(at, before(splits))
        self.branches[second] = self.branches[at][:, ::-1]
        self.missing[second] = 0
        self.splits[at] = splits
        self.branches[at, 1] = second
        return second

    def _members(self, at: Tensor) -> None:
        """Let nodes ask for one member after the other, the least one first."""
        starts, members = self._forest.member_starts, self._forest.members
        owners = np.repeat(np.arange(starts.size - 1), np.diff(starts))
        order = np.lexsort((members, owners))
        owners, members = owners[order], members[order]
        first = np.ones(owners.size, bool)
        first[1:] = owners[1:] != owners[:-1]
        again = ~first
        again[1:] &= members[1:] == members[:-1]
        owners, members, first = owners[~again], members[~again], first[~again]
        self.splits[at] = np.nan
        fails, holds = self.branches[owners].T
        chain = owners.copy()
        chain[~first] = self._more(owners[~first], members[~first])
        last = np.ones(owners.size, bool)
        last[:-1] = first[1:]
        self.branches[chain, 0] = np.where(last, fails, np.concatenate([chain[1:], chain[:1]]))
        self.branches[chain, 1] = holds
        second = self._equal(chain, members)
        self.branches[second, 1] = fails

    def _more(self, like: Tensor, splits: Tensor) -> Tensor:
        """Add nodes on the same features."""
        first = self.leaf.size
        self.leaf = np.concatenate([self.leaf, np.zeros(like.size, bool)])
        self.splits = np.concatenate([self.splits, splits])
        self.features = np.concatenate([self.features, self.features[like]])
        self.missing = np.concatenate([self.missing, self.missing[like]])
        self.branches = np.concatenate([self.branches, self.branches[like]])
        return np.arange(first, first + like.size)
