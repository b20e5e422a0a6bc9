"""Key files: they open with their password, and nothing else opens or crashes them."""

import json

import pytest

from chain.primitives.key_file import (
    NONCE_BYTES,
    SALT_BYTES,
    InvalidKeyFile,
    WrongPassword,
    address_in,
    open_sealed,
    seal,
)
from chain.primitives.keys import Keypair, ss58_encode

ALICE = Keypair.from_uri("//Alice")
FILE = seal(ALICE, "secret", salt=b"s" * SALT_BYTES, nonce=b"n" * NONCE_BYTES)


def test_opens_with_its_password_only() -> None:
    assert open_sealed(FILE, "secret") == ALICE
    assert address_in(FILE) == ss58_encode(ALICE.address)
    assert ALICE.seed.hex().encode() not in FILE
    with pytest.raises(WrongPassword):
        open_sealed(FILE, "Secret")


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"{}",
        b"[" * 4000,
        b"x" * 5000,
        FILE.replace(b"ed25519", b"sr25519"),
        FILE.replace(b'"sealed"', b'"opened"'),
        FILE.replace(b'"memory": 67108864', b'"memory": 67108864000'),
        FILE.replace(b'"operations": 2', b'"operations": "two"'),
        json.dumps({**json.loads(FILE), "kdf": None}).encode(),
    ],
)
def test_damaged_files_are_refused(file: bytes) -> None:
    with pytest.raises(InvalidKeyFile):
        open_sealed(file, "secret")
