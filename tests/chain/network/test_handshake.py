from dataclasses import replace

import pytest

from chain.network.handshake import HELLO, Hello, refusal_of

OURS = Hello(1, b"\xaa" * 32, "local", 7, b"\xbb" * 32)


def test_the_same_chain_at_another_height_is_welcome() -> None:
    assert refusal_of(OURS, HELLO.encode(replace(OURS, head_height=9, head_hash=bytes(32)))) is None


@pytest.mark.parametrize(
    ("theirs", "refusal"),
    [
        (replace(OURS, protocol_version=2), "protocol version 2, ours is 1"),
        (
            replace(OURS, genesis_hash=b"\xcc" * 32, chain_name="other"),
            f"other chain: 'other', genesis 0x{'cc' * 32}",
        ),
    ],
)
def test_another_chain_or_version_is_refused(theirs: Hello, refusal: str) -> None:
    assert refusal_of(OURS, HELLO.encode(theirs)) == refusal


@pytest.mark.parametrize(
    "received", [b"", b"\1", HELLO.encode(OURS)[:-1], HELLO.encode(OURS) + b"x"]
)
def test_what_is_no_hello_is_refused(received: bytes) -> None:
    refusal = refusal_of(OURS, received)
    assert refusal is not None
    assert refusal.startswith("unreadable hello: ")


def test_the_bytes_of_a_hello_are_pinned() -> None:
    encoded = "0100" + "aa" * 32 + "14" + b"local".hex() + "07000000" + "bb" * 32
    assert HELLO.encode(OURS).hex() == encoded
