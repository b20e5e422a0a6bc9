"""Utility: several calls in one transaction.

Calls travel as bytes and run with the origin of the batch, never with a greater one.

Invariant: none of its own; it keeps nothing.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from chain.primitives.codec import U32, blob, sequence
from runtime.frame import Constant, DispatchError, Event, Overlay, Pallet, PostInfo, Root, Signed
from runtime.frame import call as pallet_call
from runtime.frame.failure import FAILURE, Failure
from runtime.frame.ports import Dispatcher
from runtime.pallets.utility import weights

BATCH_MAX: Final = 256
"""Calls of one batch; who has more sends another."""

CALL_BYTES_MAX: Final = 256 * 1024
"""Of one call: no transaction is longer."""

Calls = Annotated[tuple[bytes, ...], sequence(blob(CALL_BYTES_MAX), BATCH_MAX)]


@dataclass(frozen=True)
class BatchInterrupted(Event, index=0):
    """A call of a batch was refused: those before it stand, those behind it did not run."""

    place: Annotated[int, U32]
    """Of the refused call, from 0 on."""
    error: Annotated[Failure, FAILURE]


@dataclass(frozen=True)
class BatchCompleted(Event, index=1):
    """Every call of a batch did what it was meant to do."""


@dataclass(frozen=True)
class ItemCompleted(Event, index=3):
    """One call of a batch did what it was meant to do."""


class NoCalls(DispatchError, index=0):
    """The batch holds no call.  Name at least one."""


class Utility(
    Pallet,
    events=(BatchInterrupted, BatchCompleted, ItemCompleted),
    errors=(NoCalls,),
):
    """Several calls in one transaction."""

    batched_calls_limit = Constant(U32, lambda self: BATCH_MAX, "Calls of one batch.")

    def __init__(self, state: Overlay, dispatcher: Dispatcher) -> None:
        super().__init__(state)
        self.dispatcher = dispatcher

    @pallet_call(index=0, weight=lambda self, calls: self.weigh(calls))
    def batch(self, origin: Signed | Root, calls: Calls) -> PostInfo:
        """Run calls one after the other up to the first that is refused; what ran stands."""
        _check(calls)
        spent = weights.BASE
        for index, each in enumerate(calls):
            try:
                spent += self._run(origin, each)
            except DispatchError as error:
                self.emit(BatchInterrupted(index, self.dispatcher.failure_of(error)))
                return PostInfo(spent + self._charged(each, error.post))
            self.emit(ItemCompleted())
        self.emit(BatchCompleted())
        return PostInfo(spent)

    @pallet_call(index=2, weight=lambda self, calls: self.weigh(calls))
    def batch_all(self, origin: Signed | Root, calls: Calls) -> PostInfo:
        """Run calls one after the other, all of them or none."""
        _check(calls)
        spent = weights.BASE
        for each in calls:
            try:
                spent += self._run(origin, each)
            except DispatchError as error:
                error.post = PostInfo(spent + self._charged(each, error.post))
                raise
            self.emit(ItemCompleted())
        self.emit(BatchCompleted())
        return PostInfo(spent)

    def weigh(self, calls: Calls) -> int:
        """Give the picoseconds of all calls; those that will be refused as none weigh nothing."""
        return weights.BASE + sum(self._weight_of(each) for each in calls)

    def _run(self, origin: Signed | Root, call: bytes) -> int:
        return self._charged(call, self.dispatcher.dispatch(origin, call))

    def _charged(self, call: bytes, post: PostInfo) -> int:
        most = self._weight_of(call)
        return most if post.actual_weight is None else min(most, post.actual_weight)

    def _weight_of(self, call: bytes) -> int:
        try:
            return self.dispatcher.weigh(call)
        except DispatchError:
            return 0


def _check(calls: Calls) -> None:
    if not calls:
        raise NoCalls()
