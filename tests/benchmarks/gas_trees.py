"""Full trees of a given depth with random thresholds, as models of gas measurements."""

import numpy as np

from tests.benchmarks.gas_recipes import ML, Recipe, floats

FEATURES = 16


def ensemble(operator: str, *, rows: int, depth: int, trees: int) -> Recipe:
    """Give so many full trees on so many rows."""
    random = np.random.default_rng(depth)
    inner, leaves = 2**depth - 1, 2**depth
    size = inner + leaves
    ids = np.tile(np.arange(size), trees)
    is_leaf = ids >= inner
    target = "class" if operator.endswith("Classifier") else "target"
    attributes = {
        "nodes_treeids": np.repeat(np.arange(trees), size).tolist(),
        "nodes_nodeids": ids.tolist(),
        "nodes_featureids": random.integers(0, FEATURES, len(ids)).tolist(),
        "nodes_values": random.uniform(-2, 2, len(ids)).tolist(),
        "nodes_modes": ["LEAF" if leaf else "BRANCH_LEQ" for leaf in is_leaf],
        "nodes_truenodeids": np.where(is_leaf, 0, 2 * ids + 1).tolist(),
        "nodes_falsenodeids": np.where(is_leaf, 0, 2 * ids + 2).tolist(),
        f"{target}_treeids": np.repeat(np.arange(trees), leaves).tolist(),
        f"{target}_nodeids": np.tile(np.arange(inner, size), trees).tolist(),
        f"{target}_ids": random.integers(0, 3, trees * leaves).tolist(),
        f"{target}_weights": random.uniform(-1, 1, trees * leaves).tolist(),
    }
    if target == "class":
        attributes["classlabels_int64s"] = [0, 1, 2]
    else:
        attributes["n_targets"] = 3
    return Recipe(
        operator,
        {"x": floats(rows, FEATURES)},
        attributes=attributes,
        outputs=2 if target == "class" else 1,
        domain=ML,
    )
