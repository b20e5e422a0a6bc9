"""The head state as the pool sees it: who may send what next."""

from collections.abc import Callable
from threading import Lock

from chain.ledger.opening import Head
from chain.ledger.queries import ChainQueries
from chain.ledger.signatures import SignatureChecker
from chain.primitives.extrinsic import Extrinsic
from chain.primitives.keys import Address
from runtime.executive import BlockExecution, Executive
from runtime.validation import BadProof, Validity


class HeadView:
    """Judges transactions for the block after the head.  May be used by many threads.

    A view of the state is kept while the head stands, so that an account is decoded once.
    Signatures are checked outside the lock and remembered for the block that will carry them.
    """

    def __init__(
        self,
        head: Callable[[], Head],
        queries: ChainQueries,
        executive: Executive,
        signatures: SignatureChecker,
    ) -> None:
        self._head = head
        self._queries = queries
        self._executive = executive
        self._signatures = signatures
        self._lock = Lock()
        self._viewed: Head | None = None
        self._view: BlockExecution | None = None

    def height(self) -> int:
        """Return the height of the head."""
        return self._head().height

    def nonce(self, address: Address) -> int:
        """Return how many transactions an account has sent."""
        with self._lock:
            return self._current().pallets.system.account[address].nonce

    def validate(self, extrinsic: Extrinsic, encoded: bytes) -> Validity:
        """Judge a signed transaction; raises InvalidTransaction."""
        with self._lock:
            view = self._current()
            check = view.signature_of(extrinsic)
        if check is not None and not self._signatures.is_good(check):
            raise BadProof("the signature does not fit")
        with self._lock:
            return view.validate(extrinsic, encoded, signature_checked=True)

    def _current(self) -> BlockExecution:
        head = self._head()
        if self._view is None or head is not self._viewed:
            self._view = self._executive.view(self._queries.reader(head.hash), head.header)
            self._viewed = head
        return self._view
