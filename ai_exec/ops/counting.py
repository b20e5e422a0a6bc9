"""Counting sequences of whole numbers: TfIdfVectorizer."""

import numpy as np

from ai_exec.metering import gas
from ai_exec.ops.rules import INDICES, require_rank, size
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.tensor import Tensor

Wholes = tuple[int, ...]
Gram = tuple[int, ...]

MODES = ("TF", "IDF", "TFIDF")
GRAM_PICOSECONDS = 1_000_000
"""One sequence of the input looked up, or one of the pool read."""


def grams_of(pool: Wholes, starts: Wholes, columns: Wholes, lengths: range) -> dict[Gram, int]:
    """Give the column of each sequence of the wanted lengths; raises Mismatch."""
    ends = (*starts[1:], len(pool))
    found: dict[Gram, int] = {}
    seen = 0
    for length, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        if not 0 <= start <= end <= len(pool) or (end - start) % length:
            raise Mismatch(f"ngram_counts is {list(starts)} for {len(pool)} numbers")
        count = (end - start) // length
        if seen + count > len(columns):
            raise Mismatch(f"ngram_indexes has {len(columns)} numbers, too few")
        for index in range(count if length in lengths else 0):
            at = start + index * length
            found[pool[at : at + length]] = columns[seen + index]
        seen += count
    if seen != len(columns):
        raise Mismatch(f"ngram_indexes has {len(columns)} numbers for {seen} sequences")
    return found


def _lengths(shortest: int, longest: int, starts: Wholes) -> range:
    return range(shortest, min(longest, len(starts)) + 1)


def _grams(call: Call) -> dict[Gram, int]:
    starts = call.wholes("ngram_counts") or ()
    return grams_of(
        call.wholes("pool_int64s") or (),
        starts,
        call.wholes("ngram_indexes") or (),
        _lengths(call.whole("min_gram_length"), call.whole("max_gram_length"), starts),
    )


def _vectorise(call: Call) -> tuple[Operand, ...]:
    data, columns = call.at(0), call.wholes("ngram_indexes") or ()
    require_rank(data, range(1, 3), "X")
    if call.attributes["pool_strings"] is not None:
        raise Mismatch("pool_strings: texts are not supported")
    if call.word("mode") not in MODES:
        raise Mismatch(f"mode is {call.word('mode')}, not one of {', '.join(MODES)}")
    if call.whole("min_gram_length") < 1 or call.whole("max_skip_count") < 0:
        raise Mismatch("min_gram_length or max_skip_count is too small")
    if min(columns, default=-1) < 0:
        raise Mismatch(f"ngram_indexes is {list(columns)}")
    _grams(call)
    weights = call.attributes["weights"]
    if isinstance(weights, tuple) and len(weights) != len(columns):
        raise Mismatch(f"{len(weights)} weights for {len(columns)} sequences")
    return (Operand("float32", (*data.shape[:-1], max(columns) + 1)),)


def _cost(call: Call) -> int:
    data, starts = call.at(0), call.wholes("ngram_counts") or ()
    lengths = _lengths(call.whole("min_gram_length"), call.whole("max_gram_length"), starts)
    skips = 1 + min(call.whole("max_skip_count"), data.shape[-1])
    looked_up = size(data.shape) * len(lengths) * skips
    read = len(call.wholes("ngram_indexes") or ())
    return gas(GRAM_PICOSECONDS * (looked_up + read) + 20_000 * size(call.outputs[0].shape))


@operator("TfIdfVectorizer", since=9, infer=_vectorise, cost=_cost, values=INDICES)
def tf_idf_vectorizer(
    x: Tensor,
    *,
    max_gram_length: int,
    max_skip_count: int,
    min_gram_length: int,
    mode: str,
    ngram_counts: Wholes,
    ngram_indexes: Wholes,
    pool_int64s: Wholes | None = None,
    pool_strings: tuple[str, ...] | None = None,
    weights: tuple[float, ...] | None = None,
) -> Tensor:
    """How often each sequence of the pool is in a row, its weight if there, or their product.

    Numbers of a sequence may lie up to `max_skip_count` apart, all alike; single ones count once.
    """
    lengths = _lengths(min_gram_length, max_gram_length, ngram_counts)
    grams = grams_of(pool_int64s or (), ngram_counts, ngram_indexes, lengths)
    rows = [row.tolist() for row in x.reshape(-1, x.shape[-1])] if x.size else []
    counts = np.zeros((size(x.shape[:-1]), max(ngram_indexes) + 1), np.float32)
    for number, row in enumerate(rows):
        for step in range(1, min(max_skip_count, len(row)) + 2):
            for length in lengths if step == 1 else range(max(lengths.start, 2), lengths.stop):
                for start in range(len(row) - (length - 1) * step):
                    column = grams.get(tuple(row[start : start + (length - 1) * step + 1 : step]))
                    if column is not None:
                        counts[number, column] += 1
    if mode == "IDF":
        counts = (counts > 0).astype(np.float32)
    if mode != "TF" and weights is not None:
        factors = np.zeros(counts.shape[1], np.float32)
        factors[list(ngram_indexes)] = weights
        counts = counts * factors
    return counts.reshape(*x.shape[:-1], counts.shape[1])
