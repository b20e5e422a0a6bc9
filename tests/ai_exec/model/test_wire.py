"""The wire reader takes what its schema names and refuses all else with a place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_exec.model.wire import (
    BadWire,
    Field,
    Reader,
    Schema,
    read_keyed_floats,
    read_keyed_varints,
    read_varint,
    read_varints,
)

INNER = Schema("Inner", {1: Field("word", "text", bytes_max=4)})
SCHEMA = Schema(
    "Outer",
    {
        1: Field("number", "int"),
        2: Field("numbers", "int", True),
        3: Field("floats", "float", True),
        4: Field("inner", "message", True, INNER, 2),
        5: Field("secret", "refused"),
        6: Field("note", "ignored"),
        7: Field("double", "double"),
    },
)


def read(encoded: str) -> dict[str, object]:
    return Reader(1000).read(memoryview(bytes.fromhex(encoded)), SCHEMA, "outer")


@pytest.mark.parametrize(
    ("encoded", "found"),
    [
        ("", {}),
        ("08 96 01", {"number": 150}),
        ("08 ff ff ff ff ff ff ff ff ff 01", {"number": -1}),
        ("10 01 12 02 02 03 10 04", {"numbers": [1, 2, 3, 4]}),
        ("1a 04 00 00 80 3f 1d 00 00 00 40", {"floats": [1.0, 2.0]}),
        ("22 03 0a 01 61 22 00", {"inner": [{"word": "a"}, {}]}),
        ("30 01 32 02 00 00 35 00 00 00 00 31 00 00 00 00 00 00 00 00", {}),
        ("39 00 00 00 00 00 00 f0 3f", {"double": 1.0}),
    ],
)
def test_read(encoded: str, found: dict[str, object]) -> None:
    empty: dict[str, object] = {"numbers": [], "floats": [], "inner": []}

    assert read(encoded) == {**empty, **found}


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        ("08", "outer.number: cut off"),
        ("08 80", "outer.number: cut off"),
        ("08 ff ff ff ff ff ff ff ff ff 02", "outer.number: a number of more than 64 bits"),
        ("08 80 80 80 80 80 80 80 80 80 80 01", "outer.number: a number of more than 64 bits"),
        ("08 01 08 01", "outer.number is there twice"),
        ("0a 01 00", "outer.number: wire type 2"),
        ("0b", "outer.number: wire type 3"),
        ("33", "outer.note: wire type 3"),
        ("35 00", "outer.note: cut off"),
        ("1a 03 00 00 80", "outer.floats: 3 bytes"),
        ("1d 00", "outer.floats: cut off"),
        ("22 05 0a", "outer.inner: cut off"),
        ("22 03 0a 01 ff", "outer.inner[0].word is no UTF-8"),
        ("22 07 0a 05 61 61 61 61 61", "outer.inner[0].word: 5 bytes, at most 4 are allowed"),
        ("22 00 22 00 22 00", "outer.inner: more than 2"),
        ("28 01", "outer.secret is not supported"),
        ("40 01", "outer: unknown field 8 of Outer"),
        ("22 02 10 00", "outer.inner[0]: unknown field 2 of Inner"),
        ("00 01", "outer: unknown field 0 of Outer"),
        ("12 e0 07" + "01" * 992, "outer.numbers: more parts than 1000 in all; use raw_data"),
    ],
)
def test_refused(encoded: str, reason: str) -> None:
    with pytest.raises(BadWire) as refusal:
        read(encoded)

    assert str(refusal.value) == reason


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_packed_numbers_are_those_read_one_by_one(numbers: list[int]) -> None:
    data = memoryview(b"".join(map(varint, numbers)))
    signed = [each - (1 << 64) if each >> 63 else each for each in numbers]
    assert read_varints(data, "here").tolist() == signed


@given(st.binary(max_size=40))
def test_packed_bytes_are_refused_as_one_by_one(data: bytes) -> None:
    view, offset, expected = memoryview(data), 0, []
    try:
        while offset < len(view):
            value, offset = read_varint(view, offset, "here")
            expected.append(value - (1 << 64) if value >> 63 else value)
    except BadWire:
        with pytest.raises(BadWire):
            read_varints(view, "here")
    else:
        assert read_varints(view, "here").tolist() == expected


def test_packed_numbers_are_counted_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it takes many times the memory of the bytes")

    monkeypatch.setattr("ai_exec.model.wire.read_varints", never)

    with pytest.raises(BadWire, match="more parts than 1000"):
        read("12 ea 07" + "01" * 1002)


def test_no_number_is_put_together_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "repeat", None)

    with pytest.raises(BadWire, match="more than 64 bits"):
        read_varints(memoryview(b"\x81" * 1000 + b"\1"), "here")


@given(
    st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 300), max_size=60),
    st.integers(0, 40),
    st.sampled_from([b"", b"\x08\x01", b"\x10", b"\x10\x80", b"\x10" + b"\xff" * 9 + b"\x02"]),
)
def test_numbers_in_a_row_are_those_read_one_by_one(
    numbers: list[int], short: int, end: bytes
) -> None:
    numbers += [7] * short
    data = b"".join(b"\x10" + varint(number) for number in numbers) + end
    signed = [each - (1 << 64) if each >> 63 else each for each in numbers]
    assert read_keyed_varints(memoryview(data), 0x10) == (
        signed,
        len(data) - len(end),
    )
    if len(end) in (0, 2) and end != b"\x10\x80":
        assert read(data.hex())["numbers"] == signed
    else:
        with pytest.raises(BadWire):
            read(data.hex())


@given(st.lists(st.floats(width=32, allow_nan=False), max_size=60), st.binary(max_size=4))
def test_floats_in_a_row_are_those_read_one_by_one(numbers: list[float], end: bytes) -> None:
    packed = np.array(numbers, "<f4")
    data = b"".join(b"\x1d" + number.tobytes() for number in packed)
    assert read_keyed_floats(memoryview(data + b"\x00" + end), 0x1D) == (numbers, len(data))
    assert read(data.hex())["floats"] == numbers


def test_numbers_in_a_row_count_once() -> None:
    data = "10 01" * 824
    assert read(data)["numbers"] == [1] * 824
    with pytest.raises(BadWire, match="more parts than 1000 in all"):
        read(data + "10 01")
