"""Dropout, where nothing is left to chance."""

import numpy as np

from ai_exec.metering import per_element
from ai_exec.ops.rules import FLOATS, require_dtype, size
from ai_exec.registry import Call, Mismatch, Operand, operator
from ai_exec.tensor import Tensor

Wholes = tuple[int, ...]


def _dropout(call: Call) -> tuple[Operand, ...]:
    ratio, training = call.optional(1), call.optional(2)
    for index, operand, allowed in ((1, ratio, FLOATS), (2, training, ("bool",))):
        if operand is not None:
            require_dtype(operand, allowed, f"input {index}")
            if size(operand.shape) != 1:
                raise Mismatch(f"input {index} is {operand}, not a scalar")
    given = [index for index in (1, 2) if call.optional(index) is not None]
    known = training is None or all(call.known(index) is not None for index in given)
    if training is not None and known and call.constant(2).any():
        _require_nothing_dropped(0.5 if ratio is None else float(call.constant(1).reshape(())))
    # What only a run tells is asked again by it.
    first = call.at(0)
    return (
        Operand(first.dtype, first.shape, None, known),
        Operand("bool", first.shape, None, known),
    )


def _require_nothing_dropped(ratio: float) -> None:
    if ratio != 0.0:
        raise Mismatch(f"training with ratio {ratio} is random: set it to 0, or leave training out")


@operator(
    "Dropout", since=(12, 13, 22), infer=_dropout, cost=per_element(), values=FLOATS, mixed=True
)
def dropout(
    data: Tensor,
    ratio: Tensor | None = None,
    training_mode: Tensor | None = None,
    *,
    seed: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The input, as nothing is dropped outside training or with ratio 0, and a mask of true."""
    return data, np.ones(data.shape, np.bool_)


@operator("Dropout", since=10, infer=_dropout, cost=per_element(), values=FLOATS, mixed=True)
def dropout_10(data: Tensor, *, ratio: float = 0.5) -> tuple[Tensor, Tensor]:
    """The input, and a mask of true."""
    return data, np.ones(data.shape, np.bool_)


def _dropout_1(call: Call) -> tuple[Operand, ...]:
    if not call.attributes.get("is_test", 1):
        ratio = call.attributes["ratio"]
        assert isinstance(ratio, float)
        _require_nothing_dropped(ratio)
    first = call.at(0)
    return (Operand(first.dtype, first.shape), Operand(first.dtype, first.shape))


@operator("Dropout", since=7, infer=_dropout_1, cost=per_element(), values=FLOATS, mixed=True)
def dropout_7(data: Tensor, *, ratio: float = 0.5) -> tuple[Tensor, Tensor]:
    """The input, and a mask of ones."""
    return data, np.ones(data.shape, data.dtype)


@operator("Dropout", since=6, infer=_dropout_1, cost=per_element(), values=FLOATS, mixed=True)
def dropout_6(data: Tensor, *, is_test: int = 0, ratio: float = 0.5) -> tuple[Tensor, Tensor]:
    """The input, as nothing is dropped in a test or with ratio 0, and a mask of ones."""
    return data, np.ones(data.shape, data.dtype)


@operator("Dropout", since=1, infer=_dropout_1, cost=per_element(), values=FLOATS, mixed=True)
def dropout_1(
    data: Tensor, *, consumed_inputs: Wholes | None = None, is_test: int = 0, ratio: float = 0.5
) -> tuple[Tensor, Tensor]:
    """The input, as nothing is dropped in a test or with ratio 0, and a mask of ones."""
    return data, np.ones(data.shape, data.dtype)
