"""Overlay: what a block changes, in memory, with layers that can be taken back.

Values are decoded once a block and encoded once, when the block is done.  A layer is a mark in an
undo journal, so opening and keeping one costs nothing and taking one back costs what it changed.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from runtime.frame.outcome import Event

Read = Callable[[bytes], bytes | None]
"""Gives the raw value under a raw key, None where there is none."""

Iterate = Callable[[bytes], Iterable[tuple[bytes, bytes]]]
"""Gives the raw keys and values under a raw prefix, keys ascending."""

Journal = list[tuple[dict[Any, Any], Any, Any]]
"""Writes to take back: the table, the key, and what was written there before."""

NOTHING_WRITTEN: Any = object()
"""Stands in the journal for a key that was not written before."""


class Item(Protocol):
    """A storage item bound to an overlay."""

    def changes(self) -> Iterable[tuple[bytes, bytes | None]]:
        """Give the raw keys and encoded values that were written; None for removed ones."""
        ...


BoundItem = TypeVar("BoundItem", bound=Item)


def _no_iteration(prefix: bytes) -> Iterable[tuple[bytes, bytes]]:
    raise AssertionError(f"this view of the state cannot list keys under {prefix.hex()}")


class Overlay:
    """State of one block in the making: a base that is only read, and what was written."""

    def __init__(self, read: Read, iterate: Iterate = _no_iteration) -> None:
        self.read = read
        self.iterate = iterate
        self.journal: Journal = []
        self.events: list[Event] = []
        """What happened so far in this block; taken back with the layer it happened in."""
        self.results: list[bytes] = []
        """Hashes of the inference results so far; taken back with their layer."""
        self.contents: list[tuple[bytes, bytes]] = []
        """Roots and bytes of blobs that the chain itself made; taken back with their layer."""
        self.place = 0
        """Of the transaction that is applied, in its block."""
        self._layers: list[tuple[int, int, int, int]] = []
        self._items: dict[bytes, Any] = {}

    @classmethod
    def over(cls, base: Mapping[bytes, bytes]) -> "Overlay":
        """Give an overlay over a state held in memory."""

        def iterate(prefix: bytes) -> Iterable[tuple[bytes, bytes]]:
            return ((key, base[key]) for key in sorted(base) if key.startswith(prefix))

        return cls(base.get, iterate)

    def bind(self, prefix: bytes, build: Callable[["Overlay"], BoundItem]) -> BoundItem:
        """Give the one bound item under a prefix, built at first use."""
        item: BoundItem | None = self._items.get(prefix)
        if item is None:
            item = self._items[prefix] = build(self)
        return item

    def begin(self) -> None:
        """Open a layer."""
        told = len(self.events), len(self.results), len(self.contents)
        self._layers.append((len(self.journal), *told))

    def commit(self) -> None:
        """Keep the layer opened last."""
        self._layers.pop()
        if not self._layers:
            self.journal.clear()

    def rollback(self) -> None:
        """Take the layer opened last back, with its events, results and contents."""
        writes, events, results, contents = self._layers.pop()
        journal = self.journal
        while len(journal) > writes:
            written, key, before = journal.pop()
            if before is NOTHING_WRITTEN:
                del written[key]
            else:
                written[key] = before
        del self.events[events:]
        del self.results[results:]
        del self.contents[contents:]

    def changes(self) -> dict[bytes, bytes | None]:
        """Give every raw key written so far with its encoded value, None for a removed one."""
        out: dict[bytes, bytes | None] = {}
        for item in self._items.values():
            out.update(item.changes())
        return out
