"""JSON of values by their type, both ways, and types as JSON."""

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.codec import (
    BOOL,
    COMPACT_U128,
    I32,
    TEXT,
    U8,
    U32,
    U64,
    U128,
    Codec,
    DecodeError,
    EncodeError,
    blob,
    fixed,
    option,
    pair,
    record,
    sequence,
    union,
)
from chain.primitives.extrinsic import MULTI_ADDRESS
from chain.primitives.keys import ADDRESS, Keypair, ss58_encode
from chain.rpc.type_descriptions import (
    UnknownDescription,
    from_description,
    short_name,
    to_description,
)
from chain.rpc.typed_json import from_json, read, to_json

ALICE = Keypair.from_uri("//Alice").address
ALICE_TEXT = ss58_encode(ALICE)


@dataclass(frozen=True)
class Plain:
    """Nothing in it."""


@dataclass(frozen=True)
class Both:
    """Two fields."""

    count: Annotated[int, U32]
    note: Annotated[str | None, option(TEXT)] = None


CASES: list[tuple[Codec[Any], Any, Any]] = [
    (BOOL, True, True),
    (U8, 5, 5),
    (I32, -5, -5),
    (U64, 2**63, 2**63),
    (U128, 2**100, str(2**100)),
    (COMPACT_U128, 7, "7"),
    (TEXT, "grüße", "grüße"),
    (fixed(2), b"\1\2", "0x0102"),
    (blob(8), b"", "0x"),
    (sequence(U8, 4), (1, 2), "0x0102"),
    (sequence(U32, 4), (1, 2), [1, 2]),
    (option(U32), None, None),
    (option(U32), 3, 3),
    (pair(U8, TEXT), (1, "a"), [1, "a"]),
    (ADDRESS, ALICE, ALICE_TEXT),
    (MULTI_ADDRESS, ALICE, ALICE_TEXT),
    (record(Both), Both(3, "x"), {"count": 3, "note": "x"}),
    (record(Both), Both(3), {"count": 3, "note": None}),
    (union("Choice", {0: Plain, 4: Both}), Plain(), "Plain"),
    (union("Choice", {0: Plain, 4: Both}), Both(1), {"Both": {"count": 1, "note": None}}),
]


@pytest.mark.parametrize(("codec", "value", "shown"), CASES)
def test_value_and_json_are_one(codec: Codec[Any], value: Any, shown: Any) -> None:
    assert to_json(codec, value) == shown
    assert from_json(codec.shape, shown) == codec.encode(value)


@pytest.mark.parametrize(("codec", "value", "shown"), CASES)
def test_types_survive_as_json(codec: Codec[Any], value: Any, shown: Any) -> None:
    assert from_description(to_description(codec.shape)) == codec.shape
    assert short_name(codec.shape)


@pytest.mark.parametrize(
    ("codec", "written", "message"),
    [
        (U8, 256, "256 does not fit u8"),
        (U8, "x", "'x' is no u8"),
        (U8, True, "True is no u8"),
        (I32, 2**31, "2147483648 does not fit i32"),
        (BOOL, "maybe", "'maybe' is neither true nor false"),
        (TEXT, 5, "5 is no text"),
        (fixed(2), "0x01", "1 items instead of 2"),
        (blob(1), "0x0102", "2 items, at most 1"),
        (blob(1), "zz", "'zz' is no 0x text"),
        (ADDRESS, "0x01", "an account has 32 bytes, not 1"),
        (record(Both), {}, "Both: count is missing (fields: count, note)"),
        (record(Both), {"count": 1, "more": 1}, "Both: unknown more (fields: count, note)"),
        (record(Both), {"count": -1}, "count: -1 does not fit u32"),
        (record(Both), 5, "Both is an object with count, note"),
        (pair(U8, U8), [1], "1 values instead of 2"),
        (union("Choice", {0: Plain}), "Other", "'Other' is no Choice: one of Plain"),
    ],
)
def test_what_does_not_fit_is_explained(codec: Codec[Any], written: Any, message: str) -> None:
    with pytest.raises(EncodeError) as refused:
        from_json(codec.shape, written)

    assert str(refused.value) == message


@given(st.binary(max_size=60), st.sampled_from(CASES))
def test_random_bytes_decode_or_are_refused(data: bytes, case: tuple[Codec[Any], Any, Any]) -> None:
    codec = case[0]
    try:
        shown = read(codec.shape, data)
    except DecodeError:
        return
    assert isinstance(shown, str | int | list | dict | bool | None)


@pytest.mark.parametrize("described", [5, {}, {"odd": 1}, {"record": "x"}, {"tuple": 3}, None])
def test_unknown_descriptions_are_refused(described: Any) -> None:
    with pytest.raises(UnknownDescription):
        from_description(described)
