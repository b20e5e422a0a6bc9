"""Small ONNX models for tests, written by the onnx package."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NUMBERS = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}


def value(name: str, shape: Sequence[int | str] | None, dtype: str = "float32") -> Any:
    """Declare an input or output."""
    return helper.make_tensor_value_info(name, NUMBERS[dtype], shape)


def proto(
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    constants: Mapping[str, np.ndarray] | None = None,
    opsets: Mapping[str, int] | None = None,
) -> Any:
    """Build a model that tests may still change."""
    tensors = [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(list(nodes), "test", list(inputs), list(outputs), tensors)
    imports = [helper.make_opsetid(*pair) for pair in (opsets or {"": 17}).items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=9)


def encode(model: onnx.ModelProto) -> bytes:
    """Write a model as a file has it."""
    encoded: bytes = model.SerializeToString(deterministic=True)
    return encoded


def one_node(operator: str, *shapes: Sequence[int], opset: int = 17, **attributes: Any) -> bytes:
    """Write a model of one node on float32 inputs a, b, c..., its output y undeclared in shape."""
    names = [chr(ord("a") + index) for index in range(len(shapes))]
    node = helper.make_node(operator, names, ["y"], **attributes)
    inputs = [value(name, list(shape)) for name, shape in zip(names, shapes, strict=True)]
    return encode(
        proto([node], inputs, [helper.make_empty_tensor_value_info("y")], None, {"": opset})
    )


def classifier() -> bytes:
    """Write a small network with weights: [2, 4] to scores [2, 3]."""
    random = np.random.default_rng(7)
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Softmax", ["r"], ["scores"], axis=1),
    ]
    constants = {
        "w": random.normal(size=(3, 4)).astype(np.float32),
        "b": random.normal(size=3).astype(np.float32),
    }
    return encode(proto(nodes, [value("x", [2, 4])], [value("scores", [2, 3])], constants))
