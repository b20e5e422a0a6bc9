"""The bytes of models that this node holds, for the workers that run them."""

import logging

from chain.primitives.hashing import Hash32
from chain.storage.blob_store import BlobStore, BlobStoreFull
from runtime.frame.ports import LocalFailure

_log = logging.getLogger("noema.content")


class Content:
    """Gives whole content by its root; called in threads."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    def __call__(self, root: Hash32) -> bytes:
        """Give the bytes; raises LocalFailure while they are not here."""
        content = self._store.read(root)
        if content is None:
            raise LocalFailure(f"content 0x{root.hex()} is not complete here yet")
        return content

    def keep(self, root: Hash32, content: bytes) -> None:
        """Keep what the chain itself made; where there is no room it is fetched from peers later.

        Raises OSError where the disk fails.
        """
        try:
            kept = self._store.put(content)
        except BlobStoreFull as error:
            _log.warning("content not kept", extra={"root": root.hex(), "reason": str(error)})
        else:
            assert kept == root, "the chain names what it makes by its root"
