"""Runs an inference as soon as its transaction reaches the pool, so that blocks find it ready."""

from collections.abc import Callable
from functools import partial

from ai_exec.workers.pool import WorkerPool
from chain.ledger import Ledger
from chain.node.events import Accepted
from chain.primitives.codec import DecodeError
from chain.primitives.hashing import Hash32
from chain.storage.state_trie import StateMissing
from runtime.assembly import CONSTRUCT
from runtime.execution import model_bounds
from runtime.frame import DispatchError


class Anticipation:
    """Looks at every transaction that the pool took."""

    def __init__(
        self, ledger: Ledger, workers: WorkerPool, content: Callable[[Hash32], bytes]
    ) -> None:
        self._ledger = ledger
        self._workers = workers
        self._content = content

    def note(self, accepted: Accepted) -> None:
        """Start the run that the transaction will ask for, if it will ask for one."""
        try:
            call = CONSTRUCT.decode_call(accepted.extrinsic.call)
            if (call.pallet, call.call.name) != ("Inference", "infer"):
                return
            model, version, inputs, _ = call.values
            state = self._ledger.queries.state(self._ledger.head.hash)
            found = state.pallets.models.runnable(model, version)
        except (DecodeError, DispatchError, StateMissing):
            return
        load = partial(self._content, found.root)
        self._workers.prefetch(found.root, load, inputs, model_bounds(found.bounds))
