"""The convention of trainings: what a step graph and a predict graph take and give.  Pure.

The step graph takes `features` [B, ...], `labels` int64 [B] and state tensors X; it gives `X.next`
of the same type for each, and `loss`, a float32.  The predict graph takes rows and some of the
state tensors.  The parameters are the state tensors as canonical bytes.
"""

from collections.abc import Iterator
from math import prod

import numpy as np

from chain.primitives.codec import DecodeError
from chain.primitives.tensor_bytes import TensorRecord
from runtime.frame.layout import Layout
from runtime.frame.ports import AdmissionSummary, TensorType
from runtime.frame.predictions import UnfitModel, rows_at_once
from runtime.frame.snapshots import DTYPES, RowForm
from runtime.pallets.training.stored import Shape

FEATURES, LABELS, LOSS, NEXT = "features", "labels", "loss", ".next"
INT64, FLOAT32 = 7, 1


class Unfit(Exception):
    """The programs do not follow the convention."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons
        """All that is wrong."""


def judge(
    step: AdmissionSummary, predict: AdmissionSummary, parameters: bytes, form: RowForm
) -> Shape:
    """Give what the programs take; raises Unfit."""
    refused = tuple(f"step: {each}" for each in step.reasons)
    refused += tuple(f"predict: {each}" for each in predict.reasons)
    if not step.admitted or not predict.admitted:
        raise Unfit(refused[:65])
    reasons = tuple(_step_faults(step, form))
    if reasons:
        raise Unfit(reasons)
    taken = {each.name: each for each in step.inputs}
    features = taken.pop(FEATURES)
    del taken[LABELS]
    state = tuple(sorted(taken.values(), key=lambda each: each.name.encode()))
    reasons = (*_parameter_faults(state, parameters), *_predict_faults(state, predict, form))
    if reasons:
        raise Unfit(reasons[:65])
    names = {each.name for each in predict.inputs}
    learnt = tuple(each.name for each in state if each.name in names)
    (rows,) = (each for each in predict.inputs if each.name not in taken)
    return Shape(features, state, learnt, rows, predict.gas)


def learnt_of(shape: Shape, state: bytes) -> tuple[TensorRecord, ...]:
    """Give those tensors of a state that the predict graph takes."""
    layout = Layout(shape.state)
    contents = layout.split(state)
    found = (layout.types[name] for name in shape.learnt)
    return tuple(
        TensorRecord(each.name, each.element, each.shape, contents[each.name]) for each in found
    )


def _step_faults(step: AdmissionSummary, form: RowForm) -> Iterator[str]:
    taken = {each.name: each for each in step.inputs}
    given = {each.name: each for each in step.outputs}
    features, labels = taken.pop(FEATURES, None), taken.pop(LABELS, None)
    if features is None or labels is None:
        yield "step: it has no inputs named features and labels"
        return
    if any(any(each.axes) for each in step.inputs):
        yield "step: it has open axes"
    batch = features.shape[0] if features.shape else 0
    if not batch or prod(features.shape[1:]) != prod(form.shape):
        yield f"step: features {list(features.shape)} are no batch of rows {list(form.shape)}"
    if not np.can_cast(DTYPES[form.element], DTYPES.get(features.element, "?"), "safe"):
        yield f"step: features of type {features.element} do not take rows of type {form.element}"
    if (labels.element, labels.shape) != (INT64, (batch,)):
        yield f"step: labels are not int64 [{batch}]"
    if not taken:
        yield "step: it has no state"
    for name, each in sorted(taken.items()):
        if each.element not in DTYPES:
            yield f"step: {name} has a type that no state has, {each.element}"
        following = given.pop(name + NEXT, None)
        if following is None or (following.element, following.shape) != (each.element, each.shape):
            yield f"step: it gives no {name}{NEXT} of the type of {name}"
    loss = given.pop(LOSS, None)
    if loss is None or (loss.element, loss.shape) != (FLOAT32, ()):
        yield "step: it gives no loss that is one float32"
    for name in sorted(given):
        yield f"step: it gives {name}, which nothing takes"


def _parameter_faults(state: tuple[TensorType, ...], parameters: bytes) -> Iterator[str]:
    try:
        Layout(state).split(parameters)
    except DecodeError as error:
        yield f"parameters: {error}"


def _predict_faults(
    state: tuple[TensorType, ...], predict: AdmissionSummary, form: RowForm
) -> Iterator[str]:
    states = {each.name: each for each in state}
    rest = tuple(each for each in predict.inputs if each.name not in states)
    for each in predict.inputs:
        known = states.get(each.name)
        if known is not None and (known.element, known.shape) != (each.element, each.shape):
            yield f"predict: {each.name} is of another type than in the step"
    try:
        rows_at_once(rest, form)
    except UnfitModel as error:
        yield f"predict: {error}"
