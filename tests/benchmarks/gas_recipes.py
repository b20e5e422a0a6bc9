"""One node of every operator at any size, for measuring what a unit of gas takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isqrt
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

OPSETS = (("", 28), ("ai.onnx.ml", 5))
ML = "ai.onnx.ml"


@dataclass(frozen=True)
class Recipe:
    """A node, the inputs of the model, and constants."""

    operator: str
    inputs: Mapping[str, np.ndarray]
    constants: Mapping[str, np.ndarray] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    outputs: int = 1
    domain: str = ""
    order: tuple[str, ...] = ()
    """Names of the node's inputs, if not the model's and then the constants'."""

    def model(self, opset: int = OPSETS[0][1]) -> bytes:
        """Write the model."""
        names = self.order or (*self.inputs, *self.constants)
        results = [f"y{index}" for index in range(self.outputs)]
        node = helper.make_node(
            self.operator, names, results, domain=self.domain, **self.attributes
        )
        values = [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in self.inputs.items()
        ]
        graph = helper.make_graph(
            [node],
            "gas",
            values,
            [helper.make_empty_tensor_value_info(name) for name in results],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        opsets = [helper.make_opsetid("", opset), helper.make_opsetid(ML, OPSETS[1][1])]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


Make = Callable[[int], Recipe]
"""Gives a recipe with about so many elements."""


def floats(*shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Give numbers of a seed that depends on the shape alone."""
    random = np.random.default_rng(shape)
    return random.uniform(low, high, shape).astype(np.float32)


def wholes(*shape: int, high: int, dtype: Any = np.int64) -> np.ndarray:
    """Give whole numbers from 0 up to a bound."""
    return np.random.default_rng(shape).integers(0, high, shape).astype(dtype)


def _rows(n: int, length: int = 64) -> tuple[int, int]:
    return max(1, n // length), length


def _image(n: int, channels: int = 8) -> tuple[int, int, int, int]:
    side = max(4, isqrt(n // channels))
    return 1, channels, side, side


UNARY = (
    *("Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Celu", "Cos", "Cosh"),
    *("Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "Identity", "IsInf"),
    *("IsNaN", "LeakyRelu", "Log", "Mish", "Neg", "Reciprocal", "Relu", "Round", "Selu"),
    *("Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Swish"),
    *("Tan", "Tanh", "ThresholdedRelu"),
)
BINARY = (
    *("Add", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Mean"),
    *("Min", "Mul", "PRelu", "Pow", "Sub", "Sum"),
)
REDUCTIONS = (
    *("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean"),
    *("ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"),
)
ROWS = ("Softmax", "LogSoftmax", "Hardmax", "LpNormalization", "ArgMax", "ArgMin")


def _unary(operator: str) -> Make:
    return lambda n: Recipe(operator, {"x": floats(*_rows(n))})


def _binary(operator: str) -> Make:
    low = 0.1 if operator == "Pow" else -2.0
    return lambda n: Recipe(
        operator, {"x": floats(*_rows(n), low=low), "z": floats(*_rows(n), low=low, high=3)}
    )


def _integers(operator: str, high: int = 1 << 20, **attributes: Any) -> Make:
    return lambda n: Recipe(
        operator,
        {
            "x": wholes(*_rows(n), high=high, dtype=np.int32 if "B" not in operator else np.uint32),
            "z": wholes(*_rows(n), high=high, dtype=np.int32 if "B" not in operator else np.uint32)
            + np.array(1, np.int32 if "B" not in operator else np.uint32),
        },
        attributes=attributes,
    )


def _logic(operator: str) -> Make:
    return lambda n: Recipe(
        operator, {"x": wholes(n, high=2, dtype=bool), "z": wholes(n, high=2, dtype=bool)}
    )


def _reduction(operator: str, axis: int) -> Make:
    axes = {"axes": np.array([axis], np.int64)}
    low = 0.1 if operator == "ReduceLogSum" else -2.0
    return lambda n: Recipe(operator, {"x": floats(*_rows(n, 128), low=low)}, axes)


def _windows(operator: str, kernel: int, **attributes: Any) -> Make:
    given = {"kernel_shape": [kernel, kernel], **attributes}
    return lambda n: Recipe(operator, {"x": floats(*_image(n))}, attributes=given)


def _convolution(kernel: int, channels: int, group: int = 1) -> Make:
    def make(n: int) -> Recipe:
        return Recipe(
            "Conv",
            {"x": floats(*_image(n, channels))},
            {"w": floats(channels, channels // group, kernel, kernel)},
            {"group": group, "pads": [kernel // 2] * 4},
        )

    return make


def _product(rows: int, *, constant: bool) -> Make:
    def make(n: int) -> Recipe:
        side = max(4, isqrt(n))
        left, right = floats(rows, side), floats(side, side)
        if constant:
            return Recipe("MatMul", {"a": left}, {"b": right})
        return Recipe("MatMul", {"a": left, "b": right})

    return make


def _tree(operator: str, depth: int, trees: int) -> Make:
    from tests.benchmarks.gas_trees import ensemble

    return lambda n: ensemble(operator, rows=max(1, n // 64), depth=depth, trees=trees)


def _linear(operator: str, results: int) -> Make:
    def make(n: int) -> Recipe:
        classifies = operator == "LinearClassifier"
        kind: dict[str, Any] = {"targets": results}
        if classifies:
            kind = {"classlabels_ints": list(range(results)), "post_transform": "SOFTMAX"}
        return Recipe(
            operator,
            {"x": floats(*_rows(n))},
            attributes={"coefficients": floats(64 * results).tolist(), **kind},
            outputs=1 + classifies,
            domain=ML,
        )

    return make


def _machine(kernel: str) -> Make:
    given = {
        "kernel_type": kernel,
        "kernel_params": [0.1, 0.5, 3.0],
        "support_vectors": floats(200 * 16).tolist(),
        "coefficients": floats(200).tolist(),
        "n_supports": 200,
        "rho": [0.5],
    }
    return lambda n: Recipe(
        "SVMRegressor", {"x": floats(*_rows(n, 16))}, attributes=given, domain=ML
    )


def _recurrent(operator: str, gates: int) -> Make:
    def make(n: int) -> Recipe:
        hidden, width, batch = 64, 32, 4
        steps = max(1, n // (batch * width))
        weights = {
            "w": floats(1, gates * hidden, width),
            "r": floats(1, gates * hidden, hidden, low=-0.2, high=0.2),
        }
        return Recipe(
            operator, {"x": floats(steps, batch, width)}, weights, {"hidden_size": hidden}
        )

    return make


def _attention(n: int) -> Recipe:
    tokens = max(4, n // 256)
    given = {name: floats(1, 4, tokens, 64) for name in "qkv"}
    return Recipe("Attention", given)


def _resize(mode: str, factor: float) -> Make:
    def make(n: int) -> Recipe:
        scales = {"s": np.array([1, 1, factor, factor], np.float32)}
        return Recipe(
            "Resize", {"x": floats(*_image(n))}, scales, {"mode": mode}, order=("x", "", "s")
        )

    return make


def _norm(operator: str) -> Make:
    def make(n: int) -> Recipe:
        if operator in ("LayerNormalization", "RMSNormalization"):
            return Recipe(operator, {"x": floats(*_rows(n))}, {"s": floats(64)})
        x = floats(*_image(n))
        pairs = {name: floats(8, low=0.1) for name in "sb"}
        if operator == "BatchNormalization":
            pairs = {name: floats(8, low=0.1) for name in "sbmv"}
        attributes = {"num_groups": 2} if operator == "GroupNormalization" else {}
        return Recipe(operator, {"x": x}, pairs, attributes)

    return make


def _quantised_pair(n: int) -> dict[str, np.ndarray]:
    side = max(4, isqrt(n))
    return {
        "a": wholes(side, side, high=255, dtype=np.uint8),
        "b": (wholes(side, side, high=255) - 128).astype(np.int8),
    }


_STEP = np.array(0.05, np.float32)


def _qlinear(n: int) -> Recipe:
    pair = _quantised_pair(n)
    constants = {
        "as": _STEP,
        "az": np.array(128, np.uint8),
        "b": pair["b"],
        "bs": _STEP,
        "bz": np.array(0, np.int8),
        "ys": _STEP,
        "yz": np.array(128, np.uint8),
    }
    return Recipe("QLinearMatMul", {"a": pair["a"]}, constants)


RECIPES: dict[str, Make] = {
    **{name: _unary(name) for name in UNARY},
    **{name: _binary(name) for name in BINARY},
    **{f"{name} rows": _reduction(name, -1) for name in REDUCTIONS},
    **{f"{name} columns": _reduction(name, 0) for name in REDUCTIONS},
    **{name: _unary(name) for name in ROWS},
    **{name: _logic(name) for name in ("And", "Or", "Xor")},
    **{name: _integers(name) for name in ("BitwiseAnd", "BitwiseOr", "BitwiseXor", "Mod")},
    **{f"{name} int32": _integers(name) for name in ("Add", "Div", "Max", "Mul")},
    "BitShift": _integers("BitShift", 31, direction="LEFT"),
    "Mod fmod": lambda n: Recipe(
        "Mod", {"x": floats(n), "z": floats(n, low=0.1)}, attributes={"fmod": 1}
    ),
    "Not": lambda n: Recipe("Not", {"x": wholes(n, high=2, dtype=bool)}),
    "BitwiseNot": lambda n: Recipe("BitwiseNot", {"x": wholes(n, high=99)}),
    "Where": lambda n: Recipe(
        "Where", {"c": wholes(n, high=2, dtype=bool), "x": floats(n), "z": floats(n)}
    ),
    "Clip": lambda n: Recipe(
        "Clip", {"x": floats(n)}, {"l": np.float32(-1.0), "h": np.float32(1.0)}
    ),
    "Cast to int64": lambda n: Recipe("Cast", {"x": floats(n)}, attributes={"to": 7}),
    "Cast to float64": lambda n: Recipe("Cast", {"x": floats(n)}, attributes={"to": 11}),
    "Cast to float16": lambda n: Recipe("Cast", {"x": floats(n)}, attributes={"to": 10}),
    "Exp float64": lambda n: Recipe("Exp", {"x": floats(n).astype(np.float64)}),
    "Sin float64": lambda n: Recipe("Sin", {"x": floats(n).astype(np.float64)}),
    "Exp float16": lambda n: Recipe("Exp", {"x": floats(n).astype(np.float16)}),
    "Add float16": lambda n: Recipe(
        "Add", {"x": floats(n).astype(np.float16), "z": floats(n).astype(np.float16)}
    ),
    "CumSum": lambda n: Recipe("CumSum", {"x": floats(*_rows(n))}, {"a": np.array(1)}),
    "CumProd": lambda n: Recipe("CumProd", {"x": floats(*_rows(n))}, {"a": np.array(1)}),
    "Transpose": lambda n: Recipe("Transpose", {"x": floats(*_rows(n))}),
    "Reshape": lambda n: Recipe("Reshape", {"x": floats(*_rows(n))}, {"s": np.array([-1])}),
    "Concat": lambda n: Recipe(
        "Concat", {"x": floats(*_rows(n)), "z": floats(*_rows(n))}, attributes={"axis": 1}
    ),
    "Expand": lambda n: Recipe("Expand", {"x": floats(1, 64)}, {"s": np.array(_rows(n))}),
    "Tile": lambda n: Recipe("Tile", {"x": floats(1, 64)}, {"r": np.array([n // 64 or 1, 1])}),
    "Pad": lambda n: Recipe("Pad", {"x": floats(*_rows(n))}, {"p": np.array([1, 1, 1, 1])}),
    "Slice": lambda n: Recipe(
        "Slice",
        {"x": floats(*_rows(n))},
        {"b": np.array([1]), "e": np.array([63]), "a": np.array([1]), "s": np.array([2])},
    ),
    "Split": lambda n: Recipe(
        "Split", {"x": floats(*_rows(n))}, attributes={"axis": 1, "num_outputs": 2}, outputs=2
    ),
    "Gather": lambda n: Recipe(
        "Gather", {"x": floats(1000, 64), "i": wholes(max(1, n // 64), high=1000)}
    ),
    "Gather columns": lambda n: Recipe(
        "Gather", {"x": floats(*_rows(n)), "i": wholes(64, high=64)}, attributes={"axis": 1}
    ),
    "GatherElements": lambda n: Recipe(
        "GatherElements",
        {"x": floats(*_rows(n)), "i": wholes(*_rows(n), high=64)},
        attributes={"axis": 1},
    ),
    "GatherND": lambda n: Recipe("GatherND", {"x": floats(100, 100), "i": wholes(n, 2, high=100)}),
    "ScatterElements": lambda n: Recipe(
        "ScatterElements",
        {"x": floats(*_rows(n)), "i": wholes(*_rows(n), high=64), "u": floats(*_rows(n))},
        attributes={"axis": 1},
    ),
    "ScatterElements add": lambda n: Recipe(
        "ScatterElements",
        {"x": floats(*_rows(n)), "i": wholes(*_rows(n), high=64), "u": floats(*_rows(n))},
        attributes={"axis": 1, "reduction": "add"},
    ),
    "ScatterND": lambda n: Recipe(
        "ScatterND", {"x": floats(n), "i": wholes(n, 1, high=n), "u": floats(n)}
    ),
    "ScatterND add": lambda n: Recipe(
        "ScatterND",
        {"x": floats(n), "i": wholes(n, 1, high=n), "u": floats(n)},
        attributes={"reduction": "add"},
    ),
    "OneHot": lambda n: Recipe(
        "OneHot", {"i": wholes(max(1, n // 64), high=64)}, {"d": np.array(64), "v": floats(2)}
    ),
    "TopK": lambda n: Recipe("TopK", {"x": floats(*_rows(n))}, {"k": np.array([5])}, outputs=2),
    "TopK all": lambda n: Recipe("TopK", {"x": floats(n)}, {"k": np.array([n])}, outputs=2),
    "Trilu": lambda n: Recipe("Trilu", {"x": floats(*_rows(n))}),
    "ReverseSequence": lambda n: Recipe(
        "ReverseSequence",
        {"x": floats(64, max(1, n // 64))},
        {"l": np.full(max(1, n // 64), 40)},
    ),
    "Det": lambda n: Recipe("Det", {"x": floats(max(1, n // 256), 16, 16)}),
    "Gemm": lambda n: Recipe(
        "Gemm", {"x": floats(32, isqrt(n))}, {"w": floats(isqrt(n), isqrt(n)), "b": floats(1)}
    ),
    "MatMul 1 row": _product(1, constant=True),
    "MatMul 64 rows": _product(64, constant=True),
    "MatMul 64 rows, no constant": _product(64, constant=False),
    "MatMul float64": lambda n: Recipe(
        "MatMul",
        {"a": floats(64, isqrt(n)).astype(np.float64)},
        {"b": floats(isqrt(n), isqrt(n)).astype(np.float64)},
    ),
    "MatMul int32": lambda n: Recipe(
        "MatMul",
        {
            "a": wholes(isqrt(n), isqrt(n), high=99, dtype=np.int32),
            "b": wholes(isqrt(n), isqrt(n), high=99, dtype=np.int32),
        },
    ),
    "MatMul batches": lambda n: Recipe(
        "MatMul", {"a": floats(max(1, n // 4096), 64, 64), "b": floats(max(1, n // 4096), 64, 64)}
    ),
    "Einsum": lambda n: Recipe(
        "Einsum",
        {"a": floats(4, 64, max(1, n // 256)), "b": floats(4, max(1, n // 256), 64)},
        attributes={"equation": "bij,bjk->bik"},
    ),
    "MatMulInteger": lambda n: Recipe("MatMulInteger", _quantised_pair(n)),
    "QLinearMatMul": _qlinear,
    "QuantizeLinear": lambda n: Recipe(
        "QuantizeLinear", {"x": floats(n)}, {"s": _STEP, "z": np.array(3, np.uint8)}
    ),
    "DequantizeLinear": lambda n: Recipe(
        "DequantizeLinear",
        {"x": wholes(n, high=255, dtype=np.uint8)},
        {"s": _STEP, "z": np.array(3, np.uint8)},
    ),
    "DynamicQuantizeLinear": lambda n: Recipe("DynamicQuantizeLinear", {"x": floats(n)}, outputs=3),
    "Conv 1x1": _convolution(1, 32),
    "Conv 3x3": _convolution(3, 16),
    "Conv 3x3 by depth": _convolution(3, 32, 32),
    "ConvTranspose": lambda n: Recipe(
        "ConvTranspose", {"x": floats(*_image(n))}, {"w": floats(8, 8, 3, 3)}, {"strides": [2, 2]}
    ),
    "ConvInteger": lambda n: Recipe(
        "ConvInteger",
        {"x": wholes(*_image(n), high=255, dtype=np.uint8)},
        {"w": wholes(8, 8, 3, 3, high=255, dtype=np.uint8)},
    ),
    "MaxPool": _windows("MaxPool", 3, strides=[2, 2]),
    "MaxPool 7x7": _windows("MaxPool", 7),
    "AveragePool": _windows("AveragePool", 3, strides=[2, 2]),
    "LpPool": _windows("LpPool", 3),
    "GlobalAveragePool": lambda n: Recipe("GlobalAveragePool", {"x": floats(*_image(n))}),
    "GlobalMaxPool": lambda n: Recipe("GlobalMaxPool", {"x": floats(*_image(n))}),
    "GlobalLpPool": lambda n: Recipe("GlobalLpPool", {"x": floats(*_image(n))}),
    "LRN": lambda n: Recipe("LRN", {"x": floats(*_image(n))}, attributes={"size": 5}),
    "MeanVarianceNormalization": lambda n: Recipe(
        "MeanVarianceNormalization", {"x": floats(*_image(n))}
    ),
    **{
        name: _norm(name)
        for name in (
            *("LayerNormalization", "RMSNormalization", "BatchNormalization"),
            *("InstanceNormalization", "GroupNormalization"),
        )
    },
    "Resize nearest": _resize("nearest", 2.0),
    "Resize linear": _resize("linear", 2.0),
    "Resize cubic": _resize("cubic", 2.0),
    "Resize linear down": _resize("linear", 0.5),
    "GridSample": lambda n: Recipe(
        "GridSample", {"x": floats(*_image(n)), "g": floats(1, *_image(n)[2:], 2, low=-1, high=1)}
    ),
    "DepthToSpace": lambda n: Recipe(
        "DepthToSpace", {"x": floats(*_image(n))}, attributes={"blocksize": 2}
    ),
    "SpaceToDepth": lambda n: Recipe(
        "SpaceToDepth",
        {"x": floats(1, 8, 2 * (isqrt(n // 8) // 2 or 1), 2 * (isqrt(n // 8) // 2 or 1))},
        attributes={"blocksize": 2},
    ),
    "NonMaxSuppression": lambda n: Recipe(
        "NonMaxSuppression",
        {"b": floats(1, max(1, n // 64), 4, low=0), "s": floats(1, 1, max(1, n // 64), low=0)},
        {"k": np.array([100]), "t": np.array([0.5], np.float32)},
    ),
    "LSTM": _recurrent("LSTM", 4),
    "GRU": _recurrent("GRU", 3),
    "RNN": _recurrent("RNN", 1),
    "Attention": _attention,
    "TreeEnsembleRegressor": _tree("TreeEnsembleRegressor", 6, 50),
    "TreeEnsembleClassifier": _tree("TreeEnsembleClassifier", 6, 50),
    "TreeEnsembleRegressor, stumps": _tree("TreeEnsembleRegressor", 1, 200),
    "TreeEnsembleRegressor, deep": _tree("TreeEnsembleRegressor", 12, 20),
    "LinearRegressor": _linear("LinearRegressor", 1),
    "LinearRegressor, many results": _linear("LinearRegressor", 64),
    "LinearClassifier": _linear("LinearClassifier", 10),
    **{f"SVMRegressor {kernel}": _machine(kernel) for kernel in ("RBF", "POLY", "LINEAR")},
    "Imputer": lambda n: Recipe(
        "Imputer",
        {"x": floats(*_rows(n))},
        attributes={"imputed_value_floats": [0.5], "replaced_value_float": 1.0},
        domain=ML,
    ),
    "OneHotEncoder": lambda n: Recipe(
        "OneHotEncoder",
        {"x": wholes(max(1, n // 64), high=64)},
        attributes={"cats_int64s": list(range(64))},
        domain=ML,
    ),
    "LabelEncoder": lambda n: Recipe(
        "LabelEncoder",
        {"x": wholes(n, high=99)},
        attributes={"keys_int64s": list(range(99)), "values_int64s": list(range(99))},
        domain=ML,
    ),
    "Scaler": lambda n: Recipe(
        "Scaler",
        {"x": floats(*_rows(n))},
        attributes={"offset": [0.5], "scale": [2.0]},
        domain=ML,
    ),
    "Normalizer": lambda n: Recipe(
        "Normalizer", {"x": floats(*_rows(n))}, attributes={"norm": "L2"}, domain=ML
    ),
    "Binarizer": lambda n: Recipe("Binarizer", {"x": floats(*_rows(n))}, domain=ML),
}
