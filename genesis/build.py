"""Block zero of a chain specification: the state it begins with, its header, its hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chain.primitives.block import Header
from chain.primitives.hashing import ZERO_HASH, Hash32, blake2_256
from chain.primitives.trie import EMPTY_ROOT, trie_root
from genesis.spec import ChainSpec, write_spec
from runtime.assembly import Genesis, genesis_changes

SPEC_KEY: Final = b":spec"
"""Raw state key of the specification's hash, so that every word of it decides the genesis hash."""


@dataclass(frozen=True, slots=True)
class GenesisBlock:
    """With what a chain begins, complete."""

    spec: ChainSpec
    state: Mapping[bytes, bytes]
    header: Header
    hash: Hash32


def build_genesis(spec: ChainSpec) -> GenesisBlock:
    """Give block zero; raises DispatchError or InvalidValidatorSet where the rules forbid it."""
    state = genesis_changes(Genesis(spec.endowments, spec.validators))
    state[SPEC_KEY] = blake2_256(write_spec(spec))
    header = Header(ZERO_HASH, 0, trie_root(state), EMPTY_ROOT, ())
    return GenesisBlock(spec, state, header, header.hash())
