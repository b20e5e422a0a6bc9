"""TfIdfVectorizer beside onnxruntime; refusals."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import assert_same, ours, reasons, theirs

GIVEN: dict[str, Any] = {
    "mode": "TF",
    "min_gram_length": 1,
    "max_gram_length": 3,
    "max_skip_count": 2,
    "ngram_counts": [0, 3, 7],
    "ngram_indexes": [0, 4, 2, 1, 5, 3],
    "pool_int64s": [1, 2, 3, 1, 2, 3, 1, 2, 1, 3],
}


def vectorise(**changes: Any) -> Any:
    return helper.make_node("TfIdfVectorizer", ["x"], ["y"], **{**GIVEN, **changes})


@pytest.mark.parametrize("mode", ["TF", "IDF", "TFIDF"])
@pytest.mark.parametrize("lengths", [(1, 1), (1, 3), (2, 2), (3, 3)])
def test_rows(lengths: tuple[int, int], mode: str) -> None:
    node = vectorise(
        mode=mode,
        min_gram_length=lengths[0],
        max_gram_length=lengths[1],
        weights=[0.5, 1.5, 2, 3, 4, 5],
    )
    for shape in [(2, 9), (7,), (0, 3)]:
        x = np.random.default_rng(shape).integers(1, 4, shape)

        found = ours(node, {"x": x})

        if x.size:
            assert_same(found, theirs(node, {"x": x}))
        assert found[0].shape == (*shape[:-1], 6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mode": "DF"}, "mode is DF, not one of TF, IDF, TFIDF"),
        ({"ngram_counts": [0, 2, 8]}, "ngram_counts is [0, 2, 8] for 10 numbers"),
        ({"ngram_indexes": [0, 1]}, "ngram_indexes has 2 numbers, too few"),
        ({"ngram_indexes": [0, 1, 2, 3, 4, -5]}, "ngram_indexes is [0, 1, 2, 3, 4, -5]"),
        ({"weights": [1.0]}, "1 weights for 6 sequences"),
        ({"pool_strings": ["a"]}, "pool_strings: texts are not supported"),
    ],
)
def test_refusals(changes: dict[str, Any], reason: str) -> None:
    found = reasons(vectorise(**changes), {"x": np.array([1, 2])})

    assert found == (f"node 0 (TfIdfVectorizer): {reason}",)
