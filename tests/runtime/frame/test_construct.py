"""Construct: calls, events and errors of several pallets, to bytes and back."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.codec import DecodeError
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount
from runtime.frame import (
    ApplyExtrinsic,
    BadOrigin,
    Construct,
    DispatchError,
    Event,
    EventRecord,
    Finalization,
    Initialization,
    Overlay,
    Pallet,
    Refusal,
    Signed,
    UnknownCall,
    call,
)
from runtime.frame.description import describe
from runtime.frame.failure import BadOrigin as WireBadOrigin
from runtime.frame.failure import Module

ALICE = bytes([1]) * 32


@dataclass(frozen=True)
class Sent(Event, index=5):
    """Sent."""

    from_: Address
    amount: Amount


class Lost(DispatchError, index=9):
    """Look for it."""


class Post(Pallet, events=(Sent,), errors=(Lost,)):
    """Sends."""

    @call(index=1, weight=1)
    def send(self, origin: Signed, amount: Amount, fast: bool) -> None:
        """Send it."""


CONSTRUCT = Construct({3: Post})
ENCODED = bytes.fromhex("0301") + (7).to_bytes(16, "little") + b"\1"


def test_calls_go_to_bytes_and_back() -> None:
    encoded = CONSTRUCT.encode_call("Post", "send", {"fast": True, "amount": 7})
    decoded = CONSTRUCT.decode_call(encoded)

    assert encoded == ENCODED
    assert (decoded.pallet_index, decoded.pallet, decoded.call.name) == (3, "Post", "send")
    assert decoded.call.named(decoded.values) == {"amount": 7, "fast": True}


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", UnknownCall("no call in no bytes")),
        (b"\3", UnknownCall("no call 03")),
        (b"\3\2", UnknownCall("no call 0302")),
        (b"\4\1" + ENCODED[2:], UnknownCall("no call 0401")),
        (ENCODED[:-1], DecodeError("1 bytes missing")),
        (ENCODED + b"\0", DecodeError("Post.send: 1 bytes too many")),
        (ENCODED[:-1] + b"\2", DecodeError("bool: byte 0x02")),
    ],
)
def test_bytes_that_are_no_call_are_refused(data: bytes, error: DecodeError) -> None:
    with pytest.raises(DecodeError) as refusal:
        CONSTRUCT.decode_call(data)

    assert (type(refusal.value), str(refusal.value)) == (type(error), str(error))


@given(st.binary(max_size=64))
def test_any_bytes_decode_canonically_or_are_refused(data: bytes) -> None:
    for decode in (CONSTRUCT.decode_call, CONSTRUCT.decode_events):
        try:
            decode(data)
        except DecodeError:
            continue
        decoded: Any = decode(data)
        if decode is CONSTRUCT.decode_call:
            named = decoded.call.named(decoded.values)
            assert CONSTRUCT.encode_call("Post", "send", named) == data


@pytest.mark.parametrize(
    ("pallet", "name", "arguments", "complaint"),
    [
        ("Pots", "send", {}, "no pallet Pots; there are Post"),
        ("Post", "sent", {}, "no call Post.sent; there are send"),
    ],
)
def test_unknown_names_are_refused(
    pallet: str, name: str, arguments: dict[str, object], complaint: str
) -> None:
    with pytest.raises(UnknownCall) as refusal:
        CONSTRUCT.encode_call(pallet, name, arguments)

    assert str(refusal.value) == complaint


def test_wrong_argument_names_are_refused() -> None:
    with pytest.raises(TypeError, match="send takes amount, fast"):
        CONSTRUCT.encode_call("Post", "send", {"amount": 7})


def test_events_go_to_bytes_and_back() -> None:
    phases = [b"\2", b"\0\1\0\0\0", b"\1"]
    events = [Sent(ALICE, amount) for amount in range(3)]
    encoded = CONSTRUCT.encode_events(zip(phases, events, strict=True))

    assert CONSTRUCT.decode_events(encoded) == (
        EventRecord(Initialization(), events[0]),
        EventRecord(ApplyExtrinsic(1), events[1]),
        EventRecord(Finalization(), events[2]),
    )
    assert CONSTRUCT.event_name(events[0]) == "Post.Sent"


def test_errors_have_wire_form_and_advice() -> None:
    assert CONSTRUCT.failure_of(Lost()) == Module(3, bytes([9, 0, 0, 0]))
    assert CONSTRUCT.refusal_of(Module(3, bytes([9, 0, 0, 0]))) == Refusal(
        "Post.Lost", "Look for it."
    )
    assert CONSTRUCT.failure_of(BadOrigin()) == WireBadOrigin()
    assert CONSTRUCT.refusal_of(WireBadOrigin()).name == "BadOrigin"
    assert CONSTRUCT.refusal_of(Module(8, bytes(4))).name == "Module"


def test_two_pallets_cannot_have_one_name() -> None:
    with pytest.raises(TypeError, match="two pallets have one name"):
        Construct({0: Post, 1: Post})


def test_description_names_everything() -> None:
    (post,) = describe([(3, Post(Overlay.over({})))])

    assert (post.index, post.name, post.docs) == (3, "Post", "Sends.")
    assert [(each.index, each.name, each.origins) for each in post.calls] == [
        (1, "send", ("Signed",))
    ]
    assert [field.name for field in post.calls[0].arguments] == ["amount", "fast"]
    assert [field.name for field in post.events[0].fields] == ["from", "amount"]
    assert [(each.index, each.name, each.docs) for each in post.errors] == [
        (9, "Lost", "Look for it.")
    ]
