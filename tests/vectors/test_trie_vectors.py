"""The state trie against roots and nodes that other implementations of it have."""

import json
from pathlib import Path
from typing import Any

import pytest

from chain.primitives.hashing import blake2_256
from chain.primitives.trie import (
    EMPTY_ROOT,
    StateVersion,
    change_trie,
    no_nodes,
    ordered_root,
    trie_root,
)
from chain.primitives.trie_codec import Node, decode_node, encode_node

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "trie.json").read_text()
)


def entries_of(vector: dict[str, Any]) -> dict[bytes, bytes]:
    return {bytes.fromhex(key): bytes.fromhex(value) for key, value in vector["entries"].items()}


@pytest.mark.parametrize("vector", VECTORS["roots"], ids=lambda v: f"{v['name']} V{v['version']}")
def test_root(vector: dict[str, Any]) -> None:
    root = trie_root(entries_of(vector), StateVersion(vector["version"]))
    assert root.hex() == vector["root"]


@pytest.mark.parametrize("vector", VECTORS["root_nodes"], ids=lambda v: v["node"][:16])
def test_root_is_the_hash_of_the_root_node(vector: dict[str, Any]) -> None:
    node = bytes.fromhex(vector["node"])
    root = trie_root(entries_of(vector), StateVersion(vector["version"]))
    assert root == blake2_256(node)
    assert encode_node(decode_node(node)) == node


def test_inner_nodes() -> None:
    for vector in VECTORS["inner_nodes"]:
        version = StateVersion(vector["version"])
        change = change_trie(EMPTY_ROOT, entries_of(vector), no_nodes, version)
        assert {node.hex() for node in change.encoded.values()} >= set(vector["nodes"])


@pytest.mark.parametrize("vector", VECTORS["ordered"], ids=lambda v: v["root"][:8])
def test_ordered_root(vector: dict[str, Any]) -> None:
    values = [bytes.fromhex(value) for value in vector["values"]]
    assert ordered_root(values, StateVersion(vector["version"])).hex() == vector["root"]


@pytest.mark.parametrize("vector", VECTORS["headers"], ids=lambda v: f"{v['kind']} {v['nibbles']}")
def test_node_header(vector: dict[str, Any]) -> None:
    partial = "a" * vector["nibbles"]
    inline, value_hash = (None, bytes(32)) if "hashed" in vector["kind"] else (b"", None)
    children = [b"\x80" + bytes(32)] * 16 if "branch" in vector["kind"] else None
    encoded = encode_node(Node(partial, inline, value_hash, children))
    header = bytes.fromhex(vector["header"])
    assert encoded[: len(header)] == header
    assert encoded[len(header)] == 0xAA
    assert decode_node(encoded) == Node(partial, inline, value_hash, children)
