"""Attention beside a slow computation: modes, caches, windows, masks, rows that see nothing."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from ai_exec.registry import Call, Mismatch, Operand, find
from tests.support.one_node import computed, ours, reasons

TYPES = ["float32", "float64"]


def numbers(*shape: int, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    return np.random.default_rng([*shape, seed]).normal(size=shape).astype(dtype)


def by_loops(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, seen: Any, scale: float | None = None
) -> np.ndarray:
    """One query after the other, in binary64; `seen` tells whether query i may see key j."""
    group = q.shape[1] // k.shape[1]
    result = np.zeros((*q.shape[:3], v.shape[3]))
    for sample, head, i in np.ndindex(*q.shape[:3]):
        kept = [j for j in range(k.shape[2]) if seen(sample, head, i, j)]
        if kept:
            keys = k[sample, head // group, kept].astype(float)
            factor = q.shape[3] ** -0.5 if scale is None else scale
            powers = np.exp(keys @ q[sample, head, i].astype(float) * factor)
            weights = powers / powers.sum()
            result[sample, head, i] = weights @ v[sample, head // group, kept].astype(float)
    return result


def always(*places: int) -> bool:
    return True


def tolerance(dtype: str) -> dict[str, float]:
    return {"rtol": 1e-5, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-13}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("heads", [(3, 3), (4, 2), (4, 1)])
def test_heads(heads: tuple[int, int], dtype: str) -> None:
    q = numbers(2, heads[0], 3, 8, dtype=dtype)
    k = numbers(2, heads[1], 5, 8, dtype=dtype)
    v = numbers(2, heads[1], 5, 6, dtype=dtype, seed=1)

    (opened,) = computed("Attention", 25, q, k, v)
    packed = [x.transpose(0, 2, 1, 3).reshape(2, x.shape[2], -1) for x in (q, k, v)]
    (joined,) = computed("Attention", 23, *packed, q_num_heads=heads[0], kv_num_heads=heads[1])

    np.testing.assert_allclose(opened, by_loops(q, k, v, always), **tolerance(dtype))
    assert joined.tobytes() == opened.transpose(0, 2, 1, 3).tobytes()
    assert opened.dtype == dtype


@pytest.mark.parametrize("causal", [0, 1])
@pytest.mark.parametrize("window", [(-1, -1), (1, -1), (0, 1), (-1, 0)])
def test_windows_with_a_past(window: tuple[int, int], causal: int) -> None:
    q, k, v = (numbers(2, 2, 3, 4, seed=seed) for seed in range(3))
    past = [numbers(2, 2, 2, 4, seed=seed) for seed in (4, 5)]

    result, keys, values = computed(
        "Attention",
        25,
        q,
        k,
        v,
        None,
        *past,
        count=3,
        is_causal=causal,
        left_window_size=window[0],
        right_window_size=window[1],
    )

    def seen(sample: int, head: int, i: int, j: int) -> bool:
        distance = i + 2 - j
        return (
            (not causal or distance >= 0)
            and (window[0] < 0 or distance <= window[0])
            and (window[1] < 0 or -distance <= window[1])
        )

    np.testing.assert_array_equal(keys, np.concatenate([past[0], k], 2))
    np.testing.assert_array_equal(values, np.concatenate([past[1], v], 2))
    np.testing.assert_allclose(result, by_loops(q, keys, values, seen), rtol=1e-5, atol=1e-6)


def test_counts_of_keys_and_rows_that_see_nothing() -> None:
    q, k, v = numbers(2, 1, 3, 4), numbers(2, 1, 5, 4), numbers(2, 1, 5, 4, seed=1)
    counts = np.array([2, 4])

    result, _, _, weights = computed(
        "Attention",
        24,
        q,
        k,
        v,
        None,
        None,
        None,
        counts,
        count=4,
        is_causal=1,
        qk_matmul_output_mode=3,
    )

    def seen(sample: int, head: int, i: int, j: int) -> bool:
        return bool(j < counts[sample] and j <= i + counts[sample] - 3)

    np.testing.assert_allclose(result, by_loops(q, k, v, seen), rtol=1e-5, atol=1e-6)
    assert result[0, 0, 0].tolist() == [0, 0, 0, 0]
    assert weights[0, 0, 0].tolist() == [0] * 5


@pytest.mark.parametrize("shape", [(3, 5), (2, 1, 1, 5), (2, 3, 5), (3, 4), (5,)])
def test_masks(shape: Any) -> None:
    q, k, v = numbers(2, 2, 3, 4), numbers(2, 2, 5, 4), numbers(2, 2, 5, 4, seed=1)
    mask = np.random.default_rng(1).random(shape) < 0.7
    padded = np.pad(mask, [*[(0, 0)] * (len(shape) - 1), (0, 5 - shape[-1])])
    full = np.broadcast_to(padded, (2, 2, 3, 5))

    (chosen,) = computed("Attention", 25, q, k, v, mask)
    added = np.where(mask, 0, -np.inf).astype(np.float32)
    (summed,) = computed("Attention", 25, q, k, v, added)

    expected = by_loops(q, k, v, lambda *place: full[place])
    np.testing.assert_allclose(chosen, expected, rtol=1e-5, atol=1e-6)
    assert summed.tobytes() == chosen.tobytes()


def test_modes_of_the_scores() -> None:
    q, k, v = numbers(1, 1, 2, 4), numbers(1, 1, 3, 4), numbers(1, 1, 3, 4, seed=1)
    mask = numbers(2, 3)

    raw, capped, masked, weights = (
        computed(
            "Attention",
            25,
            q,
            k,
            v,
            mask,
            count=4,
            softcap=2.0,
            scale=0.5,
            qk_matmul_output_mode=mode,
        )[3]
        for mode in range(4)
    )

    np.testing.assert_allclose(raw[0, 0], q[0, 0] @ k[0, 0].T * 0.5, rtol=1e-5)
    np.testing.assert_allclose(capped, 2 * np.tanh(raw / 2), rtol=1e-6)
    np.testing.assert_array_equal(masked, capped + mask)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-6)


@pytest.mark.parametrize("precision", [1, 10, 11, 16])
def test_precision_of_the_softmax(precision: int) -> None:
    q, k, v = (numbers(1, 2, 3, 4, seed=seed) for seed in range(3))

    (found,) = computed("Attention", 25, q, k, v, softmax_precision=precision)

    tolerance = {1: 1e-6, 10: 2e-3, 11: 1e-6, 16: 2e-2}[precision]
    np.testing.assert_allclose(found, by_loops(q, k, v, always), rtol=0, atol=tolerance)


def test_a_node_in_both_engines() -> None:
    names = ["q", "k", "v", "mask"]
    node = helper.make_node("Attention", names, ["y", "", "", "s"], qk_matmul_output_mode=2)
    arrays = (numbers(1, 2, 3, 4), numbers(1, 2, 3, 4), numbers(1, 2, 3, 4), numbers(3, 3) > 0)

    found = ours(node, dict(zip(names, arrays, strict=True)), opset=24)

    assert [array.shape for array in found] == [(1, 2, 3, 4), (1, 2, 3, 3)]


@pytest.mark.parametrize(
    ("shapes", "attributes", "reason"),
    [
        ([(1, 3, 4), (1, 3, 4), (1, 3, 4)], {}, "Q is float32[1, 3, 4], not of None heads"),
        (
            [(1, 3, 2, 4), (1, 2, 2, 4), (1, 2, 2, 4)],
            {},
            "3 heads of queries for 2 heads of keys",
        ),
        ([(1, 2, 2, 4), (1, 2, 0, 4), (1, 2, 0, 4)], {}, "no keys"),
        (
            [(1, 2, 2, 4), (1, 2, 3, 4), (1, 2, 2, 4)],
            {},
            "Q, K and V do not fit: float32[1, 2, 2, 4], float32[1, 2, 3, 4], float32[1, 2, 2, 4]",
        ),
        (
            [(1, 2, 2, 4), (1, 2, 3, 4), (1, 2, 3, 4), (2, 4)],
            {},
            "attn_mask is float32[2, 4] for scores of [1, 2, 2, 3]",
        ),
        (
            [(1, 2, 2, 4)] * 3,
            {"qk_matmul_output_mode": 4},
            "qk_matmul_output_mode is 4",
        ),
    ],
)
def test_refusals(shapes: Any, attributes: Any, reason: str) -> None:
    names = ["q", "k", "v", "mask"][: len(shapes)]
    node = helper.make_node("Attention", names, ["y"], **attributes)
    given = {name: numbers(*shape) for name, shape in zip(names, shapes, strict=True)}

    assert reasons(node, given, opset=23) == (f"node 0 (Attention): {reason}",)


def test_the_past_is_whole() -> None:
    operator = find("", "Attention", 25)
    assert operator is not None
    heads = Operand("float32", (1, 2, 3, 4))

    with pytest.raises(Mismatch, match="belong together"):
        operator.infer(Call((heads, heads, heads, None, heads), operator.defaults, 1))
