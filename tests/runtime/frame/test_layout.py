"""Layouts give the canonical bytes of tensors and take them apart again."""

import pytest

from chain.primitives.codec import DecodeError
from chain.primitives.tensor_bytes import TENSORS, TensorRecord
from runtime.frame.layout import Layout
from runtime.frame.ports import TensorType

TYPES = (TensorType("b", 1, (2, 3)), TensorType("a.next", 7, ()), TensorType("a-b", 2, (70,)))
CONTENTS = {"b": bytes(range(24)), "a.next": bytes(8), "a-b": bytes(range(70))}


def test_bytes_are_canonical_and_come_back() -> None:
    layout = Layout(TYPES)
    encoded = layout.join(CONTENTS)
    names = ("a-b", "a.next", "b")
    types = {each.name: each for each in TYPES}
    assert encoded == TENSORS.encode(
        tuple(TensorRecord(n, types[n].element, types[n].shape, CONTENTS[n]) for n in names)
    )
    assert layout.split(encoded) == CONTENTS
    assert (len(encoded), tuple(layout.types)) == (layout.length, names)


def test_other_types_are_refused() -> None:
    layout = Layout(TYPES)
    encoded = layout.join(CONTENTS)
    other = Layout((TYPES[0], TYPES[1], TensorType("a-c", 2, (70,))))
    for wrong in (
        b"",
        encoded[:-1],
        encoded + b"\0",
        b"\x10" + encoded[1:],
        other.join({"b": bytes(24), "a.next": bytes(8), "a-c": bytes(70)}),
    ):
        with pytest.raises(DecodeError):
            layout.split(wrong)
