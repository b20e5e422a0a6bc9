"""Content that the chain announced: fetched from peers, and attested by a validator that has it."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import trio

from chain.gossip.blobs import BlobUnavailable
from chain.pool.refusals import PoolRefused
from chain.primitives.extrinsic import Era, SigningContext, sign_extrinsic
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Keypair
from chain.storage.blob_store import BlobStore, BlobStoreFull
from runtime.assembly import CONSTRUCT
from runtime.frame import Event
from runtime.pallets.blobs.pallet import Announced, Attested, Forgotten

FETCH_SECONDS: Final = 120.0
"""For one attempt; what arrived is kept for the next one."""

FETCHES_MAX: Final = 4
"""Blobs under way at once."""

PATIENCE_BLOCKS: Final = 8
"""Before an attestation that no block included is sent again."""

LONGEST_PAUSE_BLOCKS: Final = 64
"""Pauses between attempts double up to this: what nobody has must not keep what somebody has."""

LOOK_OVER_BLOCKS: Final = 16
"""How often everything is looked over: a disk spoils what was complete."""

ERA_BLOCKS: Final = 64
"""Life of an attestation: a stale one must not wait for ever."""

_log = logging.getLogger("noema.availability")


@dataclass(frozen=True, slots=True)
class AnnouncedBlob:
    """A blob that the chain knows."""

    length: int
    attested: bool
    """By this validator, on the chain."""


@dataclass(frozen=True, slots=True)
class Tries:
    """Attempts to fetch a blob that failed."""

    count: int
    next_height: int
    """Not before this height again."""


class ChainView(Protocol):
    """What must be known of the head."""

    def height(self) -> int:
        """Give the height of the head."""
        ...

    def block_hash(self) -> Hash32:
        """Give the hash of the head."""
        ...

    def announced_blobs(self) -> Iterable[tuple[Hash32, AnnouncedBlob]]:
        """Give every blob that the chain knows; asked once, at the start."""
        ...

    def next_nonce(self) -> int:
        """Give the validator's next nonce, waiting transactions counted."""
        ...


class Availability:
    """Keeps a list of content that is missing here or not yet attested, and works it off."""

    def __init__(
        self,
        view: ChainView,
        store: BlobStore,
        fetch: Callable[[Hash32, int, float], Awaitable[None]],
        submit: Callable[[bytes], Awaitable[object]],
        keypair: Keypair | None,
        context: SigningContext,
    ) -> None:
        self._view = view
        self._store = store
        self._fetch = fetch
        self._submit = submit
        self._keypair = keypair
        self._context = context
        self._known: dict[Hash32, AnnouncedBlob] = {}
        self._open: set[Hash32] = set()
        self._fetching: set[Hash32] = set()
        self._tries: dict[Hash32, Tries] = {}
        self._sent: dict[Hash32, int] = {}
        self._wake = trio.Event()

    def length_of(self, root: Hash32) -> int | None:
        """Give the length of a blob that the chain announced, None for any other."""
        blob = self._known.get(root)
        return None if blob is None else blob.length

    def note_content(self) -> None:
        """Have a look soon: content arrived; from the trio thread."""
        self._wake.set()

    def note_block(self, events: Iterable[Event]) -> None:
        """Take over what a new head changed; from the trio thread."""
        own = None if self._keypair is None else self._keypair.address
        for event in events:
            match event:
                case Announced():
                    self._add(event.root, AnnouncedBlob(event.length, attested=False))
                case Attested() if event.validator == own and event.root in self._known:
                    length = self._known[event.root].length
                    self._add(event.root, AnnouncedBlob(length, attested=True))
                case Attested():
                    # Somebody has it.
                    self._tries.pop(event.root, None)
                case Forgotten():
                    self._forget(event.root)
                case _:
                    pass
        self._wake.set()

    async def load(self) -> None:
        """Read from the state what there is; before `run` and before any block is noted."""
        known: Mapping[Hash32, AnnouncedBlob] = await trio.to_thread.run_sync(
            lambda: dict(self._view.announced_blobs())
        )
        for root, blob in known.items():
            self._add(root, blob)

    async def run(self) -> None:
        """Look after content until cancelled."""
        self._wake.set()
        async with trio.open_nursery() as nursery:
            while True:
                await self._wake.wait()
                self._wake = trio.Event()
                for root in self._in_turn():
                    if root in self._known:
                        await self._look_after(root, self._known[root], nursery)

    def _add(self, root: Hash32, blob: AnnouncedBlob) -> None:
        known = self._known.get(root)
        if known is None or blob.attested:
            self._known[root] = blob
            self._open.add(root)

    def _forget(self, root: Hash32) -> None:
        self._known.pop(root, None)
        self._open.discard(root)
        self._sent.pop(root, None)
        self._tries.pop(root, None)
        self._store.delete(root)

    def _in_turn(self) -> list[Hash32]:
        """Give what is open, that which failed least often first."""
        height = self._view.height()
        if height % LOOK_OVER_BLOCKS == 0:
            self._open |= {root for root in self._known if not self._store.is_complete(root)}
        none = Tries(0, 0)
        tried = {root: self._tries.get(root, none) for root in self._open}
        due = [
            root
            for root in self._open
            if tried[root].next_height <= height or self._store.is_complete(root)
        ]
        return sorted(due, key=lambda root: (tried[root].count, root))

    async def _look_after(self, root: Hash32, blob: AnnouncedBlob, nursery: trio.Nursery) -> None:
        if not self._store.is_complete(root):
            if root not in self._fetching and len(self._fetching) < FETCHES_MAX:
                self._fetching.add(root)
                nursery.start_soon(self._fetch_one, root, blob.length)
        elif self._keypair is None or blob.attested:
            self._open.discard(root)
            self._sent.pop(root, None)
        else:
            await self._attest(root, self._keypair)

    async def _fetch_one(self, root: Hash32, length: int) -> None:
        try:
            await self._fetch(root, length, FETCH_SECONDS)
            _log.info("content is here", extra={"root": root.hex(), "bytes": length})
            self._tries.pop(root, None)
        except BlobUnavailable as error:
            _log.info("content not found yet", extra={"reason": str(error)})
            await self._note_failure(root)
        except (BlobStoreFull, OSError) as error:
            _log.warning("content not kept", extra={"root": root.hex(), "reason": str(error)})
            await self._note_failure(root)
        finally:
            self._fetching.discard(root)
            if root not in self._known:
                self._forget(root)
            self._wake.set()

    async def _note_failure(self, root: Hash32) -> None:
        """Try again after a pause, at first until the next block, and reserve no room so long."""
        count = self._tries[root].count + 1 if root in self._tries else 1
        pause = min(2 ** min(count - 1, 16), LONGEST_PAUSE_BLOCKS)
        self._tries[root] = Tries(count, self._view.height() + pause)
        await trio.to_thread.run_sync(self._store.release, root)

    async def _attest(self, root: Hash32, keypair: Keypair) -> None:
        height = self._view.height()
        if height < self._sent.get(root, -PATIENCE_BLOCKS) + PATIENCE_BLOCKS:
            return
        self._sent[root] = height
        encoded = sign_extrinsic(
            keypair,
            CONSTRUCT.encode_call("Blobs", "attest", {"root": root}),
            nonce=self._view.next_nonce(),
            context=self._context,
            era=Era.mortal(ERA_BLOCKS, height),
            birth_hash=self._view.block_hash(),
        )
        try:
            await self._submit(encoded)
        except PoolRefused as error:
            _log.info("attestation waits", extra={"reason": str(error)})
