"""Moving content through a client: upload by chunk, go on where one stopped, fetch and verify."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from chain.primitives.merkle import chunk_count, leaf_hash, proof_of, root_of, root_of_leaves, split
from chain.rpc.client import Client
from chain.rpc.parameters import BASE64_MARK, parse_content

Progress = Callable[[int, int], None]
"""Told how many chunks of how many are done."""


class ContentMismatch(Exception):
    """What the node sent is not the content of that name.  Ask another node."""


def upload(client: Client, content: bytes, progress: Progress = lambda done, of: None) -> str:
    """Send the chunks that the node lacks and give the root; raises RpcError."""
    chunks = split(content)
    leaves = [leaf_hash(chunk) for chunk in chunks]
    root = "0x" + root_of_leaves(leaves, len(content)).hex()
    held = set(client.request("ai_blobStatus", [root])["chunks_held"])
    missing = [index for index in range(len(chunks)) if index not in held]
    progress(len(chunks) - len(missing), len(chunks))
    for sent, index in enumerate(missing, start=1):
        chunk = BASE64_MARK + b64encode(chunks[index]).decode()
        proof = ["0x" + sibling.hex() for sibling in proof_of(leaves, index)]
        client.request("ai_uploadChunk", [root, len(content), index, chunk, proof])
        progress(len(chunks) - len(missing) + sent, len(chunks))
    return root


def download(
    client: Client, root: str, length: int, progress: Progress = lambda done, of: None
) -> bytes:
    """Fetch content and check it against its root; raises ContentMismatch or RpcError."""
    content = bytearray()
    count = chunk_count(length)
    for index in range(count):
        content += _chunk(client.request("ai_getChunk", [root, index]), root)
        progress(index + 1, count)
    if len(content) != length or root_of(bytes(content)) != bytes.fromhex(root[2:]):
        raise ContentMismatch(root)
    return bytes(content)


def _chunk(text: Any, root: str) -> bytes:
    try:
        return parse_content(text)
    except ValueError as error:
        raise ContentMismatch(f"{root}: {error}") from error
