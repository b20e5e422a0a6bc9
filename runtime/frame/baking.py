"""Baking: an ONNX file whose parameters are inputs becomes one that has them in it.  Pure.

The file's own bytes stay as they are: the parameters' entries among the inputs are left out, and
the parameters are added behind everything else as initialisers.  So the same file and the same
parameters give the same bytes everywhere, and any ONNX runtime can run what comes out.
"""

from collections.abc import Iterator, Sequence

from chain.primitives.tensor_bytes import TensorRecord

MODEL_GRAPH = 7
GRAPH_INITIALISER, GRAPH_INPUT, VALUE_NAME = 5, 11, 1
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_CONTENT = 1, 2, 8, 9
"""Numbers of the fields, as onnx.proto fixes them."""

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5


class UnfitFile(Exception):
    """The file is not one that parameters can be added to; the text says why."""


def bake(predict: bytes, parameters: Sequence[TensorRecord]) -> bytes:
    """Give the file with the parameters in it; raises UnfitFile."""
    graphs = [body for number, kind, body, _ in _fields(predict) if number == MODEL_GRAPH]
    if len(graphs) != 1:
        raise UnfitFile(f"it has {len(graphs)} graphs, not one")
    graph = _with_initialisers(graphs[0], parameters)
    parts = []
    for number, _, _, whole in _fields(predict):
        parts.append(_field(MODEL_GRAPH, graph) if number == MODEL_GRAPH else whole)
    return b"".join(parts)


def _with_initialisers(graph: bytes, parameters: Sequence[TensorRecord]) -> bytes:
    names = {each.name.encode() for each in parameters}
    parts, left_out = [], set()
    for number, kind, body, whole in _fields(graph):
        name = _name_of(body) if number == GRAPH_INPUT and kind == _BYTES else None
        if name in names:
            left_out.add(name)
        else:
            parts.append(whole)
    if names - left_out:
        missing = min(names - left_out).decode()
        raise UnfitFile(f"{missing} is not among its inputs")
    parts += [_field(GRAPH_INITIALISER, _tensor(each)) for each in parameters]
    return b"".join(parts)


def _name_of(value: bytes) -> bytes | None:
    """Give the name of a value; of several, the last counts, as everywhere in this format."""
    names = [
        body for number, kind, body, _ in _fields(value) if (number, kind) == (VALUE_NAME, _BYTES)
    ]
    return names[-1] if names else None


def _tensor(tensor: TensorRecord) -> bytes:
    dims = b"".join(_key(TENSOR_DIMS, _VARINT) + _varint(each) for each in tensor.shape)
    element = _key(TENSOR_TYPE, _VARINT) + _varint(tensor.element)
    name = _field(TENSOR_NAME, tensor.name.encode())
    return dims + element + name + _field(TENSOR_CONTENT, tensor.content)


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Give number, kind, body and all bytes of each field; raises UnfitFile."""
    at = 0
    while at < len(message):
        start = at
        key, at = _read_varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            _, end = _read_varint(message, at)
        elif kind == _BYTES:
            length, at = _read_varint(message, at)
            end = at + length
        elif kind in (_FIXED_64, _FIXED_32):
            end = at + (8 if kind == _FIXED_64 else 4)
        else:
            raise UnfitFile(f"a field of kind {kind}")
        if end > len(message) or number == 0:
            raise UnfitFile("its bytes break off")
        yield number, kind, message[at:end], message[start:end]
        at = end


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise UnfitFile("its bytes break off")


def _field(number: int, body: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(body)) + body


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
