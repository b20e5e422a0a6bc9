"""SCALE, compiled: only canonical bytes decode, all else is a DecodeError."""

from chain.primitives.codec.base import Codec, DecodeError, EncodeError, named
from chain.primitives.codec.containers import (
    array,
    blob,
    fixed,
    option,
    pair,
    sequence,
    text,
    tuple_of,
)
from chain.primitives.codec.numbers import (
    BOOL,
    COMPACT,
    COMPACT_U32,
    COMPACT_U64,
    COMPACT_U128,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    read_compact,
    write_compact,
)
from chain.primitives.codec.records import codec_of, enumeration, record, union, wire_name
from chain.primitives.codec.shapes import Shape

TEXT = text(64 * 1024)
"""Text without a tighter bound of its own."""

__all__ = [
    "BOOL",
    "COMPACT",
    "COMPACT_U32",
    "COMPACT_U64",
    "COMPACT_U128",
    "I8",
    "I16",
    "I32",
    "I64",
    "I128",
    "TEXT",
    "U8",
    "U16",
    "U32",
    "U64",
    "U128",
    "U256",
    "Codec",
    "DecodeError",
    "EncodeError",
    "Shape",
    "array",
    "blob",
    "codec_of",
    "enumeration",
    "fixed",
    "named",
    "option",
    "pair",
    "read_compact",
    "record",
    "sequence",
    "text",
    "tuple_of",
    "union",
    "wire_name",
    "write_compact",
]
