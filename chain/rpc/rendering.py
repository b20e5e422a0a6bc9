"""JSON of headers, blocks and storage in Substrate's shapes."""

from typing import Any

from chain.primitives.block import DIGEST_ITEM, ENGINE, Block, Header
from chain.rpc.typed_json import hex_of


def optional_hex(data: bytes | None) -> str | None:
    """Give 0x text, or null."""
    return None if data is None else hex_of(data)


def header_json(header: Header) -> dict[str, Any]:
    """Give a header as clients expect it; the number is 0x text."""
    return {
        "parentHash": hex_of(header.parent_hash),
        "number": hex(header.number),
        "stateRoot": hex_of(header.state_root),
        "extrinsicsRoot": hex_of(header.extrinsics_root),
        "digest": {"logs": [hex_of(DIGEST_ITEM.encode(item)) for item in header.digest]},
    }


def block_json(block: Block, certificate: bytes | None) -> dict[str, Any]:
    """Give a block with the certificate that made it final as its justification."""
    return {
        "block": {
            "header": header_json(block.header),
            "extrinsics": [hex_of(encoded) for encoded in block.extrinsics],
        },
        "justifications": None if certificate is None else [[list(ENGINE), list(certificate)]],
    }
