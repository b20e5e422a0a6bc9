"""A block's way through the ledger on disk: pool, build, check by another node, commit.

The signatures are checked once, when the pool takes the transactions; the other node sees them for
the first time in the block.  libsodium's verification is measured in the same run.
"""

import gc
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from chain.ledger import SignatureChecker
from chain.pool import Pool
from chain.primitives.hashing import blake2_256
from chain.primitives.keys import Keypair, verify
from chain.primitives.numbers import NOE
from chain.storage.database import DiskDatabase
from runtime.assembly import CONFIG
from tests.support.ledger_chain import ALICE, BOB, LedgerChain

TRANSFERS = 2000
BLOCKS = 3
THREADS = 2


def keys() -> list[Keypair]:
    """Give as many senders as a block has transfers."""
    return [Keypair.from_seed(blake2_256(b"%d" % number)) for number in range(TRANSFERS)]


def open_chain(
    folder: Path, senders: Sequence[Keypair], threads: ThreadPoolExecutor
) -> LedgerChain:
    """Give a chain on disk whose blocks have room for all transfers."""
    funds = dict.fromkeys((sender.address for sender in senders), 100 * NOE)
    funds |= dict.fromkeys((ALICE.address, BOB.address), 1000 * NOE)
    limits = replace(CONFIG.limits, weight_max=CONFIG.limits.weight_max * 10)
    return LedgerChain(
        DiskDatabase(folder),
        endowments=funds,
        config=replace(CONFIG, limits=limits),
        signatures=SignatureChecker(threads),
    )


def timed(taken: dict[str, list[float]], name: str, work: Callable[[], object]) -> None:
    """Note the seconds that a step takes."""
    start = perf_counter()
    work()
    taken.setdefault(name, []).append(perf_counter() - start)


def one_block(
    proposer: LedgerChain, voter: LedgerChain, senders: Sequence[Keypair], nonce: int
) -> dict[str, list[float]]:
    """Take one block of transfers the whole way."""
    sent = [
        proposer.transfer(sender, senders[index * 7 % TRANSFERS].address, NOE // 10, nonce=nonce)
        for index, sender in enumerate(senders)
    ]
    taken: dict[str, list[float]] = {}
    pool = Pool(proposer.view(), lambda: 0)
    timed(taken, "pool: submit", lambda: [pool.submit(encoded) for encoded in sent])
    chosen: list[bytes] = []
    timed(taken, "pool: ready", lambda: chosen.extend(pool.ready()))
    proposer.now_ms = voter.now_ms = proposer.now_ms + 1000
    blocks = []
    timed(taken, "ledger: build", lambda: blocks.append(proposer.build(*chosen)))
    block = blocks[0]
    assert len(block.extrinsics) == TRANSFERS + 1
    timed(taken, "ledger: check, signatures unseen", lambda: voter.ledger.check(block))
    certificate = proposer.certify(block)
    timed(taken, "ledger: commit", lambda: proposer.ledger.commit(block, certificate))
    voter.ledger.commit(block, certificate)
    height, included = block.header.number, block.extrinsics
    timed(taken, "pool: prune", lambda: pool.prune(included, height))
    assert len(pool) == 0
    return taken


def main() -> None:
    """Print microseconds a transfer, by step."""
    senders = keys()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(THREADS) as threads:
        proposer = open_chain(Path(folder) / "proposer", senders, threads)
        voter = open_chain(Path(folder) / "voter", senders, threads)
        runs = [one_block(proposer, voter, senders, nonce) for nonce in range(BLOCKS)]
        proposer.database.close()
        voter.database.close()
    print(f"blocks of {TRANSFERS} transfers on disk, {THREADS} threads; best of {BLOCKS}")
    for step in runs[0]:
        best = min(run[step][0] for run in runs)
        print(f"  {step:36} {best / TRANSFERS * 1e6:8.1f} us a transfer")
    signature = ALICE.sign(b"message")
    start = perf_counter()
    for _ in range(TRANSFERS):
        verify(ALICE.address, b"message", signature)
    alone = (perf_counter() - start) / TRANSFERS * 1e6
    print(f"  {'one verification alone, same run':36} {alone:8.1f} us")


if __name__ == "__main__":
    main()
