"""TopK and NonMaxSuppression in compiled passes give what the operators' own kernels give."""

import numpy as np
import pytest

from ai_exec.fast.choosing import non_max_suppression
from ai_exec.ops import suppression
from tests.support.single_node import assert_same_bits, hostile, one_node


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("count", [1, 3, 6])
def test_top(largest: int, count: int) -> None:
    for shape in ((6,), (6, 7), (6, 6, 6)):
        for axis in range(-1, len(shape)):
            for x in (hostile(*shape, share=0.4), np.round(hostile(*shape, share=0.1))):
                program = one_node(
                    *("TopK", {"x": x}, {"k": np.array([count])}),
                    outputs=2,
                    axis=axis,
                    largest=largest,
                )
                assert_same_bits(program, {"x": x})


def test_top_of_many_and_of_other_types() -> None:
    x = hostile(400)
    for count in (0, 128, 129, 400):
        program = one_node("TopK", {"x": x}, {"k": np.array([count])}, outputs=2)
        assert_same_bits(program, {"x": x})
    wide = {"x": x.astype(np.float64)}
    assert_same_bits(one_node("TopK", wide, {"k": np.array([3])}, outputs=2), wide)


@pytest.mark.parametrize("centre", [0, 1])
@pytest.mark.parametrize("threshold", [None, 0.3, -np.inf, np.nan])
@pytest.mark.parametrize("limit", [None, 0.5, 0.0, -1.0, np.nan])
def test_suppression(centre: int, threshold: float | None, limit: float | None) -> None:
    random = np.random.default_rng(4)
    for share in (0.0, 0.1):
        boxes = np.where(random.random((2, 60, 4)) < share, hostile(2, 60, 4, share=1.0), 0)
        boxes = (boxes + random.random((2, 60, 4))).astype(np.float32)
        scores = np.round(random.random((2, 3, 60)), 1).astype(np.float32)
        odd = random.random(scores.shape) < share
        scores = np.where(odd, hostile(2, 3, 60, share=1.0), scores)
        for most in (0, 4, 100):
            given = [
                None if value is None else np.array([value], np.float32)
                for value in (limit, threshold)
            ]
            arguments = (boxes, scores, np.array(most), *given)
            with np.errstate(all="ignore"):
                expected = suppression.non_max_suppression(*arguments, center_point_box=centre)
                found = non_max_suppression(*arguments, center_point_box=centre)
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype


def test_suppression_in_a_program() -> None:
    random = np.random.default_rng(5)
    boxes = random.random((1, 40, 4)).astype(np.float32)
    inputs = {"b": boxes, "s": random.random((1, 2, 40)).astype(np.float32)}
    constants = {"m": np.array([7]), "i": np.float32([0.4]), "t": np.float32([0.1])}
    assert_same_bits(one_node("NonMaxSuppression", inputs, constants), inputs)
