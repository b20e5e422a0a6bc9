"""One operator beside onnxruntime: models of one node, admitted, run by both engines."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from onnx import helper

import ai_exec
from ai_exec.registry import Call, Operand, Operator, find
from tests.support.onnx_models import encode, proto

Arrays = Mapping[str, np.ndarray]


def encode_node(
    node: Any, inputs: Arrays, constants: Arrays | None = None, opset: int = 19
) -> bytes:
    """Write a model of one node; outputs have no declared type."""
    declared = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for name, array in inputs.items()
    ]
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
    return encode(proto([node], declared, outputs, constants, {"": opset}))


def applied(
    operator: Operator, inputs: Sequence[np.ndarray | None], count: int = 1, **given: Any
) -> list[np.ndarray]:
    """Run an operator's own kernel; what is told before, with and without values, holds."""
    attributes = {
        name: given.get(name, operator.defaults.get(name)) for name in operator.attribute_kinds
    }
    known = tuple(None if x is None else Operand(x.dtype.name, x.shape, x) for x in inputs)
    with np.errstate(all="ignore"):
        found = operator.run(tuple(inputs), attributes, count)
    bare = tuple(x and Operand(x.dtype, x.shape) for x in known)
    for operands in (known, bare):
        call = Call(operands, attributes, count)
        outputs = operator.infer(call)
        call = Call(operands, attributes, count, outputs)
        assert operator.cost(call) >= 0
        assert operator.scratch(call) >= 0
        for said, array in zip(outputs, found, strict=False):
            assert said.dtype == array.dtype.name
            if said.exact:
                assert said.shape == array.shape
            pairs = zip(said.shape, array.shape, strict=True)
            assert all(length <= most for most, length in pairs)
    return list(found[:count])


def reasons(
    node: Any, inputs: Arrays, constants: Arrays | None = None, opset: int = 19
) -> tuple[str, ...]:
    """Give the reasons against a model of one node."""
    return ai_exec.admit(encode_node(node, inputs, constants, opset)).reasons


def ours(
    node: Any, inputs: Arrays, constants: Arrays | None = None, opset: int = 19
) -> list[np.ndarray]:
    """Run a node by both engines, which agree in every bit."""
    admission = ai_exec.admit(encode_node(node, inputs, constants, opset))
    assert admission.reasons == ()
    reference = ai_exec.compile(admission.program, "reference").run(inputs)
    fast = ai_exec.compile(admission.program, "fast").run(inputs)
    for name, array in reference.items():
        assert (fast[name].dtype, fast[name].shape) == (array.dtype, array.shape)
        assert fast[name].tobytes() == array.tobytes()
    return list(reference.values())


def theirs(
    node: Any, inputs: Arrays, constants: Arrays | None = None, opset: int = 19
) -> list[np.ndarray]:
    """Run a node by onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    encoded = encode_node(node, inputs, constants, opset)
    session = onnxruntime.InferenceSession(encoded, options)
    return list(session.run(None, dict(inputs)))


def assert_same(
    found: Sequence[np.ndarray], expected: Sequence[np.ndarray], tolerance: float = 1e-6
) -> None:
    """Types and shapes are equal, floats within a tolerance of the greatest, all else exactly."""
    for mine, other in zip(found, expected, strict=True):
        assert (mine.dtype, mine.shape) == (other.dtype, other.shape)
        if mine.dtype.kind == "f":
            finite = np.abs(other[np.isfinite(other)])
            scale = max(1.0, float(finite.max(initial=0.0)))
            np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance * scale)
        else:
            np.testing.assert_array_equal(mine, other)


def computed(
    name: str, version: int, *inputs: np.ndarray | None, count: int = 1, **given: Any
) -> list[np.ndarray]:
    """Run the kernel of an operator of the main domain."""
    operator = find("", name, version)
    assert operator is not None
    with np.errstate(all="ignore"):
        return list(operator.run(inputs, {**operator.defaults, **given}, count)[:count])
