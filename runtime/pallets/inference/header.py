"""What canonical tensor bytes hold, read from their headers without touching the data.  Pure."""

from dataclasses import dataclass

from chain.primitives.codec import DecodeError, read_compact
from runtime.frame.ports import DIMENSIONS_MAX, TENSORS_MAX

NAME_BYTES_MAX = 256
"""Of a tensor's name; models with longer ones are not admitted."""


@dataclass(frozen=True, slots=True)
class TensorHeader:
    """One tensor without its data."""

    name: str
    element: int
    """ONNX's number of the element type."""

    shape: tuple[int, ...]
    data_bytes: int


def read_headers(encoded: bytes) -> tuple[TensorHeader, ...]:
    """Give the headers of all tensors; raises DecodeError unless the whole input is tensors."""
    count, offset = read_compact(encoded, 0)
    if count > TENSORS_MAX:
        raise DecodeError(f"{count} tensors, at most {TENSORS_MAX}")
    headers = []
    for _ in range(count):
        header, offset = _read_header(encoded, offset)
        headers.append(header)
    if offset != len(encoded):
        raise DecodeError(f"{len(encoded) - offset} bytes too many")
    return tuple(headers)


def _read_header(encoded: bytes, offset: int) -> tuple[TensorHeader, int]:
    length, offset = _read_count(encoded, offset, NAME_BYTES_MAX)
    name, offset = encoded[offset : offset + length], offset + length
    if offset >= len(encoded):
        raise DecodeError("the name or element type is missing")
    element, offset = encoded[offset], offset + 1
    rank, offset = _read_count(encoded, offset, DIMENSIONS_MAX)
    shape = []
    for _ in range(rank):
        dimension, offset = read_compact(encoded, offset)
        shape.append(dimension)
    data_bytes, offset = _read_count(encoded, offset, len(encoded))
    if offset + data_bytes > len(encoded):
        raise DecodeError(f"{offset + data_bytes - len(encoded)} bytes of data missing")
    try:
        return TensorHeader(name.decode(), element, tuple(shape), data_bytes), offset + data_bytes
    except UnicodeDecodeError as error:
        raise DecodeError("a name is not UTF-8") from error


def _read_count(encoded: bytes, offset: int, count_max: int) -> tuple[int, int]:
    count, offset = read_compact(encoded, offset)
    if count > count_max:
        raise DecodeError(f"{count}, at most {count_max}")
    return count, offset
