"""A chain of blocks in memory: what a ledger does, without trie and disk."""

from collections.abc import Iterable
from typing import Any

from chain.ledger import Author
from chain.primitives.block import Header, PreDigest
from chain.primitives.extrinsic import (
    Era,
    Extrinsic,
    SigningContext,
    decode_extrinsic,
    encode_extrinsic,
    sign_extrinsic,
)
from chain.primitives.hashing import ZERO_HASH
from chain.primitives.keys import Keypair
from chain.primitives.numbers import NOE
from chain.primitives.trie import EMPTY_ROOT, trie_root
from runtime.assembly import CONSTRUCT, Genesis, RuntimeConfig, genesis_changes
from runtime.block_execution import BlockExecution, BlockOutcome
from runtime.executive import Executive
from runtime.queries import Queries
from tests.support.economy import QUIET

ALICE, BOB, CAROL = (Keypair.from_uri(f"//{name}") for name in ("Alice", "Bob", "Carol"))


class MemoryChain:
    """Blocks one after the other; their invariants are checked."""

    def __init__(self, config: RuntimeConfig = QUIET) -> None:
        endowments = {ALICE.address: 1000 * NOE, BOB.address: 100 * NOE}
        self.config = config
        self.state = genesis_changes(Genesis(endowments, {ALICE.address: 500 * NOE}), config)
        self.executive = Executive(config)
        self.head = Header(ZERO_HASH, 0, trie_root(self.state), EMPTY_ROOT, ())
        self.context = SigningContext(
            config.system.version.spec_version,
            config.system.version.transaction_version,
            self.head.hash(),
        )

    def queries(self) -> Queries:
        return Queries(self.state.get, self.iterate, self.config)

    def iterate(self, prefix: bytes) -> Iterable[tuple[bytes, bytes]]:
        return [(k, self.state[k]) for k in sorted(self.state) if k.startswith(prefix)]

    def begin(self, *, timed: bool = True) -> BlockExecution:
        digest = PreDigest(ALICE.address, ZERO_HASH)
        execution = self.executive.begin(self.state.get, self.head, digest, self.iterate)
        if timed:
            for said in (self.timestamp((self.head.number + 1) * 1000), self.reveal()):
                execution.apply(decode_extrinsic(said), said)
        return execution

    def keep(self, outcome: BlockOutcome) -> BlockOutcome:
        for key, value in outcome.changes.items():
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value
        self.head = Header(
            self.head.hash(),
            self.head.number + 1,
            trie_root(self.state),
            EMPTY_ROOT,
            outcome.digest,
        )
        self.queries().check_invariants()
        return outcome

    def block(self, *transactions: bytes) -> BlockOutcome:
        execution = self.begin()
        for encoded in transactions:
            execution.apply(decode_extrinsic(encoded), encoded)
        return self.keep(execution.finish())

    def timestamp(self, milliseconds: int) -> bytes:
        call = CONSTRUCT.encode_call("Timestamp", "set", {"now": milliseconds})
        return encode_extrinsic(Extrinsic(call))

    def reveal(self) -> bytes:
        """Give what alice's next block reveals."""
        known = self.queries().pallets.randomness.commitment_of(ALICE.address)
        author = Author(ALICE, self.context.genesis_hash)
        said = author.reveal(known, self.config.randomness.chain_length)
        return encode_extrinsic(Extrinsic(CONSTRUCT.encode_call("Randomness", "reveal", said)))

    def sign(
        self,
        who: Keypair,
        pallet: str,
        name: str,
        arguments: dict[str, Any],
        *,
        nonce: int | None = None,
        tip: int = 0,
        era: Era | None = None,
        birth_hash: bytes | None = None,
        context: SigningContext | None = None,
    ) -> bytes:
        if nonce is None:
            nonce = self.queries().account(who.address).nonce
        return sign_extrinsic(
            who,
            CONSTRUCT.encode_call(pallet, name, arguments),
            nonce=nonce,
            context=context or self.context,
            tip=tip,
            era=era,
            birth_hash=birth_hash,
        )

    def transfer(self, who: Keypair, to: Keypair, value: int, **options: Any) -> bytes:
        arguments = {"dest": to.address, "value": value}
        return self.sign(who, "Balances", "transfer_keep_alive", arguments, **options)


def root_of_a_story() -> str:
    """Give the state root behind a few blocks: equal wherever it is computed."""
    chain = MemoryChain()
    chain.block(chain.transfer(ALICE, CAROL, 5 * NOE, tip=9), chain.transfer(BOB, ALICE, NOE))
    chain.block(chain.transfer(CAROL, BOB, NOE), chain.transfer(BOB, CAROL, 999 * NOE))
    chain.block(chain.sign(CAROL, "System", "remark_with_event", {"remark": b"words"}))
    return chain.head.state_root.hex()


if __name__ == "__main__":
    print(root_of_a_story())
