"""Tensors of known types as canonical bytes: joined from their contents, and split again.

Where types are fixed, so is every byte but the contents: nothing needs to be parsed.
"""

from collections.abc import Iterable, Mapping
from math import prod

from chain.primitives.codec import COMPACT_U32, DecodeError, record
from chain.primitives.tensor_bytes import TensorRecord
from runtime.frame.elements import ELEMENT_BYTES
from runtime.frame.ports import TensorType

_RECORD = record(TensorRecord)


def content_bytes(tensor: TensorType) -> int:
    """Give the bytes of a tensor's elements."""
    return prod(tensor.shape) * ELEMENT_BYTES[tensor.element]


class Layout:
    """How tensors of some types lie behind each other, names ascending."""

    def __init__(self, types: Iterable[TensorType]) -> None:
        ordered = sorted(types, key=lambda each: each.name.encode())
        self.types = {each.name: each for each in ordered}
        """By name, ascending."""
        self._count = COMPACT_U32.encode(len(ordered))
        self._heads: list[tuple[str, bytes, int]] = []
        for each in ordered:
            length = content_bytes(each)
            encoded = _RECORD.encode(
                TensorRecord(each.name, each.element, each.shape, bytes(length))
            )
            self._heads.append((each.name, encoded[: len(encoded) - length], length))
        heads = sum(len(head) + length for _, head, length in self._heads)
        self.length = len(self._count) + heads
        """Of the whole encoding, in bytes."""

    def join(self, contents: Mapping[str, bytes]) -> bytes:
        """Give the canonical bytes of contents that have the right lengths."""
        parts = [self._count]
        for name, head, length in self._heads:
            assert len(contents[name]) == length, f"{name} is not as long as its type"
            parts += (head, contents[name])
        return b"".join(parts)

    def split(self, encoded: bytes) -> dict[str, bytes]:
        """Give the contents; raises DecodeError where the bytes are not exactly of these types."""
        if len(encoded) != self.length or not encoded.startswith(self._count):
            raise DecodeError(f"{len(encoded)} bytes instead of {self.length}")
        at, contents = len(self._count), {}
        for name, head, length in self._heads:
            if encoded[at : at + len(head)] != head:
                raise DecodeError(f"{name}: another name, type or shape stands in its place")
            at += len(head)
            contents[name] = encoded[at : at + length]
            at += length
        return contents
