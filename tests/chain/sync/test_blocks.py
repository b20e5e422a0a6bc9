from collections.abc import Callable
from typing import Any

import pytest
import trio

from chain.network import Network, NetworkConfig, RequestRefused
from chain.network.handshake import HELLO, Hello
from chain.primitives.block import BLOCK, Block
from chain.sync import blocks, planner
from chain.sync.blocks import BlockSync, ChainsDiverged
from chain.sync.messages import (
    BLOCKS_ANSWER,
    HEAD_ANSWER,
    QUESTION,
    RANGE_MAX,
    BlocksAnswer,
    BlocksRequest,
    HeadAnswer,
    HeadRequest,
    StoredBlock,
)
from consensus.core.messages import CERTIFICATE
from consensus.engine.ports import CannotNow

SHORT, LONG = 12, 150


class Lagging:
    """A node without blocks, its peers, and what it tells its engine."""

    def __init__(self, world: Any, ledger: Any = None) -> None:
        self.world = world
        self.wire = world.wire()
        self.network = self.wire.end("us")
        self.ledger = world.ledger() if ledger is None else ledger
        self.told: list[tuple[int, bytes]] = []
        self.sync = BlockSync(
            self.network,
            self.ledger,
            world.genesis,
            self.ledger.import_block,
            lambda height, block_hash: self.told.append((height, block_hash)),
        )

    def add_peer(self, name: str, ledger: Any, claim: int | None = None) -> None:
        """Connect an honest peer with a ledger."""
        end = self.wire.end(name)
        BlockSync(end, ledger, self.world.genesis, ledger.import_block, lambda *_: None)
        self.network.connect(name, ledger.head().height if claim is None else claim)

    def add_liar(self, name: str, claim: int, answer: Callable[[Any], bytes]) -> None:
        """Connect a peer that answers as a test says."""

        async def handle(peer: str, payload: bytes) -> bytes:
            question = QUESTION.decode(payload)
            if isinstance(question, HeadRequest):
                return HEAD_ANSWER.encode(HeadAnswer(claim, bytes(32)))
            return answer(question)

        self.wire.end(name).handlers["sync"] = handle
        self.network.connect(name, claim)

    def run_until(self, height: int, seconds: float = 5.0) -> None:
        """Run until the ledger has a height."""

        async def main() -> None:
            with trio.fail_after(seconds):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.sync.run)
                    while self.ledger.head().height < height:  # noqa: ASYNC110
                        await trio.sleep(0.005)
                    nursery.cancel_scope.cancel()

        trio.run(main)


def answer_with(*items: tuple[Block, Any]) -> bytes:
    return BLOCKS_ANSWER.encode(
        BlocksAnswer(
            tuple(
                StoredBlock(BLOCK.encode(each), CERTIFICATE.encode(proof)) for each, proof in items
            )
        )
    )


def test_missed_blocks_come_from_several_peers_in_order(world: Any) -> None:
    chain = world.chain.of(LONG)
    node = Lagging(world)
    for name in ("a", "b", "c"):
        node.add_peer(name, world.ledger.holding(chain))
    node.run_until(LONG)
    assert node.ledger.blocks == chain.blocks
    assert node.ledger.certificates == chain.certificates
    assert node.told == [(block.header.number, block.hash()) for block in chain.blocks]
    assert {*node.network.asked} == {"a", "b", "c"}
    assert node.network.faults == []


def test_a_head_that_grows_is_followed(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(blocks, "HEADS_EVERY_S", 0.05)
    chain = world.chain.of(SHORT)
    node, peer = Lagging(world), world.ledger()
    node.add_peer("a", peer)
    assert (node.sync.head_of("a"), node.sync.target) == (HeadAnswer(0, bytes(32)), 0)
    peer.blocks, peer.certificates = list(chain.blocks), list(chain.certificates)
    node.run_until(SHORT)
    assert node.ledger.blocks == chain.blocks
    assert node.sync.head_of("a") == HeadAnswer(SHORT, chain.blocks[-1].hash())
    assert node.sync.head_of("stranger") == HeadAnswer(0, bytes(32))
    assert node.sync.target == SHORT


def test_a_certificate_that_proves_nothing_is_a_ban_before_anything_is_executed(
    world: Any,
) -> None:
    chain = world.chain.of(SHORT)
    few = [world.certificate_of(block, world.keys[:2]) for block in chain.blocks]
    node = Lagging(world)
    executed: list[Any] = []

    def lie(question: BlocksRequest) -> bytes:
        first = question.start - 1
        return answer_with(*zip(chain.blocks[first:], few[first:], strict=True))

    import_block = node.ledger.import_block

    async def watch(block: Block, certificate: Any) -> None:
        executed.append(certificate)
        await import_block(block, certificate)

    node.sync._import_block = watch
    node.add_liar("liar", SHORT, lie)
    node.add_peer("z", world.ledger.holding(chain))
    node.run_until(SHORT)
    assert node.network.faults[0] == (
        "liar",
        100,
        "certificate of block 1: no two thirds of the power",
    )
    assert executed == chain.certificates


def test_false_answers_cost_their_sender_and_honest_peers_finish(world: Any) -> None:
    chain = world.chain.of(SHORT)
    good = list(zip(chain.blocks, chain.certificates, strict=True))
    stranger = world.grow(world.genesis, 1, salt=b"other")
    other_body = Block(chain.blocks[0].header, (bytes([4, 9]),), ())
    answers = {
        "bytes": (lambda question: b"\xff\xff\xff", "blocks from 1: "),
        "height": (
            lambda question: answer_with(*good[question.start :]),
            "block 1 is one of another height",
        ),
        "mixed": (
            lambda question: answer_with((stranger, chain.certificates[0])),
            "certificate of block 1 is for something else",
        ),
        "body": (
            lambda question: answer_with((other_body, chain.certificates[0])),
            "body of block 1 is another one's",
        ),
    }
    for name, (answer, reason) in answers.items():
        node = Lagging(world)
        node.add_liar(name, SHORT, answer)
        node.add_peer("z", world.ledger.holding(chain))
        node.run_until(SHORT)
        assert node.ledger.blocks == chain.blocks
        assert {(peer, points) for peer, points, _ in node.network.faults} == {(name, 100)}
        assert any(said.startswith(reason) for _, _, said in node.network.faults)


def test_a_claim_without_blocks_costs_a_little_and_holds_up_nobody(world: Any) -> None:
    chain = world.chain.of(SHORT)
    node = Lagging(world)
    node.add_liar("boaster", 2**32 - 1, lambda question: answer_with())
    node.add_peer("z", world.ledger.holding(chain))
    node.run_until(SHORT)
    assert node.ledger.blocks == chain.blocks
    assert {(peer, points) for peer, points, _ in node.network.faults} == {("boaster", 20)}


def test_a_silent_peer_holds_up_nobody(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(planner, "SLOW_S", 0.1)
    monkeypatch.setattr(blocks, "LOOK_AGAIN_S", 0.05)
    chain = world.chain.of(LONG)
    node = Lagging(world)

    async def never(peer: str, payload: bytes) -> bytes:
        await trio.sleep_forever()

    node.wire.end("silent").handlers["sync"] = never
    node.network.connect("silent", LONG)
    node.add_peer("z", world.ledger.holding(chain))
    node.run_until(LONG)
    assert node.ledger.blocks == chain.blocks
    assert node.network.asked.count("silent") == 1


def test_what_cannot_be_imported_now_is_tried_again(world: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(blocks, "CANNOT_NOW_S", 0.01)
    chain = world.chain.of(SHORT)
    node = Lagging(world)
    node.ledger.refusals = [CannotNow("a blob is missing")] * 3
    node.add_peer("a", world.ledger.holding(chain))
    node.run_until(SHORT)
    assert node.ledger.blocks == chain.blocks
    assert node.network.faults == []


def test_two_thirds_on_another_chain_stop_the_node(world: Any) -> None:
    chain = world.chain.of(SHORT)
    ours = world.grow(world.genesis, 1, salt=b"ours")
    node = Lagging(world, world.ledger([ours], [world.certificate_of(ours)]))
    node.add_peer("a", world.ledger.holding(chain))
    with pytest.raises(ExceptionGroup) as stopped:
        node.run_until(SHORT)
    assert stopped.group_contains(ChainsDiverged)
    assert node.ledger.blocks == [ours]


def test_other_errors_of_the_import_stop_the_node(world: Any) -> None:
    node = Lagging(world)
    node.ledger.refusals = [ValueError("another state root than two thirds found")]
    node.add_peer("a", world.ledger.holding(world.chain.of(SHORT)))
    with pytest.raises(ExceptionGroup) as stopped:
        node.run_until(SHORT)
    assert stopped.group_contains(ValueError)


def test_ranges_are_served_within_their_bounds(world: Any) -> None:
    chain = world.chain.of(SHORT)
    node = Lagging(world, world.ledger.holding(chain))
    serve = node.network.handlers["sync"]

    async def ask(question: Any) -> Any:
        return await serve("them", QUESTION.encode(question))

    async def main() -> None:
        head = HEAD_ANSWER.decode(await ask(HeadRequest()))
        assert head == HeadAnswer(SHORT, chain.blocks[-1].hash())
        for start, count, heights in (
            (1, 3, [1, 2, 3]),
            (SHORT, 9, [SHORT]),
            (SHORT + 1, 9, []),
            (0, 9, []),
            (2**32 - 1, 2**16 - 1, []),
        ):
            answer = BLOCKS_ANSWER.decode(await ask(BlocksRequest(start, count)))
            assert [BLOCK.decode(each.block).header.number for each in answer.blocks] == heights
        with pytest.raises(RequestRefused, match=r"^malformed$"):
            await serve("them", b"\x09")
        assert node.network.faults == [("them", 100, "sync question: SyncQuestion: no case 9")]
        for _ in range(blocks.SERVED_BURST):
            node.sync._budget.take("them", 1, trio.current_time())
        with pytest.raises(RequestRefused, match=r"^too fast$"):
            await ask(HeadRequest())

    trio.run(main)


def test_large_blocks_fill_an_answer_and_no_more(world: Any) -> None:
    node = Lagging(world)
    node.ledger.stored = lambda height: (bytes(700_000), bytes(1000))

    async def main() -> None:
        question = QUESTION.encode(BlocksRequest(1, RANGE_MAX))
        payload = await node.network.handlers["sync"]("them", question)
        assert len(payload) <= 2 * 1024 * 1024
        assert len(BLOCKS_ANSWER.decode(payload).blocks) == 2

    trio.run(main)


def test_over_real_connections(world: Any) -> None:
    chain = world.chain.of(LONG)

    async def main() -> None:
        ahead, behind = world.ledger.holding(chain), world.ledger()

        def hello_of(ledger: Any) -> Callable[[], bytes]:
            return lambda: HELLO.encode(
                Hello(1, world.genesis, "test", ledger.head().height, ledger.head().block_hash)
            )

        listen = "/ip4/127.0.0.1/tcp/0"
        async with Network.open(
            NetworkConfig(listen=listen), b"\1" * 32, hello_of(ahead), lambda *_: None
        ) as one:
            bootstrap = NetworkConfig(listen=listen, bootstrap=one.addresses)
            async with (
                Network.open(bootstrap, b"\2" * 32, hello_of(behind), lambda *_: None) as two,
                trio.open_nursery() as nursery,
            ):
                syncs = [
                    BlockSync(network, ledger, world.genesis, ledger.import_block, lambda *_: None)
                    for network, ledger in ((one, ahead), (two, behind))
                ]
                for service in (one, two, *syncs):
                    nursery.start_soon(service.run)
                with trio.fail_after(8):
                    while behind.head().height < LONG:  # noqa: ASYNC110
                        await trio.sleep(0.01)
                nursery.cancel_scope.cancel()
        assert behind.blocks == chain.blocks

    trio.run(main)
