"""Announced content is fetched, attested once it is here, and forgotten with its blob."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest
import trio
import trio.testing

from chain.gossip.blobs import BlobUnavailable
from chain.node.availability import (
    FETCHES_MAX,
    LOOK_OVER_BLOCKS,
    PATIENCE_BLOCKS,
    AnnouncedBlob,
    Availability,
)
from chain.primitives.extrinsic import SigningContext, decode_extrinsic
from chain.primitives.keys import Keypair
from chain.primitives.merkle import root_of
from chain.storage.blob_store import BlobStore
from runtime.assembly import CONSTRUCT
from runtime.pallets.blobs.pallet import Announced, Attested, Forgotten

BOB = Keypair.from_uri("//Bob")
CONTENT = b"rows" * 100
ROOT = root_of(CONTENT)
CONTEXT = SigningContext(1, 1, bytes(32))


class View:
    """A head that does not move by itself."""

    def __init__(self, blobs: dict[bytes, AnnouncedBlob] | None = None) -> None:
        self.blobs = blobs or {}
        self.at = 10

    def height(self) -> int:
        return self.at

    def block_hash(self) -> bytes:
        return b"\7" * 32

    def announced_blobs(self) -> Iterable[tuple[bytes, AnnouncedBlob]]:
        return self.blobs.items()

    def next_nonce(self) -> int:
        return 5


class World:
    """An availability service, a peer that has the content, and what was submitted."""

    def __init__(self, folder: Path, keypair: Keypair | None = BOB) -> None:
        self.view = View()
        self.store = BlobStore(folder, 1 << 20)
        self.submitted: list[bytes] = []
        self.missing = 0
        self.asked: list[bytes] = []
        self.service = Availability(
            self.view, self.store, self.fetch, self.submit, keypair, CONTEXT
        )

    async def fetch(self, root: bytes, length: int, timeout_s: float) -> None:
        self.asked.append(root)
        if self.missing or root != ROOT:
            self.missing -= root == ROOT
            raise BlobUnavailable("nobody has it")
        self.store.put(CONTENT)

    async def submit(self, encoded: bytes) -> None:
        self.submitted.append(encoded)

    def announce(self) -> None:
        self.service.note_block([Announced(ROOT, BOB.address, len(CONTENT), 0, 1)])

    def pass_blocks(self, count: int) -> None:
        for _ in range(count):
            self.view.at += 1
            self.service.note_block([])

    async def settle(self) -> None:
        for _ in range(10):
            await trio.testing.wait_all_tasks_blocked()
            await trio.sleep(0.005)


def play(world: World, *steps: object) -> None:
    async def main() -> None:
        await world.service.load()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.service.run)
            for step in steps:
                assert callable(step)
                step()
                await world.settle()
            nursery.cancel_scope.cancel()

    trio.run(main)


def calls(world: World) -> list[tuple[bytes, str]]:
    found = []
    for encoded in world.submitted:
        extrinsic = decode_extrinsic(encoded)
        assert extrinsic.signed is not None
        call = CONSTRUCT.decode_call(extrinsic.call)
        found.append((extrinsic.signed.address, f"{call.pallet}.{call.call.name}"))
        assert call.values == (ROOT,)
        assert extrinsic.signed.nonce == 5
    return found


def test_announced_content_is_fetched_and_attested_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    play(world, world.announce, world.service.note_content)
    assert world.store.read(ROOT) == CONTENT
    assert calls(world) == [(BOB.address, "Blobs.attest")]


def test_node_without_a_key_fetches_and_says_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, keypair=None)
    play(world, world.announce)
    assert world.store.is_complete(ROOT)
    assert world.submitted == []


def test_fetch_that_failed_is_tried_again_at_the_next_block(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.missing = 1
    play(world, world.announce, lambda: world.pass_blocks(1))
    assert world.store.is_complete(ROOT)


def test_content_that_nobody_has_is_asked_for_ever_less_and_keeps_nothing_waiting(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    never = [bytes([number]) * 32 for number in range(FETCHES_MAX + 1)]
    assert max(never) < ROOT
    announced = [Announced(root, BOB.address, 7, 0, 1) for root in never]
    blocks = [partial(world.pass_blocks, 1)] * 20
    play(world, lambda: world.service.note_block(announced), world.announce, *blocks)
    assert world.store.is_complete(ROOT)
    assert [world.asked.count(root) for root in never] == [5] * len(never)


def test_an_attestation_of_somebody_else_ends_the_pause(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.missing = 4
    play(
        world,
        world.announce,
        *[partial(world.pass_blocks, 1)] * 7,
        lambda: world.service.note_block([Attested(ROOT, bytes(32))]),
    )
    assert world.store.is_complete(ROOT)


def test_content_that_the_disk_spoilt_is_fetched_again(tmp_path: Path) -> None:
    world = World(tmp_path)

    def spoil() -> None:
        (tmp_path / f"{ROOT.hex()}.blob").write_bytes(bytes(len(CONTENT)))
        assert world.store.read(ROOT) is None

    attested = [Attested(ROOT, BOB.address)]
    play(
        world,
        world.announce,
        lambda: world.service.note_block(attested),
        spoil,
        *[partial(world.pass_blocks, 1)] * LOOK_OVER_BLOCKS,
    )
    assert world.store.is_complete(ROOT)
    assert len(calls(world)) == 1


def test_content_handed_in_here_is_attested_at_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.missing = 9

    def hand_in() -> None:
        world.store.put(CONTENT)
        world.service.note_content()

    play(world, world.announce, *[partial(world.pass_blocks, 1)] * 5, hand_in)
    assert calls(world) == [(BOB.address, "Blobs.attest")]


def test_attestation_that_got_lost_is_sent_again(tmp_path: Path) -> None:
    world = World(tmp_path)

    def pass_blocks(count: int) -> None:
        world.view.at += count
        world.service.note_block([])

    play(
        world,
        world.announce,
        lambda: pass_blocks(PATIENCE_BLOCKS - 1),
        lambda: pass_blocks(1),
        lambda: world.service.note_block([Attested(ROOT, BOB.address)]),
        lambda: pass_blocks(2 * PATIENCE_BLOCKS),
    )
    assert len(calls(world)) == 2


def test_what_was_there_at_the_start_is_looked_after(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.view.blobs[ROOT] = AnnouncedBlob(len(CONTENT), attested=False)
    play(world, lambda: None)
    assert len(calls(world)) == 1


def test_attested_content_is_fetched_and_not_attested_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.view.blobs[ROOT] = AnnouncedBlob(len(CONTENT), attested=True)
    play(world, lambda: None)
    assert world.store.is_complete(ROOT)
    assert world.submitted == []


def test_forgotten_blob_leaves_the_disk(tmp_path: Path) -> None:
    world = World(tmp_path)
    play(world, world.announce, lambda: world.service.note_block([Forgotten(ROOT)]))
    assert world.service.length_of(ROOT) is None
    assert world.store.roots() == ()


@pytest.mark.parametrize("root", [b"\1" * 32, ROOT])
def test_length_is_known_of_announced_content_only(tmp_path: Path, root: bytes) -> None:
    world = World(tmp_path)
    play(world, world.announce)
    assert world.service.length_of(root) == (len(CONTENT) if root == ROOT else None)
