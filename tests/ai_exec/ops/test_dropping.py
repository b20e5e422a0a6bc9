"""Dropout: the input where nothing is left to chance, else refused."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from tests.support.one_node import ours, reasons

X = np.arange(3, dtype=np.float32)


@pytest.mark.parametrize(("opset", "mask"), [(8, "float32"), (11, "bool"), (13, "bool")])
def test_nothing_is_dropped(opset: int, mask: str) -> None:
    found = ours(helper.make_node("Dropout", ["x"], ["y", "m"]), {"x": X}, None, opset)

    assert [found[0].tolist(), found[1].tolist()] == [X.tolist(), [1, 1, 1]]
    assert found[1].dtype == mask


@pytest.mark.parametrize(
    ("ratio", "training", "refused"), [(0.0, True, False), (0.5, False, False), (0.5, True, True)]
)
def test_training(ratio: float, training: bool, refused: bool) -> None:
    node: Any = helper.make_node("Dropout", ["x", "r", "t"], ["y"])
    constants = {"r": np.array(ratio, np.float32), "t": np.array(training)}

    if refused:
        assert reasons(node, {"x": X}, constants) == (
            "node 0 (Dropout): training with ratio 0.5 is random: "
            "set it to 0, or leave training out",
        )
    else:
        assert ours(node, {"x": X}, constants)[0].tolist() == X.tolist()
