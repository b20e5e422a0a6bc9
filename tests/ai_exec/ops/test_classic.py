"""Scalers and their like beside onnxruntime, and at the edges."""

import numpy as np
import pytest

import ai_exec
from tests.support.ml_node import encoded, ours, reasons, theirs

X = np.random.default_rng(3).normal(0, 50, (5, 3)).astype(np.float32)
WHOLE = np.array([[1, -2, 3], [4, 0, -6]], np.int64)
NAN, INF = np.nan, np.inf


@pytest.mark.parametrize("x", [X, X.astype(np.float64), WHOLE, WHOLE.astype(np.int32)])
@pytest.mark.parametrize("count", [1, 3])
def test_scaler(x: np.ndarray, count: int) -> None:
    values = {"offset": [0.5, 2.0, -7.3][:count], "scale": [0.1, 3.0, 1e-3][:count]}

    assert np.array_equal(ours("Scaler", x, **values), theirs("Scaler", x, **values))


@pytest.mark.parametrize("norm", ["MAX", "L1", "L2"])
@pytest.mark.parametrize("x", [X, X.astype(np.float64), WHOLE])
def test_normalizer(x: np.ndarray, norm: str) -> None:
    found, expected = ours("Normalizer", x, norm=norm), theirs("Normalizer", x, norm=norm)

    np.testing.assert_allclose(found, expected, rtol=2e-7)


def test_normalizer_of_zeros_and_infinities() -> None:
    x = np.array([[0.0, -0.0], [INF, 1.0], [NAN, 1.0]], np.float32)

    found = ours("Normalizer", x, norm="L2")[0]
    np.testing.assert_array_equal(found, [[0, 0], [NAN, 0], [NAN, NAN]])


def test_binarizer() -> None:
    x = np.array([[0.5, 0.5000001, NAN, -INF]], np.float32)

    assert ours("Binarizer", x, threshold=0.5)[0].tolist() == [[0, 1, 0, 0]]
    assert ours("Binarizer", WHOLE, threshold=2.5)[0].tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_imputer_of_floats(dtype: str) -> None:
    x = np.array([[NAN, 1.0, -1.0], [2.0, NAN, -1.0]], dtype)
    one = {"imputed_value_floats": [7.0]}
    each = {"imputed_value_floats": [7.0, 8.0, 9.0]}

    found = ours("Imputer", x, replaced_value_float=NAN, **each)[0]
    assert found.tolist() == [[7, 1, -1], [2, 8, -1]]
    found = ours("Imputer", x, replaced_value_float=-1.0, **one)[0]
    np.testing.assert_array_equal(found, [[NAN, 1, 7], [2, NAN, 7]])


def test_imputer_of_whole_numbers() -> None:
    values = {"replaced_value_int64": -2, "imputed_value_int64s": [9]}

    assert ours("Imputer", WHOLE, **values)[0].tolist() == [[1, 9, 3], [4, 0, -6]]
    found = ours("Imputer", WHOLE.astype(np.int32), **values)[0]
    assert (found.dtype, found.tolist()) == (np.int32, [[1, 9, 3], [4, 0, -6]])


def test_features_of_several_types_become_one_tensor() -> None:
    inputs = {"a": X[:2], "b": WHOLE, "c": X[:2].astype(np.float64)}
    model = encoded("FeatureVectorizer", inputs, 1, 1, inputdimensions=[3, 3, 3])
    admission = ai_exec.admit(model)
    expected = np.concatenate([inputs["a"], inputs["b"], inputs["c"]], axis=1)

    found = ai_exec.compile(admission.program, "reference").run(inputs)["y0"]
    assert (found.dtype, np.array_equal(found, expected)) == (np.float32, True)


def test_extractor_wraps_round() -> None:
    inputs = {"x": WHOLE, "y": np.array([2, 0, -1, 3])}
    admission = ai_exec.admit(encoded("ArrayFeatureExtractor", inputs, 1, 1))

    found = ai_exec.compile(admission.program, "reference").run(inputs)["y0"]
    assert found.tolist() == [[3, 1, 3, 1], [-6, 4, -6, 4]]


@pytest.mark.parametrize(
    "labels", [{"classlabels_int64s": [4, 5, 6]}, {"classlabels_strings": "abc"}]
)
def test_zip_map_gives_the_scores(labels: dict[str, list[int]]) -> None:
    labels = {name: list(value) for name, value in labels.items()}

    assert np.array_equal(ours("ZipMap", X, **labels)[0], X)
    assert ours("ZipMap", X[0], **labels)[0].shape == (1, 3)


@pytest.mark.parametrize(
    ("operator", "attributes", "reason"),
    [
        ("Scaler", {"offset": [1.0, 2.0], "scale": [1.0]}, "2 values of offset"),
        ("Normalizer", {"norm": "L3"}, "norm L3"),
        ("Imputer", {}, "0 values of imputed_value_floats"),
        ("Imputer", {"imputed_value_int64s": [1]}, "imputed_value_int64s for float32"),
        ("FeatureVectorizer", {"inputdimensions": [2]}, "not of 2 features"),
        ("FeatureVectorizer", {}, "0 input dimensions for 1 inputs"),
        ("ZipMap", {"classlabels_int64s": [1]}, "1 labels for float32[5, 3]"),
    ],
)
def test_refused(operator: str, attributes: dict[str, object], reason: str) -> None:
    assert reason in reasons(operator, X, **attributes)
