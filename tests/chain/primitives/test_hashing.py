"""Hash vectors as Substrate's own tools print them."""

import pytest

from chain.primitives import hashing


@pytest.mark.parametrize(
    ("function", "data", "digest"),
    [
        (hashing.twox_64, b"", "99e9d85137db46ef"),
        (hashing.twox_128, b"System", "26aa394eea5630e07c48ae0c9558cef7"),
        (hashing.twox_128, b"Balances", "c2261276cc9d1f8598ea4b6a74b15c2f"),
        (hashing.twox_64_concat, bytes(4), "b4def25cfda6ef3a00000000"),
        (
            hashing.blake2_256,
            b"",
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
        ),
        (hashing.blake2_128, b"abc", "cf4ab791c62b8d2b2109c90275287816"),
        (hashing.blake2_128_concat, b"abc", "cf4ab791c62b8d2b2109c90275287816616263"),
        (hashing.blake2_64, b"Core", "df6acb689907609b"),
        (hashing.blake2_64, b"Metadata", "37e397fc7c91f5e4"),
    ],
)
def test_vectors(function: object, data: bytes, digest: str) -> None:
    assert callable(function)
    assert function(data).hex() == digest


def test_xxhash_of_long_input() -> None:
    # 39 bytes: one stripe of 32, one word of 4, three single bytes (xxHash's own sanity vector).
    data = b"Nobody inspects the spammish repetition"
    assert f"{hashing.xxh64(data, 0):016x}" == "fbcea83c8a378bf1"
