"""The bytes of models that this node holds, for the workers that run them."""

from chain.primitives.hashing import Hash32
from chain.storage.blob_store import BlobStore
from runtime.frame.ports import LocalFailure


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
