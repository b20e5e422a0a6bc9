"""Small seeded networks, and what onnxruntime's tools for quantisation make of them."""

import logging
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization

from ai_exec.tensor import Tensor

TYPES: Final = {"u8s8": ("QUInt8", "QInt8"), "s8s8": ("QInt8", "QInt8"), "u8u8": ("QUInt8",) * 2}
"""Types of activations and weights."""


class _Writer:
    """Nodes and constants of a graph while it is written."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._random = np.random.default_rng(7)

    def constant(self, value: Tensor) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def weights(self, *shape: int) -> str:
        size = np.prod(shape[1:] if len(shape) == 4 else shape[:1])
        value = self._random.standard_normal(shape) / np.sqrt(size if len(shape) > 1 else 25)
        return self.constant(value.astype(np.float32))

    def op(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"{operator}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name, **attributes))
        return name

    def linear(self, x: str, rows: int, columns: int) -> str:
        return self.op(
            "Add", self.op("MatMul", x, self.weights(rows, columns)), self.weights(columns)
        )

    def model(self, shape: tuple[int, ...], result: str) -> onnx.ModelProto:
        self.nodes.append(helper.make_node("Identity", [result], ["y"], "last"))
        graph = helper.make_graph(
            self.nodes,
            "graph",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            self.constants,
        )
        imports = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=imports, ir_version=9)
        return onnx.shape_inference.infer_shapes(model)


def perceptron(rows: int = 64, widths: tuple[int, ...] = (256, 512, 512, 10)) -> onnx.ModelProto:
    """Dense layers as MatMul and Add, ReLU between them."""
    writer, x = _Writer(), "x"
    for index, (before, after) in enumerate(pairwise(widths)):
        x = writer.linear(x, before, after)
        if index < len(widths) - 2:
            x = writer.op("Relu", x)
    return writer.model((rows, widths[0]), x)


def images(size: int = 32, maps: int = 32) -> onnx.ModelProto:
    """Convolutions with ReLU, a residual block, one by channel, a pool and a dense layer."""
    writer = _Writer()

    def convolve(x: str, before: int, after: int, kernel: int, **attributes: Any) -> str:
        group = attributes.get("group", 1)
        w, b = writer.weights(after, before // group, kernel, kernel), writer.weights(after)
        return writer.op("Conv", x, w, b, pads=[kernel // 2] * 4, **attributes)

    x = writer.op("Relu", convolve("x", 3, maps, 3))
    y = writer.op("Relu", convolve(x, maps, maps, 3))
    x = writer.op("Relu", writer.op("Add", convolve(y, maps, maps, 3), x))
    x = writer.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = writer.op("Relu", convolve(x, maps, 2 * maps, 1))
    x = writer.op("Relu", convolve(x, 2 * maps, 2 * maps, 3, group=2 * maps))
    x = writer.op("Relu", convolve(x, 2 * maps, 2 * maps, 3, strides=[2, 2]))
    x = writer.op("Flatten", writer.op("GlobalAveragePool", x))
    x = writer.op("Gemm", x, writer.weights(10, 2 * maps), writer.weights(10), transB=1)
    return writer.model((1, 3, size, size), x)


def block(tokens: int = 64, hidden: int = 128, heads: int = 4) -> onnx.ModelProto:
    """A block of a transformer: attention in single operators, gelu, two normalisations."""
    writer = _Writer()
    op = writer.op

    def head(order: list[int]) -> str:
        split = writer.constant(np.array([1, tokens, heads, hidden // heads]))
        return op("Transpose", op("Reshape", writer.linear("x", hidden, hidden), split), perm=order)

    root = writer.constant(np.array(np.sqrt(hidden / heads), np.float32))
    scores = op("Div", op("MatMul", head([0, 2, 1, 3]), head([0, 2, 3, 1])), root)
    mixed = op("MatMul", op("Softmax", scores, axis=-1), head([0, 2, 1, 3]))
    joined = writer.constant(np.array([1, tokens, hidden]))
    whole = op("Reshape", op("Transpose", mixed, perm=[0, 2, 1, 3]), joined)
    x = op("Add", writer.linear(whole, hidden, hidden), "x")
    normal = writer.weights(hidden), writer.weights(hidden)
    x = op("LayerNormalization", x, *normal, axis=-1)
    wide = writer.linear(x, hidden, 4 * hidden)
    root = writer.constant(np.array(np.sqrt(2), np.float32))
    one = op("Add", op("Erf", op("Div", wide, root)), writer.constant(np.array(1, np.float32)))
    gelu = op("Mul", op("Mul", wide, one), writer.constant(np.array(0.5, np.float32)))
    x = op("Add", writer.linear(gelu, 4 * hidden, hidden), x)
    return writer.model((1, tokens, hidden), op("LayerNormalization", x, *normal, axis=-1))


NETWORKS: Final[Mapping[str, Callable[[], onnx.ModelProto]]] = {
    "perceptron": perceptron,
    "images": images,
    "block": block,
}


def inputs_of(model: onnx.ModelProto, seed: int) -> dict[str, Tensor]:
    """Seeded normal numbers for the input x."""
    shape = [axis.dim_value for axis in model.graph.input[0].type.tensor_type.shape.dim]
    random = np.random.default_rng(seed)
    return {"x": random.standard_normal(shape).astype(np.float32)}


class _Samples(quantization.CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, model: onnx.ModelProto) -> None:
        self._left: Iterator[dict[str, Tensor]] = iter([inputs_of(model, n) for n in range(4)])

    def get_next(self) -> dict[str, Tensor] | None:
        return next(self._left, None)


def quantised(
    model: onnx.ModelProto,
    form: str,
    types: str = "u8s8",
    *,
    per_channel: bool = False,
    reduce_range: bool = False,
) -> onnx.ModelProto:
    """Quantise a network: `dynamic`, `QDQ` or `QOperator`."""
    activations, weights = (getattr(quantization.QuantType, name) for name in TYPES[types])
    given = {"weight_type": weights, "per_channel": per_channel, "reduce_range": reduce_range}
    logging.getLogger().setLevel(logging.ERROR)
    # The tools change what they are given.
    model = deepcopy(model)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        if form == "dynamic":
            quantization.quantize_dynamic(model, path, **given)
        else:
            quantization.quantize_static(
                model,
                path,
                _Samples(model),
                quant_format=getattr(quantization.QuantFormat, form),
                activation_type=activations,
                **given,
            )
        return onnx.load(path)
