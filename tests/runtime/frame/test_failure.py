"""Failures: Substrate's numbers and bytes."""

import pytest

from chain.primitives.codec import DecodeError
from runtime.frame.failure import (
    FAILURE,
    Arithmetic,
    BadOrigin,
    CannotLookup,
    Failure,
    Module,
    Other,
    Token,
    Trie,
)


@pytest.mark.parametrize(
    ("failure", "encoded"),
    [
        (Other(), "00"),
        (CannotLookup(), "01"),
        (BadOrigin(), "02"),
        (Module(2, bytes([4, 0, 0, 0])), "030204000000"),
        (Token(2), "0702"),
        (Arithmetic(1), "0801"),
        (Trie(5), "0e05"),
    ],
)
def test_failures_have_substrates_bytes(failure: Failure, encoded: str) -> None:
    assert FAILURE.encode(failure).hex() == encoded
    assert FAILURE.decode(bytes.fromhex(encoded)) == failure


@pytest.mark.parametrize("encoded", ["", "0f", "03", "0302040000", "0200"])
def test_anything_else_is_refused(encoded: str) -> None:
    with pytest.raises(DecodeError):
        FAILURE.decode(bytes.fromhex(encoded))
