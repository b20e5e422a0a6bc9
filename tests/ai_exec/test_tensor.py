"""Tensors to bytes and back: one way only."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ai_exec.tensor import (
    DTYPE_NUMBERS,
    TINY,
    TensorError,
    TensorLimits,
    TensorType,
    canonical,
    decode_tensors,
    encode_tensors,
    type_of,
)

BITS = {"bfloat16": "uint16", **dict.fromkeys(TINY, "uint8")}
"""What holds the bits of types that numpy has not itself."""
ONE = {"x": np.float32([[1.0, -2.0]])}
ONE_ENCODED = bytes.fromhex("04 04 78 01 08 04 08 20 0000803f 000000c0")


def bits(tensor: np.ndarray) -> np.ndarray:
    """Give the elements as whole numbers."""
    return tensor.view(f"u{tensor.itemsize}")


def test_pinned_bytes() -> None:
    assert encode_tensors(ONE) == ONE_ENCODED
    assert decode_tensors(ONE_ENCODED)["x"].tolist() == [[1.0, -2.0]]
    assert encode_tensors({}) == b"\x00"


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=5),
        st.sampled_from(sorted(DTYPE_NUMBERS)).flatmap(
            lambda dtype: arrays.arrays(
                BITS.get(dtype, dtype),
                arrays.array_shapes(min_dims=0, max_dims=3),
            ).map(lambda drawn: drawn.view(dtype))
        ),
        max_size=4,
    )
)
def test_round_trip(tensors: dict[str, np.ndarray]) -> None:
    encoded = encode_tensors(tensors)
    decoded = decode_tensors(encoded)

    assert list(decoded) == sorted(tensors, key=str.encode)
    assert encode_tensors(decoded) == encoded
    for name, tensor in decoded.items():
        assert type_of(name, tensor) == type_of(name, tensors[name])
        np.testing.assert_array_equal(bits(tensor), bits(canonical(tensors[name])))


def test_layout_does_not_matter() -> None:
    matrix = np.arange(6, dtype=np.int16).reshape(2, 3)

    assert encode_tensors({"m": matrix.T.copy().T}) == encode_tensors({"m": matrix})
    assert encode_tensors({"m": matrix.astype(">i2")}) == encode_tensors({"m": matrix})


def test_every_nan_becomes_the_canonical_one() -> None:
    odd = np.uint32([0xFFC00001, 0x7F800001, 0x7FC00000]).view(np.float32)
    double = np.uint64([0xFFF8000000000001]).view(np.float64)
    half = np.uint16([0xFE01, 0x7C01]).view(np.float16)
    brain = np.uint16([0xFFC1, 0x7F81]).view("bfloat16")

    decoded = decode_tensors(encode_tensors({"a": odd, "b": double, "c": half, "d": brain}))

    assert decoded["a"].view(np.uint32).tolist() == [0x7FC00000] * 3
    assert decoded["b"].view(np.uint64).tolist() == [0x7FF8000000000000]
    assert decoded["c"].view(np.uint16).tolist() == [0x7E00] * 2
    assert decoded["d"].view(np.uint16).tolist() == [0x7FC0] * 2


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (ONE_ENCODED[:-1], "not the encoding of tensors"),
        (ONE_ENCODED + b"\x00", "not the encoding of tensors"),
        (b"\x08" + 2 * ONE_ENCODED[1:], "names are not ascending and different"),
        (ONE_ENCODED.replace(b"\x78\x01", b"\x78\x08"), "element type number 8 is not supported"),
        (ONE_ENCODED.replace(b"\x78\x01", b"\x78\x07"), "8 bytes where int64[1, 2] has 16"),
        (
            ONE_ENCODED[:-4] + b"\x01\x00\xc0\x7f",
            "a NaN or a spare bit that is not canonical",
        ),
        (bytes.fromhex("04 04 78 09 04 04 04 02"), "a bool that is neither 0 nor 1"),
        (bytes.fromhex("04 04 ff 01 04 04 10 00000000"), "not the encoding of tensors"),
        (bytes(200), "200 bytes, at most 100 are allowed"),
        (encode_tensors(dict.fromkeys("abc", ONE["x"])), "3 tensors, at most 2 are allowed"),
    ],
)
def test_refused_bytes(encoded: bytes, reason: str) -> None:
    with pytest.raises(TensorError) as refusal:
        decode_tensors(encoded, TensorLimits(bytes_max=100, tensors_max=2))

    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"x": np.complex64([1.0])}, "x: element type complex64 is not supported"),
        ({"x": np.array(["a"])}, "x: element type str32 is not supported"),
    ],
)
def test_refused_tensors(tensors: dict[str, np.ndarray], reason: str) -> None:
    with pytest.raises(TensorError) as refusal:
        encode_tensors(tensors)

    assert str(refusal.value) == reason


def test_names_of_types() -> None:
    assert str(TensorType("x", "float32", (1, 64))) == "x float32[1, 64]"
    assert TensorType("x", "float32", (1, 64)).content_bytes == 256
