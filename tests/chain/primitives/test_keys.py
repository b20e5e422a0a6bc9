"""Accounts: addresses and development keys as Substrate's tools print them; refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.keys import (
    InvalidAddress,
    InvalidKey,
    Keypair,
    module_address,
    ss58_decode,
    ss58_encode,
    verify,
)

ALICE = bytes.fromhex("88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee")


@pytest.mark.parametrize(
    ("uri", "public"),
    [
        ("//Alice", ALICE.hex()),
        ("//Bob", "d17c2d7823ebf260fd138f2d7e27d114c0145d968b5ff5006125f2414fadae69"),
        ("//Charlie", "439660b36c6c03afafca027b910b4fecf99801834c62a5e6006f27d978de234f"),
        ("//Dave", "5e639b43e0052c47447dac87d6fd2b6ec50bdd4d0f614e4299c665249bbd09d9"),
        ("//Eve", "1dfe3e22cc0d45c70779c1095f7489a8ef3cf52d62fbd8c2fa38c9f1723502b5"),
        ("//Ferdie", "568cb4a574c6d178feb39c27dfc8b3f789e5f5423e19c71633c748b9acf086b5"),
        ("0x" + "01" * 32, "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"),
    ],
)
def test_development_keys(uri: str, public: str) -> None:
    assert Keypair.from_uri(uri).address.hex() == public


@pytest.mark.parametrize(
    ("ss58_format", "text"),
    [
        (0, "146SvjUZXoMaemdeiecyxgALeYMm8ZWh1yrGo8RtpoPfe7WL"),
        (2, "FfmSiZNJP72xtSaXiP2iUhBwWeMEvmjPrxY2ViVkWaeChDC"),
        (42, "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu"),
        (63, "7Lh1DEaxk8TNVU7snC3UkSv7N7NHb7BUuEkYZBwrzfrPNQE3"),
        (64, "cEYfegp3eYHB5JvpA6PHRKxm2ow1u9w2QBBXEmFa9Sq5wPCfh"),
        (255, "yGFpxQAY6YkHrWU2mkYymBThT9K4N4E2uzuUDNP6dPKeVcgU8"),
        (1284, "VdtcyQ8eTeX5gLpN8cbZLD6rQG6cDg6GJn2yiM2CUmbjx68B7"),
        (16383, "yNYRWgfeVm5PeMAWzp6QFyETDrt4tWmhhtANV8ScbZC7DLpkv"),
    ],
)
def test_addresses_of_every_prefix_length(ss58_format: int, text: str) -> None:
    assert ss58_encode(ALICE, ss58_format) == text
    assert ss58_decode(text, ss58_format) == ALICE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpv",
        "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTp",
        "146SvjUZXoMaemdeiecyxgALeYMm8ZWh1yrGo8RtpoPfe7WL",
        "0OIl" * 12,
        "ü" * 48,
        "1" * 100_000,
    ],
)
def test_wrong_addresses_are_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        ss58_decode(text)


@pytest.mark.parametrize("uri", ["", "Alice", "//", "//Alice/soft", "0x12", "0x" + "zz" * 32])
def test_wrong_keys_are_refused(uri: str) -> None:
    with pytest.raises(InvalidKey):
        Keypair.from_uri(uri)


@given(st.binary(max_size=99), st.integers(0, 63), st.integers(1, 255))
def test_signature_holds_for_its_message_only(message: bytes, at: int, flip: int) -> None:
    keypair = Keypair.from_seed(bytes(32))
    signature = keypair.sign(message)
    assert verify(keypair.address, message, signature)
    assert not verify(keypair.address, message + b"\0", signature)
    broken = bytearray(signature)
    broken[at] ^= flip
    assert not verify(keypair.address, message, bytes(broken))
    assert not verify(ALICE, message, signature)


@pytest.mark.parametrize(("address", "signature"), [(bytes(32), bytes(64)), (b"", b"")])
def test_degenerate_keys_verify_nothing(address: bytes, signature: bytes) -> None:
    assert not verify(address, b"", signature)


def test_no_seed_in_the_representation() -> None:
    keypair = Keypair.from_uri("//Alice")
    assert repr(keypair) == "Keypair(5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu)"


def test_module_accounts_differ() -> None:
    assert module_address("rewards") == b"modlrewards" + bytes(21)
