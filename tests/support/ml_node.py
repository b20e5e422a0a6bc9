"""One operator of ai.onnx.ml: by its kernel, which admission and both engines agree with."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
from onnx import helper

import ai_exec
from ai_exec.engines import compile
from ai_exec.program import Node, Program
from ai_exec.registry import ML, Call, Operand, find
from ai_exec.tensor import Tensor, TensorType


def encoded(
    operator: str, inputs: dict[str, np.ndarray], outputs: int, version: int, **attributes: Any
) -> bytes:
    """Write a model of one node whose outputs have no declared type."""
    names = [f"y{place}" for place in range(outputs)]
    node = helper.make_node(operator, list(inputs), names, domain=ML, **attributes)
    declared = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
        for name, x in inputs.items()
    ]
    results = [helper.make_empty_tensor_value_info(name) for name in names]
    graph = helper.make_graph([node], "graph", declared, results)
    imports = [helper.make_opsetid("", 17), helper.make_opsetid(ML, version)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8)
    encoded_model: bytes = model.SerializeToString()
    return encoded_model


def ours(
    operator: str, x: np.ndarray, outputs: int = 1, *, version: int = 3, **attributes: Any
) -> list[np.ndarray]:
    """Run it by both engines, which agree in every bit."""
    admission = ai_exec.admit(encoded(operator, {"x": x}, outputs, version, **attributes))
    assert admission.reasons == ()
    reference = ai_exec.compile(admission.program, "reference").run({"x": x})
    fast = ai_exec.compile(admission.program, "fast").run({"x": x})
    for name, array in reference.items():
        assert (fast[name].dtype, fast[name].shape) == (array.dtype, array.shape)
        assert fast[name].tobytes() == array.tobytes()
    return list(reference.values())


def reasons(
    operator: str, x: np.ndarray, outputs: int = 1, *, version: int = 3, **attributes: Any
) -> str:
    """Give the reasons against it."""
    model = encoded(operator, {"x": x}, outputs, version, **attributes)
    return " | ".join(ai_exec.admit(model).reasons)


def theirs(
    operator: str, x: np.ndarray, outputs: int = 1, *, version: int = 3, **attributes: Any
) -> list[np.ndarray]:
    """Run it by onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    model = encoded(operator, {"x": x}, outputs, version, **attributes)
    session = onnxruntime.InferenceSession(model, options)
    return list(session.run(None, {"x": x}))


def program_of(operator: str, version: int, given: Mapping[str, Any], x: Tensor) -> Program:
    """Give a program of one operator of classic models."""
    found = find(ML, operator, version)
    assert found is not None
    attributes = {**dict.fromkeys(found.attribute_kinds), **found.defaults, **given}
    operands = {"x": Operand(x.dtype.name, x.shape)}
    outputs = found.infer(Call((operands["x"],), attributes, 2))
    names = tuple(f"y{place}" for place in range(len(outputs)))
    operands |= dict(zip(names, outputs, strict=True))
    return Program(
        (TensorType("x", x.dtype.name, x.shape),),
        tuple(TensorType(name, operands[name].dtype, operands[name].shape) for name in names),
        {},
        (Node(found, ("x",), names, attributes, 0),),
        operands,
        0,
        0,
    )


def assert_same(program: Program, x: Tensor) -> dict[str, Tensor]:
    """Both engines have the same bits."""
    expected = compile(program, "reference").run({"x": x})
    found = compile(program, "fast").run({"x": x})
    for name, value in expected.items():
        assert (found[name].dtype, found[name].shape) == (value.dtype, value.shape)
        assert found[name].tobytes() == value.tobytes()
    return expected
