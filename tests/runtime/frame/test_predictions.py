"""Predictions: rows become inputs, outputs become labels, and unfit models are named."""

import numpy as np
import pytest

from ai_exec.tensor import decode_tensors, encode_tensors
from runtime.frame.ports import TensorType
from runtime.frame.predictions import (
    UnfitModel,
    decode_arrays,
    encode_arrays,
    input_of,
    labels_of,
    rows_at_once,
)
from runtime.frame.snapshots import RowForm

FORM = RowForm(2, (2, 2), 10)
FIXED = TensorType("pixels", 1, (3, 4))
OPEN = TensorType("pixels", 1, (8, 2, 2), ("batch", "", ""))


def test_bytes_are_those_of_the_engine() -> None:
    arrays = {
        "b": (1, np.array([[0.5, -0.0]], "<f4")),
        "a": (7, np.array([3], "<i8")),
        "z": (2, np.zeros((0, 2), "u1")),
    }
    encoded = encode_arrays(arrays)
    assert encoded == encode_tensors({name: array for name, (_, array) in arrays.items()})
    decoded = decode_arrays(encoded)
    assert list(decoded) == ["a", "b", "z"]
    for name, (element, array) in arrays.items():
        assert decoded[name][0] == element
        assert decoded[name][1].tobytes() == array.tobytes()
        assert decoded[name][1].shape == array.shape


def test_rows_become_floats() -> None:
    rows = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    fixed = decode_tensors(input_of(FIXED, rows))["pixels"]
    assert fixed.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [4, 5, 6, 7]]
    assert decode_tensors(input_of(OPEN, rows))["pixels"].tolist() == rows.tolist()
    assert (rows_at_once((FIXED,), FORM), rows_at_once((OPEN,), FORM)) == (3, 8)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ((), "it has 0 inputs, not one"),
        ((FIXED, OPEN), "it has 2 inputs, not one"),
        ((TensorType("x", 1, ()),), r"x is \[\], a row \[2, 2\]"),
        ((TensorType("x", 1, (1, 5)),), r"x is \[1, 5\], a row \[2, 2\]"),
        ((TensorType("x", 1, (1, 2, 2), ("", "side", "")),), "x has open axes beside the first"),
        ((TensorType("x", 3, (1, 4)),), "x: type 2 does not fit into 3"),
        ((TensorType("x", 99, (1, 4)),), "x: type 2 does not fit into 99"),
    ],
)
def test_models_that_cannot_judge_rows(inputs: tuple[TensorType, ...], words: str) -> None:
    with pytest.raises(UnfitModel, match=words):
        rows_at_once(inputs, FORM)


def test_labels_come_before_scores_and_nan_is_never_greatest() -> None:
    scores = np.array([[0.1, np.nan, 0.9], [0.4, 0.4, 0.1], [np.nan, np.nan, np.nan]], "<f4")
    label = np.array([[5], [6], [7]], "<i8")
    assert labels_of(encode_arrays({"scores": (1, scores)}), 3).tolist() == [2, 0, 0]
    both = encode_arrays({"scores": (1, scores), "winner": (7, label)})
    assert labels_of(both, 2).tolist() == [5, 6]


@pytest.mark.parametrize(
    "outputs", [{}, {"x": (1, np.zeros(3, "<f4"))}, {"x": (7, np.zeros((3, 2), "<i8"))}]
)
def test_outputs_without_labels(outputs: dict[str, tuple[int, np.ndarray]]) -> None:
    with pytest.raises(UnfitModel, match="neither a label nor scores"):
        labels_of(encode_arrays(outputs), 3)
