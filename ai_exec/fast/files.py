"""Writing small ONNX files for onnxruntime, and the options of its sessions."""

from collections.abc import Mapping
from typing import Any, Final

import onnxruntime

from ai_exec.registry import Attribute
from ai_exec.tensor import DTYPE_NUMBERS, Shape, Tensor

IR_VERSION: Final = 8
OPERATOR_SET: Final = 13
_EXTERNAL: Final = 1
_WHOLE, _TEXT, _WHOLES = 2, 3, 7
"""Types of attributes."""
_FATAL: Final = 4
"""Log level at which onnxruntime keeps silent about all that it also raises."""


def options(*, optimised: bool = False) -> Any:
    """Give the options of a session of one thread."""
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = 1
    chosen.inter_op_num_threads = 1
    chosen.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    level = onnxruntime.GraphOptimizationLevel
    chosen.graph_optimization_level = level.ORT_ENABLE_ALL if optimised else level.ORT_DISABLE_ALL
    chosen.enable_cpu_mem_arena = False
    chosen.enable_mem_pattern = False
    chosen.log_severity_level = _FATAL
    return chosen


def model(
    nodes: tuple[bytes, ...],
    tensors: tuple[bytes, ...],
    inputs: tuple[bytes, ...],
    outputs: tuple[bytes, ...],
) -> bytes:
    """Give a file of a graph's parts."""
    parts = [
        *(field(1, node) for node in nodes),
        field(2, b"graph"),
        *(field(5, tensor) for tensor in tensors),
        *(field(11, value) for value in inputs),
        *(field(12, value) for value in outputs),
    ]
    operators = number(2, OPERATOR_SET)
    return number(1, IR_VERSION) + field(7, b"".join(parts)) + field(8, operators)


def node(
    operator: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    attributes: Mapping[str, Attribute | None] | None = None,
) -> bytes:
    """Give a node; attributes are whole numbers, lists of them, or texts."""
    read = b"".join(field(1, name.encode()) for name in inputs)
    written = b"".join(field(2, name.encode()) for name in outputs)
    given = b"".join(
        field(5, _attribute(name, value))
        for name, value in (attributes or {}).items()
        if value is not None
    )
    return read + written + field(4, operator.encode()) + given


def _attribute(name: str, value: Attribute) -> bytes:
    head = field(1, name.encode())
    if isinstance(value, str):
        return head + field(4, value.encode()) + number(20, _TEXT)
    if isinstance(value, tuple):
        return head + b"".join(number(8, int(item)) for item in value) + number(20, _WHOLES)
    assert isinstance(value, int)
    return head + number(3, value) + number(20, _WHOLE)


def constant(name: str, content: Tensor) -> bytes:
    """Give a constant that lies in the file."""
    return _tensor(name, content.dtype.name, content.shape) + field(9, content.tobytes())


def external(name: str, dtype: str, shape: Shape) -> bytes:
    """Give a constant that is handed over apart."""
    where = field(13, field(1, b"location") + field(2, b"memory"))
    return _tensor(name, dtype, shape) + where + number(14, _EXTERNAL)


def _tensor(name: str, dtype: str, shape: Shape) -> bytes:
    lengths = b"".join(number(1, length) for length in shape)
    return lengths + number(2, DTYPE_NUMBERS[dtype]) + field(8, name.encode())


def value(name: str, dtype: str, shape: Shape) -> bytes:
    """Declare an input or output."""
    lengths = b"".join(field(1, number(1, length)) for length in shape)
    tensor_type = number(1, DTYPE_NUMBERS[dtype]) + field(2, lengths)
    return field(1, name.encode()) + field(2, field(1, tensor_type))


def number(place: int, whole: int) -> bytes:
    """A field of a protocol buffer message that holds a whole number."""
    return _varint(place << 3) + _varint(whole)


def field(place: int, content: bytes) -> bytes:
    """A field of a protocol buffer message that holds bytes, text or a message."""
    return _varint(place << 3 | 2) + _varint(len(content)) + content


def _varint(whole: int) -> bytes:
    whole %= 1 << 64
    encoded = bytearray()
    while whole > 0x7F:
        encoded.append(whole & 0x7F | 0x80)
        whole >>= 7
    encoded.append(whole)
    return bytes(encoded)
