"""Admission: versions wait for their bytes, then for their turn to be examined.

Invariant: exactly the pending versions stand in one of the two queues, each once.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from chain.primitives.codec import EncodeError, record
from runtime.frame.ports import AdmissionSummary, BlobRegistry, Executor
from runtime.pallets.models import errors, events
from runtime.pallets.models.config import ModelsConfig
from runtime.pallets.models.store import Store
from runtime.pallets.models.stored import (
    QUEUE_MAX,
    READY_MAX,
    STABLE,
    VERSIONS_ACTIVE_MAX,
    Held,
    History,
    Queued,
    Status,
    Version,
)

REASONS_KEPT: Final = 16
REASON_LENGTH_MAX: Final = 240
"""Of a rejection: more is found by examining the file at home."""


class Admission:
    """The two queues and the examination behind them."""

    def __init__(
        self,
        store: Store,
        config: ModelsConfig,
        blobs: BlobRegistry,
        executor: Executor,
        height: Callable[[], int],
    ) -> None:
        self._store = store
        self._config = config
        self._blobs = blobs
        self._executor = executor
        self._height = height

    def enqueue(self, name: str, number: int, blob: bytes) -> None:
        """Let a version wait; raises QueueFull."""
        queue = self._store.ready if self._blobs.is_available(blob) else self._store.waiting
        if len(queue.get()) >= QUEUE_MAX:
            raise errors.QueueFull(f"{QUEUE_MAX} versions")
        queue.set((*queue.get(), Queued(name, number, self._height())))

    def remove(self, name: str, number: int) -> None:
        """Let a version wait no longer."""
        for queue in (self._store.waiting, self._store.ready):
            left = tuple(
                each for each in queue.get() if (each.model, each.version) != (name, number)
            )
            if len(left) < len(queue.get()):
                queue.set(left)

    def examine(self) -> None:
        """Examine the versions whose turn it is."""
        queue = self._store.ready.get()
        if not queue:
            return
        for each in queue[: self._config.admissions_per_block]:
            self._examine(each)
        self._store.ready.set(queue[self._config.admissions_per_block :])

    def advance(self, now: int) -> None:
        """Let versions move up whose bytes have come, and give up those that waited too long."""
        waiting, ready = self._store.waiting.get(), self._store.ready.get()
        if not waiting:
            return
        still: list[Queued] = []
        moved = list(ready)
        for each in waiting:
            blob = self._store.versions[each.model, each.version].blob
            if self._blobs.is_available(blob):
                (moved if len(moved) < READY_MAX else still).append(each)
            elif now - each.since >= self._config.waiting_blocks:
                self._reject(each, ("the bytes of the blob did not come in time",))
            else:
                still.append(each)
        if len(still) < len(waiting):
            self._store.waiting.set(tuple(still))
            self._store.ready.set(tuple(moved))

    def _examine(self, queued: Queued) -> None:
        version = self._store.versions[queued.model, queued.version]
        summary = self._executor.admit(version.blob, version.length, version.bounds)
        reasons = self._reasons(queued, version, summary)
        if reasons:
            self._reject(queued, reasons)
            return
        name, number, model = queued.model, queued.version, self._store.models[queued.model]
        self._store.versions[name, number] = _admitted(version, summary, self._height())
        active = tuple(sorted((*model.active, number)))
        self._store.models[name] = replace(model, active=active)
        self._store.emit(events.Activated(name, number, summary.gas, summary.peak_bytes))
        if number == 1 and model.control.guards:
            self._begin_stable(name)

    def _begin_stable(self, name: str) -> None:
        """Let stable point at the first version of a guarded model, unless others were quicker."""
        moves = self._store.moves.find(name) or ()
        is_open = any(each.channel == STABLE for each in moves)
        if is_open or (name, STABLE) in self._store.histories:
            return
        self._store.histories[name, STABLE] = History(None, (Held(1),))
        self._store.point(name, STABLE, 1)
        self._store.emit(events.Moved(name, STABLE, 1, None))

    def _reasons(
        self, queued: Queued, version: Version, summary: AdmissionSummary
    ) -> tuple[str, ...]:
        if not summary.admitted:
            return summary.reasons or ("no reason was given",)
        if summary.gas > self._config.gas_max:
            return (f"one run costs {summary.gas} gas, at most {self._config.gas_max}",)
        if len(self._store.models[queued.model].active) >= VERSIONS_ACTIVE_MAX:
            return (f"the model has {VERSIONS_ACTIVE_MAX} active versions already",)
        try:
            record(Version).encode(_admitted(version, summary, self._height()))
        except EncodeError as error:
            return (f"inputs or outputs exceed a bound of the chain: {error}",)
        return ()

    def _reject(self, queued: Queued, reasons: tuple[str, ...]) -> None:
        name, number = queued.model, queued.version
        version = self._store.versions[name, number]
        kept = tuple(_short(each) for each in reasons[:REASONS_KEPT])
        self._store.versions[name, number] = replace(version, status=Status.REJECTED, reasons=kept)
        self._blobs.unuse(version.blob, self._store.models[name].owner)
        self._store.emit(events.Rejected(name, number, kept))


def _short(reason: str) -> str:
    """Give a reason as the state can hold it: cut, and without what is not Unicode text."""
    return reason[:REASON_LENGTH_MAX].encode(errors="replace").decode()


def _admitted(version: Version, summary: AdmissionSummary, now: int) -> Version:
    return replace(
        version,
        status=Status.ACTIVE,
        inputs=summary.inputs,
        outputs=summary.outputs,
        gas=summary.gas,
        peak_bytes=summary.peak_bytes,
        activated=now,
    )
