"""Windows whose strides and dilations are as large as numbers of the file can be."""

import numpy as np
import pytest
from onnx import helper

from tests.support.engines import run_both
from tests.support.one_node import encode_node

LARGEST = (1 << 63) - 1
X = np.arange(120, dtype=np.float32).reshape(1, 8, 3, 5)


@pytest.mark.parametrize("far", [1 << 31, 1 << 62, LARGEST])
@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool", "LpPool"])
def test_gaps_in_windows_of_one_element_mean_nothing(operator: str, far: int) -> None:
    given = {"kernel_shape": [1, 2], "pads": [0, 1, 0, 0]}
    near = helper.make_node(operator, ["x"], ["y"], **given)
    wide = helper.make_node(operator, ["x"], ["y"], dilations=[far, 1], **given)

    expected = run_both(encode_node(near, {"x": X}, opset=22), {"x": X})["y"]
    found = run_both(encode_node(wide, {"x": X}, opset=22), {"x": X})["y"]

    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("far", [1 << 31, 1 << 62, LARGEST])
@pytest.mark.parametrize("groups", [1, 8])
def test_strides_over_the_whole_tensor(groups: int, far: int) -> None:
    kernels = np.ones((8, 8 // groups, 1, 1), np.float32)
    node = helper.make_node(
        "Conv", ["x", "w"], ["y"], group=groups, strides=[far, far], dilations=[far, far]
    )

    found = run_both(encode_node(node, {"x": X}, {"w": kernels}, opset=22), {"x": X})["y"]

    first = X[:, :, :1, :1]
    expected = first if groups == 8 else first.sum(axis=1, keepdims=True).repeat(8, axis=1)
    assert found.tolist() == expected.tolist()
