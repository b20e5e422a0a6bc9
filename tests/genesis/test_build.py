"""Block zero: every word of the specification decides its hash."""

from dataclasses import replace

import pytest

from chain.primitives.trie import EMPTY_ROOT, trie_root
from genesis.build import SPEC_KEY, build_genesis
from genesis.spec import InvalidSpec, preset
from runtime.queries import Queries

LOCAL = preset("local")


def test_header_of_block_zero() -> None:
    genesis = build_genesis(LOCAL)
    header = genesis.header
    assert (header.number, header.parent_hash, header.digest) == (0, bytes(32), ())
    assert header.state_root == trie_root(genesis.state)
    assert header.extrinsics_root == EMPTY_ROOT
    assert genesis.hash == header.hash()


def test_state_holds_funds_and_validators() -> None:
    genesis = build_genesis(LOCAL)
    queries = Queries(genesis.state.get)
    for address, endowment in LOCAL.endowments.items():
        data = queries.account(address).data
        assert data.reserved == LOCAL.validators.get(address, 0)
        assert data.free + data.reserved == endowment
    assert {each.address for each in queries.validators().validators} == set(LOCAL.validators)


def test_what_the_rules_forbid_is_named() -> None:
    alice, stake = next(iter(LOCAL.validators.items()))
    dust = {bytes(32): 1, alice: stake}
    with pytest.raises(InvalidSpec) as refusal:
        build_genesis(replace(LOCAL, endowments=dust, validators={alice: stake}))
    assert [line.split(",")[-1] for line in str(refusal.value).splitlines()] == [
        " but 1000000000 is the least that it can have",
        f" but {stake + 10**9} is the least that it can have",
    ]
    with pytest.raises(InvalidSpec, match="validators: a validator has no power"):
        build_genesis(replace(LOCAL, validators={alice: 1}))


def test_every_word_decides_the_hash() -> None:
    variants = [
        LOCAL,
        replace(LOCAL, name="Other"),
        replace(LOCAL, block_interval_ms=2000),
        replace(LOCAL, endowments={**LOCAL.endowments, bytes(32): 10**12}),
        preset("dev"),
    ]
    assert len({build_genesis(each).hash for each in variants}) == len(variants)
    assert len({build_genesis(each).state[SPEC_KEY] for each in variants}) == len(variants)


def test_equal_specifications_give_equal_blocks() -> None:
    assert build_genesis(LOCAL) == build_genesis(preset("local"))
