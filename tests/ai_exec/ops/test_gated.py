"""Rotary embeddings, gates, causal convolutions and linear attention beside slow computations."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from ai_exec.registry import Call, Mismatch, Operand, find
from tests.support.one_node import computed, reasons


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([*shape, seed]).normal(size=shape).astype(np.float32)


def test_gate() -> None:
    a, b = numbers(3, 4), numbers(3, 4, seed=1)

    (found,) = computed("SwiGLU", 28, a, b, alpha=1.5)

    wide = a.astype(float)
    np.testing.assert_allclose(found, wide / (1 + np.exp(-1.5 * wide)) * b, rtol=1e-6)


@pytest.mark.parametrize("turned", [0, 2, 4])
@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("rank", [3, 4])
def test_rotation(rank: int, interleaved: int, turned: int) -> None:
    heads = numbers(2, 3, 5, 6)
    half = (turned or 6) // 2
    angles = np.arange(7)[:, np.newaxis] * 0.3 ** np.arange(half)
    cosine, sine = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    places = np.random.default_rng(0).integers(0, 7, (2, 5))
    x = heads if rank == 4 else heads.transpose(0, 2, 1, 3).reshape(2, 5, 18)

    (found,) = computed(
        "RotaryEmbedding",
        23,
        x,
        cosine,
        sine,
        places,
        interleaved=interleaved,
        num_heads=3,
        rotary_embedding_dim=turned,
    )
    (direct,) = computed(
        "RotaryEmbedding",
        23,
        x,
        cosine[places],
        sine[places],
        interleaved=interleaved,
        num_heads=3,
        rotary_embedding_dim=turned,
    )

    expected = heads.astype(float)
    pairs = [(2 * i, 2 * i + 1) if interleaved else (i, i + half) for i in range(half)]
    for i, (first, second) in enumerate(pairs):
        c, s = cosine[places, i][:, np.newaxis], sine[places, i][:, np.newaxis]
        expected[..., first] = c * heads[..., first] - s * heads[..., second]
        expected[..., second] = s * heads[..., first] + c * heads[..., second]
    opened = found if rank == 4 else found.reshape(2, 5, 3, 6).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(opened, expected, rtol=1e-5, atol=1e-6)
    assert direct.tobytes() == found.tobytes()


@pytest.mark.parametrize("kernel", [1, 2, 4])
@pytest.mark.parametrize("activation", ["none", "silu"])
def test_causal_convolution(kernel: int, activation: str) -> None:
    x, weight, bias = numbers(2, 3, 5), numbers(3, 1, kernel), numbers(3)
    past = numbers(2, 3, kernel - 1)

    result, state = computed(
        "CausalConvWithState", 27, x, weight, bias, past, count=2, activation=activation
    )

    whole = np.concatenate([past, x], axis=2)
    (plain,) = computed("Conv", 22, whole, weight, bias, group=3)
    if activation == "silu":
        (plain,) = computed("Swish", 24, plain)
    assert result.tobytes() == plain.tobytes()
    np.testing.assert_array_equal(state, whole[:, :, 5:])


@pytest.mark.parametrize("rule", ["linear", "gated", "delta", "gated_delta"])
@pytest.mark.parametrize("fine", [False, True])
def test_linear_attention(rule: str, fine: bool) -> None:
    query, key, value = numbers(2, 3, 8), numbers(2, 3, 4, seed=1), numbers(2, 3, 6, seed=2)
    past = numbers(2, 2, 2, 3)
    decay = -np.abs(numbers(2, 3, 4 if fine else 2)) if "gated" in rule else None
    beta = np.abs(numbers(2, 3, 1 if fine else 2)) if "delta" in rule else None

    result, state = computed(
        "LinearAttention",
        27,
        query,
        key,
        value,
        past,
        decay,
        beta,
        count=2,
        q_num_heads=4,
        kv_num_heads=2,
        update_rule=rule,
    )

    s, expected = past.astype(float), np.zeros((2, 3, 4, 3))
    for t in range(3):
        q, k, v = (x[:, t].reshape(2, heads, -1) for x, heads in ((query, 4), (key, 2), (value, 2)))
        if decay is not None:
            s = s * np.exp(decay[:, t].astype(float)).reshape(2, 2, -1, 1)
        if beta is not None:
            v = beta[:, t].reshape(2, -1, 1) * (v - np.einsum("bhdm,bhd->bhm", s, k))
        s = s + k[..., np.newaxis] * v[:, :, np.newaxis]
        expected[:, t] = np.einsum("bhd,bhdm->bhm", q, np.repeat(s, 2, 1)) / np.sqrt(2)
    np.testing.assert_allclose(result.reshape(expected.shape), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(state, s, rtol=1e-4, atol=1e-5)


def refused(name: str, version: int, shapes: list[Any], **given: Any) -> str:
    operator = find("", name, version)
    assert operator is not None
    inputs = tuple(shape and Operand("float32", shape) for shape in shapes)
    with pytest.raises(Mismatch) as found:
        operator.infer(Call(inputs, {**operator.defaults, **given}, 1))
    return str(found.value)


def test_refusals() -> None:
    packed = [(2, 3, 8), (2, 3, 4), (2, 3, 6)]
    heads = {"q_num_heads": 4, "kv_num_heads": 2}
    assert refused("LinearAttention", 27, packed, **heads) == (
        "update_rule gated_delta needs decay, or must go without it"
    )
    assert refused("LinearAttention", 27, packed, **{**heads, "kv_num_heads": 3}) == (
        "q_num_heads is 4, kv_num_heads is 3"
    )
    assert refused("CausalConvWithState", 27, [(2, 3, 4), (3, 1, 0)]) == (
        "weight is float32[3, 1, 0] for float32[2, 3, 4]"
    )
    assert refused("RotaryEmbedding", 23, [(2, 3, 8), (5, 4), (5, 4)]) == (
        "num_heads is 0 for float32[2, 3, 8]"
    )
    assert refused("SwiGLU", 28, [(2, 3), (3,)]) == "B is float32[3], not [2, 3]"


def test_rotation_has_pairs() -> None:
    node = helper.make_node("RotaryEmbedding", ["x", "c", "s"], ["y"], rotary_embedding_dim=3)
    given = {"x": numbers(1, 1, 1, 4), "c": numbers(1, 1, 2), "s": numbers(1, 1, 2)}

    assert reasons(node, given, opset=23) == (
        "node 0 (RotaryEmbedding): rotary_embedding_dim is 3 of 4 elements",
    )
