"""The codec against scalecodec (the Python SCALE library of Substrate's clients), in one run."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
from scalecodec.type_registry import load_type_registry_preset

from chain.primitives.block import HEADER, Header
from chain.primitives.codec import U32, U128, blob, sequence, tuple_of
from chain.primitives.extrinsic import (
    SigningContext,
    decode_extrinsic,
    encode_extrinsic,
    sign_extrinsic,
)
from chain.primitives.keys import Keypair
from chain.primitives.numbers import NOE
from runtime.frame.account import ACCOUNT_INFO

REPEATS = 20_000
REPEATS_OF_LISTS = 500
PEER_SHARE = 20
"""The peer is repeated less often by this: it takes so much longer."""


def microseconds(work: Callable[[], object], repeats: int) -> float:
    """Give the microseconds of one repetition, best of three."""
    best = float("inf")
    for _ in range(3):
        start = perf_counter()
        for _ in range(repeats):
            work()
        best = min(best, perf_counter() - start)
    return best / repeats * 1e6


def compare(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object] | None = None,
    repeats: int = REPEATS,
) -> None:
    """Print one operation by us and by the peer."""
    own = microseconds(ours, repeats)
    line = f"  {name:30} {own:8.2f} us = {1e6 / own:9,.0f} a second"
    if theirs is not None:
        peer = microseconds(theirs, repeats // PEER_SHARE)
        line += f"   scalecodec {peer:8.2f} us: {peer / own:5.1f} x"
    print(line)


class Peer:
    """scalecodec with the types that are compared."""

    def __init__(self) -> None:
        self._config = RuntimeConfigurationObject()
        for preset in ("core", "legacy"):
            self._config.update_type_registry(load_type_registry_preset(preset))

    def decode(self, name: str, encoded: bytes) -> Any:
        return self._config.create_scale_object(name, ScaleBytes(encoded)).decode()

    def encode(self, name: str, value: Any) -> Any:
        return self._config.create_scale_object(name).encode(value)


def transfers() -> None:
    """Print what a signed transfer costs; scalecodec needs metadata for it and is quoted."""
    alice = Keypair.from_uri("//Alice")
    encoded = sign_extrinsic(
        alice,
        bytes((2, 3, 0)) + alice.address + b"\x07\x00\x10\xa5\xd4\xe8",
        nonce=5,
        context=SigningContext(1, 1, bytes(32)),
    )
    extrinsic = decode_extrinsic(encoded)
    compare("signed transfer, decode", lambda: decode_extrinsic(encoded))
    compare("signed transfer, encode", lambda: encode_extrinsic(extrinsic))
    print("  (scalecodec, quoted for such cores: 140-215 us to decode, 129 us to encode)")


def accounts(peer: Peer) -> None:
    """Print what an account's entry in the state costs."""
    codec = ACCOUNT_INFO
    encoded = codec.encode(codec.decode(bytes(16) + NOE.to_bytes(16, "little") + bytes(48)))
    account, name = codec.decode(encoded), "AccountInfoWithTripleRefCount"
    theirs = peer.decode(name, encoded)
    compare("account, decode", lambda: codec.decode(encoded), lambda: peer.decode(name, encoded))
    compare("account, encode", lambda: codec.encode(account), lambda: peer.encode(name, theirs))


def headers(peer: Peer) -> None:
    """Print what a header costs."""
    encoded = HEADER.encode(Header(b"\x01" * 32, 66, b"\x02" * 32, b"\x03" * 32, ()))
    header, theirs = HEADER.decode(encoded), peer.decode("Header", encoded)
    compare(
        "header, decode", lambda: HEADER.decode(encoded), lambda: peer.decode("Header", encoded)
    )
    compare("header, encode", lambda: HEADER.encode(header), lambda: peer.encode("Header", theirs))


def lists(peer: Peer) -> None:
    """Print what lists cost."""
    numbers, name = sequence(U32, 1000), "Vec<u32>"
    values = list(range(1000))
    encoded = numbers.encode(tuple(values))
    compare(
        "1000 numbers, decode",
        lambda: numbers.decode(encoded),
        lambda: peer.decode(name, encoded),
        REPEATS_OF_LISTS,
    )
    compare(
        "1000 numbers, encode",
        lambda: numbers.encode(tuple(values)),
        lambda: peer.encode(name, values),
        REPEATS_OF_LISTS,
    )
    pairs = sequence(tuple_of(blob(32), U32, U128), 100)
    entries = tuple((bytes(32), each, each) for each in range(100))
    encoded_pairs = pairs.encode(entries)
    name_pairs = "Vec<(HexBytes, u32, u128)>"
    compare(
        "100 entries, decode",
        lambda: pairs.decode(encoded_pairs),
        lambda: peer.decode(name_pairs, encoded_pairs),
        REPEATS_OF_LISTS,
    )
    compare("100 entries, encode", lambda: pairs.encode(entries), repeats=REPEATS_OF_LISTS)


def main() -> None:
    """Print the cost of encoding and decoding, and the ratio to the peer."""
    peer = Peer()
    print("SCALE by compiled closures, best of three")
    transfers()
    accounts(peer)
    headers(peer)
    lists(peer)


if __name__ == "__main__":
    main()
