"""Content of this node: what the chain made is kept, as far as there is room."""

from pathlib import Path

import pytest

from chain.node.content import Content
from chain.primitives.merkle import root_of
from chain.storage.blob_store import BlobStore
from runtime.frame.ports import LocalFailure

MADE = b"model" * 10
ROOT = root_of(MADE)


def test_what_the_chain_made_can_be_read(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 1000)
    content = Content(store)
    content.keep(ROOT, MADE)
    assert content(ROOT) == MADE
    assert Content(BlobStore(tmp_path, 1000))(ROOT) == MADE


def test_without_room_it_is_fetched_later(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, len(MADE) - 1)
    content = Content(store)
    content.keep(ROOT, MADE)
    assert store.roots() == ()
    with pytest.raises(LocalFailure, match="not complete here"):
        content(ROOT)
