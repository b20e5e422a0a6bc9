"""Codecs of truth values and whole numbers, fixed and compact (SCALE)."""

from chain.primitives.codec.base import Codec, DecodeError, EncodeError, take
from chain.primitives.codec.shapes import Compact, Primitive

_TWO_BYTES, _FOUR_BYTES, _BIG = 1 << 6, 1 << 14, 1 << 30


def _whole(bits: int, *, signed: bool) -> Codec[int]:
    size = bits // 8
    name = f"{'i' if signed else 'u'}{bits}"

    def write(value: int, out: bytearray) -> None:
        try:
            out += value.to_bytes(size, "little", signed=signed)
        except (OverflowError, AttributeError) as error:
            raise EncodeError(f"{value!r} is not a {name}") from error

    def read(data: bytes, offset: int) -> tuple[int, int]:
        end = offset + size
        if end > len(data):
            raise DecodeError(f"{name}: {end - len(data)} bytes missing")
        return int.from_bytes(data[offset:end], "little", signed=signed), end

    return Codec(write, read, Primitive(name))


def _write_bool(value: bool, out: bytearray) -> None:
    out.append(1 if value else 0)


def _read_bool(data: bytes, offset: int) -> tuple[bool, int]:
    byte = take(data, offset, 1)[0]
    if byte > 1:
        raise DecodeError(f"bool: byte {byte:#04x}")
    return byte == 1, offset + 1


def write_compact(value: int, out: bytearray) -> None:
    """Append a compact whole number below 2^536; raises EncodeError."""
    if value < 0:
        raise EncodeError(f"compact: {value} is negative")
    if value < _TWO_BYTES:
        out.append(value << 2)
    elif value < _FOUR_BYTES:
        out += (value << 2 | 1).to_bytes(2, "little")
    elif value < _BIG:
        out += (value << 2 | 2).to_bytes(4, "little")
    else:
        size = (value.bit_length() + 7) // 8
        if size > 67:
            raise EncodeError("compact: above 67 bytes")
        out.append((size - 4) << 2 | 3)
        out += value.to_bytes(size, "little")


def read_compact(data: bytes, offset: int) -> tuple[int, int]:
    """Give a compact whole number and the offset behind it; raises DecodeError unless minimal."""
    if offset >= len(data):
        raise DecodeError("compact: 1 bytes missing")
    first = data[offset]
    mode = first & 3
    if mode == 0:
        return first >> 2, offset + 1
    if mode == 3:
        return _read_big(data, offset)
    size, least = (2, _TWO_BYTES) if mode == 1 else (4, _FOUR_BYTES)
    value = int.from_bytes(take(data, offset, size), "little") >> 2
    if value < least:
        raise DecodeError(f"compact: {value} in {size} bytes")
    return value, offset + size


def _read_big(data: bytes, offset: int) -> tuple[int, int]:
    size = (data[offset] >> 2) + 4
    raw = take(data, offset + 1, size)
    value = int.from_bytes(raw, "little")
    if raw[-1] == 0 or value < _BIG:
        raise DecodeError(f"compact: {value} in {size} bytes")
    return value, offset + 1 + size


def _compact(bits: int) -> Codec[int]:
    end = 1 << bits

    def write(value: int, out: bytearray) -> None:
        if value >= end:
            raise EncodeError(f"{value} is not a compact u{bits}")
        write_compact(value, out)

    def read(data: bytes, offset: int) -> tuple[int, int]:
        value, after = read_compact(data, offset)
        if value >= end:
            raise DecodeError(f"{value} is not a compact u{bits}")
        return value, after

    return Codec(write, read, Compact(Primitive(f"u{bits}")))


BOOL: Codec[bool] = Codec(_write_bool, _read_bool, Primitive("bool"))
U8, U16, U32, U64, U128, U256 = (_whole(bits, signed=False) for bits in (8, 16, 32, 64, 128, 256))
I8, I16, I32, I64, I128 = (_whole(bits, signed=True) for bits in (8, 16, 32, 64, 128))
COMPACT_U32, COMPACT_U64, COMPACT_U128 = (_compact(bits) for bits in (32, 64, 128))
COMPACT = COMPACT_U128
