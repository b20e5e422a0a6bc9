"""Kernels of what prepares features for classic models: attributes become arrays once."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ai_exec.fast.compilation import compiled
from ai_exec.fast.layout import whole
from ai_exec.fast.normal import sum_of_squares
from ai_exec.ops.encoders import default_of, listed_in
from ai_exec.program import Node, Program
from ai_exec.semantics.numerics import cast
from ai_exec.tensor import Tensor

Kernel = Callable[..., Any]
MOST, SIZES, SQUARES = 0, 1, 2
"""Norms: the greatest element, the sum of the sizes, the root of the sum of the squares."""
NORMS = {"MAX": MOST, "L1": SIZES, "L2": SQUARES}


@compiled
def scale_rows(x: Any, offset: Any, scale: Any, out: Any) -> None:
    """Rows [M, K] less an offset, times a scale, each step rounded."""
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            out[row, column] = (x[row, column] - offset[column]) * scale[column]


@compiled
def divide_rows(x: Any, norm: int, out: Any) -> None:
    """Rows [M, K] divided by their norms in binary64; a row of norm 0 stays."""
    length = x.shape[1]
    parts = np.empty(length, np.float64)
    for row in range(x.shape[0]):
        divisor: float = np.float64(x[row, 0])
        for column in range(length):
            value = np.float64(x[row, column])
            if norm == MOST:
                divisor = value if value > divisor or value != value else divisor
            parts[column] = value * value if norm == SQUARES else abs(value)
        if norm != MOST:
            divisor = sum_of_squares(parts)
            if divisor != divisor:
                divisor = np.inf
                for column in range(length):
                    divisor = divisor if parts[column] == parts[column] else np.nan
            divisor = np.sqrt(divisor) if norm == SQUARES else divisor
        divisor = 1.0 if divisor == 0.0 else divisor
        for column in range(length):
            out[row, column] = np.float32(np.float64(x[row, column]) / divisor)


def rows_of(x: Tensor) -> Tensor:
    """Give rows [M, K] of floats along the last axis; whole numbers become binary32."""
    floats = x if x.dtype in (np.float32, np.float64) else x.astype(np.float32)
    width = x.shape[-1]
    return whole(floats, (x.size // width if width else 0, width))


def scaler(node: Node, program: Program) -> Kernel:
    """`Scaler`."""
    data, given = program.operands[node.inputs[0]], node.attributes
    dtype = "float64" if data.dtype == "float64" else "float32"
    offset, scale = (
        np.array(np.broadcast_to(np.array(given[name], dtype), data.shape[-1:]))
        for name in ("offset", "scale")
    )

    def kernel(x: Tensor) -> Tensor:
        out = np.empty(x.shape, np.float32)
        rows = rows_of(x)
        scale_rows(rows, offset, scale, out.reshape(rows.shape))
        return out

    return kernel


def normalizer(node: Node, program: Program) -> Kernel:
    """`Normalizer`."""
    given: Any = node.attributes
    norm = NORMS[given["norm"]]

    def kernel(x: Tensor) -> Tensor:
        out = np.empty(x.shape, np.float32)
        rows = rows_of(x)
        divide_rows(rows, norm, out.reshape(rows.shape))
        return out

    return kernel


def binarizer(node: Node, program: Program) -> Kernel:
    """`Binarizer`."""
    given: Any = node.attributes
    dtype = program.operands[node.inputs[0]].dtype
    threshold = np.float32(given["threshold"])
    if dtype != "float32":
        threshold = threshold.astype(np.float64)
    return lambda x: np.greater(x, threshold).astype(dtype)


def extractor(node: Node, program: Program) -> Kernel:
    """`ArrayFeatureExtractor`."""

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        rows = x if x.ndim > 1 else x[np.newaxis]
        return rows.take(y.reshape(-1), axis=-1, mode="wrap")

    return kernel


def imputer(node: Node, program: Program) -> Kernel | None:
    """`Imputer` of floats."""
    dtype, given = program.operands[node.inputs[0]].dtype, node.attributes
    if dtype not in ("float32", "float64"):
        return None
    replaced = np.array(given["replaced_value_float"], dtype)
    imputed = np.array(given["imputed_value_floats"], dtype)
    if np.isnan(replaced):
        return lambda x: np.where(np.isnan(x), imputed, x)
    return lambda x: np.where(x == replaced, imputed, x)


def one_hot_encoder(node: Node, program: Program) -> Kernel:
    """`OneHotEncoder`."""
    categories = np.array(node.attributes["cats_int64s"], np.int64)

    def kernel(x: Tensor) -> Tensor:
        places = x if x.dtype == np.int64 else cast(x, "int64")
        return np.equal(places[..., np.newaxis], categories).astype(np.float32)

    return kernel


def vectorizer(node: Node, program: Program) -> Kernel:
    """`FeatureVectorizer`."""
    shape = program.operands[node.outputs[0]].shape

    def kernel(*parts: Tensor) -> Tensor:
        out, start = np.empty(shape, np.float32), 0
        for part in parts:
            end = start + part.shape[-1]
            out[:, start:end] = part
            start = end
        return out

    return kernel


def label_encoder(node: Node, program: Program) -> Kernel:
    """`LabelEncoder`: keys are sorted once; the last of equal keys counts."""
    keys, values = listed_in(node.attributes, "keys"), listed_in(node.attributes, "values")
    default = default_of(node.attributes, values.dtype.name)
    ordered, last = np.unique(keys[::-1], return_index=True)
    found, end = values[::-1][last], ordered.size - 1
    has_nan = bool(ordered[end] != ordered[end])

    def kernel(x: Tensor) -> Tensor:
        place = np.minimum(np.searchsorted(ordered, x), end)
        key = ordered[place]
        equal = (key == x) | ((key != key) & (x != x)) if has_nan else key == x
        return np.where(equal, found[place], default)

    return kernel


def zip_map(node: Node, program: Program) -> Kernel:
    """`ZipMap`."""
    return lambda x: x if x.ndim == 2 else np.atleast_2d(x)
