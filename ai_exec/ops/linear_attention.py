"""Attention with a state that each token changes (R3 for what it reads, R1 and R2 for the rest)."""

import numpy as np

from ai_exec.metering import EXP_PICOSECONDS, QUANTISE_PICOSECONDS, contraction, gas
from ai_exec.ops.rules import FLOAT32, one_dtype, require_rank, require_shape, require_word, size
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics import functions
from ai_exec.semantics.numerics import contract
from ai_exec.tensor import Tensor

STEP_GAS = 900_000
"""One token, whatever its width."""


def _widths(call: Call) -> tuple[int, int, int, int]:
    """Give heads of queries and of keys, elements of a key and of a value; raises Mismatch."""
    query, key, value = call.at(0), call.at(1), call.at(2)
    queries, keys = call.whole("q_num_heads"), call.whole("kv_num_heads")
    for index, what in enumerate(("query", "key", "value")):
        require_rank(call.at(index), range(3, 4), what)
    if keys < 1 or queries < 1 or queries % keys:
        raise Mismatch(f"q_num_heads is {queries}, kv_num_heads is {keys}")
    if query.shape[2] % queries or value.shape[2] % keys:
        raise Mismatch(f"{query} and {value} are not of {queries} and {keys} heads")
    width = query.shape[2] // queries
    require_shape(key, (*query.shape[:2], keys * width), "key")
    require_shape(value, (*query.shape[:2], value.shape[2]), "value")
    if not width:
        raise Mismatch(f"query is {query}: keys without elements")
    return queries, keys, width, value.shape[2] // keys


def _linear(call: Call) -> tuple[Operand, ...]:
    queries, keys, width, value_width = _widths(call)
    dtype, (batch, length, _) = one_dtype(call), call.at(0).shape
    require_word(call, "update_rule", ("linear", "gated", "delta", "gated_delta"))
    rule = call.word("update_rule")
    for index, word, lengths in ((4, "gated", (keys, keys * width)), (5, "delta", (keys, 1))):
        operand, name = call.optional(index), "decay" if index == 4 else "beta"
        if (operand is not None) != (word in rule):
            raise Mismatch(f"update_rule {rule} needs {name}, or must go without it")
        if operand is not None and operand.shape not in [(batch, length, n) for n in lengths]:
            raise Mismatch(f"{name} is {operand} for {call.at(0)}")
    state = (batch, keys, width, value_width)
    past = call.optional(3)
    if past is not None:
        require_shape(past, state, "past_state")
    return (Operand(dtype, (batch, length, queries * value_width)), Operand(dtype, state))


def _cost(call: Call) -> int:
    queries, keys, _, _ = _widths(call)
    length, state = call.at(0).shape[1], size(call.outputs[1].shape)
    reads = (1 + queries // keys) * state
    each = EXP_PICOSECONDS + 6 * QUANTISE_PICOSECONDS
    step = contraction(reads, 2 * state, 2 * state) + gas(each * state)
    return length * (STEP_GAS + step) + gas(20_000 * size(call.at(0).shape))


def _opened(x: Tensor, heads: int) -> Tensor:
    """Give [token, sample, head, element]."""
    batch, length, width = x.shape
    return x.reshape(batch, length, heads, width // heads).transpose(1, 0, 2, 3)


@operator("LinearAttention", since=27, infer=_linear, cost=_cost, values=FLOAT32)
def linear_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    past_state: Tensor | None = None,
    decay: Tensor | None = None,
    beta: Tensor | None = None,
    *,
    chunk_size: int = 64,
    kv_num_heads: int,
    q_num_heads: int,
    scale: float = 0.0,
    update_rule: str = "gated_delta",
) -> tuple[Tensor, Tensor]:
    """Token by token: S = S e^decay; v = beta (v - S^T k); S = S + k v; output scale (S^T q).

    e^decay by R2, its product with S, the difference and the product with beta round, each.  The
    sum S + k v is in binary64, rounded once.  S^T k and S^T q are contractions, the scale a
    binary64 factor of the latter: 1 / sqrt(elements) if it is 0.
    """
    queries, keys = _opened(query, q_num_heads), _opened(key, kv_num_heads)
    values = _opened(value, kv_num_heads)
    length, batch, _, width = queries.shape
    factor = scale or 1.0 / float(np.sqrt(np.float64(width)))
    group = q_num_heads // kv_num_heads
    state = past_state
    if state is None:
        state = np.zeros((batch, kv_num_heads, width, values.shape[3]), query.dtype)
    decays = None if decay is None else functions.exp(_opened(decay, kv_num_heads))
    rates = None if beta is None else _opened(beta, beta.shape[2])
    outputs = np.zeros((length, batch, q_num_heads, values.shape[3]), query.dtype)
    for token in range(length):
        written, k = values[token], keys[token]
        if decays is not None:
            state = state * decays[token][..., np.newaxis]
        turned = state.transpose(0, 1, 3, 2)
        if rates is not None:
            kept = contract(turned, k[..., np.newaxis])[..., 0].astype(query.dtype)
            written = rates[token] * (written - kept)
        outer = k.astype(np.float64)[..., np.newaxis] * written.astype(np.float64)[:, :, np.newaxis]
        state = (state + outer).astype(query.dtype)
        asked = queries[token].reshape(batch, kv_num_heads, group, width)
        read = contract(asked, state) * factor
        outputs[token] = read.reshape(outputs.shape[1:])
    result = outputs.transpose(1, 0, 2, 3).reshape(batch, length, q_num_heads * values.shape[3])
    return result, state
