"""Random operators are refused with a reason that says what to do, also with a seed."""

import numpy as np
import onnx.defs
import pytest
from onnx import helper

from ai_exec.admission.nodes import RANDOM
from tests.support.one_node import reasons


@pytest.mark.parametrize("name", sorted(RANDOM))
def test_refused_with_a_seed(name: str) -> None:
    inputs = [formal.name for formal in onnx.defs.get_schema(name, 22).inputs]
    shape = {} if inputs else {"shape": [2, 3]}
    node = helper.make_node(name, inputs, ["y"], seed=1.0, **shape)

    found = reasons(node, dict.fromkeys(inputs, np.ones((2, 3), np.float32)), opset=22)

    assert found == (
        f"node 0 ({name}): its numbers are random, also with a seed, as ONNX specifies no "
        "generator: make them an input of the model",
    )
