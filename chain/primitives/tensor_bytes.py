"""Tensors as bytes: names, element types by ONNX's numbers, shapes, little-endian content."""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.primitives.codec import COMPACT_U32, U8, Codec, blob, record, sequence, text

NAME_BYTES_MAX: Final = 256
"""Of a tensor's name; models with longer ones are not admitted."""

RANK_MAX: Final = 8
"""Dimensions of one tensor; operators in use have at most five."""

CONTENT_BYTES_MAX: Final = 1 << 28
"""No tensor is longer, whatever the limits of a reader say."""


@dataclass(frozen=True, slots=True)
class TensorRecord:
    """One tensor on the wire."""

    name: Annotated[str, text(NAME_BYTES_MAX)]
    element: Annotated[int, U8]
    """ONNX's number of the element type."""

    shape: Annotated[tuple[int, ...], sequence(COMPACT_U32, RANK_MAX)]
    content: Annotated[bytes, blob(CONTENT_BYTES_MAX)]
    """Elements row-major, little-endian."""


TENSORS: Final[Codec[tuple[TensorRecord, ...]]] = sequence(record(TensorRecord), 1 << 16)
"""Names ascending as bytes and different: the reader checks that."""
