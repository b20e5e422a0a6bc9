"""Models: the registry of programs that the chain can run.

A version is immutable: its content is its root.  It waits for its bytes, is examined between
transactions, and is then active or rejected for reasons.

Invariant: a model lists exactly its active versions, and every version that can still be run or
examined holds its blob.
"""

from dataclasses import dataclass, replace
from typing import Final, Protocol

from chain.primitives.codec import U32, U64, U128, EncodeError, record, sequence
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from runtime.frame import (
    Constant,
    Overlay,
    Pallet,
    Signed,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame.names import NAME, Name, is_name
from runtime.frame.ports import (
    AdmissionSummary,
    BlobRegistry,
    Bounds,
    Currency,
    Executor,
    FeeSink,
    Heights,
)
from runtime.frame.runs import PARTS, FeePolicy, Runnable
from runtime.pallets.models import errors, events, weights
from runtime.pallets.models.stored import (
    VERSIONS_ACTIVE_MAX,
    Datasets,
    Licence,
    Model,
    ModelStatus,
    Queued,
    Status,
    Version,
    VersionNumber,
)

MODEL_KIND: Final = 0
"""The kind under which a model's blob must be announced."""

QUEUE_MAX: Final = 64
"""Versions that wait for their bytes, and as many for their turn: both queues are written whole,
and the first is walked in every block."""

READY_MAX: Final = 2 * QUEUE_MAX
"""Places for a turn with those that only waiting versions take, oldest first: however many are
published with their bytes at hand, nobody who waited is kept out."""

REASONS_KEPT: Final = 16
REASON_LENGTH_MAX: Final = 240
"""Of a rejection: more is found by examining the file at home."""

SHOWN_MAX: Final = 64
"""Versions that one query shows."""

WAITING = sequence(record(Queued), QUEUE_MAX)
READY = sequence(record(Queued), READY_MAX)


@dataclass(frozen=True, slots=True)
class ModelsConfig:
    """What a chain decides about models."""

    model_deposit: int
    """Set aside for a name, in the smallest unit: names are scarce."""

    version_deposit: int
    """Set aside for each version until it is retired: pays for its entry in the state."""

    examination_base: int
    """Fee of any version, in the smallest unit: one block examines few, and whoever fills the
    queue pays for every place in it."""

    examination_per_byte: int
    """Fee of each byte, in the smallest unit: all validators read the whole content."""

    gas_max: int
    """Greatest cost of one run: what fits into a block beside other transactions."""

    admissions_per_block: int
    """Models examined in one block: examining a large one takes a good part of a second."""

    waiting_blocks: int
    """Blocks that a version waits for its bytes before it is rejected and frees its place."""


class DatasetSource(Protocol):
    """Datasets by name."""

    def exists(self, dataset: Name) -> bool:
        """Tell whether a dataset has this name."""
        ...


class Models(
    Pallet,
    events=(
        events.Registered,
        events.Published,
        events.Activated,
        events.Rejected,
        events.Retired,
    ),
    errors=(
        errors.BadName,
        errors.NameTaken,
        errors.BadLicence,
        errors.SharesDoNotAddUp,
        errors.UnknownDataset,
        errors.DatasetTwice,
        errors.ContributorsWithoutDataset,
        errors.UnknownModel,
        errors.NotOwner,
        errors.UnknownVersion,
        errors.AlreadyRetired,
        errors.QueueFull,
        errors.NotActive,
        errors.TooManyActive,
        errors.BadBounds,
    ),
):
    """Names, versions and their admission."""

    models = StorageMap(NAME, record(Model), docs="Models by name.")
    versions = StorageDoubleMap(NAME, U32, record(Version), docs="Versions of a model by number.")
    waiting = StorageValue(WAITING, default=(), docs="Versions whose bytes are awaited.")
    ready = StorageValue(READY, default=(), docs="Versions whose turn to be examined comes.")

    model_deposit = Constant(U128, lambda self: self.config.model_deposit, "Deposit of a name.")
    version_deposit = Constant(
        U128, lambda self: self.config.version_deposit, "Deposit of each version."
    )
    examination_base = Constant(
        U128, lambda self: self.config.examination_base, "Fee for examining any version."
    )
    examination_per_byte = Constant(
        U128, lambda self: self.config.examination_per_byte, "Fee for examining a byte of it."
    )
    gas_max = Constant(U64, lambda self: self.config.gas_max, "Greatest cost of one run.")

    def __init__(
        self,
        state: Overlay,
        config: ModelsConfig,
        currency: Currency,
        blobs: BlobRegistry,
        datasets: DatasetSource,
        sink: FeeSink,
        executor: Executor,
        heights: Heights,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.currency = currency
        self.blobs = blobs
        self.datasets = datasets
        self.sink = sink
        self.executor = executor
        self.heights = heights

    @call(index=0, weight=weights.REGISTER)
    def register(
        self,
        origin: Signed,
        name: Name,
        blob: Hash32,
        licence: Licence,
        datasets: Datasets,
        policy: FeePolicy,
        bounds: Bounds,
    ) -> None:
        """Take a name, with a first version whose blob the signer has announced.

        Bounds say how long the axes may be that the model leaves open.  Deposits and the fee for
        its examination are taken from the signer.
        """
        if not is_name(name):
            raise errors.BadName(repr(name))
        if name in self.models:
            raise errors.NameTaken(name)
        if not licence:
            raise errors.BadLicence()
        _check_policy(policy)
        self.currency.reserve(origin.address, self.config.model_deposit)
        self.emit(events.Registered(name, origin.address))
        model = Model(origin.address, licence, policy, self.heights.height())
        self._publish(name, model, blob, datasets, bounds)

    @call(index=1, weight=weights.PUBLISH)
    def publish(
        self, origin: Signed, name: Name, blob: Hash32, datasets: Datasets, bounds: Bounds
    ) -> None:
        """Add a version to a model of the signer; it is the default one as soon as it is active.

        A deposit and the fee for its examination are taken from the signer.
        """
        self._publish(name, self._owned(name, origin.address), blob, datasets, bounds)

    @call(index=2, weight=weights.RETIRE)
    def retire(self, origin: Signed, name: Name, version: VersionNumber) -> None:
        """Stop new calls of a version; old receipts keep their meaning."""
        model = self._owned(name, origin.address)
        found = self._version(name, version)
        if found.status == Status.RETIRED:
            raise errors.AlreadyRetired()
        if found.status != Status.REJECTED:
            self.blobs.unuse(found.blob, model.owner)
        for queue in (self.waiting, self.ready):
            if any((each.model, each.version) == (name, version) for each in queue.get()):
                queue.set(_without(queue.get(), name, version))
        self.currency.unreserve(model.owner, found.deposit)
        self.versions[name, version] = replace(found, status=Status.RETIRED, deposit=0)
        active = tuple(each for each in model.active if each != version)
        self.models[name] = replace(model, active=active)
        self.emit(events.Retired(name, version))

    def runnable(self, name: Name, version: VersionNumber | None) -> Runnable:
        """Give what a run needs to know, of the newest active version if none is named."""
        model = self._find(name)
        if model is None:
            raise errors.UnknownModel(name)
        if version is None:
            if not model.active:
                raise errors.NotActive(f"{name} has no active version")
            version = model.active[-1]
        found = self._version(name, version)
        if found.status != Status.ACTIVE:
            raise errors.NotActive(f"{name} version {version} is {found.status.name.lower()}")
        return Runnable(
            name,
            version,
            found.blob,
            model.owner,
            model.policy,
            found.datasets,
            (),
            found.inputs,
            found.bounds,
            found.gas,
        )

    def gas(self, name: Name, version: VersionNumber | None) -> int:
        """Say what a run costs: nothing where it cannot be run."""
        model = self._find(name)
        if model is None or not model.active:
            return 0
        found = self.versions.find((name, model.active[-1] if version is None else version))
        return found.gas if found is not None and found.status == Status.ACTIVE else 0

    def status(self, name: Name) -> ModelStatus | None:
        """Give what there is to know about a model, None for an unknown one."""
        model = self._find(name)
        if model is None:
            return None
        first = max(1, model.versions - SHOWN_MAX + 1)
        numbers = range(first, model.versions + 1)
        return ModelStatus(model, tuple((each, self.versions[name, each]) for each in numbers))

    def on_initialize(self, number: int) -> None:
        """Examine the versions whose turn it is."""
        queue = self.ready.get()
        if not queue:
            return
        for each in queue[: self.config.admissions_per_block]:
            self._examine(each)
        self.ready.set(queue[self.config.admissions_per_block :])

    def on_finalize(self, number: int) -> None:
        """Let versions move up whose bytes have come, and give up those that waited too long."""
        waiting, ready = self.waiting.get(), self.ready.get()
        if not waiting:
            return
        still: list[Queued] = []
        moved = list(ready)
        for each in waiting:
            blob = self.versions[each.model, each.version].blob
            if self.blobs.is_available(blob):
                (moved if len(moved) < READY_MAX else still).append(each)
            elif number - each.since >= self.config.waiting_blocks:
                self._reject(each, ("the bytes of the blob did not come in time",))
            else:
                still.append(each)
        if len(still) < len(waiting):
            self.waiting.set(tuple(still))
            self.ready.set(tuple(moved))

    def check_invariants(self) -> None:
        """Assert that queues, active lists and statuses agree, and that deposits are set aside."""
        queued = [(each.model, each.version) for each in (*self.waiting.get(), *self.ready.get())]
        assert len(set(queued)) == len(queued), "a version waits twice"
        deposits: dict[bytes, int] = {}
        for name, model in self.models.items():
            versions = {number: each for (_, number), each in self.versions.under(name)}
            assert sorted(versions) == list(range(1, model.versions + 1))
            active = [each for each in versions if versions[each].status == Status.ACTIVE]
            assert sorted(active) == list(model.active)
            for number, each in versions.items():
                assert ((name, number) in queued) == (each.status == Status.PENDING)
            kept = self.config.model_deposit + sum(each.deposit for each in versions.values())
            deposits[model.owner] = deposits.get(model.owner, 0) + kept
        for owner, deposit in deposits.items():
            assert self.currency.reserved(owner) >= deposit, "a deposit is not set aside"

    def _publish(
        self, name: Name, model: Model, blob: Hash32, datasets: Datasets, bounds: Bounds
    ) -> None:
        self._check_lineage(datasets, model.policy)
        _check_bounds(bounds)
        if len(model.active) >= VERSIONS_ACTIVE_MAX:
            raise errors.TooManyActive(f"{VERSIONS_ACTIVE_MAX} active versions")
        number, now = model.versions + 1, self.heights.height()
        length = self.blobs.use(blob, model.owner, MODEL_KIND)
        queue = self.ready if self.blobs.is_available(blob) else self.waiting
        if len(queue.get()) >= QUEUE_MAX:
            raise errors.QueueFull(f"{QUEUE_MAX} versions")
        queue.set((*queue.get(), Queued(name, number, now)))
        self._pay_examination(model.owner, length)
        self.currency.reserve(model.owner, self.config.version_deposit)
        self.models[name] = replace(model, versions=number)
        self.versions[name, number] = Version(
            blob, length, datasets, now, self.config.version_deposit, bounds=bounds
        )
        self.emit(events.Published(name, number, blob))

    def _pay_examination(self, owner: Address, length: int) -> None:
        fee = self.config.examination_base + self.config.examination_per_byte * length
        self.currency.withdraw(owner, fee)
        self.sink.receive_fee(fee, 0)

    def _check_lineage(self, datasets: Datasets, policy: FeePolicy) -> None:
        for dataset in datasets:
            if not self.datasets.exists(dataset):
                raise errors.UnknownDataset(repr(dataset))
            if datasets.count(dataset) > 1:
                raise errors.DatasetTwice(dataset)
        if policy.contributors and not datasets:
            raise errors.ContributorsWithoutDataset(f"{policy.contributors} parts")

    def _examine(self, queued: Queued) -> None:
        version = self.versions[queued.model, queued.version]
        summary = self.executor.admit(version.blob, version.length, version.bounds)
        reasons = self._reasons(queued, version, summary)
        if reasons:
            self._reject(queued, reasons)
            return
        self.versions[queued.model, queued.version] = _admitted(version, summary)
        model = self.models[queued.model]
        active = tuple(sorted((*model.active, queued.version)))
        self.models[queued.model] = replace(model, active=active)
        self.emit(events.Activated(queued.model, queued.version, summary.gas, summary.peak_bytes))

    def _reasons(
        self, queued: Queued, version: Version, summary: AdmissionSummary
    ) -> tuple[str, ...]:
        if not summary.admitted:
            return summary.reasons or ("no reason was given",)
        if summary.gas > self.config.gas_max:
            return (f"one run costs {summary.gas} gas, at most {self.config.gas_max}",)
        if len(self.models[queued.model].active) >= VERSIONS_ACTIVE_MAX:
            return (f"the model has {VERSIONS_ACTIVE_MAX} active versions already",)
        try:
            record(Version).encode(_admitted(version, summary))
        except EncodeError as error:
            return (f"inputs or outputs exceed a bound of the chain: {error}",)
        return ()

    def _reject(self, queued: Queued, reasons: tuple[str, ...]) -> None:
        name, number = queued.model, queued.version
        version = self.versions[name, number]
        kept = tuple(_short(each) for each in reasons[:REASONS_KEPT])
        self.versions[name, number] = replace(version, status=Status.REJECTED, reasons=kept)
        self.blobs.unuse(version.blob, self.models[name].owner)
        self.emit(events.Rejected(name, number, kept))

    def _find(self, name: Name) -> Model | None:
        return self.models.find(name) if is_name(name) else None

    def _owned(self, name: Name, owner: Address) -> Model:
        model = self.models.find(name)
        if model is None:
            raise errors.UnknownModel(name)
        if model.owner != owner:
            raise errors.NotOwner()
        return model

    def _version(self, name: Name, number: VersionNumber) -> Version:
        version = self.versions.find((name, number))
        if version is None:
            raise errors.UnknownVersion(f"{name} version {number}")
        return version


def _short(reason: str) -> str:
    """Give a reason as the state can hold it: cut, and without what is not Unicode text."""
    return reason[:REASON_LENGTH_MAX].encode(errors="replace").decode()


def _check_policy(policy: FeePolicy) -> None:
    total = policy.validators + policy.owner + policy.contributors + policy.treasury
    if total != PARTS:
        raise errors.SharesDoNotAddUp(f"{total} instead of {PARTS}")


def _check_bounds(bounds: Bounds) -> None:
    names = [bound.axis.encode() for bound in bounds]
    if names != sorted(set(names)) or not all(bound.most for bound in bounds):
        raise errors.BadBounds(", ".join(f"{bound.axis}={bound.most}" for bound in bounds))


def _admitted(version: Version, summary: AdmissionSummary) -> Version:
    return replace(
        version,
        status=Status.ACTIVE,
        inputs=summary.inputs,
        outputs=summary.outputs,
        gas=summary.gas,
        peak_bytes=summary.peak_bytes,
    )


def _without(queue: tuple[Queued, ...], name: Name, version: int) -> tuple[Queued, ...]:
    return tuple(each for each in queue if (each.model, each.version) != (name, version))
