"""Linear models and scalers of the ai.onnx.ml domain, as scikit-learn exports use them."""

import numpy as np

from ai_exec.metering import contraction, per_element
from ai_exec.ops.normalisation import softmax
from ai_exec.ops.rules import FLOAT32, INDICES, require_dtype, require_rank, same, size
from ai_exec.registry import ML, Call, Mismatch, Operand, operator
from ai_exec.semantics import functions
from ai_exec.semantics.numerics import contract, exact_sum, greatest, round_to_float32
from ai_exec.tensor import Tensor

Floats = tuple[float, ...]
Wholes = tuple[int, ...]
Words = tuple[str, ...]
FEATURES = (*FLOAT32, "int32", "int64")
TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC")


def _require_transform(call: Call) -> None:
    if call.word("post_transform") not in TRANSFORMS:
        raise Mismatch(f"post_transform is not one of {', '.join(TRANSFORMS)}")


def _rows_of(call: Call, results: int) -> int:
    data = call.at(0)
    require_rank(data, range(1, 3), "X")
    coefficients, intercepts = _floats(call, "coefficients"), _floats(call, "intercepts")
    if not data.shape[-1]:
        raise Mismatch(f"no features in {data}")
    if not results or len(coefficients) != results * data.shape[-1]:
        raise Mismatch(f"{len(coefficients)} coefficients for {results} results of {data}")
    if intercepts and len(intercepts) != results:
        raise Mismatch(f"{len(intercepts)} intercepts for {results} results")
    return data.shape[0] if data.rank == 2 else 1


def _floats(call: Call, name: str) -> Floats:
    return call.attributes[name] or ()  # type: ignore[return-value]


def _linear_cost(call: Call) -> int:
    rows, results = call.outputs[-1].shape
    length = call.at(0).shape[-1]
    per_result = per_element(150_000)(call)
    return contraction(rows * results * length, (rows + results) * length, 0) + per_result


def scores_of(x: Tensor, coefficients: Floats, intercepts: Floats, transform: str) -> Tensor:
    """X times the transposed coefficients plus intercepts, as `Gemm`, then transformed."""
    rows = np.atleast_2d(x).astype(np.float32)
    weights = np.array(coefficients, np.float32).reshape(-1, rows.shape[1])
    total = contract(rows, weights.T)
    if intercepts:
        total = total + np.array(intercepts, np.float64)
    scores = round_to_float32(total)
    if transform == "SOFTMAX":
        return softmax(scores)
    return functions.sigmoid(scores) if transform == "LOGISTIC" else scores


def _linear_classifier(call: Call) -> tuple[Operand, ...]:
    labels = call.wholes("classlabels_ints") or ()
    if not labels or call.attributes["classlabels_strings"]:
        raise Mismatch("only classlabels_ints are supported: export with integer labels")
    _require_transform(call)
    rows = _rows_of(call, len(labels))
    return (Operand("int64", (rows,)), Operand("float32", (rows, len(labels))))


@operator(
    "LinearClassifier",
    since=1,
    domain=ML,
    infer=_linear_classifier,
    cost=_linear_cost,
    values=FEATURES,
)
def linear_classifier(
    x: Tensor,
    *,
    classlabels_ints: Wholes | None = None,
    classlabels_strings: Words | None = None,
    coefficients: Floats,
    intercepts: Floats | None = None,
    multi_class: int = 0,
    post_transform: str = "NONE",
) -> tuple[Tensor, Tensor]:
    """Label of the greatest score, the first one wins a tie, and all transformed scores."""
    raw = scores_of(x, coefficients, intercepts or (), "NONE")
    labels = np.array(classlabels_ints, np.int64)[np.argmax(raw, axis=1)]
    return labels, scores_of(x, coefficients, intercepts or (), post_transform)


def _linear_regressor(call: Call) -> tuple[Operand, ...]:
    _require_transform(call)
    targets = call.whole("targets")
    return (Operand("float32", (_rows_of(call, targets), targets)),)


@operator(
    "LinearRegressor",
    since=1,
    domain=ML,
    infer=_linear_regressor,
    cost=_linear_cost,
    values=FEATURES,
)
def linear_regressor(
    x: Tensor,
    *,
    coefficients: Floats | None = None,
    intercepts: Floats | None = None,
    post_transform: str = "NONE",
    targets: int = 1,
) -> Tensor:
    """X times the transposed coefficients plus intercepts, as `Gemm`, then transformed."""
    return scores_of(x, coefficients or (), intercepts or (), post_transform)


def _float_features(call: Call) -> tuple[Operand, ...]:
    return (Operand("float32", call.at(0).shape),)


def _scaler(call: Call) -> tuple[Operand, ...]:
    require_rank(call.at(0), range(1, 9), "X")
    features = call.at(0).shape[-1:]
    for name in ("offset", "scale"):
        if len(_floats(call, name)) not in (1, *features):
            raise Mismatch(f"{len(_floats(call, name))} values of {name} for {call.at(0)}")
    return _float_features(call)


@operator("Scaler", since=1, domain=ML, infer=_scaler, cost=per_element(3_000), values=FEATURES)
def scaler(x: Tensor, *, offset: Floats | None = None, scale: Floats | None = None) -> Tensor:
    """(x - offset) scale, each step rounded."""
    centred = x.astype(np.float32) - np.array(offset, np.float32)
    return centred * np.array(scale, np.float32)


def _normalizer(call: Call) -> tuple[Operand, ...]:
    require_rank(call.at(0), range(1, 3), "X")
    if call.word("norm") not in ("MAX", "L1", "L2") or not size(call.at(0).shape):
        raise Mismatch(f"norm {call.word('norm')} of {call.at(0)}")
    return _float_features(call)


@operator(
    "Normalizer", since=1, domain=ML, infer=_normalizer, cost=per_element(20_000), values=FEATURES
)
def normalizer(x: Tensor, *, norm: str = "MAX") -> Tensor:
    """Each row divided by its norm in binary64, rounded once; a row of norm 0 stays."""
    rows = x.astype(np.float32)
    wide = rows.astype(np.float64)
    if norm == "MAX":
        divisor = greatest(rows, (-1,)).astype(np.float64)
    elif norm == "L1":
        divisor = exact_sum(np.abs(rows), (rows.ndim - 1,))
    else:
        divisor = np.sqrt(exact_sum(wide * wide, (rows.ndim - 1,)))
    return round_to_float32(wide / np.where(divisor == 0, 1.0, divisor))


def _binarizer(call: Call) -> tuple[Operand, ...]:
    return same(call)


@operator("Binarizer", since=1, domain=ML, infer=_binarizer, cost=per_element(), values=FEATURES)
def binarizer(x: Tensor, *, threshold: float = 0.0) -> Tensor:
    """1 above the threshold, else 0."""
    return (x.astype(np.float64) > threshold).astype(x.dtype)


def _extractor(call: Call) -> tuple[Operand, ...]:
    data, indices = call.at(0), call.at(1)
    require_dtype(indices, INDICES, "Y")
    if not data.rank or not data.shape[-1]:
        raise Mismatch(f"nothing to extract from {data}")
    return (Operand(data.dtype, (*(data.shape[:-1] or (1,)), size(indices.shape))),)


@operator("ArrayFeatureExtractor", since=1, domain=ML, infer=_extractor, cost=per_element(2_000))
def array_feature_extractor(x: Tensor, y: Tensor) -> Tensor:
    """Elements along the last axis by index; an index outside wraps round."""
    indices = np.mod(y.reshape(-1), y.dtype.type(x.shape[-1]))
    return np.asarray(np.take(x if x.ndim > 1 else x[np.newaxis], indices, axis=-1))
