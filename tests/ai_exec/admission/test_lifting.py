"""16-bit floats: computed as binary32, each operator's result rounded once."""

import numpy as np
import pytest
from onnx import TensorProto, helper

import ai_exec
from ai_exec.semantics.numerics import cast
from tests.support.engines import run_both
from tests.support.onnx_models import encode, proto

Node = helper.make_node
NUMBERS = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16, "float32": 1}
DTYPES = ("float16", "bfloat16")


def declared(name: str, dtype: str, shape: list[int] | None) -> object:
    """Declare an input or output of a float type."""
    return helper.make_tensor_value_info(name, NUMBERS[dtype], shape)


def drawn(dtype: str, *shape: int) -> np.ndarray:
    """Give numbers of a 16-bit type."""
    return cast(np.random.default_rng(1).normal(size=shape), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_each_operator_rounds(dtype: str) -> None:
    nodes = [Node("Mul", ["a", "a"], ["s"]), Node("Add", ["s", "b"], ["y"])]
    model = proto(
        nodes,
        [declared("a", dtype, [2, 3]), declared("b", dtype, [3])],
        [declared("y", dtype, [2, 3])],
    )
    a, b = drawn(dtype, 2, 3), drawn(dtype, 3)

    found = run_both(encode(model), {"a": a, "b": b})["y"]

    square = cast(a.astype(np.float32) ** 2, dtype).astype(np.float32)
    expected = cast(square + b.astype(np.float32), dtype)
    assert found.dtype == expected.dtype
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_movement_needs_no_casts_and_other_types_stay(dtype: str) -> None:
    nodes = [
        Node("Transpose", ["a"], ["t"]),
        Node("Concat", ["t", "t"], ["y"], axis=0),
        Node("ArgMax", ["a"], ["place"], axis=1),
    ]
    outputs = [declared("y", dtype, None), helper.make_empty_tensor_value_info("place")]
    model = proto(nodes, [declared("a", dtype, [2, 3])], outputs)
    a = drawn(dtype, 2, 3)

    found = run_both(encode(model), {"a": a})

    program = ai_exec.admit(encode(model)).program
    assert program is not None
    names = [node.operator.name for node in program.nodes]
    assert names == ["Transpose", "Concat", "Cast", "ArgMax"]
    assert found["y"].tobytes() == np.concatenate([a.T, a.T]).tobytes()
    assert (
        found["place"].tolist() == np.argmax(a.astype(np.float32), axis=1, keepdims=True).tolist()
    )


def test_weights_are_widened_once_by_admission() -> None:
    weights = drawn("float16", 300, 200)
    nodes = [Node("MatMul", ["x", "w"], ["h"]), Node("MatMul", ["x", "w"], ["y"])]
    model = proto(
        nodes,
        [declared("x", "float16", [1, 300])],
        [declared("h", "float16", [1, 200]), declared("y", "float16", [1, 200])],
        {"w": weights},
    )
    program = ai_exec.admit(encode(model)).program

    assert program is not None
    names = [node.operator.name for node in program.nodes]
    assert names == ["Cast", "MatMul", "Cast", "MatMul", "Cast"]
    (constant,) = program.constants.values()
    assert constant.tobytes() == weights.astype(np.float32).tobytes()


def test_float_types_do_not_mix() -> None:
    inputs = [declared("a", "float16", [3]), declared("b", "float32", [3])]
    model = proto([Node("Add", ["a", "b"], ["y"])], inputs, [declared("y", "float16", [3])])

    assert ai_exec.admit(encode(model)).reasons == (
        "node 0 (Add): float inputs differ in element type: float16, float32",
    )


def test_operators_of_mixed_types() -> None:
    inputs = [
        declared("x", "float16", [2, 4]),
        declared("scale", "float32", [4]),
    ]
    node = Node("LayerNormalization", ["x", "scale"], ["y"])
    model = proto([node], inputs, [declared("y", "float16", [2, 4])])

    found = run_both(encode(model), {"x": drawn("float16", 2, 4), "scale": np.ones(4, np.float32)})

    assert found["y"].dtype == np.float16
