"""The ledger: builds, checks and commits blocks, and is the only one that moves the head."""

from collections.abc import Callable, Iterable, Mapping
from threading import Lock

from chain.ledger.author import Author
from chain.ledger.builder import Builder, Skipped
from chain.ledger.checker import Executed, TimeLimit, check_block, is_body_of_header
from chain.ledger.config import LedgerConfig
from chain.ledger.opening import Head, open_head
from chain.ledger.queries import ChainQueries
from chain.ledger.refusals import ConflictingBlock, OutOfOrder
from chain.ledger.signatures import SignatureChecker
from chain.primitives.block import Block, Header, PreDigest
from chain.primitives.hashing import ZERO_HASH, blake2_256
from chain.storage.block_store import BlockStore
from chain.storage.database import Database
from chain.storage.state_trie import StateTrie
from consensus.core.certificate import InvalidCertificate, certificate_hash, check_certificate
from consensus.core.messages import CERTIFICATE, Certificate
from runtime.executive import Executive

KeepContent = Callable[[bytes, bytes], None]
"""Keeps the bytes under a root; raises OSError where the disk fails."""


class Ledger:
    """The head and what may become the next one.

    All methods may be called from any thread.  Building and checking run beside each other and
    beside reads, each on the state it began with; only `commit` excludes another `commit`.
    """

    def __init__(
        self,
        database: Database,
        genesis: Header,
        genesis_state: Mapping[bytes, bytes],
        executive: Executive,
        now_ms: Callable[[], int],
        *,
        signatures: SignatureChecker | None = None,
        config: LedgerConfig | None = None,
        skipped: Skipped | None = None,
        keep_content: KeepContent | None = None,
    ) -> None:
        """Take up the chain in the database, or begin it; raises WrongGenesis, DatabaseCorrupted.

        `now_ms` gives the milliseconds since 1970.  `skipped` is told which candidates were left
        out of a block, in the thread that builds it.  `keep_content` is given what the chain itself
        made in a block, before the block is on disk.
        """
        self._config = config or LedgerConfig()
        self._executive = executive
        self._now_ms = now_ms
        self._skipped = skipped
        self._keep_content = keep_content
        self._blocks = BlockStore(database)
        self._trie = StateTrie(database)
        self.signatures = signatures or SignatureChecker()
        self.genesis_hash = genesis.hash()
        self.queries = ChainQueries(self._blocks, self._trie, executive.config)
        header = open_head(self._blocks, self._trie, genesis, genesis_state)
        head_hash = header.hash()
        self.head = Head(header, head_hash, self.queries.validators_after(head_hash))
        self._kept: dict[bytes, Executed] = {}
        self._kept_lock = Lock()
        self._commit_lock = Lock()

    def build(
        self,
        timestamp_ms: int,
        author: Author,
        certificate: Certificate | None,
        candidates: Iterable[bytes],
    ) -> Block:
        """Build a block on the head from encoded candidates; raises LocalFailure.

        `certificate` made the head final; None stands for the one that is kept.
        """
        head = self.head
        named = (
            self._certificate_hash(head) if certificate is None else certificate_hash(certificate)
        )
        builder = Builder(
            head,
            trie=self._trie,
            executive=self._executive,
            signatures=self.signatures,
            misses_max=self._config.misses_max,
            skipped=self._skipped,
        )
        digest = PreDigest(author.address, named if head.height else ZERO_HASH)
        executed = builder.build(author, digest, timestamp_ms, candidates)
        self._keep(executed)
        return executed.block

    def check(self, block: Block) -> None:
        """Execute a block on the head and keep what was found.

        Raises BlockRefused, a verdict, or LocalFailure and OutOfOrder, which are none.
        """
        head, height = self.head, block.header.number
        if height > head.height + 1:
            raise OutOfOrder(f"block {height} on top of {head.height}")
        block_hash = block.hash()
        # The head may have moved since the caller asked: what is final is right.
        known = block_hash in self._kept or self._blocks.hash_at(height) == block_hash
        if not known or not is_body_of_header(block):
            limit_ms = self._config.drift_ms_max
            self._keep(self._execute(block, head, lambda: self._now_ms() + limit_ms))

    def is_body_of_header(self, block: Block) -> bool:
        """Say quickly whether transactions and results are those that the header commits to."""
        return is_body_of_header(block)

    def commit(
        self, block: Block, certificate: Certificate, *, certificate_checked: bool = False
    ) -> None:
        """Make a decided block the head; it is on disk when this returns.

        A block that is already final is left alone.  Raises InvalidCertificate, ConflictingBlock,
        OutOfOrder, and what execution raises if the block was not checked before: BlockRefused or
        LocalFailure.  On DatabaseFailed nothing has moved.  `certificate_checked` says that the
        caller has checked the certificate's signatures.
        """
        block_hash = block.hash()
        with self._commit_lock:
            head = self.head
            if block.header.number <= head.height:
                self._check_is_final(block, block_hash)
                return
            if block.header.number != head.height + 1:
                raise OutOfOrder(f"block {block.header.number} on top of {head.height}")
            self._check_certificate(block, block_hash, certificate, certificate_checked)
            executed = self._kept.get(block_hash)
            if executed is None:
                executed = self._execute(block, head, None)
            if self._keep_content is not None:
                for root, content in executed.contents:
                    self._keep_content(root, content)
            writes = self._blocks.writes_for(executed.block, CERTIFICATE.encode(certificate))
            self._trie.commit(executed.patch, writes)
            self.head = Head(block.header, block_hash, executed.next_validators)
            with self._kept_lock:
                self._kept.clear()

    def _execute(self, block: Block, head: Head, time_limit: TimeLimit | None) -> Executed:
        return check_block(
            block,
            head,
            trie=self._trie,
            executive=self._executive,
            signatures=self.signatures,
            time_limit=time_limit,
        )

    def _keep(self, executed: Executed) -> None:
        """Keep a result while the head stands on which it was found, the newest only."""
        with self._kept_lock:
            if executed.block.header.parent_hash != self.head.hash:
                return
            self._kept[executed.block.hash()] = executed
            while len(self._kept) > self._config.kept_max:
                del self._kept[next(iter(self._kept))]

    def _check_is_final(self, block: Block, block_hash: bytes) -> None:
        final = self._blocks.hash_at(block.header.number)
        if final != block_hash:
            known = "nothing" if final is None else f"0x{final.hex()}"
            raise ConflictingBlock(
                f"height {block.header.number}: 0x{block_hash.hex()}, but {known} is final"
            )

    def _check_certificate(
        self, block: Block, block_hash: bytes, certificate: Certificate, signatures_checked: bool
    ) -> None:
        named = (certificate.height, certificate.block_hash)
        if not certificate.is_commit or named != (block.header.number, block_hash):
            raise InvalidCertificate("it does not make this block final")
        if not signatures_checked:
            check_certificate(certificate, self.genesis_hash, self.head.validators)

    def _certificate_hash(self, head: Head) -> bytes:
        encoded = self._blocks.certificate(head.hash)
        return ZERO_HASH if encoded is None else blake2_256(encoded)
