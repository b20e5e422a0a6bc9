"""The first byte of every database key: which store it belongs to."""

from typing import Final

TRIE_NODES: Final = b"n"
"""Encoded trie nodes and hashed values, by hash."""

FLAT_STATE: Final = b"f"
"""Values of the head state, by storage key."""

HEADERS: Final = b"h"
"""Encoded headers, by block hash."""

BODIES: Final = b"b"
"""Encoded blocks, by block hash."""

CERTIFICATES: Final = b"c"
"""Encoded commit certificates, by block hash."""

HASHES_BY_HEIGHT: Final = b"i"
"""Block hashes, by height (u32, big-endian so that they ascend)."""

EXTRINSIC_PLACES: Final = b"x"
"""Height and position of included extrinsics, by extrinsic hash."""

SINGLES: Final = b"s"
"""Values of which there is one, by name."""
