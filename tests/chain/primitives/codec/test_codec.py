"""SCALE: published vectors, round trips, and that only canonical bytes decode."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.codec import (
    BOOL,
    COMPACT,
    COMPACT_U32,
    I8,
    I64,
    TEXT,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    Codec,
    DecodeError,
    EncodeError,
    array,
    blob,
    enumeration,
    fixed,
    option,
    pair,
    record,
    sequence,
    shapes,
    text,
    tuple_of,
    union,
)


@dataclass(frozen=True, slots=True)
class Circle:
    """Round."""

    radius: Annotated[int, COMPACT]
    filled: bool


@dataclass(frozen=True, slots=True)
class Label:
    """Words."""

    words: Annotated[str, text(16)]
    shade: Annotated[int, U8] | None


SHAPE = union("Shape", {1: Circle, 4: Label})

VECTORS: list[tuple[Codec[Any], Any, str]] = [
    (COMPACT, 0, "00"),
    (COMPACT, 1, "04"),
    (COMPACT, 42, "a8"),
    (COMPACT, 63, "fc"),
    (COMPACT, 64, "0101"),
    (COMPACT, 69, "1501"),
    (COMPACT, 16383, "fdff"),
    (COMPACT, 16384, "02000100"),
    (COMPACT, 65535, "feff0300"),
    (COMPACT, 2**30 - 1, "feffffff"),
    (COMPACT, 2**30, "0300000040"),
    (COMPACT, 10**14, "0b00407a10f35a"),
    (COMPACT, 2**64 - 1, "13ffffffffffffffff"),
    (COMPACT, 2**128 - 1, "33" + "ff" * 16),
    (sequence(U16, 9), (4, 8, 15, 16, 23, 42), "18040008000f00100017002a00"),
    (TEXT, "Hamlet", "1848616d6c6574"),
    (tuple_of(U8, BOOL, U32), (1, True, 258), "010102010000"),
    (option(U8), 5, "0105"),
    (option(U8), None, "00"),
    (option(BOOL), True, "0101"),
    (option(BOOL), False, "0100"),
    (array(U16, 3), (1, 2, 3), "010002000300"),
    (I8, -1, "ff"),
    (I64, -5, "fbffffffffffffff"),
    (U128, 10**12, "0010a5d4e80000000000000000000000"),
    (U256, 2**200 + 5, "05" + "00" * 24 + "01" + "00" * 6),
    (fixed(2), b"\1\2", "0102"),
    (blob(9), b"\1\2", "080102"),
    (SHAPE, Circle(42, True), "01a801"),
    (SHAPE, Label("hi", None), "0408686900"),
]


@pytest.mark.parametrize(("codec", "value", "encoded"), VECTORS)
def test_vectors_both_ways(codec: Codec[Any], value: Any, encoded: str) -> None:
    assert codec.encode(value).hex() == encoded
    assert codec.decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    ("codec", "encoded", "complaint"),
    [
        (COMPACT, "", "compact: 1 bytes missing"),
        (COMPACT, "0100", "compact: 0 in 2 bytes"),
        (COMPACT, "02000000", "compact: 0 in 4 bytes"),
        (COMPACT, "03ffffff3f", "compact: 1073741823 in 4 bytes"),
        (COMPACT, "070000004000", "compact: 1073741824 in 5 bytes"),
        (COMPACT, "3700" + "00" * 15 + "01", "is not a compact u128"),
        (COMPACT_U32, "070000000001", "4294967296 is not a compact u32"),
        (BOOL, "02", "bool: byte 0x02"),
        (option(U8), "0200", "option: byte 0x02"),
        (U32, "000000", "u32: 1 bytes missing"),
        (U8, "0000", "1 bytes too many"),
        (fixed(2), "01", "1 bytes missing"),
        (blob(1), "080102", "2 items, at most 1"),
        (text(4), "08ff00", "text: not UTF-8"),
        (sequence(U8, 2), "0c010203", "3 items, at most 2"),
        (sequence(U8, 1 << 40), "0300000040", "1 bytes missing"),
        (SHAPE, "02", "Shape: no case 2"),
        (SHAPE, "", "1 bytes missing"),
    ],
)
def test_other_bytes_are_refused(codec: Codec[Any], encoded: str, complaint: str) -> None:
    with pytest.raises(DecodeError) as refusal:
        codec.decode(bytes.fromhex(encoded))
    assert complaint in str(refusal.value)


@pytest.mark.parametrize(
    ("codec", "value", "complaint"),
    [
        (U8, 256, "256 is not a u8"),
        (U8, -1, "-1 is not a u8"),
        (U8, "x", "'x' is not a u8"),
        (COMPACT, -1, "compact: -1 is negative"),
        (COMPACT_U32, 1 << 32, "4294967296 is not a compact u32"),
        (fixed(2), b"\1", "1 bytes instead of 2"),
        (blob(1), b"\1\2", "2 bytes, at most 1"),
        (text(1), "ab", "2 bytes, at most 1"),
        (sequence(U8, 1), (1, 2), "2 items, at most 1"),
        (array(U8, 1), (1, 2), "2 items instead of 1"),
        (tuple_of(U8), (1, 2), "2 values instead of 1"),
        (SHAPE, 3, "int is no case of Shape"),
    ],
)
def test_values_out_of_bounds_are_refused(codec: Codec[Any], value: Any, complaint: str) -> None:
    with pytest.raises(EncodeError, match=complaint):
        codec.encode(value)


WIDE = record(Label)
ANY = [
    (COMPACT, st.integers(0, 2**128 - 1)),
    (U64, st.integers(0, 2**64 - 1)),
    (TEXT, st.text(max_size=40)),
    (
        sequence(option(pair(U8, BOOL)), 40),
        st.lists(st.none() | st.tuples(st.integers(0, 255), st.booleans()), max_size=9).map(tuple),
    ),
]


@pytest.mark.parametrize(("codec", "values"), ANY)
def test_round_trip(codec: Codec[Any], values: st.SearchStrategy[Any]) -> None:
    @given(values)
    def check(value: Any) -> None:
        assert codec.decode(codec.encode(value)) == value

    check()


@given(st.binary(max_size=40))
def test_what_decodes_is_canonical_and_nothing_else_is_raised(data: bytes) -> None:
    for codec in (*(codec for codec, _ in ANY), SHAPE, WIDE):
        try:
            value = codec.decode(data)
        except DecodeError:
            continue
        assert codec.encode(value) == data


def test_shape_describes_the_record() -> None:
    assert WIDE.shape == shapes.Composite(
        "Label",
        (
            shapes.Field("words", shapes.Primitive("str")),
            shapes.Field("shade", shapes.Optional(shapes.Primitive("u8"))),
        ),
        "Words.",
    )


def test_field_without_codec_is_refused_when_compiled() -> None:
    @dataclass
    class Bare:
        """No codec."""

        count: int

    with pytest.raises(TypeError, match="names no codec"):
        record(Bare)


class Stage(IntEnum):
    """In a row."""

    NOT_YET = 0
    DONE = 3


def test_enumeration_is_its_number_and_no_other() -> None:
    codec = enumeration(Stage)
    assert [codec.encode(each).hex() for each in Stage] == ["00", "03"]
    assert codec.decode(b"\3") is Stage.DONE
    with pytest.raises(DecodeError, match="Stage: no value 1"):
        codec.decode(b"\1")
    assert codec.shape == shapes.Variant(
        "Stage",
        tuple(
            shapes.VariantCase(number, shapes.Composite(name, (), ""))
            for number, name in ((0, "NotYet"), (3, "Done"))
        ),
    )
