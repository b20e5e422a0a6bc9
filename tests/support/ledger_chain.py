"""A real ledger over a database, with validators that sign what they are given."""

from collections.abc import Iterable, Sequence
from typing import Any

from chain.ledger import Author, HeadView, Ledger, LedgerConfig, SignatureChecker
from chain.ledger.builder import Skipped
from chain.ledger.ledger import KeepContent
from chain.primitives.block import Block, Header
from chain.primitives.extrinsic import Era, SigningContext, sign_extrinsic
from chain.primitives.hashing import ZERO_HASH
from chain.primitives.keys import Keypair
from chain.primitives.numbers import NOE
from chain.primitives.trie import EMPTY_ROOT, trie_root
from chain.storage.database import Database
from consensus.core.certificate import certify
from consensus.core.messages import Certificate, Kind, Vote, vote_bytes
from runtime.assembly import CONFIG, CONSTRUCT, Genesis, RuntimeConfig, genesis_changes
from runtime.executive import Executive
from runtime.frame.ports import Executor
from tests.support.memory_database import MemoryDatabase

ALICE, BOB, CAROL = (Keypair.from_uri(f"//{name}") for name in ("Alice", "Bob", "Carol"))


class LedgerChain:
    """One node's ledger; the clock stands at `now_ms` until it is moved."""

    def __init__(
        self,
        database: Database | None = None,
        *,
        endowments: dict[bytes, int] | None = None,
        config: RuntimeConfig = CONFIG,
        ledger_config: LedgerConfig | None = None,
        executor: Executor | None = None,
        signatures: SignatureChecker | None = None,
        skipped: Skipped | None = None,
        keep_content: KeepContent | None = None,
    ) -> None:
        funds = endowments or {each.address: 1000 * NOE for each in (ALICE, BOB)}
        validators = dict.fromkeys((ALICE.address, BOB.address), 500 * NOE)
        state = genesis_changes(Genesis(funds, validators), config)
        self.genesis = Header(ZERO_HASH, 0, trie_root(state), EMPTY_ROOT, ())
        self.database = database or MemoryDatabase()
        self.now_ms = 1_000_000
        self.executive = Executive(config, executor)
        self.ledger = Ledger(
            self.database,
            self.genesis,
            state,
            self.executive,
            lambda: self.now_ms,
            signatures=signatures,
            config=ledger_config,
            skipped=skipped,
            keep_content=keep_content,
        )
        version = config.system.version
        self.context = SigningContext(
            version.spec_version, version.transaction_version, self.genesis.hash()
        )

    def view(self) -> HeadView:
        ledger = self.ledger
        return HeadView(lambda: ledger.head, ledger.queries, self.executive, ledger.signatures)

    def build(self, *candidates: bytes) -> Block:
        return self.ledger.build(self.now_ms, self.author(ALICE), None, candidates)

    def author(self, who: Keypair) -> Author:
        return Author(who, self.genesis.hash())

    def certify(self, block: Block, signers: Sequence[Keypair] = (ALICE, BOB)) -> Certificate:
        genesis, height, block_hash = self.genesis.hash(), block.header.number, block.hash()
        message = vote_bytes(
            genesis,
            Kind.PRECOMMIT,
            height=height,
            round_number=0,
            block_hash=block_hash,
            valid_round=None,
        )
        votes = [
            Vote(Kind.PRECOMMIT, height, 0, block_hash, None, each.address, each.sign(message))
            for each in signers
        ]
        return certify(votes, self.ledger.head.validators)

    def grow(self, *candidates: bytes) -> Block:
        """Build a block and make it the head."""
        self.now_ms += 1000
        block = self.build(*candidates)
        self.ledger.commit(block, self.certify(block))
        return block

    def sign(
        self, who: Keypair, pallet: str, name: str, arguments: dict[str, Any], **options: Any
    ) -> bytes:
        nonce = options.pop("nonce", None)
        if nonce is None:
            nonce = self.ledger.queries.nonce(self.ledger.head.hash, who.address)
        call = CONSTRUCT.encode_call(pallet, name, arguments)
        return sign_extrinsic(who, call, nonce=nonce, context=self.context, **options)

    def transfer(self, who: Keypair, to: bytes, value: int = NOE, **options: Any) -> bytes:
        arguments = {"dest": to, "value": value}
        return self.sign(who, "Balances", "transfer_keep_alive", arguments, **options)

    def mortal_transfer(self, who: Keypair, to: bytes, period: int) -> bytes:
        head = self.ledger.head
        era = Era.mortal(period, head.height)
        birth = self.ledger.queries.hash_at(era.birth(head.height))
        return self.transfer(who, to, era=era, birth_hash=birth)

    def free(self, addresses: Iterable[bytes]) -> list[int]:
        state = self.ledger.queries.state(self.ledger.head.hash)
        return [state.account(address).data.free for address in addresses]
