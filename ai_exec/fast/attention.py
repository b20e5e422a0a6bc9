"""Attention by exact products of matrices batch by batch, and one pass over each row of scores."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ai_exec.fast.batches import multiply_batches
from ai_exec.fast.compilation import compiled
from ai_exec.fast.finishing import NOTHING, chain_of
from ai_exec.fast.normal import softmax_rows
from ai_exec.fast.scalar import tanh_f32
from ai_exec.ops.attention import POSITION_MAX, opened
from ai_exec.program import Node, Program
from ai_exec.tensor import DTYPE_NUMBERS, Tensor

Kernel = Callable[..., Any]
SCORES_OUTPUT: Final = 3
"""Place of the output that has the scores; the fast pass does not keep them."""
NO_MASK: Final = np.zeros((1, 1, 1, 0), np.float32)


@compiled
def mask_scores(scores: Any, cap: Any, mask: Any, ends: Any, unseen: Any) -> None:
    """Cap scores [sample, head, query, key], add the mask, and put -inf where a key is not seen.

    `ends` has for each sample and query the first key seen and the one behind the last; `unseen`
    becomes 1 for rows where none is.  A mask without elements is none.
    """
    samples, heads, queries, keys = scores.shape
    least = np.float32(-np.inf)
    width = mask.shape[3]
    for sample in range(samples):
        for head in range(heads):
            for query in range(queries):
                row = scores[sample, head, query]
                first, last = ends[sample, query, 0], ends[sample, query, 1]
                if cap > 0:
                    for key in range(keys):
                        row[key] = cap * tanh_f32(np.float32(row[key] / cap))
                if width:
                    added = mask[
                        sample % mask.shape[0], head % mask.shape[1], query % mask.shape[2]
                    ]
                    for key in range(width):
                        more = added[key]
                        row[key] = more if more == least else row[key] + more
                    last = min(last, width)
                row[:first] = least
                row[max(first, last) :] = least
                any_seen = False
                for key in range(keys):
                    any_seen |= row[key] != least
                unseen[sample, head, query] = 0 if any_seen else 1


def attention_kernel(node: Node, program: Program) -> Kernel | None:
    """Give a kernel for attention in binary32, or None if scores are asked for or cast."""
    given = node.attributes
    operands = [program.operands[name] for name in node.inputs[:3]]
    if any(operand.dtype != "float32" for operand in operands):
        return None
    if given["softmax_precision"] not in (None, DTYPE_NUMBERS["float32"]):
        return None
    if len(node.outputs) > SCORES_OUTPUT and node.outputs[SCORES_OUTPUT]:
        return None
    heads: Any = (given["q_num_heads"], given["kv_num_heads"], given["kv_num_heads"])
    width = operands[0].shape[-1] // (heads[0] if operands[0].rank == 3 else 1)
    scale: Any = given["scale"]
    factor = 1.0 / float(np.sqrt(np.float64(max(width, 1)))) if scale is None else float(scale)
    cap: Any = given["softcap"]
    causal = bool(given["is_causal"])
    window: Any = tuple(given.get(f"{side}_window_size", -1) for side in ("left", "right"))

    def kernel(
        q: Tensor,
        k: Tensor,
        v: Tensor,
        mask: Tensor | None = None,
        past_key: Tensor | None = None,
        past_value: Tensor | None = None,
        present: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        queries, keys, values = (opened(one, n) for one, n in zip((q, k, v), heads, strict=True))
        before = 0
        if past_key is not None and past_value is not None:
            before = past_key.shape[2]
            keys = np.concatenate([past_key, keys], axis=2)
            values = np.concatenate([past_value, values], axis=2)
        scores = _product(queries, keys.transpose(0, 1, 3, 2), factor)
        ends = _ends(scores, before, present, causal=causal, window=window)
        unseen = np.empty(scores.shape[:3], np.uint8)
        mask_scores(scores, np.float32(cap), _mask(mask), ends, unseen)
        rows = scores.reshape(-1, scores.shape[3])
        softmax_rows(rows, rows)
        if unseen.any():
            scores[unseen != 0] = 0.0
        result = _product(scores, values, 1.0)
        if q.ndim == 3:
            result = result.transpose(0, 2, 1, 3).reshape(*q.shape[:2], -1)
        return result, keys, values

    return kernel


def _product(left: Tensor, right: Tensor, factor: float) -> Tensor:
    """Products of [sample, head, M, K] and [sample, fewer heads, K, N], times a binary64 factor."""
    samples, heads, rows = left.shape[:3]
    shared = right.shape[1]
    grouped = left.reshape(samples * shared, heads // shared, *left.shape[2:])
    flat = right.reshape(samples * shared, *right.shape[2:])
    shape = (samples * shared, heads // shared, *right.shape[2:])
    spread = as_strided(flat, shape, (flat.strides[0], 0, *flat.strides[1:]))
    out = np.empty((*shape[:2], rows, right.shape[3]), np.float32)
    places = np.zeros(shape[0] * shape[1], np.int64)
    chain = chain_of((), right.shape[3])
    multiply_batches(grouped, spread, factor, *chain, NOTHING, places, out)
    return out.reshape(samples, heads, rows, right.shape[3])


def _ends(
    scores: Tensor, before: int, present: Tensor | None, *, causal: bool, window: tuple[int, int]
) -> Tensor:
    """Give for each sample and query the first key that it sees and the one behind the last."""
    samples, _, length, total = scores.shape
    known = np.full(samples, total)
    first = np.full(samples, before)
    if present is not None:
        known = np.clip(present, -POSITION_MAX, POSITION_MAX)
        first = known - length
    places = first[:, np.newaxis] + np.arange(length)
    start, stop = np.zeros_like(places), np.broadcast_to(known[:, np.newaxis], places.shape)
    if causal:
        stop = np.minimum(stop, places + 1)
    if window[1] >= 0:
        stop = np.minimum(stop, places + window[1] + 1)
    if window[0] >= 0:
        start = np.maximum(start, places - window[0])
    return np.stack([np.clip(start, 0, total), np.clip(stop, 0, total)], axis=2)


def _mask(mask: Tensor | None) -> Tensor:
    """Give what is added to scores, with four axes."""
    if mask is None or not mask.shape[-1]:
        return NO_MASK
    added = np.where(mask, np.float32(0), np.float32(-np.inf)) if mask.dtype == np.bool_ else mask
    shape = (1,) * (4 - mask.ndim) + mask.shape
    return np.array(added, np.float32, order="C").reshape(shape)
