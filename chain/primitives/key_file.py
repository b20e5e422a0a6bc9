"""Encrypted key files: argon2id turns the password into a key, secretbox seals the seed."""

import json
from typing import Final

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from chain.primitives.keys import Keypair, ss58_encode

SALT_BYTES: Final = argon2id.SALTBYTES
NONCE_BYTES: Final = SecretBox.NONCE_SIZE
FILE_BYTES_MAX: Final = 4096
_OPERATIONS_MAX: Final = 16
_MEMORY_BYTES_MAX: Final = 1 << 30


class InvalidKeyFile(Exception):
    """The file is not an encrypted Noema key.  Take the copy that you saved when it was made."""


class WrongPassword(Exception):
    """The password does not open the key file, or the file was altered.  Try another one."""


def seal(keypair: Keypair, password: str, *, salt: bytes, nonce: bytes) -> bytes:
    """Give the bytes of a key file; salt and nonce are fresh random bytes from the caller."""
    operations, memory = argon2id.OPSLIMIT_INTERACTIVE, argon2id.MEMLIMIT_INTERACTIVE
    key = argon2id.kdf(SecretBox.KEY_SIZE, password.encode(), salt, operations, memory)
    document = {
        "address": ss58_encode(keypair.address),
        "scheme": "ed25519",
        "kdf": {"name": "argon2id", "operations": operations, "memory": memory, "salt": salt.hex()},
        "cipher": {"name": "xsalsa20-poly1305", "nonce": nonce.hex()},
        "sealed": SecretBox(key).encrypt(keypair.seed, nonce).ciphertext.hex(),
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def open_sealed(file: bytes, password: str) -> Keypair:
    """Give the key of a key file; raises InvalidKeyFile or WrongPassword."""
    salt, nonce, sealed, operations, memory = _parse(file)
    key = argon2id.kdf(SecretBox.KEY_SIZE, password.encode(), salt, operations, memory)
    try:
        seed = SecretBox(key).decrypt(sealed, nonce)
    except CryptoError as error:
        raise WrongPassword("the key file does not open") from error
    return Keypair.from_seed(seed)


def address_in(file: bytes) -> str:
    """Give the SS58 address that a key file names; raises InvalidKeyFile."""
    return str(_document(file)["address"])


def _document(file: bytes) -> dict[str, object]:
    if len(file) > FILE_BYTES_MAX:
        raise InvalidKeyFile(f"{len(file)} bytes, at most {FILE_BYTES_MAX}")
    try:
        document = json.loads(file)
    except (ValueError, RecursionError) as error:
        raise InvalidKeyFile("not JSON") from error
    if not isinstance(document, dict) or document.get("scheme") != "ed25519":
        raise InvalidKeyFile("no ed25519 key in it")
    if not isinstance(document.get("address"), str):
        raise InvalidKeyFile("no address in it")
    return document


def _parse(file: bytes) -> tuple[bytes, bytes, bytes, int, int]:
    document = _document(file)
    try:
        kdf, cipher = document["kdf"], document["cipher"]
        if not isinstance(kdf, dict) or not isinstance(cipher, dict):
            raise TypeError("kdf and cipher are objects")
        salt, nonce = bytes.fromhex(kdf["salt"]), bytes.fromhex(cipher["nonce"])
        sealed = bytes.fromhex(str(document["sealed"]))
        operations, memory = int(kdf["operations"]), int(kdf["memory"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidKeyFile(f"a field is missing or malformed: {error}") from error
    if len(salt) != SALT_BYTES or len(nonce) != NONCE_BYTES or len(sealed) != 48:
        raise InvalidKeyFile("salt, nonce or sealed seed has a wrong length")
    if not 1 <= operations <= _OPERATIONS_MAX or not 8192 <= memory <= _MEMORY_BYTES_MAX:
        raise InvalidKeyFile("the cost of the password hash is out of bounds")
    return salt, nonce, sealed, operations, memory
