"""Networks that onnxruntime's tools quantise: admitted, and the reference's bits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import ai_exec
from ai_exec.fast.byte_graph import between_bytes
from ai_exec.fast.fusion import Graph
from ai_exec.fast.machine import this_machine
from ai_exec.tensor import Tensor
from tests.support.onnx_models import encode, proto
from tests.support.quantised_networks import TYPES, block, images, inputs_of, perceptron, quantised

RANDOM = np.random.default_rng(5)
SMALL: dict[str, Callable[[], onnx.ModelProto]] = {
    "perceptron": lambda: perceptron(3, (21, 70, 33, 10)),
    "images": lambda: images(9, 5),
    "block": lambda: block(5, 24, 2),
}


def equal(model: bytes, *inputs: dict[str, Tensor]) -> None:
    """Both engines give the same bits."""
    admission = ai_exec.admit(model)
    assert admission.program is not None, admission.reasons
    reference = ai_exec.compile(admission.program, "reference")
    fast = ai_exec.compile(admission.program, "fast")
    for given in inputs:
        expected, found = reference.run(given), fast.run(given)
        assert {name: x.tobytes() for name, x in found.items()} == {
            name: x.tobytes() for name, x in expected.items()
        }


def hostile(x: Tensor) -> Tensor:
    found = x * np.float32(50)
    found.reshape(-1)[:6] = [np.nan, np.inf, -np.inf, 3e38, 1e-45, -0.0]
    return found


@pytest.mark.parametrize("network", SMALL)
@pytest.mark.parametrize(
    ("form", "types"), [("dynamic", "u8s8"), ("dynamic", "u8u8"), *(("QDQ", one) for one in TYPES)]
)
def test_quantised_networks(network: str, form: str, types: str) -> None:
    plain = SMALL[network]()
    for per_channel in (False, True)[: 2 if types == "s8s8" else 1]:
        model = quantised(plain, form, types, per_channel=per_channel, reduce_range=not per_channel)
        given = inputs_of(plain, 77)
        equal(model.SerializeToString(), given, {"x": hostile(given["x"])})


def test_operators_of_onnxruntime_are_refused_with_advice() -> None:
    model = quantised(SMALL["perceptron"](), "QOperator")

    reasons = ai_exec.admit(model.SerializeToString()).reasons

    assert reasons[0] == (
        "node 2 (QLinearAdd): domain com.microsoft is not supported: quantise with "
        "quant_format=QuantFormat.QDQ, which writes operators of ONNX"
    )


def passes(model: bytes) -> int:
    """How many passes from bytes to bytes a model has."""
    program = ai_exec.admit(model).program
    assert program is not None
    return len(list(between_bytes(Graph(program))))


def between(
    nodes: list[onnx.NodeProto],
    shape: tuple[int, ...],
    types: tuple[str, str],
    steps: tuple[float, float],
    constants: dict[str, Tensor],
    zero: int | None = None,
) -> bytes:
    """Nodes from a to b between bytes x and y, dequantised before and quantised after them."""
    known = {
        "s": np.float32(steps[0]),
        "z": np.array(3, types[0]),
        "t": np.float32(steps[1]),
        "u": np.array(zero if zero is not None else -5 if types[1] == "int8" else 99, types[1]),
    }
    whole = [
        helper.make_node("DequantizeLinear", ["x", "s", "z"], ["a"]),
        *nodes,
        helper.make_node("QuantizeLinear", ["b", "t", "u"], ["y"]),
    ]
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(types[0]))
    declared = [helper.make_tensor_value_info("x", kind, shape)]
    outputs = [helper.make_empty_tensor_value_info("y")]
    return encode(proto(whole, declared, outputs, {**known, **constants}, {"": 21}))


def bytes_of(dtype: str, *shape: int) -> Tensor:
    ends = np.iinfo(dtype)
    return RANDOM.integers(ends.min, ends.max + 1, shape).astype(dtype)


@pytest.mark.parametrize("types", [("uint8", "int8"), ("int8", "uint8")])
@pytest.mark.parametrize("steps", [(0.5, 8.0), (0.0123, 0.77), (1.0, 2.0**-40), (0.3, 1e9)])
@pytest.mark.parametrize(("length", "columns"), [(70, 17), (2051, 5)])
def test_products(
    types: tuple[str, str], steps: tuple[float, float], length: int, columns: int
) -> None:
    """Steps of powers of two make half of all results lie half way between two bytes."""
    weights = bytes_of("int8", length, columns).astype(np.float32)
    weights *= RANDOM.choice(np.float32([0.25, 0.013]), columns)
    offset = RANDOM.normal(size=columns).astype(np.float32)
    x = {"x": bytes_of(types[0], 3, length)}
    plain = [helper.make_node("MatMul", ["a", "w"], ["b"])]
    linear = [
        helper.make_node("MatMul", ["a", "w"], ["m"]),
        helper.make_node("Add", ["m", "c"], ["n"]),
        helper.make_node("Relu", ["n"], ["b"]),
    ]
    gemm = [helper.make_node("Gemm", ["a", "v", "c"], ["b"], alpha=0.7, beta=1.5, transB=1)]
    turned = np.ascontiguousarray(weights.T)
    for nodes, known in ((plain, {}), (linear, {"c": offset}), (gemm, {"c": offset})):
        constants = {"v": turned} if nodes is gemm else {"w": weights}
        model = between(nodes, (3, length), types, steps, {**constants, **known})
        assert passes(model) == (this_machine().pairs and steps[1] > 2.0**-40)
        equal(model, x)


def test_the_sum_of_products_of_bytes_alone_would_be_wrong() -> None:
    values = np.array([[19, 217, 2, 135, 17, 73, 120, 105]])
    weights = np.array([123, 80, 15, -27, -126, 5, -98, 87])
    scaled = (weights.astype(np.float32) * np.float32(0.1)).reshape(8, 1)
    nodes = [helper.make_node("MatMul", ["a", "w"], ["b"])]
    step = np.float32(0.03 * 64)
    model = between(nodes, (1, 8), ("uint8", "uint8"), (0.3, step), {"w": scaled}, 7)
    given = {"x": (values + 3).astype(np.uint8)}

    program = ai_exec.admit(model).program
    assert program is not None
    by_sum = np.rint(
        (values @ weights)[0] * (float(np.float32(0.3)) * float(np.float32(0.1)) / step)
    )
    assert by_sum == 183
    assert ai_exec.compile(program, "reference").run(given)["y"] == 182 + 7
    equal(model, given)


@pytest.mark.parametrize("types", [("uint8", "int8"), ("int8", "uint8")])
@pytest.mark.parametrize("steps", [(0.5, 256.0), (0.0123, 0.77)])
@pytest.mark.parametrize(
    ("channels", "given"),
    [
        (3, {"pads": [1, 0, 2, 1], "strides": [2, 1]}),
        (16, {"pads": [1, 1, 1, 1]}),
        (5, {"dilations": [1, 2]}),
        (230, {"auto_pad": "SAME_UPPER"}),
    ],
)
def test_convolutions(
    types: tuple[str, str], steps: tuple[float, float], channels: int, given: dict[str, Any]
) -> None:
    kernels = bytes_of("int8", 7, channels, 3, 3).astype(np.float32)
    kernels *= np.float32(0.25) if steps[0] == 0.5 else np.float32(0.0271)
    bias = RANDOM.integers(-9, 9, 7).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["a", "w", "c"], ["n"], **given),
        helper.make_node("Relu", ["n"], ["b"]),
    ]
    model = between(nodes, (2, channels, 6, 7), types, steps, {"w": kernels, "c": bias})

    assert passes(model) == this_machine().pairs
    equal(model, {"x": bytes_of(types[0], 2, channels, 6, 7)})


@pytest.mark.parametrize("types", [("uint8", "int8"), ("int8", "uint8")])
def test_steps_of_single_elements(types: tuple[str, str]) -> None:
    x = {"x": bytes_of(types[0], 2, 4, 6, 6)}
    rows = {"x": np.arange(256).astype(np.uint8).view(types[0]).reshape(4, 64)}
    known = {"c": RANDOM.normal(size=64).astype(np.float32)}
    for operator in ("Relu", "Sigmoid", "Tanh", "Neg", "Exp", "Sqrt"):
        nodes = [helper.make_node(operator, ["a"], ["b"])]
        equal(between(nodes, (4, 64), types, (0.11, 0.013), {}), rows)
    for other, constants in (("a", {}), ("c", known)):
        nodes = [helper.make_node("Add", ["a", other], ["b"])]
        equal(between(nodes, (4, 64), types, (0.5, 1.0), constants), rows)
    pools: list[dict[str, Any]] = [
        {"kernel_shape": [3, 2], "pads": [1, 1, 1, 0]},
        {"kernel_shape": [2, 2], "strides": [2, 2]},
    ]
    for pool in pools:
        nodes = [helper.make_node("MaxPool", ["a"], ["b"], **pool)]
        equal(between(nodes, (2, 4, 6, 6), types, (0.11, 0.13), {}), x)
    nodes = [helper.make_node("Transpose", ["a"], ["b"], perm=[0, 2, 3, 1])]
    equal(between(nodes, (2, 4, 6, 6), types, (0.11, 0.13), {}), x)


def test_a_dequantised_value_with_another_reader_stays() -> None:
    nodes = [
        helper.make_node("MatMul", ["a", "w"], ["b"]),
        helper.make_node("Exp", ["a"], ["e"]),
    ]
    weights = bytes_of("int8", 8, 4).astype(np.float32)
    model = onnx.load_from_string(
        between(nodes, (3, 8), ("uint8", "uint8"), (0.1, 9.0), {"w": weights})
    )
    model.graph.output.append(helper.make_tensor_value_info("e", TensorProto.FLOAT, (3, 8)))

    equal(model.SerializeToString(), {"x": bytes_of("uint8", 3, 8)})
