"""The composition root: the one file that knows every part of a node.  Reads from top to bottom."""

import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import time
from typing import Final

import trio

from ai_exec.workers.pool import PoolSettings, WorkerPool
from chain.gossip.blobs import BlobFetcher, BlobSender
from chain.gossip.consensus import ConsensusGossip
from chain.gossip.transactions import TransactionGossip
from chain.ledger import Author, HeadView, Ledger, SignatureChecker
from chain.network import HELLO, Hello, Network, NetworkConfig, refusal_of
from chain.network.handshake import PROTOCOL_VERSION
from chain.node.aftermath import Aftermath
from chain.node.anticipation import Anticipation
from chain.node.availability import Availability
from chain.node.chain_view import ChainView
from chain.node.config import NodeConfig
from chain.node.consensus_port import LedgerPort
from chain.node.content import Content
from chain.node.events import Accepted, Bus, Skipped
from chain.node.identity import network_seed, validator_keypair
from chain.node.metrics import Metrics
from chain.node.own_signatures import refuse_lost_record
from chain.node.reports import Reports
from chain.node.rpc_ports import BlobsPort, ChainPort, PeersPort, PoolPort
from chain.node.service import Service, run_together
from chain.node.specification import load_specification
from chain.node.submission import Submission
from chain.pool import Pool, PoolConfig
from chain.primitives.extrinsic import SigningContext, extrinsic_hash
from chain.primitives.keys import Keypair, ss58_encode
from chain.rpc.feed import Head, HeadFeed
from chain.rpc.ports import Identity, Ports
from chain.rpc.rules import RuntimeAnswers
from chain.rpc.server import RpcServer
from chain.storage.blob_store import BlobStore
from chain.storage.database import DiskDatabase
from chain.sync.blocks import BlockSync
from consensus.engine.config import EngineConfig, Timeouts
from consensus.engine.disk import FolderDisk
from consensus.engine.engine import Engine
from genesis.build import GenesisBlock, build_genesis
from runtime.assembly import VERSION
from runtime.execution import BackendExecutor
from runtime.executive import Executive

NOBODY: Final = bytes(32)
"""Stands for the address of a node that has no validator key."""

SIGNATURE_THREADS: Final = 2

_log = logging.getLogger("noema")


@dataclass(frozen=True, slots=True)
class Node:
    """An open node."""

    services: tuple[Service, ...]
    ledger: Ledger
    network: Network
    rpc: RpcServer

    async def run(self, stop: trio.Event) -> None:
        """Work until `stop` is set or a part fails."""
        await run_together(self.services, stop)


@dataclass(frozen=True, slots=True)
class Foundation:
    """What stands before the chain begins: who we are, disks, and what runs models."""

    genesis: GenesisBlock
    keypair: Keypair | None
    database: DiskDatabase
    blobs: BlobStore
    workers: WorkerPool
    content: Content
    executor: BackendExecutor
    signatures: SignatureChecker
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Chain:
    """The head, and what waits to become part of the next block."""

    ledger: Ledger
    pool: Pool
    submission: Submission
    accepted: Bus[Accepted]


@dataclass(frozen=True, slots=True)
class Conversation:
    """The network, and what is said over it."""

    network: Network
    consensus: ConsensusGossip
    transactions: TransactionGossip
    availability: Availability


@dataclass(frozen=True, slots=True)
class Agreement:
    """Voting, and catching up with those who voted."""

    engine: Engine
    sync: BlockSync
    feed: HeadFeed


@asynccontextmanager
async def open_node(config: NodeConfig, base_path: Path) -> AsyncIterator[Node]:
    """Open everything that a node needs, and close it again in reverse order."""
    async with AsyncExitStack() as stack:
        foundation = open_foundation(stack, config, base_path)
        chain = begin_chain(foundation, config)
        conversation = await open_conversation(stack, foundation, chain, config, base_path)
        agreement = prepare_agreement(foundation, chain, conversation, config, base_path)
        ports = describe_ports(foundation, chain, conversation, agreement, config)
        rpc = await stack.enter_async_context(
            RpcServer.open(ports, config.rpc.host, config.rpc.port)
        )
        watch_parts(foundation, chain, conversation, agreement)
        say_hello(foundation, chain, conversation, rpc, config)
        services = (
            Service("network", conversation.network.run),
            Service("transactions", conversation.transactions.run),
            Service("sync", agreement.sync.run),
            Service("engine", agreement.engine.run),
            Service("availability", conversation.availability.run),
            Service("rpc", rpc.run),
        )
        yield Node(services, chain.ledger, conversation.network, rpc)


def open_foundation(stack: AsyncExitStack, config: NodeConfig, base_path: Path) -> Foundation:
    """Open disks and workers; the database first: its lock keeps a second node away from all."""
    spec = load_specification(config.chain)
    keypair = validator_keypair(config.validator_key, chain_type=spec.chain_type)
    database = stack.enter_context(DiskDatabase(base_path / "database"))
    blobs = BlobStore(base_path / "blobs", config.storage.blobs_gib_max << 30)
    threads = stack.enter_context(ThreadPoolExecutor(SIGNATURE_THREADS))
    workers = stack.enter_context(WorkerPool(_worker_settings(config)))
    content = Content(blobs)
    return Foundation(
        genesis=build_genesis(spec),
        keypair=keypair,
        database=database,
        blobs=blobs,
        workers=workers,
        content=content,
        executor=BackendExecutor(workers, content),
        signatures=SignatureChecker(threads),
        metrics=Metrics(),
    )


def begin_chain(foundation: Foundation, config: NodeConfig) -> Chain:
    """Take up the chain on disk, or begin it; transactions that blocks leave out leave the pool."""
    executive = Executive(executor=foundation.executor)
    skipped: Bus[Skipped] = Bus()
    accepted: Bus[Accepted] = Bus()
    ledger = Ledger(
        foundation.database,
        foundation.genesis.header,
        foundation.genesis.state,
        executive,
        wall_time_ms,
        signatures=foundation.signatures,
        skipped=lambda encoded, why: skipped.publish(Skipped(encoded, why)),
        keep_content=foundation.content.keep,
    )
    view = HeadView(lambda: ledger.head, ledger.queries, executive, foundation.signatures)
    limits = PoolConfig(count_max=config.pool.count_max, bytes_max=config.pool.bytes_max)
    pool = Pool(
        view,
        wall_time_ms,
        limits,
        lambda extrinsic, encoded: accepted.publish(Accepted(extrinsic, encoded)),
    )
    skipped.subscribe(lambda event: pool.leave_out(extrinsic_hash(event.encoded), event.why))
    accepted.subscribe(Anticipation(ledger, foundation.workers, foundation.content).note)
    return Chain(ledger, pool, Submission(pool), accepted)


async def open_conversation(
    stack: AsyncExitStack,
    foundation: Foundation,
    chain: Chain,
    config: NodeConfig,
    base_path: Path,
) -> Conversation:
    """Open the port for other nodes, and what speaks and listens there."""
    genesis, ledger, pool = foundation.genesis, chain.ledger, chain.pool
    network = await stack.enter_async_context(
        Network.open(
            _network_config(config, base_path),
            network_seed(base_path),
            lambda: HELLO.encode(hello_of(genesis, ledger)),
            lambda peer, hello: refusal_of(hello_of(genesis, ledger), hello),
        )
    )
    transactions = TransactionGossip(network, chain.submission.submit_many, pool.pending)
    chain.accepted.subscribe(lambda event: transactions.announce(event.encoded))
    BlobSender(network, foundation.blobs)
    keypair = foundation.keypair
    availability = Availability(
        ChainView(ledger, pool, keypair.address if keypair else NOBODY),
        foundation.blobs,
        BlobFetcher(network, foundation.blobs).fetch,
        chain.submission.submit,
        keypair,
        SigningContext(VERSION.spec_version, VERSION.transaction_version, genesis.hash),
    )
    await availability.load()
    return Conversation(network, ConsensusGossip(network), transactions, availability)


def prepare_agreement(
    foundation: Foundation,
    chain: Chain,
    conversation: Conversation,
    config: NodeConfig,
    base_path: Path,
) -> Agreement:
    """Prepare the engine and catching up; both move the head through one port."""
    ledger, genesis, keypair = chain.ledger, foundation.genesis, foundation.keypair
    feed = HeadFeed(Head(ledger.head.height, ledger.head.hash))
    aftermath = Aftermath(ledger, chain.pool, conversation.availability, feed, foundation.metrics)
    port = LedgerPort(
        ledger,
        author=Author(keypair, genesis.hash) if keypair else None,
        candidates=chain.pool.ready,
        now_ms=wall_time_ms,
        metrics=foundation.metrics,
        settle=aftermath.settle,
        tell=aftermath.tell,
    )
    disk = FolderDisk(base_path / "consensus")
    disk.open()
    if keypair is not None:
        refuse_lost_record(disk, ledger.queries, ledger.head.height, keypair.address)
    engine = Engine(
        _engine_config(config, genesis),
        ledger=port,
        transport=conversation.consensus,
        disk=disk,
        keypair=keypair,
        report=Reports(foundation.metrics),
    )
    conversation.consensus.deliver_to(engine.receive)
    sync = BlockSync(conversation.network, port, genesis.hash, port.commit, engine.advance)
    return Agreement(engine, sync, feed)


def describe_ports(
    foundation: Foundation,
    chain: Chain,
    conversation: Conversation,
    agreement: Agreement,
    config: NodeConfig,
) -> Ports:
    """Give everything that clients and operators can reach."""
    spec = foundation.genesis.spec
    identity = Identity(
        name=config.name,
        version=version("noema"),
        chain=spec.name,
        chain_type=spec.chain_type,
        roles=("Authority",) if foundation.keypair else ("Full",),
        started_at=chain.ledger.head.height,
    )
    return Ports(
        identity=identity,
        chain=ChainPort(chain.ledger),
        feed=agreement.feed,
        pool=PoolPort(chain.pool, chain.submission),
        peers=PeersPort(conversation.network, agreement.sync),
        blobs=BlobsPort(foundation.blobs, conversation.availability),
        runtime=RuntimeAnswers(foundation.executor),
        metrics=foundation.metrics.text,
    )


def wall_time_ms() -> int:
    """Give the milliseconds since 1970."""
    return int(time() * 1000)


def hello_of(genesis: GenesisBlock, ledger: Ledger) -> Hello:
    """Give what this node says first to another one."""
    head = ledger.head
    return Hello(PROTOCOL_VERSION, genesis.hash, genesis.spec.name, head.height, head.hash)


def watch_parts(
    foundation: Foundation, chain: Chain, conversation: Conversation, agreement: Agreement
) -> None:
    """Publish what is read from the parts whenever somebody asks."""
    watch = foundation.metrics.watch
    foundation.metrics.height.set(chain.ledger.head.height)
    foundation.metrics.watch_engine(agreement.engine.view)
    network, pool, workers = conversation.network, chain.pool, foundation.workers
    watch("noema_peers", "Connected peers", lambda: len(network.peers()))
    watch("noema_pool_transactions", "Transactions that wait", lambda: len(pool))
    watch("noema_pool_bytes", "Bytes of transactions that wait", lambda: pool.bytes_total)
    watch("noema_blob_bytes", "Disk taken by content", foundation.blobs.used_bytes)
    for name in sorted(workers.counters()):
        words = f"Worker pool: {name.replace('_', ' ')}"
        watch(f"noema_inference_{name}", words, partial(_counter, workers, name))


def _counter(workers: WorkerPool, name: str) -> float:
    return workers.counters()[name]


def say_hello(
    foundation: Foundation,
    chain: Chain,
    conversation: Conversation,
    rpc: RpcServer,
    config: NodeConfig,
) -> None:
    """Log what an operator wants to know first."""
    keypair = foundation.keypair
    fields = {
        "chain": foundation.genesis.spec.name,
        "genesis": foundation.genesis.hash.hex(),
        "height": chain.ledger.head.height,
        "rpc_port": rpc.port,
        "addresses": ",".join(conversation.network.addresses),
        "validator": ss58_encode(keypair.address) if keypair else "none",
    }
    _log.info("node open", extra=fields)
    if not config.network.boot_nodes and len(chain.ledger.head.validators) > 1:
        _log.warning(
            "no boot nodes are set: unless peers are known from before, others must call this node"
        )
    if keypair is not None and keypair.address not in chain.ledger.head.validators:
        _log.warning(
            "this key is no validator of the chain now: the node follows and does not vote",
            extra={"validator": fields["validator"]},
        )


def _worker_settings(config: NodeConfig) -> PoolSettings:
    execution = config.execution
    return PoolSettings(
        workers=execution.workers,
        memory_bytes_max=execution.memory_mib << 20,
        seconds_max=execution.seconds_max,
        cache_bytes_max=execution.cache_mib << 20,
    )


def _network_config(config: NodeConfig, base_path: Path) -> NetworkConfig:
    section = config.network
    family = "ip6" if ":" in section.listen_host else "ip4"
    return NetworkConfig(
        listen=f"/{family}/{section.listen_host}/tcp/{section.port}",
        bootstrap=section.boot_nodes,
        address_book=base_path / "addresses.json",
        peers_max=section.peers_max,
    )


def _engine_config(config: NodeConfig, genesis: GenesisBlock) -> EngineConfig:
    patience = config.consensus
    return EngineConfig(
        genesis=genesis.hash,
        timeouts=Timeouts(
            propose_ms=patience.propose_ms,
            prevote_ms=patience.vote_ms,
            precommit_ms=patience.vote_ms,
            growth_ms=patience.step_ms,
        ),
        block_interval_ms=genesis.spec.block_interval_ms,
    )
