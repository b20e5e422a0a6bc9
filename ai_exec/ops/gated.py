"""Parts of language models beside attention: rotary embeddings, gates, causal convolutions."""

import numpy as np

from ai_exec.metering import FUNCTION_PICOSECONDS, QUANTISE_PICOSECONDS, gas, per_element
from ai_exec.ops.rules import (
    FLOAT32,
    FLOATS,
    one_dtype,
    require_dtype,
    require_rank,
    require_shape,
    require_word,
    size,
)
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.semantics import functions
from ai_exec.semantics.numerics import combine, product_bits, quantise
from ai_exec.tensor import Tensor


def _gated(call: Call) -> tuple[Operand, ...]:
    dtype = one_dtype(call)
    require_shape(call.at(1), call.at(0).shape, "B")
    return (Operand(dtype, call.at(0).shape),)


@operator(
    "SwiGLU",
    since=28,
    infer=_gated,
    cost=per_element(FUNCTION_PICOSECONDS + 3_000, start=60_000),
    values=FLOATS,
)
def swi_glu(a: Tensor, b: Tensor, *, alpha: float = 1.0) -> Tensor:
    """`Swish` of a with alpha, times b, each rounded."""
    product: Tensor = functions.swish(a, alpha) * b
    return product


def _rotary(call: Call) -> tuple[Operand, ...]:
    data, positions = call.at(0), call.optional(3)
    require_rank(data, range(3, 5), "X")
    batch, length = data.shape[0], data.shape[1 if data.rank == 3 else 2]
    heads = call.attributes["num_heads"] or 0
    if data.rank == 3 and (not isinstance(heads, int) or heads < 1 or data.shape[2] % heads):
        raise Mismatch(f"num_heads is {heads} for {data}")
    width = data.shape[3] if data.rank == 4 else data.shape[2] // int(heads)  # type: ignore[arg-type]
    turned = call.whole("rotary_embedding_dim") or width
    if not 0 <= turned <= width or turned % 2:
        raise Mismatch(f"rotary_embedding_dim is {turned} of {width} elements")
    for index, what in ((1, "cos_cache"), (2, "sin_cache")):
        cache = call.at(index)
        require_dtype(cache, (data.dtype,), what)
        if positions is None:
            require_shape(cache, (batch, length, turned // 2), what)
        elif cache.rank != 2 or not cache.shape[0] or cache.shape[1] != turned // 2:
            raise Mismatch(f"{what} is {cache}, not of {turned // 2} columns")
    if positions is not None:
        require_dtype(positions, ("int64",), "position_ids")
        require_shape(positions, (batch, length), "position_ids")
    return (Operand(data.dtype, data.shape),)


@operator("RotaryEmbedding", since=23, infer=_rotary, cost=per_element(14_000), values=FLOATS)
def rotary_embedding(
    x: Tensor,
    cos_cache: Tensor,
    sin_cache: Tensor,
    position_ids: Tensor | None = None,
    *,
    interleaved: int = 0,
    num_heads: int | None = None,
    rotary_embedding_dim: int = 0,
) -> Tensor:
    """(c u - s v, s u + c v) of pairs (u, v) in binary64, rounded once; other elements stay.

    Pairs are neighbours if interleaved, else elements of both halves.  A position outside the
    caches wraps round.
    """
    heads = x.transpose(0, 2, 1, 3) if x.ndim == 4 else None
    if heads is None:
        assert num_heads is not None
        heads = x.reshape(*x.shape[:2], num_heads, x.shape[2] // num_heads)
    cosine, sine = (
        (cache if position_ids is None else np.take(cache, position_ids % cache.shape[0], axis=0))
        .astype(np.float64)
        .reshape(*heads.shape[:2], 1, cache.shape[-1])
        for cache in (cos_cache, sin_cache)
    )
    half = cos_cache.shape[-1]
    first, second = slice(0, half), slice(half, 2 * half)
    if interleaved:
        first, second = slice(0, 2 * half, 2), slice(1, 2 * half, 2)
    u, v = heads[..., first].astype(np.float64), heads[..., second].astype(np.float64)
    found = heads.copy()
    found[..., first] = cosine * u - sine * v
    found[..., second] = sine * u + cosine * v
    return found.transpose(0, 2, 1, 3) if x.ndim == 4 else found.reshape(x.shape)


def _causal(call: Call) -> tuple[Operand, ...]:
    data, weight, bias, past = call.at(0), call.at(1), call.optional(2), call.optional(3)
    dtype = one_dtype(call)
    require_rank(data, range(3, 4), "input")
    require_rank(weight, range(3, 4), "weight")
    batch, channels, _ = data.shape
    if weight.shape[:2] != (channels, 1) or not weight.shape[2]:
        raise Mismatch(f"weight is {weight} for {data}")
    state = (batch, channels, weight.shape[2] - 1)
    if bias is not None:
        require_shape(bias, (channels,), "bias")
    if past is not None:
        require_shape(past, state, "past_state")
    require_word(call, "activation", ("none", "silu", "swish"))
    return (Operand(dtype, data.shape), Operand(dtype, state))


def _causal_cost(call: Call) -> int:
    kernel, result = call.at(1).shape[2], size(call.outputs[0].shape)
    each = 6 * QUANTISE_PICOSECONDS + 3_000 * kernel
    each += 0 if call.word("activation") == "none" else FUNCTION_PICOSECONDS
    return 60_000 + gas(
        each * result + 3_000_000 * kernel + QUANTISE_PICOSECONDS * size(call.at(1).shape)
    )


@operator("CausalConvWithState", since=27, infer=_causal, cost=_causal_cost, values=FLOAT32)
def causal_conv_with_state(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    past_state: Tensor | None = None,
    *,
    activation: str = "none",
) -> tuple[Tensor, Tensor]:
    """`Conv` of each channel alone over its past and present, then silu if asked; the last state.

    The past is +0 if it is not given.
    """
    kernel = weight.shape[2]
    past = past_state
    if past is None:
        past = np.zeros((*input.shape[:2], kernel - 1), input.dtype)
    whole = np.concatenate([past, input], axis=2)
    bits, length = product_bits(kernel), input.shape[2]
    rows, factors = quantise(whole, (2,), bits), quantise(weight[:, 0], (1,), bits)
    total = np.zeros(input.shape)
    for place in range(kernel):
        total += rows.digits[..., place : place + length] * factors.digits[:, place, np.newaxis]
    result = combine(total, factors.scale, rows.scale)
    if bias is not None:
        result = result + bias.astype(np.float64)[:, np.newaxis]
    rounded = result.astype(input.dtype)
    if activation != "none":
        rounded = functions.silu(rounded)
    return rounded, whole[:, :, whole.shape[2] - kernel + 1 :]
