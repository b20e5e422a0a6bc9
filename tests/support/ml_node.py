"""One operator of ai.onnx.ml: by its kernel, which admission and both engines agree with."""

from typing import Any

import numpy as np
import onnxruntime
from onnx import helper

import ai_exec
from ai_exec.registry import ML


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
