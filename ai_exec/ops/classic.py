"""Scalers and what prepares or delivers features, of the ai.onnx.ml domain."""

import numpy as np

from ai_exec.metering import free, gas, per_element
from ai_exec.ops.linear_models import FEATURES
from ai_exec.ops.rules import INDICES, require_dtype, require_rank, same, size
from ai_exec.registry import ML, Call, Mismatch, Operand, operator
from ai_exec.semantics.numerics import exact_sum, greatest, round_to_float32
from ai_exec.tensor import Tensor

Floats = tuple[float, ...]
Wholes = tuple[int, ...]
Words = tuple[str, ...]


def values_of(call: Call, name: str) -> tuple[float | int, ...]:
    """Give an attribute that is a list of numbers, empty if it is left out."""
    return call.attributes[name] or ()  # type: ignore[return-value]


def _widened(x: Tensor) -> Tensor:
    """Binary64 numbers stay, all others become binary32."""
    return x if x.dtype == np.float64 else x.astype(np.float32)


def _float_features(call: Call) -> tuple[Operand, ...]:
    return (Operand("float32", call.at(0).shape),)


def _scaler(call: Call) -> tuple[Operand, ...]:
    require_rank(call.at(0), range(1, 9), "X")
    features = call.at(0).shape[-1:]
    for name in ("offset", "scale"):
        if len(values_of(call, name)) not in (1, *features):
            raise Mismatch(f"{len(values_of(call, name))} values of {name} for {call.at(0)}")
    return _float_features(call)


def _rows_cost(call: Call, element: int, row: int) -> int:
    """Price elements and rows along the last axis, in picoseconds each."""
    elements = size(call.at(0).shape)
    return gas(elements * element + row * (elements // max(1, call.at(0).shape[-1])))


@operator(
    "Scaler",
    since=1,
    domain=ML,
    infer=_scaler,
    cost=lambda call: _rows_cost(call, 1_500, 6_000),
    values=FEATURES,
)
def scaler(x: Tensor, *, offset: Floats | None = None, scale: Floats | None = None) -> Tensor:
    """(x - offset) scale, each step rounded; of float64 in binary64, then rounded to binary32."""
    values = _widened(x)
    centred = values - np.array(offset, values.dtype)
    return round_to_float32(centred * np.array(scale, values.dtype))


def _normalizer(call: Call) -> tuple[Operand, ...]:
    require_rank(call.at(0), range(1, 3), "X")
    if call.word("norm") not in ("MAX", "L1", "L2") or not call.at(0).shape[-1]:
        raise Mismatch(f"norm {call.word('norm')} of {call.at(0)}")
    return _float_features(call)


def _normalizer_cost(call: Call) -> int:
    if call.word("norm") == "MAX":
        return _rows_cost(call, 8_000, 4_000)
    return _rows_cost(call, 4_000, 125_000)


@operator(
    "Normalizer", since=1, domain=ML, infer=_normalizer, cost=_normalizer_cost, values=FEATURES
)
def normalizer(x: Tensor, *, norm: str = "MAX") -> Tensor:
    """Each row divided by its norm in binary64, rounded once; a row of norm 0 stays."""
    wide = _widened(x).astype(np.float64)
    if norm == "MAX":
        divisor = greatest(wide, (-1,))
    elif norm == "L1":
        divisor = exact_sum(np.abs(wide), (wide.ndim - 1,))
    else:
        divisor = np.sqrt(exact_sum(wide * wide, (wide.ndim - 1,)))
    return round_to_float32(wide / np.where(divisor == 0, 1.0, divisor))


@operator("Binarizer", since=1, domain=ML, infer=same, cost=per_element(1_500), values=FEATURES)
def binarizer(x: Tensor, *, threshold: float = 0.0) -> Tensor:
    """1 above the threshold, else 0."""
    return (x.astype(np.float64) > threshold).astype(x.dtype)


def _extractor(call: Call) -> tuple[Operand, ...]:
    data, indices = call.at(0), call.at(1)
    require_dtype(indices, INDICES, "Y")
    if not data.rank or not data.shape[-1]:
        raise Mismatch(f"nothing to extract from {data}")
    return (Operand(data.dtype, (*(data.shape[:-1] or (1,)), size(indices.shape))),)


@operator("ArrayFeatureExtractor", since=1, domain=ML, infer=_extractor, cost=per_element(5_000))
def array_feature_extractor(x: Tensor, y: Tensor) -> Tensor:
    """Elements along the last axis by index; an index outside wraps round."""
    indices = np.mod(y.reshape(-1), y.dtype.type(x.shape[-1]))
    return np.asarray(np.take(x if x.ndim > 1 else x[np.newaxis], indices, axis=-1))


def _imputer(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    require_rank(data, range(1, 9), "X")
    given, other = ("imputed_value_floats", "imputed_value_int64s")
    if data.dtype.startswith("int"):
        given, other = other, given
    if values_of(call, other):
        raise Mismatch(f"{other} for {data}")
    count = len(values_of(call, given))
    if not count or count not in (1, data.shape[-1]):
        raise Mismatch(f"{count} values of {given} for {data}")
    return same(call)


@operator("Imputer", since=1, domain=ML, infer=_imputer, cost=per_element(3_000), values=FEATURES)
def imputer(
    x: Tensor,
    *,
    imputed_value_floats: Floats | None = None,
    imputed_value_int64s: Wholes | None = None,
    replaced_value_float: float = 0.0,
    replaced_value_int64: int = 0,
) -> Tensor:
    """The imputed value where x equals the replaced value, or is NaN if that is NaN."""
    if x.dtype.kind == "f":
        replaced = np.asarray(replaced_value_float, x.dtype)
        missing = np.isnan(x) if np.isnan(replaced) else x == replaced
        return np.where(missing, np.array(imputed_value_floats, x.dtype), x)
    missing = x.astype(np.int64) == replaced_value_int64
    return np.where(missing, np.array(imputed_value_int64s, np.int64).astype(x.dtype), x)


def _vectorizer(call: Call) -> tuple[Operand, ...]:
    widths = call.wholes("inputdimensions") or ()
    if len(widths) != len(call.inputs):
        raise Mismatch(f"{len(widths)} input dimensions for {len(call.inputs)} inputs")
    rows = []
    for index, width in enumerate(widths):
        data = call.at(index)
        require_dtype(data, FEATURES, f"input {index}")
        require_rank(data, range(1, 3), f"input {index}")
        if data.shape[-1] != width:
            raise Mismatch(f"input {index} is {data}, not of {width} features")
        rows.append(data.shape[0] if data.rank == 2 else 1)
    if any(count != rows[0] for count in rows):
        raise Mismatch("inputs differ in their number of rows")
    return (Operand("float32", (rows[0], sum(widths))),)


@operator(
    "FeatureVectorizer", since=1, domain=ML, infer=_vectorizer, cost=per_element(1_000), mixed=True
)
def feature_vectorizer(*x: Tensor, inputdimensions: Wholes | None = None) -> Tensor:
    """All features in the order of the inputs, as binary32 numbers."""
    return np.concatenate([np.atleast_2d(part).astype(np.float32) for part in x], axis=1)


def _zip_map(call: Call) -> tuple[Operand, ...]:
    data = call.at(0)
    require_rank(data, range(1, 3), "X")
    labels = call.attributes["classlabels_int64s"] or call.attributes["classlabels_strings"] or ()
    assert isinstance(labels, tuple)
    if len(labels) != data.shape[-1]:
        raise Mismatch(f"{len(labels)} labels for {data}")
    return (Operand("float32", (data.shape[0] if data.rank == 2 else 1, data.shape[-1])),)


@operator("ZipMap", since=1, domain=ML, infer=_zip_map, cost=free, values=("float32",))
def zip_map(
    x: Tensor,
    *,
    classlabels_int64s: Wholes | None = None,
    classlabels_strings: Words | None = None,
) -> Tensor:
    """The scores as they are, one column for each label: a tensor instead of a list of maps."""
    return np.atleast_2d(x)
