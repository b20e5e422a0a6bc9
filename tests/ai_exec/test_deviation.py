"""Where onnxruntime deviates: at nodes that round, not at nodes that move."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper

import ai_exec
from ai_exec.chart import WIDTH, draw_deviations
from ai_exec.deviation import Deviation, deviations, largest_by_operator


def test_own_and_gathered_deviations_are_told_apart() -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [40, 200])
    result = helper.make_tensor_value_info("z", TensorProto.FLOAT, None)
    weights = np.random.default_rng(0).normal(0, 1, (200, 30)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["y"]),
            helper.make_node("Transpose", ["y"], ["z"]),
        ],
        "g",
        [value],
        [result],
        [helper.make_tensor("w", TensorProto.FLOAT, weights.shape, weights.tobytes(), raw=True)],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    ).SerializeToString()
    program: Any = ai_exec.admit(model).program
    inputs = {"x": np.random.default_rng(1).normal(0, 1, (40, 200)).astype(np.float32)}

    product, movement = deviations(model, program, inputs)

    assert (product.operator, movement.operator) == ("MatMul", "Transpose")
    assert product.own is not None
    assert movement.so_far is not None
    assert 0 < product.own < 1e-5
    assert movement.own == 0
    assert 0 < movement.so_far < 1e-5


def test_worst_node_of_each_operator_comes_first() -> None:
    found = (
        Deviation(0, "Conv", "a", 1e-7, 1e-8),
        Deviation(1, "Exp", "b", 1e-6, 1e-6),
        Deviation(2, "Conv", "c", 1e-6, 1e-7),
        Deviation(3, "Loop", "d", 1e-5, None),
    )

    assert largest_by_operator(found) == (
        ("Exp", 1, found[1]),
        ("Conv", 2, found[2]),
        ("Loop", 1, found[3]),
    )


def test_charts_of_nothing_and_of_many_nodes_are_drawn() -> None:
    many = [Deviation(i, "ai.onnx.ml.VeryLongOperatorName", "t", 1e-6, 0.0) for i in range(700)]

    for found in ([], [Deviation(0, "Loop", "t", None, None)], many):
        assert draw_deviations(found, "some.onnx").size[0] == WIDTH
