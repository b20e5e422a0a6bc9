"""JSON for every value that has a codec, both ways, driven by the description of its type.

Whole numbers up to 64 bits are numbers, longer ones decimal text; bytes are 0x text; accounts are
SS58 text; records are objects; variants are {"Case": {fields}}, or "Case" alone where it has none.
"""

from typing import Any, Final

from chain.primitives.codec import (
    BOOL,
    COMPACT,
    I8,
    I16,
    I32,
    I64,
    I128,
    TEXT,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    Codec,
    EncodeError,
    read_compact,
    write_compact,
)
from chain.primitives.codec import shapes as s
from chain.primitives.codec.base import DecodeError, take
from chain.primitives.keys import ss58_decode, ss58_encode

INTEGERS: Final[dict[str, Codec[int]]] = {
    "u8": U8,
    "u16": U16,
    "u32": U32,
    "u64": U64,
    "u128": U128,
    "u256": U256,
    "i8": I8,
    "i16": I16,
    "i32": I32,
    "i64": I64,
    "i128": I128,
}
_TEXT_FROM_BITS = ("u128", "u256", "i128")
_BYTE = s.Primitive("u8")


def to_json(codec: Codec[Any], value: Any) -> Any:
    """Give the JSON of a value."""
    return read(codec.shape, codec.encode(value))


def read(shape: s.Shape, data: bytes) -> Any:
    """Give the JSON of a whole encoding; raises DecodeError."""
    value, end = read_at(shape, data, 0)
    if end != len(data):
        raise DecodeError(f"{len(data) - end} bytes too many")
    return value


def read_at(shape: s.Shape, data: bytes, offset: int) -> tuple[Any, int]:
    """Give the JSON of the value at an offset, and the offset behind it; raises DecodeError."""
    match shape:
        case s.Primitive():
            return _read_primitive(shape, data, offset)
        case s.Compact():
            number, offset = read_compact(data, offset)
            return (str(number) if shape.inner.name in _TEXT_FROM_BITS else number), offset
        case s.Named():
            return _read_named(shape, data, offset)
        case s.Sequence():
            count, offset = read_compact(data, offset)
            if count > min(shape.items_max, len(data)):
                raise DecodeError(f"{count} items, at most {shape.items_max}")
            return _read_many(shape.item, count, data, offset)
        case s.Array():
            return _read_many(shape.item, shape.length, data, offset)
        case s.Tuple():
            return _read_tuple(shape.items, data, offset)
        case s.Optional():
            present = take(data, offset, 1)[0]
            return read_at(shape.inner, data, offset + 1) if present else (None, offset + 1)
        case s.Composite():
            values, offset = _read_tuple(tuple(f.shape for f in shape.fields), data, offset)
            names = (field.name for field in shape.fields)
            return dict(zip(names, values, strict=True)), offset
        case s.Variant():
            return _read_variant(shape, data, offset)


def _read_primitive(shape: s.Primitive, data: bytes, offset: int) -> tuple[Any, int]:
    if shape.name == "bool":
        return BOOL.read(data, offset)
    if shape.name == "str":
        return TEXT.read(data, offset)
    number, offset = INTEGERS[shape.name].read(data, offset)
    return (str(number) if shape.name in _TEXT_FROM_BITS else number), offset


def _read_named(shape: s.Named, data: bytes, offset: int) -> tuple[Any, int]:
    if shape.name == "AccountId32":
        return ss58_encode(take(data, offset, 32)), offset + 32
    if shape.name == "MultiAddress":
        return ss58_encode(take(data, offset + 1, 32)), offset + 33
    if shape.name == "OpaqueExtrinsic":
        length, start = read_compact(data, offset)
        return hex_of(take(data, offset, start + length - offset)), start + length
    return read_at(shape.inner, data, offset)


def _read_many(item: s.Shape, count: int, data: bytes, offset: int) -> tuple[Any, int]:
    if item == _BYTE:
        return hex_of(take(data, offset, count)), offset + count
    return _read_tuple((item,) * count, data, offset)


def _read_tuple(items: tuple[s.Shape, ...], data: bytes, offset: int) -> tuple[list[Any], int]:
    values = []
    for item in items:
        value, offset = read_at(item, data, offset)
        values.append(value)
    return values, offset


def _read_variant(shape: s.Variant, data: bytes, offset: int) -> tuple[Any, int]:
    index = take(data, offset, 1)[0]
    for case in shape.cases:
        if case.index == index:
            fields, offset = read_at(case.composite, data, offset + 1)
            return ({case.composite.name: fields} if fields else case.composite.name), offset
    raise DecodeError(f"{shape.name}: no case {index}")


def from_json(shape: s.Shape, value: Any) -> bytes:
    """Give the encoding of a value that a person or a client wrote; raises EncodeError."""
    out = bytearray()
    write(shape, value, out)
    return bytes(out)


def write(shape: s.Shape, value: Any, out: bytearray) -> None:
    """Append the encoding of a value; raises EncodeError, which says what was expected."""
    match shape:
        case s.Primitive():
            _write_primitive(shape, value, out)
        case s.Compact():
            COMPACT.write(_integer(shape.inner, value), out)
        case s.Named():
            _write_named(shape, value, out)
        case s.Sequence() | s.Array():
            _write_many(shape, value, out)
        case s.Tuple():
            items = _list(value, len(shape.items), "values")
            for item, each in zip(shape.items, items, strict=True):
                write(item, each, out)
        case s.Optional():
            out.append(value is not None)
            if value is not None:
                write(shape.inner, value, out)
        case s.Composite():
            _write_composite(shape, value, out)
        case s.Variant():
            _write_variant(shape, value, out)


def _write_primitive(shape: s.Primitive, value: Any, out: bytearray) -> None:
    if shape.name == "bool":
        named = {"true": True, "false": False}
        truth = named.get(value) if isinstance(value, str) else value
        if not isinstance(truth, bool):
            raise EncodeError(f"{value!r} is neither true nor false")
        BOOL.write(truth, out)
    elif shape.name == "str":
        if not isinstance(value, str):
            raise EncodeError(f"{value!r} is no text")
        TEXT.write(value, out)
    else:
        INTEGERS[shape.name].write(_integer(shape, value), out)


def _integer(shape: s.Primitive, value: Any) -> int:
    number = value
    if isinstance(value, str) and len(value) <= 100:
        try:
            number = int(value.replace("_", ""), 0)
        except ValueError:
            raise EncodeError(f"{value!r} is no {shape.name}") from None
    if not isinstance(number, int) or isinstance(number, bool):
        raise EncodeError(f"{value!r} is no {shape.name}")
    bits = int(shape.name[1:])
    low, high = (0, 2**bits) if shape.name[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    if not low <= number < high:
        raise EncodeError(f"{number} does not fit {shape.name}")
    return number


def _write_named(shape: s.Named, value: Any, out: bytearray) -> None:
    if shape.name in ("AccountId32", "MultiAddress"):
        if shape.name == "MultiAddress":
            out.append(0)
        out += _address(value)
    elif shape.name == "OpaqueExtrinsic":
        out += _bytes(value)
    else:
        write(shape.inner, value, out)


def _address(value: Any) -> bytes:
    if isinstance(value, str) and not value.startswith("0x"):
        try:
            return ss58_decode(value)
        except ValueError as error:
            raise EncodeError(str(error)) from error
    raw = _bytes(value)
    if len(raw) != 32:
        raise EncodeError(f"an account has 32 bytes, not {len(raw)}")
    return raw


def _write_many(shape: s.Sequence | s.Array, value: Any, out: bytearray) -> None:
    is_bytes = shape.item == _BYTE and not isinstance(value, list | tuple)
    items = _bytes(value) if is_bytes else _list(value, None, "items")
    if isinstance(shape, s.Sequence):
        if len(items) > shape.items_max:
            raise EncodeError(f"{len(items)} items, at most {shape.items_max}")
        write_compact(len(items), out)
    elif len(items) != shape.length:
        raise EncodeError(f"{len(items)} items instead of {shape.length}")
    if isinstance(items, bytes):
        out += items
        return
    for each in items:
        write(shape.item, each, out)


def _write_composite(shape: s.Composite, value: Any, out: bytearray) -> None:
    names = [field.name for field in shape.fields]
    if not isinstance(value, dict):
        raise EncodeError(f"{shape.name} is an object with {', '.join(names)}")
    unknown = sorted(set(value) - set(names))
    missing = [
        field.name
        for field in shape.fields
        if field.name not in value and not isinstance(field.shape, s.Optional)
    ]
    if unknown or missing:
        found = f"unknown {unknown[0]}" if unknown else f"{missing[0]} is missing"
        raise EncodeError(f"{shape.name}: {found} (fields: {', '.join(names)})")
    for field in shape.fields:
        try:
            write(field.shape, value.get(field.name), out)
        except EncodeError as error:
            raise EncodeError(f"{field.name}: {error}") from error


def _write_variant(shape: s.Variant, value: Any, out: bytearray) -> None:
    fields: Any = {}
    name = value
    if isinstance(value, dict) and len(value) == 1:
        ((name, fields),) = value.items()
    for case in shape.cases:
        if case.composite.name == name:
            out.append(case.index)
            return write(case.composite, fields, out)
    known = ", ".join(case.composite.name for case in shape.cases)
    raise EncodeError(f"{value!r} is no {shape.name}: one of {known}")


def _list(value: Any, length: int | None, what: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise EncodeError(f"{value!r} is no list")
    if length is not None and len(value) != length:
        raise EncodeError(f"{len(value)} {what} instead of {length}")
    return list(value)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            pass
    raise EncodeError(f"{value!r} is no 0x text")


def hex_of(data: bytes) -> str:
    """Give 0x text."""
    return "0x" + data.hex()
