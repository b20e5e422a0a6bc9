"""Decision trees as arrays: read from attributes, and walked."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ai_exec.registry import Mismatch
from ai_exec.tensor import Tensor

MODES: Final = (
    *("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"),
    *("BRANCH_MEMBER", "LEAF"),
)
EQUAL, UNEQUAL = MODES.index("BRANCH_EQ"), MODES.index("BRANCH_NEQ")
MEMBER, LEAF = MODES.index("BRANCH_MEMBER"), MODES.index("LEAF")

DEPTH_MAX: Final = 1024
"""Most comparisons from the root of a tree to a leaf."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Forest:
    """Trees as arrays over all their nodes; a vote is a weight that a leaf gives to a target."""

    roots: Tensor
    """Node at which each tree starts, in the order in which trees add up."""
    depths: Tensor
    """Most comparisons in each tree."""
    modes: Tensor
    """Kind of each node: a place in MODES."""
    features: Tensor
    """Place of the feature that a node compares."""
    splits: Tensor
    """What it is compared with, in binary64."""
    branches: Tensor
    """Nodes to go to if the comparison fails, and if it holds: [node, 2]."""
    missing: Tensor
    """Whether NaN goes where a comparison that holds does."""
    vote_starts: Tensor
    """Place of each node's first vote, and the end."""
    targets: Tensor
    """Target of each vote."""
    weights: Tensor
    """Weight of each vote."""
    member_starts: Tensor
    """Place of each node's first member, and the end."""
    members: Tensor
    """Numbers of which a BRANCH_MEMBER node asks whether the feature is one."""

    @property
    def trees(self) -> int:
        """How many trees there are."""
        return int(self.roots.size)

    @property
    def asks_equal(self) -> bool:
        """Whether some node asks if a feature equals a number, which takes two comparisons."""
        return bool(((self.modes == EQUAL) | (self.modes == UNEQUAL)).any())

    def votes_of(self, leaves: Tensor) -> Tensor:
        """Tell how many votes leaves have."""
        return np.asarray(self.vote_starts[leaves + 1] - self.vote_starts[leaves])

    def leaves(self, tree: int, features: Tensor) -> Tensor:
        """Walk each row of features down a tree: the node where it ends."""
        rows = np.arange(features.shape[0])
        at = np.full(rows.size, self.roots[tree])
        for _ in range(int(self.depths[tree])):
            goes = self._holds(at, features[rows, self.features[at]])
            at = np.where(self.modes[at] == LEAF, at, self.branches[at, goes])
        return at

    def _holds(self, at: Tensor, value: Tensor) -> Tensor:
        """Tell as 0 or 1 whether each comparison holds."""
        split = self.splits[at]
        answers = np.stack(
            [
                *(value <= split, value < split, value >= split, value > split),
                *(value == split, value != split, self._is_member(at, value), value != value),
            ]
        )
        holds = answers[self.modes[at], np.arange(at.size)]
        return np.where(np.isnan(value), self.missing[at], holds).astype(np.int64)

    def _is_member(self, at: Tensor, value: Tensor) -> Tensor:
        start, end = self.member_starts[at], self.member_starts[at + 1]
        found = np.zeros(at.size, bool)
        for place in range(greatest_count(self.member_starts)):
            inside = start + place < end
            found |= inside & (self.members[np.where(inside, start + place, 0)] == value)
        return found


def greatest_count(starts: Tensor) -> int:
    """Give the most items that a node has."""
    counts = starts[1:] - starts[:-1]
    return int(counts[np.argmax(counts)])


def forest(
    *,
    roots: Tensor,
    modes: Tensor,
    features: Tensor,
    splits: Tensor,
    branches: Tensor,
    missing: Tensor,
    votes: tuple[Tensor, Tensor, Tensor],
    members: tuple[Tensor, Tensor] = (np.zeros(0, np.int64), np.zeros(0)),
    feature_count: int,
    target_count: int,
) -> Forest:
    """Check trees and lay them out; votes are (node, target, weight), members (node, number)."""
    inner = modes != LEAF
    nodes, targets, weights = votes
    _require_range("a feature", features[inner], feature_count)
    _require_range("a node", branches[inner], modes.size)
    _require_range("a node with a weight", nodes, modes.size)
    _require_range("a target", targets, target_count)
    depths = depths_of(roots, branches, inner)
    order = np.argsort(nodes, kind="stable")
    return Forest(
        roots,
        depths,
        modes,
        np.where(inner, features, 0),
        splits.astype(np.float64),
        branches,
        missing.astype(bool),
        _starts(nodes[order], modes.size),
        targets[order],
        weights[order],
        _starts(members[0], modes.size),
        members[1].astype(np.float64),
    )


def depths_of(roots: Tensor, branches: Tensor, inner: Tensor) -> Tensor:
    """Give the most comparisons in each tree; raises Mismatch unless every walk ends.

    A node may be reached in several ways: exporters share what follows a set of categories.
    """
    reached = _reached(roots, branches, inner)
    edges = branches[reached].reshape(-1)
    edges = edges[inner[edges]]
    left = np.zeros(inner.size, np.int64)
    ends, counts = _counted(edges)
    left[ends] = counts
    layers = [reached[left[reached] == 0]]
    while layers[-1].size:
        if len(layers) > DEPTH_MAX:
            raise Mismatch(f"a tree is deeper than {DEPTH_MAX}")
        ends = branches[layers[-1]].reshape(-1)
        ends, counts = _counted(ends[inner[ends]])
        left[ends] -= counts
        layers.append(ends[left[ends] == 0])
    if sum(layer.size for layer in layers) < reached.size:
        raise Mismatch("a tree goes round in a circle")
    heights = np.zeros(inner.size, np.int64)
    for layer in reversed(layers):
        below = heights[branches[layer]]
        heights[layer] = 1 + np.maximum(below[:, 0], below[:, 1])
    return heights[roots]


def _reached(roots: Tensor, branches: Tensor, inner: Tensor) -> Tensor:
    """Give the nodes that compare and that some walk may reach."""
    seen = np.zeros(inner.size, bool)
    nodes = np.unique(roots[inner[roots]])
    for _ in range(DEPTH_MAX + 1):
        if not nodes.size:
            return np.arange(inner.size)[seen]
        seen[nodes] = True
        ends = branches[nodes].reshape(-1)
        nodes = np.unique(ends[inner[ends] & ~seen[ends]])
    raise Mismatch(f"a tree is deeper than {DEPTH_MAX}")


def _counted(places: Tensor) -> tuple[Tensor, Tensor]:
    found, counts = np.unique(places, return_counts=True)
    return found, counts


def _starts(nodes: Tensor, count: int) -> Tensor:
    return np.searchsorted(nodes, np.arange(count + 1))


def _require_range(what: str, places: Tensor, count: int) -> None:
    wrong = (places < 0) | (places >= count)
    if wrong.any():
        raise Mismatch(f"{what} is {int(places[wrong][0])}, there are {count}")


def _require_equal_lengths(attributes: Mapping[str, Any], names: tuple[str, ...]) -> int:
    lengths = [len(listed(attributes, name)) for name in names]
    if any(length != lengths[0] for length in lengths):
        pairs = zip(names, lengths, strict=True)
        raise Mismatch("lists differ in length: " + ", ".join(f"{n} {m}" for n, m in pairs))
    return lengths[0]


def listed(attributes: Mapping[str, Any], name: str) -> Any:
    """Give an attribute that is a list, or the tensor that stands for it, or an empty list."""
    tensor, plain = attributes.get(f"{name}_as_tensor"), attributes.get(name)
    if tensor is not None and plain:
        raise Mismatch(f"{name} and {name}_as_tensor are both given")
    if tensor is not None:
        return tensor.reshape(-1)
    return () if plain is None else plain


def numbers(attributes: Mapping[str, Any], name: str) -> Tensor:
    """Give a list of floats: of binary64 if a tensor says so, else of binary32."""
    found = listed(attributes, name)
    if isinstance(found, np.ndarray):
        if found.dtype not in (np.float32, np.float64):
            raise Mismatch(f"{name} are of {found.dtype}")
        return found
    return np.array(found, np.float32)


def wholes(attributes: Mapping[str, Any], name: str) -> Tensor:
    """Give a list of whole numbers."""
    return np.array(listed(attributes, name), np.int64)


KEPT_MAX: Final = 64
KEPT_NODES_MAX: Final = 1 << 20
_LISTS: Final = ("nodes_", "class_", "target_", "leaf_", "tree_", "membership_")
_kept: OrderedDict[tuple[Any, ...], tuple[Forest, list[Any]]] = OrderedDict()
"""Forests that were read lately, with the lists that say by their identity which ones they are."""


def _read_once(read: Callable[..., Forest], attributes: Mapping[str, Any], *more: Any) -> Forest:
    """Read a forest unless one of these lists was read lately: rules, prices and runs ask again."""
    lists = [attributes[name] for name in sorted(attributes) if name.startswith(_LISTS)]
    key = (read, *map(id, lists), *more)
    found = _kept.get(key)
    if found is None:
        found = read(attributes, *more), lists
        _kept[key] = found
        while len(_kept) > 1 and (len(_kept) > KEPT_MAX or _kept_nodes() > KEPT_NODES_MAX):
            _kept.popitem(last=False)
    return found[0]


def _kept_nodes() -> int:
    return sum(forest.modes.size for forest, _ in _kept.values())


def forest_of_ids(
    attributes: Mapping[str, Any], votes: str, feature_count: int, target_count: int
) -> Forest:
    """Read the trees of versions 1 to 3, whose nodes have ids; `votes` is "class" or "target"."""
    return _read_once(_forest_of_ids, attributes, votes, feature_count, target_count)


def _forest_of_ids(
    attributes: Mapping[str, Any], votes: str, feature_count: int, target_count: int
) -> Forest:
    parts = ("treeids", "nodeids", "featureids", "modes", "truenodeids", "falsenodeids", "values")
    count = _require_equal_lengths(attributes, tuple(f"nodes_{part}" for part in parts))
    votings = tuple(f"{votes}_{part}" for part in ("treeids", "nodeids", "ids", "weights"))
    _require_equal_lengths(attributes, votings)
    missing = wholes(attributes, "nodes_missing_value_tracks_true")
    if missing.size not in (0, count) or not count:
        raise Mismatch(f"{count} nodes, {missing.size} of nodes_missing_value_tracks_true")
    modes = _modes_of(attributes["nodes_modes"])
    trees = wholes(attributes, "nodes_treeids")
    find = _finder(trees, wholes(attributes, "nodes_nodeids"))
    _, firsts = np.unique(trees, return_index=True)
    ends = [wholes(attributes, f"nodes_{side}nodeids") for side in ("false", "true")]
    voters = (wholes(attributes, f"{votes}_{part}") for part in ("treeids", "nodeids"))
    return forest(
        roots=firsts[np.argsort(firsts, kind="stable")],
        modes=modes,
        features=wholes(attributes, "nodes_featureids"),
        splits=numbers(attributes, "nodes_values"),
        branches=np.stack([find(trees, to) for to in ends], axis=1),
        missing=missing if missing.size else np.zeros(count, np.int64),
        votes=(
            find(*voters),
            wholes(attributes, f"{votes}_ids"),
            numbers(attributes, f"{votes}_weights"),
        ),
        feature_count=feature_count,
        target_count=target_count,
    )


def _modes_of(words: tuple[str, ...]) -> Tensor:
    places = {word: place for place, word in enumerate(MODES) if word != "BRANCH_MEMBER"}
    modes = np.array([places.get(word, -1) for word in words], np.int64)
    if (modes < 0).any():
        raise Mismatch(f"nodes_modes has {words[int(np.argmin(modes))]}")
    return modes


def _finder(trees: Tensor, ids: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Give what tells the places of nodes by tree and id, -1 where there is none."""
    tree_ids, node_ids = np.unique(trees), np.unique(ids)

    def key_of(trees: Tensor, ids: Tensor) -> Tensor:
        tree = np.minimum(np.searchsorted(tree_ids, trees), tree_ids.size - 1)
        node = np.minimum(np.searchsorted(node_ids, ids), node_ids.size - 1)
        known = (tree_ids[tree] == trees) & (node_ids[node] == ids)
        return np.where(known, tree * node_ids.size + node, -1)

    keys = key_of(trees, ids)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    if (ordered[1:] == ordered[:-1]).any():
        raise Mismatch("a node of a tree is there twice")

    def find(trees: Tensor, ids: Tensor) -> Tensor:
        wanted = key_of(trees, ids)
        place = np.minimum(np.searchsorted(ordered, wanted), ordered.size - 1)
        return np.where(ordered[place] == wanted, order[place], -1)

    return find


def forest_of_places(
    attributes: Mapping[str, Any], feature_count: int, target_count: int
) -> Forest:
    """Read the trees of version 5: nodes and leaves are told by their places in two lists."""
    return _read_once(_forest_of_places, attributes, feature_count, target_count)


def _forest_of_places(
    attributes: Mapping[str, Any], feature_count: int, target_count: int
) -> Forest:
    parts = ("featureids", "truenodeids", "falsenodeids", "trueleafs", "falseleafs")
    lists = ("nodes_modes", "nodes_splits", *(f"nodes_{part}" for part in parts))
    count = _require_equal_lengths(attributes, lists)
    leaves = _require_equal_lengths(attributes, ("leaf_targetids", "leaf_weights"))
    missing = wholes(attributes, "nodes_missing_value_tracks_true")
    modes = np.asarray(attributes["nodes_modes"]).reshape(-1).astype(np.int64)
    if missing.size not in (0, count) or not count:
        raise Mismatch(f"{count} nodes, {missing.size} of nodes_missing_value_tracks_true")
    _require_range("a mode", modes, LEAF)
    branches = []
    for side in ("false", "true"):
        to = wholes(attributes, f"nodes_{side}nodeids")
        leaf = wholes(attributes, f"nodes_{side}leafs")
        _require_range(f"a {side} node", to[leaf == 0], count)
        _require_range(f"a {side} leaf", to[leaf != 0], leaves)
        branches.append(np.where(leaf != 0, to + count, to))
    roots = wholes(attributes, "tree_roots")
    _require_range("a root", roots, count)
    padding = np.zeros(leaves, np.int64)
    found = missing if missing.size else np.zeros(count, np.int64)
    return forest(
        roots=roots,
        modes=np.concatenate([modes, padding + LEAF]),
        features=np.concatenate([wholes(attributes, "nodes_featureids"), padding]),
        splits=np.concatenate([attributes["nodes_splits"].reshape(-1).astype(np.float64), padding]),
        branches=np.concatenate([np.stack(branches, axis=1), np.stack([padding, padding], axis=1)]),
        missing=np.concatenate([found, padding]),
        votes=(
            np.arange(leaves) + count,
            wholes(attributes, "leaf_targetids"),
            attributes["leaf_weights"].reshape(-1),
        ),
        members=_members(attributes, modes),
        feature_count=feature_count,
        target_count=target_count,
    )


def _members(attributes: Mapping[str, Any], modes: Tensor) -> tuple[Tensor, Tensor]:
    """Give the node and the number of each member; sets are parted by NaN."""
    given = attributes["membership_values"]
    values = np.zeros(0) if given is None else given.reshape(-1).astype(np.float64)
    asking = np.arange(modes.size)[modes == MEMBER]
    ends = np.isnan(values)
    sets = np.cumsum(ends.astype(np.int64)) - ends
    if values.size and int(sets[~ends][-1] if (~ends).any() else 0) >= asking.size:
        raise Mismatch(f"more sets in membership_values than the {asking.size} nodes that ask")
    return asking[sets[~ends]], values[~ends]
