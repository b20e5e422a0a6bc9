"""Headers of canonical tensor bytes, and inputs that do not fit a model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.codec import COMPACT, DecodeError
from runtime.frame import DispatchError
from runtime.frame.ports import TensorType
from runtime.pallets.inference import errors
from runtime.pallets.inference.check import check_input
from runtime.pallets.inference.header import TensorHeader, read_headers
from tests.support.economy import INPUTS, LABEL, PIXELS

TWO = b"\x08" + LABEL[1:] + PIXELS[1:]
TYPES = (*INPUTS, TensorType("label", 7, (1,)))


def test_headers_are_read_without_the_data() -> None:
    assert read_headers(TWO) == (
        TensorHeader("label", 7, (1,), 8),
        TensorHeader("pixels", 1, (1, 2), 8),
    )
    assert read_headers(b"\0") == ()


def test_what_fits_is_let_through_in_the_order_of_names() -> None:
    check_input(PIXELS, INPUTS)
    check_input(TWO, TYPES)


@pytest.mark.parametrize(
    ("encoded", "error"),
    [
        (b"", errors.MalformedInput("compact: 1 bytes missing")),
        (PIXELS[:-1], errors.MalformedInput("1 bytes of data missing")),
        (PIXELS + b"\0", errors.MalformedInput("1 bytes too many")),
        (PIXELS[:4], errors.MalformedInput("the name or element type is missing")),
        (b"\xfd\x03", errors.MalformedInput("255 tensors, at most 64")),
        (b"\4", errors.MalformedInput("compact: 1 bytes missing")),
        (b"\4\4\xff\1\0\0", errors.MalformedInput("a name is not UTF-8")),
        (b"\4\4a\1\x24", errors.MalformedInput("9, at most 8")),
        (
            PIXELS[:-9] + b"\x10" + bytes(4),
            errors.MalformedInput("pixels: 4 bytes of data instead of 8"),
        ),
        (LABEL, errors.WrongInputNames("['label'] instead of ['pixels']")),
        (TWO, errors.WrongInputNames("['label', 'pixels'] instead of ['pixels']")),
        (
            PIXELS.replace(b"pixels\x01", b"pixels\x0b"),
            errors.WrongElementType("pixels: type 11 instead of 1"),
        ),
        (
            PIXELS.replace(b"\x01\x08\4\x08", b"\x01\x08\x08\4"),
            errors.WrongShape("pixels: [2, 1] instead of [1, 2]"),
        ),
        (
            PIXELS.replace(b"\x01\x08\4\x08", b"\x01\4\x08"),
            errors.WrongShape("pixels: [2] instead of [1, 2]"),
        ),
    ],
)
def test_what_does_not_fit_is_refused(encoded: bytes, error: DispatchError) -> None:
    with pytest.raises(DispatchError) as refusal:
        check_input(encoded, INPUTS)
    assert refusal.value == error


@given(st.binary(max_size=64))
def test_any_bytes_are_headers_or_a_decode_error(encoded: bytes) -> None:
    try:
        headers = read_headers(encoded)
    except DecodeError:
        return
    assert sum(header.data_bytes for header in headers) <= len(encoded)


@given(st.integers(0, len(TWO) - 1), st.integers(0, 255))
def test_one_wrong_byte_never_raises_anything_else(at: int, byte: int) -> None:
    damaged = TWO[:at] + bytes((byte,)) + TWO[at + 1 :]
    try:
        check_input(damaged, TYPES)
    except DispatchError:
        return


OPEN = (
    TensorType("ids", 7, (8, 4), ("batch", "seq")),
    TensorType("mask", 7, (8, 4), ("batch", "seq")),
)


def _two(first: tuple[int, int], second: tuple[int, int]) -> bytes:
    def entry(name: bytes, shape: tuple[int, int]) -> bytes:
        length = 8 * shape[0] * shape[1]
        lengths = bytes((4 * shape[0], 4 * shape[1]))
        return bytes((4 * len(name),)) + name + b"\x07\x08" + lengths + _compact(length)

    return b"\x08" + entry(b"ids", first) + entry(b"mask", second)


def _compact(length: int) -> bytes:
    prefix = COMPACT.encode(length)
    return prefix + bytes(length)


@pytest.mark.parametrize("shape", [(8, 4), (1, 4), (1, 1), (0, 4)])
def test_open_axes_may_be_shorter(shape: tuple[int, int]) -> None:
    check_input(_two(shape, shape), OPEN)


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [
        ((9, 4), (9, 4), "ids: [9, 4] instead of at most [8, 4]"),
        ((2, 4), (3, 4), "mask: batch is 3, and 2 before"),
        ((2, 4), (2, 3), "mask: seq is 3, and 4 before"),
    ],
)
def test_open_axes_are_bounded_and_alike(
    first: tuple[int, int], second: tuple[int, int], error: str
) -> None:
    with pytest.raises(errors.WrongShape) as refusal:
        check_input(_two(first, second), OPEN)
    assert refusal.value == errors.WrongShape(error)
