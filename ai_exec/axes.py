"""Open axes: lengths of inputs that a model leaves to each run, up to bounds that are given."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from ai_exec.registry import Mismatch
from ai_exec.tensor import AXIS_NAME_BYTES_MAX, Shape, TensorType
from chain.primitives.codec import U32, Codec, record, sequence, text

BOUNDS_MAX: Final = 16
"""Names of open axes that one model may have."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How long an open axis may be in a run."""

    axis: Annotated[str, text(AXIS_NAME_BYTES_MAX)]
    """Its name in the model, or the input's name, a dot and the number of the axis from 0 on."""
    most: Annotated[int, U32]


Bounds = tuple[Bound, ...]
BOUNDS: Final[Codec[Bounds]] = sequence(record(Bound), BOUNDS_MAX)


def bounds_of(lengths: Mapping[str, int]) -> Bounds:
    """Give bounds in the one order in which they are compared and written."""
    return tuple(Bound(axis, lengths[axis]) for axis in sorted(lengths, key=str.encode))


def lengths_of(inputs: Iterable[TensorType], shapes: Mapping[str, Shape]) -> dict[str, int]:
    """Give the length of each open axis by its name; raises Mismatch if there are two."""
    lengths: dict[str, int] = {}
    for declared in inputs:
        for axis, length in zip(declared.axes, shapes[declared.name], strict=False):
            if axis and lengths.setdefault(axis, length) != length:
                raise Mismatch(f"axis {axis} has length {lengths[axis]} and also {length}")
    return lengths


def lengths_text(lengths: Mapping[str, int]) -> str:
    """Write lengths the way reasons show them, for instance batch=2, seq=64."""
    return ", ".join(f"{axis}={length}" for axis, length in lengths.items())
