"""Starting a node from the shell: configuration, logs, signals, and failures in words."""

import gc
import logging
import signal
from pathlib import Path
from typing import Any, Final

import trio

from chain.ledger import BlockRefused, ConflictingBlock, WrongGenesis
from chain.network import ListenFailed
from chain.network.addresses import InvalidPeerAddress
from chain.node.config import NodeConfig, load_config, with_overrides
from chain.node.identity import KeyUnusable
from chain.node.logs import configure_logs
from chain.node.node import open_node
from chain.storage.database import DatabaseCorrupted, DatabaseFailed, FolderInUse
from chain.sync.blocks import ChainsDiverged
from consensus.engine.ports import CannotPersist
from consensus.engine.signer import SignerDamaged
from consensus.engine.write_ahead_log import LogDamaged
from genesis.spec import InvalidSpec
from runtime.executive import ReleaseNeeded

CLEAN, FAILED = 0, 1

_EXPECTED: Final = (
    InvalidSpec,
    KeyUnusable,
    FolderInUse,
    DatabaseCorrupted,
    DatabaseFailed,
    CannotPersist,
    ListenFailed,
    InvalidPeerAddress,
    BlockRefused,
    ConflictingBlock,
    ChainsDiverged,
    LogDamaged,
    ReleaseNeeded,
    SignerDamaged,
    WrongGenesis,
)

_log = logging.getLogger("noema")


def run_node(base_path: Path, overrides: dict[str, Any]) -> int:
    """Run a node until SIGTERM or SIGINT; gives the exit status.

    `overrides` replaces fields of the configuration by dotted name; None leaves one as it is.
    Raises InvalidConfig.
    """
    base_path.mkdir(parents=True, exist_ok=True)
    config = with_overrides(load_config(base_path), overrides)
    configure_logs(config.log_level, config.log_format)
    if not __debug__:
        _log.error("the checks of this program are asserts; run Python without -O")
        return FAILED
    _calm_garbage_collector()
    try:
        trio.run(_run, config, base_path)
    except BaseException as error:  # the border: every failure ends as a line and a status
        return _explain(error)
    return CLEAN


def _calm_garbage_collector() -> None:
    """Blocks make many short-lived objects and no cycles; frequent collections cost a third."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


async def _run(config: NodeConfig, base_path: Path) -> None:
    stop = trio.Event()
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
        async with trio.open_nursery() as nursery:

            async def wait_for_signal() -> None:
                async for number in received:
                    _log.info("stopping", extra={"signal": signal.Signals(number).name})
                    stop.set()

            nursery.start_soon(wait_for_signal)
            async with open_node(config, base_path) as node:
                await node.run(stop)
            nursery.cancel_scope.cancel()


def _explain(error: BaseException) -> int:
    for each in _leaves(error):
        if isinstance(each, _EXPECTED):
            kind = type(each).__doc__ or ""
            _log.error("%s: %s  (%s)", type(each).__name__, each, kind.splitlines()[0])
        elif isinstance(each, OSError):
            _log.error("%s  (Look at free space, permissions and ports.)", each)
            _log.debug("where it happened", exc_info=each)
        elif not isinstance(each, trio.Cancelled):
            _log.error("the node failed", exc_info=each)
    return FAILED


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]
