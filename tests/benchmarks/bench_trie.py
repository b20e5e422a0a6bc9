"""The state trie: a root from nothing, and batches of changes to a large state on disk.

Beside them, in the same run: one BLAKE2b-256 of 100 bytes, one plyvel put, and what each changed
key would cost if the root were computed anew from the whole state.
"""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from chain.primitives.hashing import blake2_128, blake2_256
from chain.primitives.trie import EMPTY_ROOT, trie_root
from chain.primitives.trie_proof import verify_proof
from chain.storage.database import DiskDatabase
from chain.storage.state_trie import StateTrie

ACCOUNTS = 100_000
BATCH = 2000
ROUNDS = 8
DICE = random.Random(1)

State = dict[bytes, bytes]


def account_key(number: int) -> bytes:
    """Give a storage key as a map of accounts has it."""
    address = blake2_256(number.to_bytes(8, "little"))
    return bytes(32) + blake2_128(address) + address


def batch(keys: list[bytes]) -> dict[bytes, bytes | None]:
    """Give new values of as many accounts as a block changes."""
    return {key: DICE.randbytes(80) for key in DICE.sample(keys, BATCH)}


def seconds(work: Callable[[], object]) -> float:
    """Give the seconds that some work takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def show(name: str, taken: float, count: int, unit: str) -> None:
    """Print microseconds of one of many."""
    print(f"  {name:44} {taken / count * 1e6:9.2f} us a {unit}")


def on_disk(trie: StateTrie, keys: list[bytes]) -> None:
    """Print what changes, reads and proofs of a state on disk cost."""
    prepared, committed = [], []
    for _ in range(ROUNDS):
        changes = batch(keys)
        start = perf_counter()
        patch = trie.prepare(trie.root, changes)
        prepared.append(perf_counter() - start)
        committed.append(seconds(lambda patch=patch: trie.commit(patch)))  # type: ignore[misc]
    sizes = sum(map(len, patch.nodes.values())) / BATCH
    show("prepare, best (root and nodes)", min(prepared), BATCH, "changed key")
    show("prepare, median", sorted(prepared)[ROUNDS // 2], BATCH, "changed key")
    show("commit, best (one synced batch)", min(committed), BATCH, "changed key")
    print(f"  {len(patch.nodes) / BATCH:.2f} nodes and values, {sizes:.0f} bytes a changed key")
    sample = DICE.sample(keys, BATCH)
    old = patch.parent
    show(
        "read of the head", seconds(lambda: [trie.read(trie.root, k) for k in sample]), BATCH, "key"
    )
    show("read of an old root", seconds(lambda: [trie.read(old, k) for k in sample]), BATCH, "key")
    proofs = [(key, trie.proof(old, [key])) for key in sample]
    show("proof", seconds(lambda: [trie.proof(old, [key]) for key in sample]), BATCH, "key")
    checked = seconds(lambda: [verify_proof(old, [key], proof) for key, proof in proofs])
    show("proof checked", checked, BATCH, "key")


def main() -> None:
    """Print the cost of the trie by operation."""
    keys = [account_key(number) for number in range(ACCOUNTS)]
    state: State = {key: DICE.randbytes(80) for key in keys}
    print(f"{ACCOUNTS} accounts of 80 bytes, batches of {BATCH} changes")
    whole = seconds(lambda: trie_root(state))
    show("root of the whole state", whole, ACCOUNTS, "key")
    with tempfile.TemporaryDirectory() as folder, DiskDatabase(Path(folder)) as database:
        trie = StateTrie(database)
        trie.commit(trie.prepare(EMPTY_ROOT, state))
        on_disk(trie, keys)
        puts = [(b"z" + key, bytes(100)) for key in keys[:BATCH]]
        show("plyvel put, same run", seconds(lambda: database.write(puts, sync=True)), BATCH, "put")
    content = bytes(100)
    hashes = seconds(lambda: [blake2_256(content) for _ in range(BATCH)])
    show("BLAKE2b-256 of 100 bytes, same run", hashes, BATCH, "hash")
    show("root anew for every batch", whole, BATCH, "changed key")


if __name__ == "__main__":
    main()
