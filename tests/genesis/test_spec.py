"""Chain specifications: presets, strict reading, every complaint at once."""

import json
from typing import Any

import pytest

from chain.primitives.keys import Keypair, ss58_encode
from chain.primitives.numbers import NOE
from genesis.spec import PRESETS, SPEC_BYTES_MAX, ChainSpec, InvalidSpec, parse_spec, preset
from genesis.spec import write_spec as write

ALICE = Keypair.from_uri("//Alice").address
SPEC = ChainSpec("Test", "test", "Local", 500, {ALICE: 10 * NOE}, {ALICE: 4 * NOE})


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_written_as_they_are_read(name: str) -> None:
    assert parse_spec(write(preset(name))) == preset(name)


def test_local_preset_has_four_validators_with_development_keys() -> None:
    expected = {
        Keypair.from_uri(f"//{name}//validator").address
        for name in ("Alice", "Bob", "Charlie", "Dave")
    }
    assert set(preset("local").validators) == expected


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(write(SPEC)), **changes}).encode()


TEXT = ss58_encode(ALICE)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "not JSON: Expecting property name enclosed in double quotes"),
        (b"[" * 100_000, "not JSON: maximum recursion depth exceeded"),
        (b"[]", "the file is no JSON object"),
        (b"x" * (SPEC_BYTES_MAX + 1), "4194305 bytes, at most 4194304"),
        (b'{"name": "a", "name": "b"}', "not JSON: named twice: name"),
        (changed(colour="red"), "colour: unknown, take it out"),
        (changed(name=""), "name: 1 to 64 printable characters"),
        (changed(id="A b"), "id: lower case letters, digits and hyphens only"),
        (changed(chain_type="Moon"), "chain_type: one of Development, Local, Live"),
        (changed(block_interval_ms=True), "block_interval_ms: a whole number from 100 to 60000"),
        (changed(endowments={}), "endowments: an object of addresses and amounts, at least one"),
        (
            changed(endowments={TEXT: 1.5}),
            f"endowments: {TEXT}: a whole number of smallest units above zero",
        ),
        (changed(endowments={"5x": 1}), "endowments: '5x' is too short"),
        (
            changed(validators={TEXT: 11 * NOE}),
            f"validators: {TEXT}: its stake of 11000000000000 is more than its endowment",
        ),
        (
            changed(endowments={TEXT: 2**128 - 1, ss58_encode(bytes(32)): 1}),
            "endowments: together they are 2^128 or more",
        ),
    ],
)
def test_wrong_specifications_are_refused(content: bytes, complaint: str) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse_spec(content)
    assert str(refusal.value).startswith(complaint)


def test_every_complaint_comes_at_once() -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse_spec(changed(name=1, id="", chain_type=None))
    assert str(refusal.value).splitlines() == [
        "name: 1 to 64 printable characters",
        "id: 1 to 32 characters",
        "chain_type: one of Development, Local, Live",
    ]
