"""What a codec is, and the two ways in which bytes and values can be wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chain.primitives.codec.shapes import Named, Shape

T = TypeVar("T")


class DecodeError(Exception):
    """The bytes are not a value's canonical encoding.  Encode it with a current client."""


class EncodeError(Exception):
    """The value does not fit its type.  Send one that is within its bounds."""


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """One type's road to bytes and back, compiled once; only canonical bytes are accepted."""

    write: Callable[[T, bytearray], None]
    """Append the encoding of a value; raises EncodeError."""

    read: Callable[[bytes, int], tuple[T, int]]
    """Give the value at an offset and the offset behind it; raises DecodeError."""

    shape: Shape
    """Description of the type."""

    def encode(self, value: T) -> bytes:
        """Give the encoding of a value; raises EncodeError."""
        out = bytearray()
        self.write(value, out)
        return bytes(out)

    def decode(self, data: bytes) -> T:
        """Give the value that the whole input encodes; raises DecodeError."""
        value, end = self.read(data, 0)
        if end != len(data):
            raise DecodeError(f"{len(data) - end} bytes too many")
        return value


def named(name: str, codec: Codec[T]) -> Codec[T]:
    """Give a codec whose type has a name of its own."""
    return Codec(codec.write, codec.read, Named(name, codec.shape))


def take(data: bytes, offset: int, length: int) -> bytes:
    """Give `length` bytes at an offset; raises DecodeError where there are fewer."""
    end = offset + length
    if end > len(data):
        raise DecodeError(f"{end - len(data)} bytes missing")
    return data[offset:end]
