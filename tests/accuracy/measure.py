"""Errors of the fast engine and of onnxruntime's float32, both against binary64."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
import onnxruntime

import ai_exec
from ai_exec.limits import DEFAULT_LIMITS
from ai_exec.tensor import Tensor
from tests.accuracy.binary64 import Binary64

Tensors = Mapping[str, Tensor]
RATIO_MAX = 8.0
"""Our error as a multiple of onnxruntime's."""
SMALL = 1e-7
"""Errors up to this are about one rounding of float32: their ratio is chance."""
ERROR_MAX = 2e-5
LIMITS = replace(DEFAULT_LIMITS, model_bytes_max=1 << 28, peak_bytes_max=1 << 33)


class NotAdmitted(Exception):
    """The model cannot be measured.  The message has every reason; change the model by them."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Largest errors of one output over all inputs, relative to that output's largest magnitude."""

    output: str
    theirs: float
    """Of onnxruntime.  For outputs that are not floats: the share of elements that differ."""
    ours: float
    angle: float
    """1 - cosine between ours and the binary64 result, of the worst row (last axis)."""
    same_bits: bool | None
    """Whether the reference engine gives our bits; None if it was not asked."""

    @property
    def ratio(self) -> float:
        """Give our error as a multiple of onnxruntime's."""
        return self.ours / self.theirs if self.theirs else (float("inf") if self.ours else 1.0)

    @property
    def holds(self) -> bool:
        """Say whether the bounds are kept."""
        near = self.ours <= SMALL or self.ratio <= RATIO_MAX
        return near and self.ours <= ERROR_MAX and self.same_bits is not False


def accuracies(
    model: onnx.ModelProto, inputs: Sequence[Tensors], *, reference: bool = False
) -> tuple[Accuracy, ...]:
    """Measure every output of a model whose axes are all fixed; raises NotAdmitted."""
    encoded = model.SerializeToString()
    admission = ai_exec.admit(encoded, LIMITS)
    if admission.program is None:
        raise NotAdmitted("; ".join(admission.reasons))
    fast = ai_exec.compile(admission.program, "fast")
    specified = ai_exec.compile(admission.program, "reference") if reference else None
    session, binary64 = _session(encoded), Binary64(model)
    found: dict[str, Accuracy] = {}
    for given in inputs:
        exact, ours = binary64.run(given), fast.run(dict(given))
        theirs = dict(zip(exact, session.run(list(exact), dict(given)), strict=True))
        again = None if specified is None else specified.run(dict(given))
        for name, value in exact.items():
            same = None if again is None else again[name].tobytes() == ours[name].tobytes()
            one = Accuracy(
                name,
                relative_error(value, theirs[name]),
                relative_error(value, ours[name]),
                widest_angle(value, ours[name]),
                same,
            )
            found[name] = _worse(found.get(name, one), one)
    return tuple(found.values())


def _session(encoded: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(encoded, options, providers=["CPUExecutionProvider"])


def _worse(one: Accuracy, other: Accuracy) -> Accuracy:
    same = None if one.same_bits is None else bool(one.same_bits and other.same_bits)
    return Accuracy(
        one.output,
        max(one.theirs, other.theirs),
        max(one.ours, other.ours),
        max(one.angle, other.angle),
        same,
    )


def relative_error(exact: Tensor, found: Any) -> float:
    """Give the largest error relative to the largest magnitude; infinite if NaNs differ."""
    value = np.asarray(found)
    if value.shape != exact.shape:
        return float("inf")
    if exact.dtype.kind != "f":
        return float(np.mean(value != exact)) if exact.size else 0.0
    finite = np.isfinite(exact)
    if not np.array_equal(value[~finite].astype(np.float64), exact[~finite], equal_nan=True):
        return float("inf")
    if not finite.any():
        return 0.0
    scale = float(np.abs(exact[finite]).max()) or 1.0
    error = float(np.abs(value[finite].astype(np.float64) - exact[finite]).max()) / scale
    return error if error == error else float("inf")


def widest_angle(exact: Tensor, found: Tensor) -> float:
    """Give 1 - cosine of the worst row; 0 for what are not rows of finite floats."""
    if exact.dtype.kind != "f" or not exact.ndim or not exact.size or exact.shape != found.shape:
        return 0.0
    rows, others = (
        value.astype(np.float64).reshape(-1, exact.shape[-1]) for value in (exact, found)
    )
    sizes = [np.sqrt((value * value).sum(axis=1, keepdims=True)) for value in (rows, others)]
    usable = ((sizes[0] > 0) & (sizes[1] > 0) & np.isfinite(sizes[0] * sizes[1])).ravel()
    if not usable.any():
        return 0.0
    apart = rows[usable] / sizes[0][usable] - others[usable] / sizes[1][usable]
    return float((apart * apart).sum(axis=1).max()) / 2
