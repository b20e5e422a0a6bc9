"""Nodes that real exports hold beside those of the gas recipes: other axes, types and modes."""

from collections.abc import Mapping
from math import isqrt
from typing import Any

import numpy as np

from tests.benchmarks.gas_recipes import RECIPES, Make, Recipe, floats, wholes

OF_OTHERS = (
    *("Conv", "Pool", "LSTM", "GRU", "RNN", "Attention", "Tree", "Scaler", "Normalizer"),
    *("Binarizer", "Einsum", "QLinear", "Integer", "QuantizeLinear", "MatMul", "Gemm"),
)
"""Parts of names of recipes that have benchmarks of their own."""


def _cube(n: int) -> tuple[int, int, int]:
    side = max(2, isqrt(n // 16))
    return 16, side, side


def _along(operator: str, axis: int) -> Make:
    return lambda n: Recipe(operator, {"x": floats(*_cube(n))}, attributes={"axis": axis})


def _folded(operator: str, *axes: int, keepdims: int = 1) -> Make:
    given = {"a": np.array(axes, np.int64)}
    low = 0.1 if operator == "ReduceLogSum" else -2.0
    return lambda n: Recipe(
        operator, {"x": floats(*_cube(n), low=low)}, given, {"keepdims": keepdims}
    )


def _typed(operator: str, dtype: Any, count: int = 1, low: float = 0.1) -> Make:
    def make(n: int) -> Recipe:
        rows = (max(1, n // 64), 64)
        inputs = {name: floats(*rows, low=low).astype(dtype) for name in "xz"[:count]}
        return Recipe(operator, inputs)

    return make


def _whole(operator: str, dtype: Any, count: int = 2, **attributes: Any) -> Make:
    def make(n: int) -> Recipe:
        rows = (max(1, n // 64), 64)
        inputs = {
            name: wholes(*rows, high=99, dtype=dtype) + np.array(1, dtype) for name in "xz"[:count]
        }
        return Recipe(operator, inputs, attributes=attributes)

    return make


def _cast(source: Any, to: int) -> Make:
    return lambda n: Recipe(
        "Cast", {"x": floats(n, low=0, high=9).astype(source)}, attributes={"to": to}
    )


def _spread(operator: str, *shape: int) -> Make:
    """Two operands, the second of which is spread over the first."""
    return lambda n: Recipe(
        operator, {"x": floats(max(1, n // 64), 64)}, {"z": floats(*shape, low=0.5)}
    )


def _row_of_channels(operator: str) -> Make:
    return lambda n: Recipe(operator, {"x": floats(1, *_cube(n)), "z": floats(1, 16, 1, 1)})


def _moved(operator: str, *perm: int) -> Make:
    return lambda n: Recipe(operator, {"x": floats(1, *_cube(n))}, attributes={"perm": perm})


def _image(n: int) -> tuple[int, int, int, int]:
    side = max(4, isqrt(n // 8))
    return 1, 8, side, side


def _resized(mode: str, **attributes: Any) -> Make:
    def make(n: int) -> Recipe:
        image = _image(n)
        sizes = np.array([1, 8, image[2] * 2, image[3] * 2], np.int64)
        given = {"mode": mode, **attributes}
        return Recipe(
            "Resize", {"x": floats(*image)}, {"s": sizes}, given, order=("x", "", "", "s")
        )

    return make


def _padded(mode: str) -> Make:
    return lambda n: Recipe(
        "Pad",
        {"x": floats(*_image(n))},
        {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1])},
        {"mode": mode},
    )


def _regions(mode: str) -> Make:
    def make(n: int) -> Recipe:
        count = max(1, n // 2000)
        boxes = np.sort(floats(count, 2, 2, low=0, high=30), axis=1).reshape(count, 4)
        given = {"mode": mode, "output_height": 7, "output_width": 7, "sampling_ratio": 2}
        batch = np.zeros(count, np.int64)
        return Recipe("RoiAlign", {"x": floats(1, 16, 32, 32), "r": boxes}, {"b": batch}, given)

    return make


MORE: Mapping[str, Make] = {
    **{f"{name} axis 1": _along(name, 1) for name in ("Softmax", "LogSoftmax", "ArgMax", "ArgMin")},
    "Softmax axis 0": _along("Softmax", 0),
    "Hardmax axis 1": _along("Hardmax", 1),
    "LpNormalization axis 1": _along("LpNormalization", 1),
    **{
        f"{name} {axes}": _folded(name, *axes)
        for name in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceL2")
        for axes in ((1,), (0, 1), (1, 2), (0, 2), (0, 1, 2))
    },
    "ReduceMin (1, 2)": _folded("ReduceMin", 1, 2),
    "ReduceLogSumExp (1, 2)": _folded("ReduceLogSumExp", 1, 2),
    "ReduceSum int64": lambda n: Recipe(
        "ReduceSum", {"x": wholes(max(1, n // 64), 64, high=99)}, {"a": np.array([1])}
    ),
    "ReduceMean float64": lambda n: Recipe(
        "ReduceMean", {"x": floats(max(1, n // 64), 64).astype(np.float64)}, {"a": np.array([1])}
    ),
    "ReduceMean float16": lambda n: Recipe(
        "ReduceMean", {"x": floats(max(1, n // 64), 64).astype(np.float16)}, {"a": np.array([1])}
    ),
    **{
        f"{name} float64": _typed(name, np.float64, 2)
        for name in ("Add", "Mul", "Div", "Pow", "Max")
    },
    **{
        f"{name} float64": _typed(name, np.float64)
        for name in ("Log", "Tanh", "Sigmoid", "Erf", "Relu", "Sqrt", "Softmax", "Cos")
    },
    **{f"{name} float16": _typed(name, np.float16, 2) for name in ("Mul", "Div")},
    **{
        f"{name} float16": _typed(name, np.float16)
        for name in ("Tanh", "Sigmoid", "Relu", "Softmax", "Gelu")
    },
    **{f"{name} int64": _whole(name, np.int64) for name in ("Add", "Mul", "Div", "Sub", "Mod")},
    **{f"{name} int64": _whole(name, np.int64) for name in ("Equal", "Less", "Greater", "Min")},
    "Abs int64": _whole("Abs", np.int64, 1),
    "Neg int64": _whole("Neg", np.int64, 1),
    "CumSum int64": lambda n: Recipe(
        "CumSum", {"x": wholes(max(1, n // 64), 64, high=99)}, {"a": np.array(1)}
    ),
    "CumSum axis 0": lambda n: Recipe(
        "CumSum", {"x": floats(max(1, n // 64), 64)}, {"a": np.array(0)}
    ),
    **{
        f"Cast {source.__name__} to {to}": _cast(source, number)
        for source, to, number in (
            *((np.int64, "float32", 1), (np.bool_, "float32", 1), (np.float32, "bool", 9)),
            *((np.float32, "int32", 6), (np.float32, "uint8", 2), (np.float16, "float32", 1)),
            *((np.int32, "int64", 7), (np.int64, "int32", 6), (np.float64, "float32", 1)),
            *((np.uint8, "float32", 1), (np.bool_, "int64", 7)),
        )
    },
    "Add row": _spread("Add", 64),
    "Mul number": _spread("Mul"),
    "Div number": _spread("Div"),
    "Pow 2": lambda n: Recipe("Pow", {"x": floats(n)}, {"z": np.array(2, np.float32)}),
    "Pow 3": lambda n: Recipe("Pow", {"x": floats(n)}, {"z": np.array(3, np.float32)}),
    "Pow 0.5": lambda n: Recipe("Pow", {"x": floats(n, low=0)}, {"z": np.array(0.5, np.float32)}),
    "Add channels": _row_of_channels("Add"),
    "Mul channels": _row_of_channels("Mul"),
    "PRelu channels": _row_of_channels("PRelu"),
    "Where row": lambda n: Recipe(
        "Where",
        {"c": wholes(1, 64, high=2, dtype=bool), "x": floats(max(1, n // 64), 64)},
        {"z": np.array(-1e9, np.float32)},
    ),
    "Where int64": lambda n: Recipe(
        "Where",
        {"c": wholes(n, high=2, dtype=bool), "x": wholes(n, high=9), "z": wholes(n, high=9)},
    ),
    "Clip int64": lambda n: Recipe(
        "Clip", {"x": wholes(n, high=99)}, {"l": np.array(10), "h": np.array(50)}
    ),
    "Relu6 by Clip": lambda n: Recipe(
        "Clip", {"x": floats(*_image(n))}, {"l": np.float32(0), "h": np.float32(6)}
    ),
    "Gelu tanh": lambda n: Recipe("Gelu", {"x": floats(n)}, attributes={"approximate": "tanh"}),
    "Transpose 0213": _moved("Transpose", 0, 2, 1, 3),
    "Transpose 0231": _moved("Transpose", 0, 2, 3, 1),
    "Transpose 0312": _moved("Transpose", 0, 3, 1, 2),
    "Concat axis 0": lambda n: Recipe(
        "Concat", {name: floats(max(1, n // 64), 64) for name in "abc"}, attributes={"axis": 0}
    ),
    "Split axis 0": lambda n: Recipe(
        "Split",
        {"x": floats(4, max(1, n // 4))},
        attributes={"axis": 0, "num_outputs": 4},
        outputs=4,
    ),
    "Slice rows": lambda n: Recipe(
        "Slice",
        {"x": floats(max(4, n // 64), 64)},
        {"b": np.array([1]), "e": np.array([1 << 30]), "a": np.array([0])},
    ),
    **{f"Pad {mode}": _padded(mode) for mode in ("constant", "reflect", "edge")},
    "Expand axis 1": lambda n: Recipe(
        "Expand", {"x": floats(16, 1, 64)}, {"s": np.array([16, max(1, n // 1024), 64])}
    ),
    "Tile axis 1": lambda n: Recipe(
        "Tile", {"x": floats(max(1, n // 64), 16)}, {"r": np.array([1, 4])}
    ),
    "Gather of a constant": lambda n: Recipe(
        "Gather",
        {"i": wholes(max(1, n // 64), high=1000)},
        {"x": floats(1000, 64)},
        order=("x", "i"),
    ),
    "Gather one": lambda n: Recipe(
        "Gather", {"x": floats(max(1, n // 64), 64)}, {"i": np.array(0)}, {"axis": 1}
    ),
    "GatherElements axis 0": lambda n: Recipe(
        "GatherElements",
        {"x": floats(max(1, n // 64), 64), "i": wholes(max(1, n // 64), 64, high=max(1, n // 64))},
    ),
    "GatherND rows": lambda n: Recipe(
        "GatherND", {"x": floats(100, 64), "i": wholes(max(1, n // 64), 1, high=100)}
    ),
    "ScatterND rows": lambda n: Recipe(
        "ScatterND",
        {
            "x": floats(max(1, n // 64), 64),
            "i": wholes(max(1, n // 128), 1, high=max(1, n // 64)),
            "u": floats(max(1, n // 128), 64),
        },
    ),
    "NonZero": lambda n: Recipe("NonZero", {"x": wholes(max(1, n // 64), 64, high=2, dtype=bool)}),
    "Compress": lambda n: Recipe(
        "Compress",
        {"x": floats(max(1, n // 64), 64)},
        {"c": wholes(64, high=2, dtype=bool)},
        {"axis": 1},
    ),
    "Unique": lambda n: Recipe("Unique", {"x": wholes(n, high=99)}),
    "Range": lambda n: Recipe("Range", {"x": np.array(0)}, {"l": np.array(n), "d": np.array(1)}),
    "Shape": lambda n: Recipe("Shape", {"x": floats(n)}),
    "ConstantOfShape": lambda n: Recipe("ConstantOfShape", {}, {"s": np.array([n // 64 or 1, 64])}),
    "EyeLike": lambda n: Recipe("EyeLike", {"x": floats(isqrt(n), isqrt(n))}),
    "Trilu lower": lambda n: Recipe(
        "Trilu", {"x": floats(isqrt(n), isqrt(n))}, attributes={"upper": 0}
    ),
    "OneHot axis 0": lambda n: Recipe(
        "OneHot",
        {"i": wholes(max(1, n // 64), high=64)},
        {"d": np.array(64), "v": np.array([0, 1], np.float32)},
        {"axis": 0},
    ),
    "TopK axis 0": lambda n: Recipe(
        "TopK", {"x": floats(max(8, n // 64), 64)}, {"k": np.array([5])}, {"axis": 0}, outputs=2
    ),
    "TopK 100": lambda n: Recipe(
        "TopK", {"x": floats(max(n, 100))}, {"k": np.array([100])}, outputs=2
    ),
    "Resize pixels linear": _resized("linear", coordinate_transformation_mode="pytorch_half_pixel"),
    "Resize corners linear": _resized("linear", coordinate_transformation_mode="align_corners"),
    "Resize floor nearest": _resized(
        "nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    ),
    "GridSample nearest": lambda n: Recipe(
        "GridSample",
        {"x": floats(*_image(n)), "g": floats(1, *_image(n)[2:], 2, low=-1, high=1)},
        attributes={"mode": "nearest"},
    ),
    "RoiAlign avg": _regions("avg"),
    "RoiAlign max": _regions("max"),
    "DFT": lambda n: Recipe(
        "DFT", {"x": floats(max(1, n // 256), 256, 1)}, {"l": np.array(256), "a": np.array(1)}
    ),
    "STFT": lambda n: Recipe(
        "STFT",
        {"x": floats(1, max(256, n), 1)},
        {"s": np.array(128), "w": floats(256), "l": np.array(256)},
    ),
    "MelWeightMatrix": lambda n: Recipe(
        "MelWeightMatrix",
        {"b": np.array(40)},
        {
            "d": np.array(256),
            "r": np.array(16000),
            "l": np.array(0, np.float32),
            "u": np.array(8000, np.float32),
        },
    ),
    "HannWindow": lambda n: Recipe("HannWindow", {}, {"s": np.array(400)}),
    "AffineGrid": lambda n: Recipe(
        "AffineGrid", {"x": floats(1, 2, 3)}, {"s": np.array([1, 1, isqrt(n), isqrt(n)])}
    ),
    "RotaryEmbedding": lambda n: Recipe(
        "RotaryEmbedding",
        {
            "x": floats(1, 4, max(1, n // 256), 64),
            "c": floats(1, max(1, n // 256), 32),
            "s": floats(1, max(1, n // 256), 32),
        },
    ),
    "Identity": lambda n: Recipe("Identity", {"x": floats(n)}),
    "Dropout": lambda n: Recipe("Dropout", {"x": floats(n)}),
    "Squeeze": lambda n: Recipe("Squeeze", {"x": floats(1, n)}, {"a": np.array([0])}),
    "Unsqueeze": lambda n: Recipe("Unsqueeze", {"x": floats(n)}, {"a": np.array([0])}),
    "Flatten": lambda n: Recipe("Flatten", {"x": floats(*_cube(n))}),
    "BatchNormalization of rows": lambda n: Recipe(
        "BatchNormalization",
        {"x": floats(max(1, n // 64), 64)},
        {name: floats(64, low=0.1) for name in "sbmv"},
    ),
}

ALL: Mapping[str, Make] = {
    **{name: make for name, make in RECIPES.items() if not any(part in name for part in OF_OTHERS)},
    **MORE,
}
"""Every recipe of this benchmark by its name."""
