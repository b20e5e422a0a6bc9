"""The work of valuations within a block, on rows as they lie in snapshots.

Changes no state of the chain.  Raises LocalFailure where this node lacks bytes.
"""

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from chain.primitives.codec import DecodeError
from chain.primitives.hashing import Hash32, blake2_256
from runtime.frame.ports import Executor, TensorType, Trapped
from runtime.frame.predictions import FLOATS, UnfitModel, decode_arrays, input_of, rows_at_once
from runtime.frame.runs import Runnable
from runtime.frame.snapshots import RowForm, Snapshot, SnapshotRows
from runtime.pallets.attribution.neighbours import distances, orders, repeated, whole_features
from runtime.pallets.attribution.shapley import fold_of, group_sums
from runtime.pallets.attribution.stored import Embedder

Array = npt.NDArray[Any]


class Broken(Exception):
    """The valuation cannot go on, on any node; the text says why."""


def embedder_of(run: Runnable, outputs: tuple[TensorType, ...], form: RowForm) -> Embedder:
    """Give how a model embeds rows: by its first output, by name, of floats for each row.

    Raises UnfitModel.
    """
    rows_at_once(run.inputs, form)
    for each in sorted(outputs, key=lambda output: output.name.encode()):
        if each.element in FLOATS and len(each.shape) > 1 and not any(each.axes[1:]):
            width = prod(each.shape[1:])
            return Embedder(run.root, run.bounds, run.inputs[0], each.name, width, run.gas)
    raise UnfitModel("no output of floats has a line for each row")


def embed(embedder: Embedder, features: Array, executor: Executor) -> Array:
    """Give whole numbers [n, width] for rows; raises Broken."""
    batch = embedder.taken.shape[0]
    found = [
        _run(embedder, features[at : at + batch], executor) for at in range(0, len(features), batch)
    ]
    return np.concatenate(found)


def _run(embedder: Embedder, features: Array, executor: Executor) -> Array:
    answer = executor.run(embedder.root, input_of(embedder.taken, features), embedder.bounds)
    if isinstance(answer, Trapped):
        raise Broken(f"the embedding broke off: {answer.reason}")
    try:
        _, given = decode_arrays(answer.outputs)[embedder.given]
    except (DecodeError, KeyError) as error:
        raise Broken(f"the embedding gave no {embedder.given}: {error}") from error
    if given.ndim < 2 or len(given) < len(features) or prod(given.shape[1:]) != embedder.width:
        raise Broken(f"the embedding gave {list(given.shape)} for {len(features)} rows")
    return whole_features(given[: len(features)])


def groups_of(snapshot: Snapshot) -> Array:
    """Give the place of each row's record among the parts of a snapshot."""
    sizes = [part.counted for part in snapshot.parts]
    return np.repeat(np.arange(len(sizes)), sizes)


def find_repeats(
    snapshot: Snapshot, executor: Executor, counted: Array, rows: int, distance: int
) -> Array:
    """Tell which of the first rows count, some more than were told before."""
    first = len(counted)
    features, labels = SnapshotRows(snapshot, executor).take(range(first + rows))
    late = repeated(whole_features(features), labels, counted, first, distance)
    return np.concatenate([counted, ~late])


def measure(
    rows: Array,
    labels: Array,
    groups: Array,
    evaluation: tuple[Array, Array],
    neighbours: int,
    count: int,
) -> list[int]:
    """Give the numerators [count] of what groups of rows are worth to evaluation rows together."""
    features, wanted = evaluation
    order = orders(distances(features, rows))
    sums = group_sums(order, labels, wanted, groups, count)
    return fold_of(neighbours, len(rows)).numerators(sums)


def hash_of(values: list[Fraction]) -> Hash32:
    """Give a hash of exact fractions, so that whoever computes them anew can compare all bits."""
    lines = (f"{each.numerator:x}/{each.denominator:x}\n" for each in values)
    return blake2_256("".join(lines).encode())
