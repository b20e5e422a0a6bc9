"""Admission: one walk over a model that answers yes, or gives every reason why not.

The answer is part of consensus.  It depends on the bytes and the limits alone, on no library's
parser, checker or shape inference.
"""

from dataclasses import dataclass

from ai_exec.admission.walk import Walk
from ai_exec.limits import DEFAULT_LIMITS, Limits
from ai_exec.model.loader import read_model
from ai_exec.model.wire import BadWire
from ai_exec.program import Program
from ai_exec.tensor import TensorType


@dataclass(frozen=True, slots=True, eq=False)
class Admission:
    """What was decided about a model."""

    admitted: bool
    reasons: tuple[str, ...]
    """Why not, in the order of the model; empty if admitted."""
    program: Program | None
    """The model ready for engines, if admitted."""
    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    cost: int
    """Work of one run in gas, 1 ns nominal each; 0 if refused."""
    peak_bytes: int
    """Memory of one run in bytes, at most; 0 if refused."""


def refused(reasons: tuple[str, ...], limits: Limits) -> Admission:
    """Give the admission of a model that is refused; too many reasons are counted."""
    listed = reasons[: limits.reasons_max]
    if len(reasons) > len(listed):
        listed = (*listed, f"and {len(reasons) - len(listed)} more")
    return Admission(False, listed, None, (), (), 0, 0)


def admit(onnx_bytes: bytes, limits: Limits = DEFAULT_LIMITS) -> Admission:
    """Judge a model; never raises, whatever the bytes are."""
    if len(onnx_bytes) > limits.model_bytes_max:
        reason = f"{len(onnx_bytes)} bytes, at most {limits.model_bytes_max} are allowed"
        return refused((reason,), limits)
    try:
        model = read_model(onnx_bytes, limits)
    except BadWire as error:
        return refused((f"not a readable ONNX file: {error}",), limits)
    walk = Walk(model, limits)
    program = walk.program()
    if program is None:
        return refused(tuple(walk.reasons), limits)
    return Admission(
        True, (), program, program.inputs, program.outputs, program.cost, program.peak_bytes
    )
