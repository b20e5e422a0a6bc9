"""Codecs of bytes, text, lists, options and tuples, each with its bound (SCALE)."""

from collections.abc import Sequence as Many
from typing import Any, TypeVar

from chain.primitives.codec import shapes
from chain.primitives.codec.base import Codec, DecodeError, EncodeError, take
from chain.primitives.codec.numbers import read_compact, write_compact

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

_BYTE = shapes.Primitive("u8")


def fixed(length: int) -> Codec[bytes]:
    """Exactly `length` bytes."""

    def write(value: bytes, out: bytearray) -> None:
        if len(value) != length:
            raise EncodeError(f"{len(value)} bytes instead of {length}")
        out += value

    def read(data: bytes, offset: int) -> tuple[bytes, int]:
        end = offset + length
        if end > len(data):
            raise DecodeError(f"{end - len(data)} bytes missing")
        return data[offset:end], end

    return Codec(write, read, shapes.Array(_BYTE, length))


def blob(bytes_max: int) -> Codec[bytes]:
    """At most `bytes_max` bytes with their count in front."""

    def write(value: bytes, out: bytearray) -> None:
        if len(value) > bytes_max:
            raise EncodeError(f"{len(value)} bytes, at most {bytes_max}")
        write_compact(len(value), out)
        out += value

    def read(data: bytes, offset: int) -> tuple[bytes, int]:
        length, offset = _count(data, offset, bytes_max)
        return take(data, offset, length), offset + length

    return Codec(write, read, shapes.Sequence(_BYTE, bytes_max))


def text(bytes_max: int) -> Codec[str]:
    """UTF-8 text of at most `bytes_max` bytes."""
    raw = blob(bytes_max)

    def write(value: str, out: bytearray) -> None:
        try:
            raw.write(value.encode(), out)
        except UnicodeEncodeError as error:
            raise EncodeError("text: not UTF-8") from error

    def read(data: bytes, offset: int) -> tuple[str, int]:
        value, offset = raw.read(data, offset)
        try:
            return value.decode(), offset
        except UnicodeDecodeError as error:
            raise DecodeError("text: not UTF-8") from error

    return Codec(write, read, shapes.Primitive("str"))


def sequence(item: Codec[T], items_max: int) -> Codec[tuple[T, ...]]:
    """At most `items_max` items with their count in front."""
    write_item, read_item = item.write, item.read

    def write(value: Many[T], out: bytearray) -> None:
        if len(value) > items_max:
            raise EncodeError(f"{len(value)} items, at most {items_max}")
        write_compact(len(value), out)
        for each in value:
            write_item(each, out)

    def read(data: bytes, offset: int) -> tuple[tuple[T, ...], int]:
        count, offset = _count(data, offset, items_max)
        items = []
        for _ in range(count):
            each, offset = read_item(data, offset)
            items.append(each)
        return tuple(items), offset

    return Codec(write, read, shapes.Sequence(item.shape, items_max))


def array(item: Codec[T], length: int) -> Codec[tuple[T, ...]]:
    """Exactly `length` items."""
    write_item, read_item = item.write, item.read

    def write(value: Many[T], out: bytearray) -> None:
        if len(value) != length:
            raise EncodeError(f"{len(value)} items instead of {length}")
        for each in value:
            write_item(each, out)

    def read(data: bytes, offset: int) -> tuple[tuple[T, ...], int]:
        items = []
        for _ in range(length):
            each, offset = read_item(data, offset)
            items.append(each)
        return tuple(items), offset

    return Codec(write, read, shapes.Array(item.shape, length))


def option(item: Codec[T]) -> Codec[T | None]:
    """A value or None."""
    write_item, read_item = item.write, item.read

    def write(value: T | None, out: bytearray) -> None:
        if value is None:
            out.append(0)
        else:
            out.append(1)
            write_item(value, out)

    def read(data: bytes, offset: int) -> tuple[T | None, int]:
        tag = take(data, offset, 1)[0]
        if tag > 1:
            raise DecodeError(f"option: byte {tag:#04x}")
        return read_item(data, offset + 1) if tag else (None, offset + 1)

    return Codec(write, read, shapes.Optional(item.shape))


def tuple_of(*items: Codec[Any]) -> Codec[tuple[Any, ...]]:
    """Values one after the other."""

    def write(value: tuple[Any, ...], out: bytearray) -> None:
        if len(value) != len(items):
            raise EncodeError(f"{len(value)} values instead of {len(items)}")
        for codec, each in zip(items, value, strict=True):
            codec.write(each, out)

    def read(data: bytes, offset: int) -> tuple[tuple[Any, ...], int]:
        values = []
        for codec in items:
            each, offset = codec.read(data, offset)
            values.append(each)
        return tuple(values), offset

    return Codec(write, read, shapes.Tuple(tuple(codec.shape for codec in items)))


def pair(first: Codec[K], second: Codec[V]) -> Codec[tuple[K, V]]:
    """Two values."""
    both = tuple_of(first, second)
    return Codec(both.write, both.read, both.shape)


def _count(data: bytes, offset: int, items_max: int) -> tuple[int, int]:
    count, offset = read_compact(data, offset)
    if count > items_max:
        raise DecodeError(f"{count} items, at most {items_max}")
    return count, offset
