"""Types of parameters: lenient in what clients send, strict in what methods get."""

from base64 import b64decode
from typing import Annotated, Any, Final

from chain.primitives.keys import ss58_decode

BLOCK_NUMBER_MAX: Final = 2**32 - 1
COUNT_MAX: Final = 1000
KEYS_MAX: Final = 1000
TEXT_MAX: Final = 1024
BASE64_MARK: Final = "base64:"
"""In front of base64 text, which alone could be mistaken for 0x text."""


def parse_bytes(value: Any) -> bytes:
    """Read hex with or without 0x; empty text is no bytes."""
    if not isinstance(value, str):
        raise ValueError("hex text is expected")
    digits = value[2:] if value[:2] in ("0x", "0X") else value
    if len(digits) % 2 or not digits.isascii() or " " in digits:
        raise ValueError("not hex")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise ValueError("not hex") from None


def parse_hash(value: Any) -> bytes:
    """Read 32 bytes as hex."""
    raw = parse_bytes(value)
    if len(raw) != 32:
        raise ValueError(f"{len(raw)} bytes instead of 32")
    return raw


def parse_address(value: Any) -> bytes:
    """Read an account as SS58 text or as hex of its public key."""
    if not isinstance(value, str):
        raise ValueError("an address is text")
    if value.startswith("0x"):
        return parse_hash(value)
    return ss58_decode(value)


def parse_number(value: Any) -> int:
    """Read a block number as an integer, or as decimal or 0x text."""
    number = value
    if isinstance(value, str) and len(value) <= 20 and value.isascii():
        number = int(value, 16 if value[:2] in ("0x", "0X") else 10)
    if not isinstance(number, int) or isinstance(number, bool):
        raise ValueError("a number is expected")
    if not 0 <= number <= BLOCK_NUMBER_MAX:
        raise ValueError(f"not within 0 and {BLOCK_NUMBER_MAX}")
    return number


def parse_numbers(value: Any) -> int | list[int]:
    """Read one block number or a list of them."""
    if not isinstance(value, list):
        return parse_number(value)
    if len(value) > COUNT_MAX:
        raise ValueError(f"at most {COUNT_MAX} numbers")
    return [parse_number(each) for each in value]


def parse_count(value: Any) -> int:
    """Read how many items are wanted at most."""
    return min(parse_number(value), COUNT_MAX)


def parse_keys(value: Any) -> list[bytes]:
    """Read a list of storage keys."""
    if not isinstance(value, list):
        raise ValueError("a list of keys is expected")
    if len(value) > KEYS_MAX:
        raise ValueError(f"at most {KEYS_MAX} keys")
    return [parse_bytes(each) for each in value]


def parse_hashes(value: Any) -> list[bytes]:
    """Read a list of hashes."""
    if not isinstance(value, list) or len(value) > KEYS_MAX:
        raise ValueError(f"a list of at most {KEYS_MAX} hashes is expected")
    return [parse_hash(each) for each in value]


def parse_text(value: Any) -> str:
    """Read a name."""
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise ValueError(f"text of at most {TEXT_MAX} characters is expected")
    return value


def parse_content(value: Any) -> bytes:
    """Read bytes as 0x text or, a third shorter, as `base64:` and base64 text."""
    if not isinstance(value, str) or not value.startswith(BASE64_MARK):
        return parse_bytes(value)
    try:
        return b64decode(value[len(BASE64_MARK) :], validate=True)
    except ValueError:
        raise ValueError("not base64") from None


Content = Annotated[bytes, parse_content]
Data = Annotated[bytes, parse_bytes]
Hash = Annotated[bytes, parse_hash]
Hashes = Annotated[list[bytes], parse_hashes]
AddressParameter = Annotated[bytes, parse_address]
Number = Annotated[int, parse_number]
Numbers = Annotated[int | list[int], parse_numbers]
Count = Annotated[int, parse_count]
Keys = Annotated[list[bytes], parse_keys]
Text = Annotated[str, parse_text]
