"""Inputs of a model from .npy, .npz, .json and .png files, and outputs for people.

A PNG becomes grey levels (colours if the model takes three channels), is reduced or enlarged to the
input's height and width (each pixel the mean of the area that it covers), and a level of 0 to 255
becomes level * white / 255, rounded to a whole number where white is above 1.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isqrt, prod
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import click
import numpy as np

from ai_exec.tensor import DTYPE_NAMES, Tensor, TensorType, decode_tensors, encode_tensors

SHOWN_MAX: Final = 16
"""Elements of an output that people are shown; --json shows all."""

PIXELS_MAX: Final = 1 << 26


@dataclass(frozen=True, slots=True)
class InputType:
    """An input of a model."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    """Length of each axis; of an open one the most that it can have."""
    axes: tuple[str, ...] = ()
    """Names of open axes, empty for a fixed one; no names at all if every axis is fixed."""

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "InputType":
        """Give the type as the chain describes it."""
        return cls(
            described["name"],
            DTYPE_NAMES[described["element"]],
            tuple(described["shape"]),
            tuple(described.get("axes", ())),
        )

    def __str__(self) -> str:
        return str(TensorType(self.name, self.dtype, self.shape, self.axes))


def read_inputs(path: Path, types: Sequence[InputType], white: float) -> dict[str, Tensor]:
    """Give the tensors for all inputs of a model; raises click.UsageError."""
    readers = {".npz": _from_npz, ".npy": _from_npy, ".json": _from_json, ".png": _from_png}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise click.UsageError(f"{path}: give a .npy, .npz, .json or .png file")
    try:
        given = reader(path, types, white)
    except FileNotFoundError:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError, OSError, BadZipFile) as error:
        raise click.UsageError(f"{path}: {error}") from error
    missing = [str(each) for each in types if each.name not in given]
    if missing:
        raise click.UsageError(f"{path}: no value for input {', '.join(missing)}")
    return {each.name: _fitted(given[each.name], each) for each in types}


def encoded_inputs(path: Path, types: Sequence[InputType], white: float) -> bytes:
    """Give the canonical bytes of a file's tensors."""
    return encode_tensors(read_inputs(path, types, white))


def outputs_json(encoded: str, *, whole: bool) -> dict[str, Any]:
    """Give output tensors (0x text) as lists; long ones cut short unless `whole`."""
    shown = {}
    for name, tensor in decode_tensors(bytes.fromhex(encoded[2:])).items():
        if whole or tensor.size <= SHOWN_MAX:
            shown[name] = _numbers(tensor)
        else:
            first = ", ".join(str(each) for each in _numbers(tensor.ravel()[:SHOWN_MAX]))
            shown[name] = f"{tensor.dtype}{list(tensor.shape)} {first}, ..."
    return shown


def _numbers(tensor: Tensor) -> Any:
    """Give numbers as lists, float32 by their shortest decimals, what JSON lacks as text."""
    if tensor.dtype.kind != "f":
        return tensor.tolist()
    flat = [float(text) for text in tensor.ravel().astype(str)]
    plain = [each if isfinite(each) else str(each) for each in flat]
    return np.array(plain, dtype=object).reshape(tensor.shape).tolist()


def _from_npz(path: Path, types: Sequence[InputType], white: float) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _from_npy(path: Path, types: Sequence[InputType], white: float) -> dict[str, Any]:
    return {_only(types).name: np.load(path, allow_pickle=False)}


def _from_json(path: Path, types: Sequence[InputType], white: float) -> dict[str, Any]:
    document = json.loads(path.read_text())
    if not isinstance(document, dict):
        document = {_only(types).name: document}
    given = {}
    for each in types:
        if each.name in document:
            given[each.name] = _exact(document[each.name], each)
    return given


def _exact(numbers: Any, kind: InputType) -> Tensor:
    raw = np.asarray(numbers)
    if raw.dtype.kind not in "biuf":
        raise ValueError(f"{kind.name} holds something that is no number")
    with np.errstate(invalid="ignore"):
        tensor = raw.astype(kind.dtype)
    if np.dtype(kind.dtype).kind in "biu" and not np.array_equal(tensor, raw):
        raise ValueError(f"{kind.name} holds numbers that {kind.dtype} cannot hold")
    return tensor


def _from_png(path: Path, types: Sequence[InputType], white: float) -> dict[str, Any]:
    from PIL import Image, UnidentifiedImageError

    kind = _one_picture(_only(types))
    channels, height, width = _picture_shape(kind)
    try:
        opened = Image.open(path, formats=["PNG"])
    except UnidentifiedImageError as error:
        raise ValueError("this is no PNG picture") from error
    with opened as picture:
        if picture.width * picture.height > PIXELS_MAX:
            raise ValueError(f"the picture has more than {PIXELS_MAX} pixels")
        plain = picture.convert("RGB" if channels == 3 else "L")
        fitted = plain.resize((width, height), Image.Resampling.BOX)
    levels = np.asarray(fitted, dtype=np.float64) * white / 255
    if white > 1:
        levels = np.rint(levels)
    if channels == 3:
        levels = levels.transpose(2, 0, 1)
    return {kind.name: levels.astype(kind.dtype).reshape(kind.shape)}


def _one_picture(kind: InputType) -> InputType:
    """Give the type of one picture where as many may come as the first axis is long."""
    if not kind.axes or not kind.axes[0]:
        return kind
    return InputType(kind.name, kind.dtype, (1, *kind.shape[1:]))


def _picture_shape(kind: InputType) -> tuple[int, int, int]:
    """Give channels, height and width of an input that a picture can be scaled to."""
    sizes = tuple(each for each in kind.shape if each != 1)
    side = isqrt(prod(kind.shape))
    if len(sizes) == 3 and sizes[0] == 3:
        return 3, sizes[1], sizes[2]
    if len(sizes) == 2:
        return 1, sizes[0], sizes[1]
    if len(sizes) <= 1 and side * side == prod(kind.shape):
        return 1, side, side
    raise ValueError(f"input {kind} is no picture")


def _only(types: Sequence[InputType]) -> InputType:
    if len(types) != 1:
        names = ", ".join(map(str, types))
        raise ValueError(f"the model has {len(types)} inputs; use .npz or .json with {names}")
    return types[0]


def _fitted(value: Any, kind: InputType) -> Tensor:
    tensor = np.asarray(value)
    if tensor.dtype != np.dtype(kind.dtype):
        raise click.UsageError(f"input {kind}: the file has {tensor.dtype}")
    if not kind.axes and tensor.size == prod(kind.shape):
        return tensor.reshape(kind.shape)
    if not kind.axes or not TensorType(kind.name, kind.dtype, kind.shape, kind.axes).takes(
        kind.dtype, tensor.shape
    ):
        raise click.UsageError(f"input {kind}: the file has {tensor.dtype}{list(tensor.shape)}")
    return tensor
