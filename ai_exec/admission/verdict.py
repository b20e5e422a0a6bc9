"""Admission: one walk over a model that answers yes, or gives every reason why not.

The answer is part of consensus.  It depends on the bytes and the limits alone, on no library's
parser, checker or shape inference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ai_exec.admission.known import MARGIN
from ai_exec.admission.lengths import bound_complaints
from ai_exec.admission.walk import Walk
from ai_exec.axes import lengths_text
from ai_exec.limits import DEFAULT_LIMITS, Limits
from ai_exec.model.formats import guessed
from ai_exec.model.loader import RawModel, read_model
from ai_exec.model.wire import BadWire
from ai_exec.program import Program
from ai_exec.registry import Mismatch
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


def admit(
    onnx_bytes: bytes,
    limits: Limits = DEFAULT_LIMITS,
    bounds: Mapping[str, int] | None = None,
) -> Admission:
    """Judge a model; never raises, whatever the bytes are.

    Bounds are the most that open axes may have, by their names, for instance {"batch": 8}; one
    that has no name in the model is called by its input and number, for instance "pixels.0".
    """
    bounds = bounds or {}
    if len(onnx_bytes) > limits.model_bytes_max:
        reason = f"{len(onnx_bytes)} bytes, at most {limits.model_bytes_max} are allowed"
        return refused((reason,), limits)
    try:
        model = read_model(onnx_bytes, limits)
    except BadWire as error:
        return refused((f"not a readable ONNX file: {error}{guessed(onnx_bytes)}",), limits)
    complaints = bound_complaints(model.graph, bounds, limits)
    walk = Walk(model, limits, bounds)
    program = walk.program()
    if program is None or complaints:
        return refused((*complaints, *walk.reasons, *_at_bounds(bounds, walk)), limits)
    if any(declared.axes for declared in program.inputs):
        program = replace(
            program,
            cost=program.cost + program.cost // MARGIN,
            peak_bytes=program.peak_bytes + program.peak_bytes // MARGIN,
        )
        specialise = _specialiser(model, limits, bounds, walk, program)
        program = replace(program, cost=program.cost + walk.gas, specialise=specialise)
        if program.cost > limits.cost_max:
            reason = f"a run takes {program.cost} gas, at most {limits.cost_max} are allowed"
            return refused((reason,), limits)
    return Admission(
        True, (), program, program.inputs, program.outputs, program.cost, program.peak_bytes
    )


def _at_bounds(bounds: Mapping[str, int], walk: Walk) -> tuple[str, ...]:
    """Say at which lengths the reasons were found: a model may be made for others only."""
    if not bounds or not any("node " in reason for reason in walk.reasons):
        return ()
    return (f"so found with {lengths_text(bounds)}: bounds must be lengths that a run may have",)


def _specialiser(
    model: RawModel, limits: Limits, bounds: Mapping[str, int], first: Walk, admitted: Program
) -> Callable[[Mapping[str, int]], Program]:
    """Give what judges the model again at real lengths, under what was admitted at the bounds."""
    limits = replace(limits, cost_max=admitted.cost, peak_bytes_max=admitted.peak_bytes)

    def specialise(lengths: Mapping[str, int]) -> Program:
        walk = Walk(model, limits, {**bounds, **lengths}, first.known)
        program = walk.program()
        if program is None:
            reasons = refused(tuple(walk.reasons), limits).reasons
            raise Mismatch(f"at {lengths_text(lengths)}: {'; '.join(reasons)}")
        closed = tuple(replace(declared, axes=()) for declared in program.inputs)
        return replace(program, inputs=closed)

    return specialise
