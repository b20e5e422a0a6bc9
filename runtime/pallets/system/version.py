"""Version of the rules, as clients are told (Substrate's RuntimeVersion)."""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.primitives.codec import TEXT, U8, U32, fixed, record, sequence
from chain.primitives.hashing import blake2_64

APIS_MAX: Final = 64
"""Interfaces that state calls are grouped in; there are five."""


@dataclass(frozen=True, slots=True)
class RuntimeApi:
    """An interface that can be called over the state of a block."""

    id: Annotated[bytes, fixed(8)]
    version: Annotated[int, U32]

    @classmethod
    def named(cls, name: str, version: int) -> "RuntimeApi":
        """Give the interface of a name."""
        return cls(blake2_64(name.encode()), version)


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    """Which rules these are."""

    spec_name: Annotated[str, TEXT]
    impl_name: Annotated[str, TEXT]
    authoring_version: Annotated[int, U32]
    spec_version: Annotated[int, U32]
    """Moves with every change of the rules; part of every signature."""
    impl_version: Annotated[int, U32]
    apis: Annotated[tuple[RuntimeApi, ...], sequence(record(RuntimeApi), APIS_MAX)]
    transaction_version: Annotated[int, U32]
    """Moves when a call's index or arguments change; part of every signature."""
    system_version: Annotated[int, U8]
    """1: the state is a trie of layout V1, the extrinsics root one of layout V0."""
