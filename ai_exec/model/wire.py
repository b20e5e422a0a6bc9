"""Protocol buffer bytes read by a fixed schema under hard limits.

No library's parser decides.  Only what the schema names is accepted.  Each message is read once,
from front to back, and depth is bounded by the schema, which does not contain itself.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5
"""Wire types; groups (3 and 4) are refused."""


class BadWire(Exception):
    """The bytes are no message of the schema.  The message says where."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a message may have."""

    name: str
    kind: str
    """int, float, double, bytes, text, message, or refused, ignored."""
    many: bool = False
    schema: "Schema | None" = None
    """Of a message within."""
    count_max: int = 1 << 32
    """Times it may be there, if many."""
    bytes_max: int = 1 << 32
    """Length of bytes and text."""


@dataclass(frozen=True)
class Schema:
    """A kind of message: its fields by number."""

    name: str
    fields: Mapping[int, Field]

    @cached_property
    def lists(self) -> tuple[str, ...]:
        """Names of the fields that may be there many times."""
        return tuple(field.name for field in self.fields.values() if field.many)


Message = dict[str, Any]
"""Fields that are there by name; a list for one that may be there many times."""

_WIRE_TYPES: Final[Mapping[str, int]] = {
    "int": VARINT,
    "float": FIXED_32,
    "double": FIXED_64,
    "bytes": BYTES,
    "text": BYTES,
    "message": BYTES,
}
_ITEM: Final = {"float": struct.Struct("<f"), "double": struct.Struct("<d")}
_MESSAGE_ITEMS: Final = 64
"""A message takes the time and memory of so many numbers packed together."""
_SINGLE_ITEMS: Final = 8
"""So does a number or text with a key of its own."""
_VARINT_BYTES_MAX: Final = 10
_RUN_MIN: Final = 16
"""After so many numbers with the same key in a row, those that follow are read at once."""
_RUN_BYTES: Final = (1 << 8, 1 << 16)
"""How much is looked at together, at first and at most."""


class Reader:
    """Reads messages until they hold more items (numbers, texts and parts) than allowed."""

    def __init__(self, items_max: int) -> None:
        self._items_max = items_max
        self._items = 0

    def read(self, data: memoryview, schema: Schema, path: str) -> Message:
        """Read a whole message; raises BadWire."""
        self._count(_MESSAGE_ITEMS, path)
        found: Message = {name: [] for name in schema.lists}
        offset, last, alike = 0, -1, 0
        while offset < len(data):
            key, offset = read_varint(data, offset, path)
            field = schema.fields.get(key >> 3)
            if field is None:
                raise BadWire(f"{path}: unknown field {key >> 3} of {schema.name}")
            offset = self._read_field(data, offset, field, key & 7, path, found)
            last, alike = key, alike + 1 if key == last else 1
            if alike == _RUN_MIN and field.many and field.kind in ("int", "float"):
                offset = self._read_run(data, offset, key, field, path, found)
                alike = 0
        return found

    def _read_run(
        self, data: memoryview, offset: int, key: int, field: Field, path: str, found: Message
    ) -> int:
        """Read numbers that follow with the same key in front of each, up to anything else."""
        here, length = f"{path}.{field.name}", _RUN_BYTES[0]
        read = read_keyed_varints if field.kind == "int" else read_keyed_floats
        while key < 0x80 and offset < len(data):
            values, taken = read(data[offset : offset + length], key)
            self._count(len(values), here)
            if len(found[field.name]) + len(values) > field.count_max:
                raise BadWire(f"{here}: more than {field.count_max}")
            found[field.name] += values
            offset += taken
            if not taken or taken < length - 2 * _VARINT_BYTES_MAX:
                break
            length = min(2 * length, _RUN_BYTES[1])
        return offset

    def _read_field(
        self,
        data: memoryview,
        offset: int,
        field: Field,
        wire_type: int,
        path: str,
        found: Message,
    ) -> int:
        here = f"{path}.{field.name}"
        if field.kind == "refused":
            raise BadWire(f"{here} is not supported")
        if field.kind == "ignored":
            return _skip(data, offset, wire_type, here)
        if wire_type == BYTES and field.many and field.kind in ("int", "float", "double"):
            packed, offset = read_bytes(data, offset, here)
            found[field.name] += self._read_packed(packed, field, here)
            return offset
        if wire_type != _WIRE_TYPES[field.kind]:
            raise BadWire(f"{here}: wire type {wire_type}")
        self._count(_SINGLE_ITEMS, here)
        if field.many and len(found[field.name]) >= field.count_max:
            raise BadWire(f"{here}: more than {field.count_max}")
        value, offset = self._read_value(data, offset, field, here, found)
        if field.many:
            found[field.name].append(value)
        elif field.name in found:
            raise BadWire(f"{here} is there twice")
        else:
            found[field.name] = value
        return offset

    def _read_value(
        self, data: memoryview, offset: int, field: Field, here: str, found: Message
    ) -> tuple[Any, int]:
        if field.kind == "int":
            value, offset = read_varint(data, offset, here)
            return _signed(value), offset
        if field.kind in _ITEM:
            return _read_fixed(data, offset, _ITEM[field.kind], here)
        content, offset = read_bytes(data, offset, here)
        if field.kind == "message":
            assert field.schema is not None
            index = f"[{len(found[field.name])}]" if field.many else ""
            return self.read(content, field.schema, here + index), offset
        if len(content) > field.bytes_max:
            raise BadWire(f"{here}: {len(content)} bytes, at most {field.bytes_max} are allowed")
        if field.kind == "bytes":
            return content, offset
        try:
            words = bytes(content).decode()
        except UnicodeDecodeError as error:
            raise BadWire(f"{here} is no UTF-8") from error
        if "\0" in words:
            raise BadWire(f"{here}: a zero character")
        return words, offset

    def _read_packed(self, packed: memoryview, field: Field, here: str) -> list[Any]:
        if field.kind in _ITEM:
            item = _ITEM[field.kind]
            if len(packed) % item.size:
                raise BadWire(f"{here}: {len(packed)} bytes")
            self._count(len(packed) // item.size, here)
            return [value for (value,) in item.iter_unpack(packed)]
        # Counted first: to read them takes many times the memory of the bytes.
        self._count(int(np.count_nonzero(np.frombuffer(packed, np.uint8) < 0x80)), here)
        return list(read_varints(packed, here).tolist())

    def _count(self, items: int, here: str) -> None:
        self._items += items
        if self._items > self._items_max:
            raise BadWire(f"{here}: more parts than {self._items_max} in all; use raw_data")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _read_fixed(data: memoryview, offset: int, item: struct.Struct, here: str) -> tuple[float, int]:
    end = offset + item.size
    if end > len(data):
        raise BadWire(f"{here}: cut off")
    return item.unpack(data[offset:end])[0], end


def read_bytes(data: memoryview, offset: int, here: str) -> tuple[memoryview, int]:
    """Read bytes with their count in front; raises BadWire."""
    length, offset = read_varint(data, offset, here)
    if length > len(data) - offset:
        raise BadWire(f"{here}: cut off")
    return data[offset : offset + length], offset + length


def read_varint(data: memoryview, offset: int, here: str) -> tuple[int, int]:
    """Read a number of at most 64 bits and the offset behind it; raises BadWire."""
    if offset < len(data) and (value := data[offset]) < 0x80:
        return value, offset + 1
    value = 0
    for shift in range(0, 70, 7):
        if offset >= len(data):
            raise BadWire(f"{here}: cut off")
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                break
            return value, offset
    raise BadWire(f"{here}: a number of more than 64 bits")


def read_varints(data: memoryview, here: str) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Read numbers that fill the data, all at once, as signed 64-bit numbers; raises BadWire."""
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets < 0x80)
    if len(octets) and (not len(ends) or ends[-1] != len(octets) - 1):
        raise BadWire(f"{here}: cut off")
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    lengths = ends - starts + 1
    longest = ends[lengths == _VARINT_BYTES_MAX]
    if np.any(lengths > _VARINT_BYTES_MAX) or np.any(octets[longest] > 1):
        raise BadWire(f"{here}: a number of more than 64 bits")
    places = np.arange(len(octets)) - np.repeat(starts, lengths)
    parts = (octets & 0x7F).astype(np.uint64) << (7 * places).astype(np.uint64)
    whole = np.add.reduceat(parts, starts) if len(ends) else parts
    return whole.astype(np.int64)


def read_keyed_varints(data: memoryview, key: int) -> tuple[list[int], int]:
    """Read numbers with a key of one byte in front of each, and how many bytes they take.

    It ends before anything else, and before a number that is not well formed.
    """
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(octets < 0x80)
    ends = ends[: len(ends) & -2]
    starts = np.concatenate(([0], ends[:-1] + 1))[: len(ends)]
    keys, first, last = starts[0::2], starts[1::2], ends[1::2]
    beyond = last - first - (_VARINT_BYTES_MAX - 1)
    well_formed = (beyond < 0) | ((beyond == 0) & (octets[last] <= 1))
    usual = (ends[0::2] == keys) & (octets[keys] == key) & well_formed
    count = len(usual) if usual.all() else int(np.argmin(usual))
    if not count:
        return [], 0
    values = np.zeros(count, np.int64)
    for place in range(int((last - first)[:count].max()) + 1):
        inside = first[:count] + place <= last[:count]
        part = octets[np.where(inside, first[:count] + place, 0)] & 0x7F
        values |= np.where(inside, part.astype(np.int64) << (7 * place), 0)
    return list(values.tolist()), int(last[count - 1]) + 1


def read_keyed_floats(data: memoryview, key: int) -> tuple[list[float], int]:
    """As `read_keyed_varints`, of binary32 numbers."""
    octets = np.frombuffer(data, np.uint8)
    pairs = octets[: len(octets) // 5 * 5].reshape(-1, 5)
    usual = pairs[:, 0] == key
    count = len(usual) if usual.all() else int(np.argmin(usual))
    values = np.ascontiguousarray(pairs[:count, 1:]).view("<f4").reshape(-1)
    return list(values.tolist()), 5 * count


def _skip(data: memoryview, offset: int, wire_type: int, here: str) -> int:
    if wire_type == VARINT:
        return read_varint(data, offset, here)[1]
    if wire_type == BYTES:
        return read_bytes(data, offset, here)[1]
    length = {FIXED_64: 8, FIXED_32: 4}.get(wire_type)
    if length is None:
        raise BadWire(f"{here}: wire type {wire_type}")
    if offset + length > len(data):
        raise BadWire(f"{here}: cut off")
    return offset + length
