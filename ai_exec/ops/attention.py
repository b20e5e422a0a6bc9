"""Scaled dot product attention: two exact contractions (R3) with a softmax between them."""

from dataclasses import dataclass
from math import inf

import numpy as np

from ai_exec.metering import EXP_PICOSECONDS, FUNCTION_PICOSECONDS, QUANTISE_PICOSECONDS, gas
from ai_exec.ops.linear import products_cost
from ai_exec.ops.normalisation import shares
from ai_exec.ops.rules import (
    FLOATS,
    NUMBERS,
    broadcasts_to,
    require_dtype,
    require_rank,
    require_shape,
    size,
)
from ai_exec.registry import Call, Mismatch, Operand, earlier, operator
from ai_exec.semantics import functions
from ai_exec.semantics.numerics import cast, contract, greatest
from ai_exec.tensor import DTYPE_NAMES, Shape, Tensor

START_GAS = 500_000
"""One call, whatever its lengths."""
POSITION_MAX = 1 << 40
"""Counts of keys are cut to this, so that positions never leave 64 bits."""


@dataclass(frozen=True, slots=True)
class Heads:
    """Lengths that queries, keys and values agree on."""

    batch: int
    queries: int
    """Heads of the queries."""
    keys: int
    """Heads of keys and values, each shared by equally many heads of queries."""
    length: int
    """Tokens of the queries."""
    total: int
    """Tokens of keys and values, past ones included."""
    width: int
    """Elements of a query or key."""
    value_width: int

    @property
    def scores(self) -> Shape:
        """Shape of the scores."""
        return (self.batch, self.queries, self.length, self.total)


def _split(operand: Operand, heads: int | None, what: str) -> tuple[int, int, int, int]:
    """Give samples, heads, tokens and elements of packed or open heads."""
    if operand.rank == 4:
        if heads not in (None, operand.shape[1]):
            raise Mismatch(f"{what} is {operand}, not of {heads} heads")
        batch, count, length, width = operand.shape
        return batch, count, length, width
    require_rank(operand, range(3, 4), what)
    if heads is None or heads < 1 or operand.shape[2] % heads:
        raise Mismatch(f"{what} is {operand}, not of {heads} heads")
    return operand.shape[0], heads, operand.shape[1], operand.shape[2] // heads


def _heads(call: Call) -> Heads:
    counts = [call.attributes[name] for name in ("q_num_heads", "kv_num_heads", "kv_num_heads")]
    found = [
        _split(call.at(index), count if isinstance(count, int) else None, "QKV"[index])
        for index, count in enumerate(counts)
    ]
    (batch, queries, length, width), keys, values = found
    if len({operand.rank for operand in call.inputs[:3] if operand is not None}) != 1:
        raise Mismatch("Q, K and V differ in their number of axes")
    if keys[:3] != values[:3] or keys[0] != batch or keys[3] != width:
        raise Mismatch(f"Q, K and V do not fit: {call.at(0)}, {call.at(1)}, {call.at(2)}")
    if not keys[1] or queries % keys[1]:
        raise Mismatch(f"{queries} heads of queries for {keys[1]} heads of keys")
    past = call.optional(4)
    before = 0 if past is None else past.shape[2] if past.rank == 4 else 0
    return Heads(batch, queries, keys[1], length, before + keys[2], width, values[3])


def _attention(call: Call) -> tuple[Operand, ...]:
    heads, dtype = _heads(call), call.at(0).dtype
    for index in (1, 2):
        require_dtype(call.at(index), (dtype,), "QKV"[index])
    if not heads.total:
        raise Mismatch("no keys")
    _check_past(call, heads)
    _check_mask(call, heads)
    precision = call.attributes["softmax_precision"]
    if precision not in (None, 1, 10, 11, 16):
        raise Mismatch(f"softmax_precision is {precision}, not 1, 10, 11 or 16")
    if call.whole("qk_matmul_output_mode") not in range(4):
        raise Mismatch(f"qk_matmul_output_mode is {call.whole('qk_matmul_output_mode')}")
    for name in ("left_window_size", "right_window_size"):
        if call.attributes.get(name, -1) < -1:  # type: ignore[operator]
            raise Mismatch(f"{name} is {call.whole(name)}")
    shape: Shape = (heads.batch, heads.queries, heads.length, heads.value_width)
    if call.at(0).rank == 3:
        shape = (heads.batch, heads.length, heads.queries * heads.value_width)
    kept = (heads.batch, heads.keys, heads.total)
    return (
        Operand(dtype, shape),
        Operand(dtype, (*kept, heads.width)),
        Operand(dtype, (*kept, heads.value_width)),
        Operand(dtype, heads.scores),
    )


def _check_past(call: Call, heads: Heads) -> None:
    past, counts = (call.optional(4), call.optional(5)), call.optional(6)
    if (past[0] is None) != (past[1] is None):
        raise Mismatch("past_key and past_value belong together")
    for operand, width in zip(past, (heads.width, heads.value_width), strict=True):
        if operand is not None:
            require_dtype(operand, (call.at(0).dtype,), "the past")
            require_rank(operand, range(4, 5), "the past")
            length = operand.shape[2]
            require_shape(operand, (heads.batch, heads.keys, length, width), "the past")
    if past[0] is not None and past[1] is not None and past[0].shape[2] != past[1].shape[2]:
        raise Mismatch(f"past_key is {past[0]}, past_value is {past[1]}")
    if counts is not None:
        require_dtype(counts, ("int64",), "nonpad_kv_seqlen")
        require_shape(counts, (heads.batch,), "nonpad_kv_seqlen")
        if past[0] is not None:
            raise Mismatch("nonpad_kv_seqlen and past_key exclude each other")


def _check_mask(call: Call, heads: Heads) -> None:
    mask = call.optional(3)
    if mask is None:
        return
    require_dtype(mask, (call.at(0).dtype, "bool", *NUMBERS[2:]), "attn_mask")
    require_rank(mask, range(1, 5), "attn_mask")
    padded = (*mask.shape[:-1], heads.total)
    if mask.shape[-1] > heads.total or not broadcasts_to(padded, heads.scores):
        raise Mismatch(f"attn_mask is {mask} for scores of {list(heads.scores)}")


def _cost(call: Call) -> int:
    heads, dtype = _heads(call), call.at(0).dtype
    scores = size(heads.scores)
    operands = sum(size(output.shape) for output in call.outputs[:3]) + size(call.at(0).shape)
    products = scores * (heads.width + heads.value_width)
    each = EXP_PICOSECONDS + 60 * QUANTISE_PICOSECONDS
    each += FUNCTION_PICOSECONDS if call.attributes["softcap"] else 0
    found = products_cost(dtype, products, operands + scores, 2 * scores)
    return START_GAS + found + gas(each * scores)


def _scratch(call: Call) -> int:
    operands = [*(one for one in call.inputs if one is not None), *call.outputs[:3]]
    times = 2 if call.at(0).dtype == "float64" else 1
    scores = size(_heads(call).scores)
    return times * (64 * scores + 32 * sum(size(operand.shape) for operand in operands))


def opened(x: Tensor, heads: int | None) -> Tensor:
    """Give [sample, head, token, element]."""
    if x.ndim == 4:
        return x
    assert heads is not None
    return x.reshape(*x.shape[:2], heads, x.shape[2] // heads).transpose(0, 2, 1, 3)


def attended(
    length: int, total: int, first: Tensor, *, causal: bool, window: tuple[int, int]
) -> Tensor:
    """Tell which keys a query may see; `first` is the first query's place among the keys."""
    distance = first.reshape(-1, 1, 1, 1) + np.arange(length)[:, np.newaxis] - np.arange(total)
    seen = np.full(distance.shape, True)
    if causal:
        seen &= distance >= 0
    if window[0] >= 0:
        seen &= distance <= window[0]
    if window[1] >= 0:
        seen &= -distance <= window[1]
    return seen


def _grouped(rows: Tensor, heads: int) -> Tensor:
    """Split heads into groups that share one head of keys."""
    return rows.reshape(rows.shape[0], heads, rows.shape[1] // heads, *rows.shape[2:])


def _scores(queries: Tensor, keys: Tensor, scale: float | None) -> Tensor:
    width = np.float64(max(queries.shape[3], 1))
    factor = 1.0 / float(np.sqrt(width)) if scale is None else scale
    turned = keys[:, :, np.newaxis].transpose(0, 1, 2, 4, 3)
    product = contract(_grouped(queries, keys.shape[1]), turned) * factor
    return product.astype(queries.dtype).reshape(*queries.shape[:3], keys.shape[2])


def _mixed(weights: Tensor, values: Tensor) -> Tensor:
    product = contract(_grouped(weights, values.shape[1]), values[:, :, np.newaxis])
    return product.astype(values.dtype).reshape(*weights.shape[:3], values.shape[3])


def _masked(scores: Tensor, mask: Tensor | None, seen: Tensor) -> Tensor:
    """Add the mask to the scores; -inf where a key is not seen."""
    if mask is not None:
        missing = scores.shape[-1] - mask.shape[-1]
        widths = [*[(0, 0)] * (mask.ndim - 1), (0, missing)]
        if mask.dtype == np.bool_:
            seen = seen & np.pad(mask, widths)
        else:
            added = np.pad(mask.astype(scores.dtype), widths, constant_values=-inf)
            scores = np.where(added == -inf, added, scores + added)
    return np.where(seen, scores, scores.dtype.type(-inf))


def _weights(scores: Tensor, precision: int | None) -> Tensor:
    """Softmax of the scores; 0 where no key is seen."""
    given = scores if precision is None else cast(scores, DTYPE_NAMES[precision])
    rows = given if given.dtype.name in FLOATS else cast(given, "float32")
    found = np.where(greatest(rows, (-1,)) == -inf, rows.dtype.type(0), shares(rows, (-1,)))
    return cast(cast(found, given.dtype.name), scores.dtype.name)


@operator("Attention", since=25, infer=_attention, cost=_cost, scratch=_scratch, values=FLOATS)
def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    attn_mask: Tensor | None = None,
    past_key: Tensor | None = None,
    past_value: Tensor | None = None,
    nonpad_kv_seqlen: Tensor | None = None,
    *,
    is_causal: int = 0,
    kv_num_heads: int | None = None,
    left_window_size: int = -1,
    q_num_heads: int | None = None,
    qk_matmul_output_mode: int = 0,
    right_window_size: int = -1,
    scale: float | None = None,
    softcap: float = 0.0,
    softmax_precision: int | None = None,
) -> tuple[Tensor, ...]:
    """Softmax of the scores Q K^T scale, capped and masked, times V: contractions rounded once.

    The scale is a binary64 factor of the first contraction, 1 / sqrt(elements) if it is not given.
    The cap c tanh(score / c) and the sum with the mask round at each step.  A key that is not seen
    scores -inf, whatever the sum would be; a query that sees no key gives +0.
    """
    queries, keys, values = (
        opened(one, heads)
        for one, heads in ((q, q_num_heads), (k, kv_num_heads), (v, kv_num_heads))
    )
    length, first = queries.shape[2], np.zeros(1, np.int64)
    if past_key is not None and past_value is not None:
        first = first + past_key.shape[2]
        keys = np.concatenate([past_key, keys], axis=2)
        values = np.concatenate([past_value, values], axis=2)
    padded: Tensor = np.full(1, True)
    if nonpad_kv_seqlen is not None:
        present = np.clip(nonpad_kv_seqlen, -POSITION_MAX, POSITION_MAX)
        first = present - length
        padded = np.arange(keys.shape[2]) < present.reshape(-1, 1, 1, 1)
    window = (left_window_size, right_window_size)
    seen = attended(length, keys.shape[2], first, causal=bool(is_causal), window=window)
    raw = _scores(queries, keys, scale)
    cap = q.dtype.type(softcap)
    capped: Tensor = cap * functions.tanh(raw / cap) if softcap > 0 else raw
    masked = _masked(capped, attn_mask, seen & padded)
    weights = _weights(masked, softmax_precision)
    result: Tensor = _mixed(weights, values)
    if q.ndim == 3:
        packed = result.transpose(0, 2, 1, 3)
        result = packed.reshape(*q.shape[:2], packed.shape[2] * packed.shape[3])
    return result, keys, values, (raw, capped, masked, weights)[qk_matmul_output_mode]


_WINDOWS = ("left_window_size", "right_window_size")
earlier("Attention", since=24, of=25, lacks=_WINDOWS)
earlier("Attention", since=23, of=25, lacks=_WINDOWS, inputs_taken=6)
