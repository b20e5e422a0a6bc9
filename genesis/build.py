"""Block zero of a chain specification: the state it begins with, its header, its hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chain.primitives.block import Header
from chain.primitives.hashing import ZERO_HASH, Hash32, blake2_256
from chain.primitives.keys import ss58_encode
from chain.primitives.trie import EMPTY_ROOT, trie_root
from consensus.core.validators import InvalidValidatorSet
from genesis.spec import ChainSpec, InvalidSpec, write_spec
from runtime.assembly import CONFIG, Genesis, genesis_changes

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
    """Give block zero; raises InvalidSpec where the rules of the chain forbid it."""
    complaints = _dust_complaints(spec)
    if complaints:
        raise InvalidSpec("\n".join(complaints))
    try:
        state = genesis_changes(Genesis(spec.endowments, spec.validators))
    except InvalidValidatorSet as error:
        raise InvalidSpec(f"validators: {error}") from error
    state[SPEC_KEY] = blake2_256(write_spec(spec))
    header = Header(ZERO_HASH, 0, trie_root(state), EMPTY_ROOT, ())
    return GenesisBlock(spec, state, header, header.hash())


def least_endowment(stake: int) -> int:
    """Give the least that an account begins with: its stake and what must stay free."""
    return stake + CONFIG.balances.existential_deposit


def _dust_complaints(spec: ChainSpec) -> list[str]:
    return [
        f"endowments: {ss58_encode(address)}: {amount}, but {least} is the least that it can have"
        for address, amount in spec.endowments.items()
        if amount < (least := least_endowment(spec.validators.get(address, 0)))
    ]
