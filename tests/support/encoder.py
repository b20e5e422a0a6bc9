"""A text encoder as PyTorch exports it, of any size, with seeded weights."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ai_exec.tensor import Tensor


class _Writer:
    """Nodes and constants of a graph while it is written."""

    def __init__(self, seed: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._random = np.random.default_rng(seed)

    def constant(self, value: object) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def weights(self, *shape: int, size: float = 0.05) -> str:
        return self.constant((size * self._random.standard_normal(shape)).astype(np.float32))

    def op(self, operator: str, *inputs: str, **attributes: object) -> str:
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def linear(self, x: str, rows: int, columns: int) -> str:
        return self.op(
            "Add", self.weights(columns), self.op("MatMul", x, self.weights(rows, columns))
        )

    def gelu(self, x: str) -> str:
        erf = self.op("Erf", self.op("Div", x, self.number(1.4142135381698608)))
        whole = self.op("Mul", x, self.op("Add", erf, self.number(1.0)))
        return self.op("Mul", whole, self.number(0.5))

    def normal(self, x: str, hidden: int, *, as_operator: bool) -> str:
        scale, bias = self.weights(hidden, size=1.0), self.weights(hidden)
        if as_operator:
            return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)
        centred = self.op("Sub", x, self.op("ReduceMean", x, axes=[-1], keepdims=1))
        square = self.op("Pow", centred, self.number(2.0))
        variance = self.op("ReduceMean", square, axes=[-1], keepdims=1)
        root = self.op("Sqrt", self.op("Add", variance, self.number(1e-12)))
        return self.op("Add", self.op("Mul", self.op("Div", centred, root), scale), bias)


def encoder(
    tokens: int,
    *,
    layers: int = 6,
    hidden: int = 384,
    heads: int = 12,
    words: int = 30522,
    normalise: bool = False,
) -> bytes:
    """Give an ONNX file, of 22 million parameters unless told otherwise.

    With `normalise`, layers are normalised by the operator of that name, not by single nodes.
    """
    writer = _Writer(seed=1)
    op = writer.op

    def head(x: str, order: list[int]) -> str:
        split = writer.constant(np.array([1, tokens, heads, hidden // heads]))
        return op("Transpose", op("Reshape", writer.linear(x, hidden, hidden), split), perm=order)

    axes = writer.constant(np.array([1, 2]))
    given = op("Unsqueeze", op("Cast", "attention_mask", to=TensorProto.FLOAT), axes)
    mask = op("Mul", op("Sub", writer.number(1.0), given), writer.number(-3.4028234663852886e38))
    word = op("Gather", writer.weights(words, hidden), "input_ids")
    kind = op("Gather", writer.weights(2, hidden), "token_type_ids")
    x = op("Add", op("Add", word, kind), writer.weights(1, tokens, hidden))
    x = writer.normal(x, hidden, as_operator=normalise)
    for _ in range(layers):
        scores = op("MatMul", head(x, [0, 2, 1, 3]), head(x, [0, 2, 3, 1]))
        scaled = op("Div", scores, writer.number((hidden / heads) ** 0.5))
        shares = op("Softmax", op("Add", scaled, mask), axis=-1)
        mixed = op("Transpose", op("MatMul", shares, head(x, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
        joined = op("Reshape", mixed, writer.constant(np.array([1, tokens, hidden])))
        x = op("Add", writer.linear(joined, hidden, hidden), x)
        x = writer.normal(x, hidden, as_operator=normalise)
        inner = writer.gelu(writer.linear(x, hidden, 4 * hidden))
        x = op("Add", writer.linear(inner, 4 * hidden, hidden), x)
        x = writer.normal(x, hidden, as_operator=normalise)
    result = "last_hidden_state"
    writer.nodes.append(helper.make_node("Identity", [x], [result]))
    names = ("input_ids", "attention_mask", "token_type_ids")
    graph = helper.make_graph(
        writer.nodes,
        "encoder",
        [helper.make_tensor_value_info(name, TensorProto.INT64, (1, tokens)) for name in names],
        [
            helper.make_tensor_value_info(
                "last_hidden_state", TensorProto.FLOAT, (1, tokens, hidden)
            )
        ],
        writer.constants,
    )
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


def encoder_inputs(tokens: int, *, words: int = 30522) -> dict[str, Tensor]:
    """Give one text of random words, the last tenth of them masked."""
    mask = np.ones((1, tokens), np.int64)
    mask[:, tokens - tokens // 10 :] = 0
    return {
        "input_ids": np.random.default_rng(2).integers(0, words, (1, tokens)),
        "attention_mask": mask,
        "token_type_ids": np.zeros((1, tokens), np.int64),
    }
