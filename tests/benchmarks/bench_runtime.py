"""Transfers through the whole runtime: signature, dispatch, state root, database batch.

Peers measured in the same run: one ed25519 verification by libsodium, and a bare transfer between
two entries of a Python dictionary with a BLAKE2b over both.  Peers quoted, on a core like these:
EELS 658-913 us, py-evm 1068-1449 us, LiteSVM (Rust, no state root) 48 us a transfer.
"""

import gc
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

from chain.primitives.block import Header, PreDigest
from chain.primitives.extrinsic import (
    Extrinsic,
    SigningContext,
    decode_extrinsic,
    encode_extrinsic,
    sign_extrinsic,
)
from chain.primitives.hashing import ZERO_HASH, blake2_256
from chain.primitives.keys import Keypair, verify
from chain.primitives.numbers import NOE
from chain.primitives.trie import EMPTY_ROOT
from chain.storage.database import DiskDatabase
from chain.storage.state_trie import StateTrie
from runtime.assembly import CONSTRUCT, Genesis, genesis_changes
from runtime.block_execution import BlockExecution
from runtime.executive import Executive
from runtime.validation import SignatureCheck

TRANSFERS = 2000
ACCOUNTS = 10_000
THREADS = 2

COLLECTOR = (100_000, 20, 100)
"""Thresholds of the garbage collector, so that it does not run forty times a block: the values of a
block are no garbage.  Python's own thresholds make `apply` half as slow again."""

QUOTED = {"EELS": 785, "py-evm": 1258, "LiteSVM": 48}
"""Microseconds a transfer, the middle of what was measured."""

ALICE = Keypair.from_uri("//Alice")


class Bench:
    """A chain on disk, and a block of transfers from different senders."""

    def __init__(self, folder: Path) -> None:
        self.keys = [Keypair.from_seed(blake2_256(b"%d" % each)) for each in range(TRANSFERS)]
        idle = [blake2_256(b"idle %d" % each) for each in range(ACCOUNTS - TRANSFERS)]
        funds = dict.fromkeys([*(key.address for key in self.keys), *idle], 10 * NOE)
        state = genesis_changes(Genesis({**funds, ALICE.address: 1000 * NOE}, {ALICE.address: NOE}))
        self.trie = StateTrie(DiskDatabase(folder))
        self.trie.commit(self.trie.prepare(EMPTY_ROOT, state))
        self.head = Header(ZERO_HASH, 0, self.trie.root, EMPTY_ROOT, ())
        call = CONSTRUCT.encode_call("Timestamp", "set", {"now": 1_700_000_000_000})
        self.time = encode_extrinsic(Extrinsic(call))
        context = SigningContext(1, 1, self.head.hash())
        self.transfers = [self._transfer(each, context) for each in range(TRANSFERS)]

    def _transfer(self, index: int, context: SigningContext) -> bytes:
        to = self.keys[(index * 7 + 1) % TRANSFERS].address
        arguments = {"dest": to, "value": NOE // 100 + index}
        call = CONSTRUCT.encode_call("Balances", "transfer_keep_alive", arguments)
        return sign_extrinsic(self.keys[index], call, nonce=0, context=context)

    def run(self, execution: BlockExecution) -> dict[str, float]:
        """Execute the block on the head without keeping it; gives seconds by step."""
        gc.collect()
        clock = Clock()
        decoded = [decode_extrinsic(each) for each in self.transfers]
        clock.lap("decode")
        checks = [execution.signature_of(each) for each in decoded]
        clock.lap("payloads")
        check_all([each for each in checks if each])
        clock.lap(f"signatures, {THREADS} threads")
        for extrinsic, encoded in zip(decoded, self.transfers, strict=True):
            execution.apply(extrinsic, encoded, signature_checked=True)
        clock.lap("apply")
        outcome = execution.finish()
        clock.lap("finish: encode changes and events")
        self.patch = self.trie.prepare(self.trie.root, outcome.changes)
        clock.lap("state root")
        return clock.seconds

    def begin(self) -> BlockExecution:
        read = self.trie.reader(self.trie.root)
        digest = PreDigest(ALICE.address, ZERO_HASH)
        execution = Executive().begin(read, self.head, digest)
        execution.apply(decode_extrinsic(self.time), self.time)
        return execution


class Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.seconds[name] = now - self._last
        self._last = perf_counter()


def check_all(checks: Sequence[SignatureCheck]) -> None:
    """Check signatures in threads; libsodium frees the interpreter."""

    def check_part(first: int) -> bool:
        part = checks[first::THREADS]
        return all(verify(each.address, each.message, each.signature) for each in part)

    with ThreadPoolExecutor(THREADS) as threads:
        assert all(threads.map(check_part, range(THREADS)))


def time_of(work: Callable[[], None], count: int) -> float:
    """Give the microseconds of one of `count` repetitions, best of three."""
    best = float("inf")
    for _ in range(3):
        start = perf_counter()
        work()
        best = min(best, perf_counter() - start)
    return best / count * 1e6


def bare_transfers() -> None:
    """Move funds between two entries of a dictionary and hash both."""
    funds = dict.fromkeys(range(TRANSFERS), 10**12)
    root = ZERO_HASH
    for sender in range(TRANSFERS):
        to = (sender * 7 + 1) % TRANSFERS
        if funds[sender] >= 5:
            funds[sender] -= 5
            funds[to] += 5
        root = blake2_256(root + funds[sender].to_bytes(16, "little") + funds[to].to_bytes(16))


def verifications() -> None:
    """Check one signature many times."""
    signature = ALICE.sign(b"message")
    for _ in range(TRANSFERS):
        assert verify(ALICE.address, b"message", signature)


def main() -> None:
    """Print microseconds a transfer, by step and against peers."""
    gc.freeze()
    gc.set_threshold(*COLLECTOR)
    verification, bare = time_of(verifications, TRANSFERS), time_of(bare_transfers, TRANSFERS)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "state")
        runs = [bench.run(bench.begin()) for _ in range(5)]
        best = {step: min(seconds[step] for seconds in runs) for step in runs[0]}
        clock = Clock()
        bench.trie.commit(bench.patch)
        clock.lap("database batch, synced")
        best |= clock.seconds
    total = 0.0
    print(f"{TRANSFERS} transfers in one block, {ACCOUNTS} accounts on disk; best of five, by step")
    for step, seconds in best.items():
        total += seconds / TRANSFERS * 1e6
        print(f"  {step:36} {seconds / TRANSFERS * 1e6:8.1f} us a transfer")
    print(f"  {'all':36} {total:8.1f} us a transfer = {1e6 / total:,.0f} a second")
    print(f"  blocks of {TRANSFERS} transfers replayed: {1e6 / total / TRANSFERS:.1f} a second")
    compared = {"libsodium verification": verification, "bare Python transfer": bare}
    for peer, measured in compared.items():
        print(f"  {peer + ', same run':36} {measured:8.1f} us: {total / measured:.2f} x")
    for peer, quoted in QUOTED.items():
        print(f"  {peer + ', quoted':36} {quoted:8.1f} us: {total / quoted:.2f} x")


if __name__ == "__main__":
    main()
