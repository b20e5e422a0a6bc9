"""Predictions: rows of data as inputs of a model, and what a model's outputs say of each row.

One rule for training, evaluation and valuation.  A model that is to judge rows has one input,
whose first axis is the rows'; its other axes have as many elements as a row has features.
"""

from collections.abc import Mapping
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chain.primitives.codec import DecodeError
from chain.primitives.tensor_bytes import TENSORS, TensorRecord
from runtime.frame.ports import TensorType
from runtime.frame.snapshots import DTYPES, RowForm

Array = npt.NDArray[Any]

INTEGERS: Final = (2, 3, 4, 5, 6, 7, 12, 13)
FLOATS: Final = (1, 11)


class UnfitModel(Exception):
    """The model cannot judge these rows; the text says why."""


def encode_arrays(arrays: Mapping[str, tuple[int, Array]]) -> bytes:
    """Give canonical tensor bytes of arrays with ONNX's numbers of their types; no NaN in them."""
    ordered = sorted(arrays.items(), key=lambda item: item[0].encode())
    return TENSORS.encode(
        tuple(
            TensorRecord(name, element, array.shape, array.astype(DTYPES[element]).tobytes())
            for name, (element, array) in ordered
        )
    )


def decode_arrays(encoded: bytes) -> dict[str, tuple[int, Array]]:
    """Give the arrays that canonical tensor bytes hold; raises DecodeError."""
    found = {}
    for each in TENSORS.decode(encoded):
        if each.element not in DTYPES:
            raise DecodeError(f"{each.name}: element type {each.element} is not one of rows")
        array = np.frombuffer(each.content, DTYPES[each.element])
        if array.size != prod(each.shape):
            raise DecodeError(f"{each.name}: {array.size} elements for {each.shape}")
        found[each.name] = each.element, array.reshape(each.shape)
    return found


def rows_at_once(inputs: tuple[TensorType, ...], form: RowForm) -> int:
    """Give how many rows one run judges at most; raises UnfitModel."""
    if len(inputs) != 1:
        raise UnfitModel(f"it has {len(inputs)} inputs, not one")
    (taken,) = inputs
    if not taken.shape or prod(taken.shape[1:]) != prod(form.shape):
        raise UnfitModel(f"{taken.name} is {list(taken.shape)}, a row {list(form.shape)}")
    if any(taken.axes[1:]):
        raise UnfitModel(f"{taken.name} has open axes beside the first")
    if not np.can_cast(DTYPES[form.element], DTYPES.get(taken.element, "?"), "safe"):
        raise UnfitModel(f"{taken.name}: type {form.element} does not fit into {taken.element}")
    return taken.shape[0]


def input_of(taken: TensorType, features: Array) -> bytes:
    """Give the input bytes of a run that judges rows [n, *shape].

    Where the first axis is fixed, the last row stands for those that are missing.
    """
    short = 0 if taken.axes and taken.axes[0] else taken.shape[0] - len(features)
    padded = np.concatenate([features, np.repeat(features[-1:], short, axis=0)])
    return encode_arrays(
        {taken.name: (taken.element, padded.reshape(len(padded), *taken.shape[1:]))}
    )


def labels_of(outputs: bytes, rows: int) -> Array:
    """Give the label [rows] (int64) that a run gave to each row; raises UnfitModel.

    It is the first output, by name, of whole numbers with one for each row; else the place of the
    greatest in the first output of floats with some for each row (the first of equals).
    """
    arrays = decode_arrays(outputs)
    for element, array in arrays.values():
        if element in INTEGERS and array.ndim and array.size == len(array) >= rows:
            return array.reshape(-1)[:rows].astype(np.int64)
    for element, array in arrays.values():
        if element in FLOATS and array.ndim and len(array) >= rows and array.size > len(array):
            flat = array.reshape(len(array), -1)[:rows]
            # A NaN is never the greatest.
            best: Array = np.argmax(np.where(np.isnan(flat), -np.inf, flat), axis=1)
            return best.astype(np.int64)
    raise UnfitModel("it has neither a label nor scores for each row")
