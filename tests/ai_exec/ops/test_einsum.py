"""Einsum beside numpy: implicit and explicit outputs, diagonals, ellipsis, many operands."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from onnx import helper

from ai_exec.ops.einsum import parse
from tests.support.one_node import assert_same, computed, ours, reasons

CASES: list[tuple[str, list[tuple[int, ...]]]] = [
    ("ij->ji", [(3, 4)]),
    ("ba", [(3, 4)]),
    ("ij->i", [(3, 4)]),
    ("ij->", [(3, 4)]),
    ("ii->i", [(3, 3)]),
    ("ii", [(3, 3)]),
    ("ijij->ji", [(2, 3, 2, 3)]),
    ("iii->", [(3, 3, 3)]),
    ("...ii->...i", [(2, 3, 3)]),
    ("...ij->...ji", [(2, 1, 3, 4)]),
    ("i,i", [(5,), (5,)]),
    ("i,j->ij", [(3,), (4,)]),
    ("ij,jk->ik", [(3, 4), (4, 5)]),
    ("ij, jk", [(3, 4), (4, 5)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
    ("bhid,bhjd->bhij", [(2, 3, 4, 5), (2, 3, 6, 5)]),
    ("...ij,...jk->...ik", [(2, 3, 4), (2, 4, 5)]),
    ("...ij,...jk", [(2, 1, 3, 4), (5, 4, 2)]),
    ("ij,ij->ij", [(3, 4), (3, 4)]),
    ("ij,ij->", [(3, 4), (3, 4)]),
    ("ijk,jil->kl", [(3, 4, 5), (4, 3, 2)]),
    ("ab,cd->ac", [(2, 3), (4, 5)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]),
    ("a,b,ab,c->c", [(2,), (3,), (2, 3), (4,)]),
    ("iij,jk->ik", [(3, 3, 4), (4, 2)]),
    ("ij,jk->ik", [(3, 0), (0, 5)]),
    ("Ab,bA", [(2, 3), (3, 2)]),
    ("->", [()]),
    (",i->i", [(), (3,)]),
]


def numbers(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    made = np.random.default_rng([*shape, seed]).normal(size=shape) * 5
    return np.asarray(made).astype(dtype)


@pytest.mark.parametrize(("equation", "shapes"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8"])
def test_beside_numpy(equation: str, shapes: list[tuple[int, ...]], dtype: str) -> None:
    arrays = {f"x{n}": numbers(shape, dtype, n) for n, shape in enumerate(shapes)}
    node = helper.make_node("Einsum", list(arrays), ["y"], equation=equation)

    found = ours(node, arrays)

    wide = [x.astype("float64" if dtype[0] == "f" else dtype) for x in arrays.values()]
    assert_same(found, [np.asarray(np.einsum(equation, *wide)).astype(dtype)], 2e-6)


def test_binary64_is_the_true_value_rounded() -> None:
    a, b = numbers((2, 3, 20), "float64", 1), numbers((20, 3), "float64", 2)

    (found,) = computed("Einsum", 28, a, b, equation="bij,ji->b")

    for sample, result in zip(a.tolist(), found.tolist(), strict=True):
        terms = (
            Fraction(sample[i][j]) * Fraction(b.tolist()[j][i]) for i in range(3) for j in range(20)
        )
        assert result == float(sum(terms))


def test_products_without_sums_are_rounded_products() -> None:
    a, b = numbers((3, 4), "float32", 1), numbers((4, 5), "float32", 2)

    (found,) = computed("Einsum", 12, a, b, equation="ij,jk->ijk")

    assert found.tobytes() == (a[:, :, np.newaxis] * b).tobytes()


def test_labels() -> None:
    plan = parse("a...b,b...c->...ca", (4, 3))

    assert plan.terms == (("a", "1", "0", "b"), ("b", "0", "c"))
    assert plan.output == ("1", "0", "c", "a")


@pytest.mark.parametrize(
    ("equation", "reason"),
    [
        ("ij->ij", "equation 'ij->ij' is not of 2 operands"),
        ("ij,jk->ii", "equation 'ij,jk->ii' has an output that is not one of single letters"),
        ("ij,jk->x", "equation 'ij,jk->x' has an output that does not fit its inputs"),
        ("ij,jk->il->k", "equation 'ij,jk->il->k' is not of 2 operands"),
        ("i,jk->k", "term 'i' is not one of 2 axes"),
        ("i1,jk->k", "term 'i1' is not one of 2 axes"),
        ("ij,ik->k", "axes i have lengths 2 and 3"),
        ("ii,jk->k", "axes i of one operand have lengths 2, 3"),
        ("...j,j...->j", "equation '...j,j...->j' has an output that does not fit its inputs"),
    ],
)
def test_refusals(equation: str, reason: str) -> None:
    node = helper.make_node("Einsum", ["a", "b"], ["y"], equation=equation)
    given: dict[str, Any] = {"a": np.ones((2, 3)), "b": np.ones((3, 4))}

    assert reasons(node, given) == (f"node 0 (Einsum): {reason}",)
