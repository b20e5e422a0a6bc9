"""Encoders of categories that are numbers."""

from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper

from tests.support.ml_node import ours, reasons, theirs

NAN = np.nan


@pytest.mark.parametrize("dtype", ["int64", "int32", "float32", "float64"])
def test_one_hot(dtype: str) -> None:
    x = np.array([[1, 5], [2, 3]], dtype)

    found = ours("OneHotEncoder", x, version=1, cats_int64s=[3, 1, 2])[0]
    assert found.tolist() == [[[0, 1, 0], [0, 0, 0]], [[0, 0, 1], [1, 0, 0]]]
    same = ours("OneHotEncoder", x, version=1, cats_int64s=[3, 1, 2], zeros=0)[0]
    assert np.array_equal(found, same)
    if dtype != "int32":
        # onnxruntime has no kernel for int32.
        expected = theirs("OneHotEncoder", x, version=1, cats_int64s=[3, 1, 2])[0]
        assert np.array_equal(found, expected)


def test_one_hot_cuts_towards_zero() -> None:
    x = np.array([0.9, -0.9, 1.5, NAN], np.float32)

    found = ours("OneHotEncoder", x, version=1, cats_int64s=[0, 1])[0]
    assert found.tolist() == [[1, 0], [1, 0], [0, 1], [1, 0]]


LISTS: list[tuple[str, dict[str, Any]]] = [
    ("int64", {"keys_int64s": [4, 2, 9], "values_floats": [0.5, 1.5, 2.5], "default_float": 7.0}),
    ("float32", {"keys_floats": [4.0, 2.0, 9.0], "values_int64s": [1, 2, 3]}),
    ("int64", {"keys_int64s": [4, 2, 9], "values_int64s": [10, 20, 30], "default_int64": 5}),
]


@pytest.mark.parametrize(("dtype", "attributes"), LISTS)
@pytest.mark.parametrize("version", [2, 4])
def test_labels_of_lists(dtype: str, attributes: dict[str, Any], version: int) -> None:
    x = np.array([[9, 4], [3, 2]], dtype)

    found = ours("LabelEncoder", x, version=version, **attributes)
    expected = theirs("LabelEncoder", x, version=version, **attributes)
    assert found[0].dtype == expected[0].dtype
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("key", ["int16", "int32", "float64", "float32"])
@pytest.mark.parametrize("value", ["int16", "int32", "float64"])
def test_labels_of_tensors(key: str, value: str) -> None:
    attributes = {
        "keys_tensor": numpy_helper.from_array(np.array([3, 1], key)),
        "values_tensor": numpy_helper.from_array(np.array([30, 10], value)),
    }
    x = np.array([1, 2, 3], key)

    found = ours("LabelEncoder", x, version=4, **attributes)[0]
    assert found.dtype == value
    assert found.tolist() == [10, 0 if value == "float64" else -1, 30]
    attributes["default_tensor"] = numpy_helper.from_array(np.array([5], value))
    assert ours("LabelEncoder", x, version=4, **attributes)[0].tolist() == [10, 5, 30]


def test_nan_is_a_key_zeros_are_one_and_the_last_key_wins() -> None:
    x = np.array([NAN, -0.0, 1.0, 2.0], np.float32)
    given = {"keys_floats": [1.0, NAN, 0.0, 1.0], "values_int64s": [1, 2, 3, 4]}

    assert ours("LabelEncoder", x, version=4, **given)[0].tolist() == [2, 3, 4, -1]


@pytest.mark.parametrize(
    ("operator", "attributes", "reason"),
    [
        ("OneHotEncoder", {"cats_strings": ["a"]}, "categories are texts"),
        ("OneHotEncoder", {"cats_int64s": [1, 1]}, "a category is there twice"),
        ("LabelEncoder", {"keys_strings": ["a"], "values_int64s": [1]}, "keys are texts"),
        ("LabelEncoder", {"keys_int64s": [1], "values_strings": ["a"]}, "values are texts"),
        ("LabelEncoder", {"keys_int64s": [1, 2], "values_int64s": [1]}, "2 keys for 1 values"),
        ("LabelEncoder", {"keys_floats": [1.0], "values_int64s": [1]}, "keys of float32 for int64"),
        ("LabelEncoder", {"values_int64s": [1]}, "0 lists of keys"),
    ],
)
def test_refused(operator: str, attributes: dict[str, object], reason: str) -> None:
    version = 1 if operator == "OneHotEncoder" else 4

    assert reason in reasons(operator, np.array([1, 2]), version=version, **attributes)
