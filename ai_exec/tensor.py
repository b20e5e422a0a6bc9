"""Tensors: their types, and the one way to write them as bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import prod
from typing import Annotated, Any, Final

import ml_dtypes  # noqa: F401  numpy knows bfloat16 by its name from now on
import numpy as np
import numpy.typing as npt

from chain.primitives.codec import COMPACT_U32, DecodeError, EncodeError, sequence, text
from chain.primitives.tensor_bytes import NAME_BYTES_MAX, RANK_MAX, TENSORS, TensorRecord

Tensor = npt.NDArray[Any]
Shape = tuple[int, ...]

DTYPE_NUMBERS: Final[Mapping[str, int]] = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
    "bfloat16": 16,
    "float8_e4m3fn": 17,
    "float8_e4m3fnuz": 18,
    "float8_e5m2": 19,
    "float8_e5m2fnuz": 20,
    "uint4": 21,
    "int4": 22,
    "float4_e2m1fn": 23,
    "float8_e8m0fnu": 24,
    "uint2": 25,
    "int2": 26,
    "float6_e2m3fn": 27,
    "float6_e3m2fn": 28,
}
"""Element types and their numbers on the wire, the ones that ONNX gives them."""


@cache
def dtype_name(dtype: "np.dtype[Any]") -> str:
    """Give an element type's name, which numpy puts together each time that it is asked."""
    return dtype.name


DTYPE_NAMES: Final[Mapping[int, str]] = {number: name for name, number in DTYPE_NUMBERS.items()}

ITEM_BYTES: Final[Mapping[str, int]] = {name: np.dtype(name).itemsize for name in DTYPE_NUMBERS}
"""Bytes of an element in memory and on the wire."""

PACKED_BITS: Final[Mapping[str, int]] = {
    "uint4": 4,
    "int4": 4,
    "float4_e2m1fn": 4,
    "uint2": 2,
    "int2": 2,
    "float6_e2m3fn": 6,
    "float6_e3m2fn": 6,
}
"""Bits of the elements that ONNX packs into bytes; here each has the last bits of its own byte."""

ELEMENT_BITS: Final[Mapping[str, int]] = {
    name: PACKED_BITS.get(name, 8 * size) for name, size in ITEM_BYTES.items()
}
"""Bits that mean something in an element."""

TINY: Final = tuple(name for name, number in DTYPE_NUMBERS.items() if number > 16)
"""Small floats, and integers of 4 and 2 bits: elements that are only cast, quantised and moved."""

NARROW: Final = ("float16", "bfloat16")
"""Floats that are storage: operators compute with them in binary32."""

NAN_BITS: Final[Mapping[str, np.unsignedinteger[Any]]] = {
    "float16": np.uint16(0x7E00),
    "bfloat16": np.uint16(0x7FC0),
    "float32": np.uint32(0x7FC00000),
    "float64": np.uint64(0x7FF8000000000000),
    "float8_e4m3fn": np.uint8(0x7F),
    "float8_e4m3fnuz": np.uint8(0x80),
    "float8_e5m2": np.uint8(0x7E),
    "float8_e5m2fnuz": np.uint8(0x80),
    "float8_e8m0fnu": np.uint8(0xFF),
}
"""The canonical NaN of each float type; every other NaN becomes it before bytes leave."""

AXIS_NAME_BYTES_MAX: Final = 64


class TensorError(Exception):
    """The tensors cannot be written, or the bytes are no canonical tensors.  Correct the inputs."""


@dataclass(frozen=True, slots=True)
class TensorType:
    """Name, element type and shape of a tensor that goes in or comes out."""

    name: Annotated[str, text(NAME_BYTES_MAX)]
    """Name of the input or output in the model."""
    dtype: Annotated[str, text(16)]
    """Element type by its numpy name."""
    shape: Annotated[Shape, sequence(COMPACT_U32, RANK_MAX)]
    """Length of each axis; of an open one the most that it can have."""
    axes: Annotated[tuple[str, ...], sequence(text(AXIS_NAME_BYTES_MAX), RANK_MAX)] = ()
    """Names of open axes, empty for a fixed one; no names at all if every axis is fixed."""

    @property
    def content_bytes(self) -> int:
        """Memory of the elements in bytes."""
        return prod(self.shape) * ITEM_BYTES[self.dtype]

    def takes(self, dtype: str, shape: Shape) -> bool:
        """Tell whether a tensor may be given; open axes may be shorter."""
        if not self.axes:
            return (dtype, shape) == (self.dtype, self.shape)
        return (dtype, len(shape)) == (self.dtype, len(self.shape)) and all(
            length <= most if name else length == most
            for name, length, most in zip(self.axes, shape, self.shape, strict=True)
        )

    def __str__(self) -> str:
        if not self.axes:
            return f"{self.name} {type_text(self.dtype, self.shape)}"
        lengths = zip(self.axes, self.shape, strict=True)
        shown = (f"{name} <= {most}" if name else str(most) for name, most in lengths)
        return f"{self.name} {self.dtype}[{', '.join(shown)}]"


@dataclass(frozen=True, slots=True)
class TensorLimits:
    """What a reader of tensor bytes allows."""

    bytes_max: int = 1 << 24
    """Length of the whole encoding in bytes."""
    tensors_max: int = 64
    """How many tensors there may be."""


DEFAULT_TENSOR_LIMITS: Final = TensorLimits()


def type_text(dtype: str, shape: Shape) -> str:
    """Write a type the way reasons show it, for instance float32[1, 64]."""
    return f"{dtype}[{', '.join(map(str, shape))}]"


def type_of(name: str, tensor: Tensor) -> TensorType:
    """Give the type of a tensor."""
    return TensorType(name, tensor.dtype.name, tensor.shape)


def canonical(tensor: Tensor) -> Tensor:
    """Give the tensor in C order, in the machine's, and with every NaN the canonical one."""
    native = tensor.dtype.newbyteorder("=")
    tensor = np.ascontiguousarray(tensor, native).reshape(tensor.shape)
    if tensor.dtype.name in PACKED_BITS:
        mask = np.uint8((1 << PACKED_BITS[tensor.dtype.name]) - 1)
        return (tensor.view(np.uint8) & mask).view(tensor.dtype)
    nan = NAN_BITS.get(tensor.dtype.name)
    if nan is None:
        return tensor
    with np.errstate(invalid="ignore"):
        nans = np.isnan(tensor)
    if not nans.any():
        return tensor
    bits = tensor.view(nan.dtype).copy()
    bits[nans] = nan
    return bits.view(tensor.dtype)


def encode_tensors(tensors: Mapping[str, Tensor]) -> bytes:
    """Write named tensors, names ascending as bytes; raises TensorError."""
    entries = tuple(
        _entry(name, tensors[name]) for name in sorted(tensors, key=lambda name: name.encode())
    )
    try:
        return TENSORS.encode(entries)
    except EncodeError as error:
        raise TensorError(str(error)) from error


def decode_tensors(
    encoded: bytes, limits: TensorLimits = DEFAULT_TENSOR_LIMITS
) -> dict[str, Tensor]:
    """Read named tensors; raises TensorError unless the bytes are what `encode_tensors` gives."""
    if len(encoded) > limits.bytes_max:
        raise TensorError(f"{len(encoded)} bytes, at most {limits.bytes_max} are allowed")
    try:
        entries = TENSORS.decode(encoded)
    except DecodeError as error:
        raise TensorError(f"not the encoding of tensors: {error}") from error
    if len(entries) > limits.tensors_max:
        raise TensorError(f"{len(entries)} tensors, at most {limits.tensors_max} are allowed")
    names = [entry.name.encode() for entry in entries]
    if any(second <= first for first, second in pairwise(names)):
        raise TensorError("names are not ascending and different")
    return {entry.name: _tensor(entry) for entry in entries}


def from_bytes(dtype: str, shape: Shape, content: bytes | memoryview) -> Tensor:
    """Give the tensor of little-endian content whose length is right; the content itself, if the
    machine writes numbers so, at whatever address it lies."""
    bits = np.dtype(f"<u{ITEM_BYTES[dtype]}")
    native = np.frombuffer(content, bits).astype(bits.newbyteorder("="), copy=False)
    return native.view(dtype).reshape(shape)


def unpacked(dtype: str, shape: Shape, content: bytes | memoryview) -> Tensor:
    """Give the tensor of elements that fill bytes from the last bit on, as ONNX packs them.

    The content has the right length; bits that are left over at its end mean nothing.
    """
    bits = PACKED_BITS[dtype]
    # Three bytes hold four elements of 6 bits, one byte holds all others.
    group = 3 if bits == 6 else 1
    padded = np.frombuffer(bytes(content) + b"\x00" * (-len(content) % group), np.uint8)
    words = np.zeros(len(padded) // group, np.uint32)
    for place in range(group):
        words |= padded[place::group].astype(np.uint32) << np.uint32(8 * place)
    mask = np.uint32((1 << bits) - 1)
    parts = [(words >> np.uint32(shift)) & mask for shift in range(0, 8 * group, bits)]
    codes = np.stack(parts, axis=1).reshape(-1)[: prod(shape)].astype(np.uint8)
    return codes.view(np.dtype(dtype)).reshape(shape)


def _entry(name: str, tensor: Tensor) -> TensorRecord:
    dtype = tensor.dtype.name
    if dtype not in DTYPE_NUMBERS:
        raise TensorError(f"{name}: element type {dtype} is not supported")
    bits = canonical(tensor).view(f"u{ITEM_BYTES[dtype]}")
    little = bits.astype(bits.dtype.newbyteorder("<"), copy=False)
    return TensorRecord(name, DTYPE_NUMBERS[dtype], tensor.shape, little.tobytes())


def _tensor(entry: TensorRecord) -> Tensor:
    dtype = DTYPE_NAMES.get(entry.element)
    if dtype is None:
        raise TensorError(f"{entry.name}: element type number {entry.element} is not supported")
    needed = prod(entry.shape) * ITEM_BYTES[dtype]
    if len(entry.content) != needed:
        raise TensorError(
            f"{entry.name}: {len(entry.content)} bytes where "
            f"{type_text(dtype, entry.shape)} has {needed}"
        )
    if dtype == "bool" and entry.content.strip(b"\x00\x01"):
        raise TensorError(f"{entry.name}: a bool that is neither 0 nor 1")
    tensor = np.array(from_bytes(dtype, entry.shape, entry.content))
    if canonical(tensor).tobytes() != tensor.tobytes():
        raise TensorError(f"{entry.name}: a NaN or a spare bit that is not canonical")
    return tensor
