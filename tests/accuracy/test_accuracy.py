"""Our outputs lie as near to binary64 as float32 outputs may: a share of `make accuracy`."""

import numpy as np
import onnx
import pytest

from tests.accuracy.binary64 import Binary64, NotWide
from tests.accuracy.measure import Accuracy, accuracies, relative_error
from tests.accuracy.networks import NETWORKS
from tests.support.onnx_models import classifier, one_node

SHARE = ("digits", "encoder, 2 layers of 64", "LSTM, both ways")


@pytest.mark.parametrize("title", SHARE)
def test_bounds_are_kept(title: str) -> None:
    (network,) = [one for one in NETWORKS if one.title == title]

    found = accuracies(onnx.load_from_string(network.model()), network.inputs()[:5], reference=True)

    assert found
    assert [one for one in found if not one.holds] == []


def test_binary64_is_binary64() -> None:
    rows = np.random.default_rng(3).standard_normal((2, 4)).astype(np.float32)

    (scores,) = Binary64(onnx.load_from_string(classifier())).run({"x": rows}).values()

    assert scores.dtype == np.float64
    assert np.abs(scores.sum(axis=1) - 1).max() < 1e-15


def test_errors_are_relative_to_the_scale_of_an_output() -> None:
    exact = np.array([4.0, 1.0, np.nan])

    assert relative_error(exact, np.array([4.0, 1.5, np.nan])) == 0.125
    assert relative_error(exact, np.array([4.0, np.nan, np.nan])) == float("inf")
    assert relative_error(np.array([3, 4]), np.array([3, 5])) == 0.5


@pytest.mark.parametrize(
    ("theirs", "ours", "holds"),
    [
        (1e-9, 9e-8, True),
        (1e-6, 7e-6, True),
        (1e-6, 9e-6, False),
        (2e-5, 3e-5, False),
        (0.0, 0.0, True),
    ],
)
def test_bounds(theirs: float, ours: float, holds: bool) -> None:
    assert Accuracy("y", theirs, ours, 0.0, None).holds is holds
    assert not Accuracy("y", theirs, ours, 0.0, same_bits=False).holds


def test_float32_in_the_measure_is_an_error_not_a_small_figure() -> None:
    model = one_node("AffineGrid", [1, 2, 3], opset=20)
    parsed = onnx.load_from_string(model)
    size = onnx.numpy_helper.from_array(np.array([1, 1, 2, 2]), "size")
    parsed.graph.initializer.append(size)
    parsed.graph.node[0].input.append("size")

    with pytest.raises(NotWide):
        Binary64(parsed).run({"a": np.ones((1, 2, 3), np.float32)})
