"""Models: the registry of programs that the chain can run.

A version is immutable: its content is its root.  It waits for its bytes, is examined between
transactions, and is then active or rejected for reasons.  Channels point at versions, and move as
the model's control says, which never changes.

Invariant: a model lists exactly its active versions, every version that can still be run or
examined holds its blob, and channels point at active versions.
"""

from typing import Final

from chain.primitives.codec import U32, U64, U128, record, sequence
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from runtime.frame import (
    TWOX_64_CONCAT,
    Constant,
    Overlay,
    Pallet,
    Root,
    Signed,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    call,
)
from runtime.frame.evaluations import Evaluations
from runtime.frame.names import NAME, Name, is_name
from runtime.frame.ports import (
    BlobRegistry,
    Bounds,
    Currency,
    Executor,
    FeeSink,
    Heights,
    TensorType,
)
from runtime.frame.runs import FeePolicy, Runnable, Source
from runtime.frame.trainings import TrainedSource
from runtime.pallets.models import errors, events, weights
from runtime.pallets.models.admission import Admission
from runtime.pallets.models.channels import Channels, default_of
from runtime.pallets.models.config import ModelsConfig
from runtime.pallets.models.control import Authorities, check_control
from runtime.pallets.models.invariants import check_store
from runtime.pallets.models.ports import DatasetSource, Earnings, SnapshotKeeper
from runtime.pallets.models.publishing import Publishing, check_policy
from runtime.pallets.models.store import Store
from runtime.pallets.models.stored import (
    CHANNELS_MAX,
    DUE_MAX,
    QUEUE_MAX,
    READY_MAX,
    SCORING_MAX,
    SIGNATORIES_MAX,
    Approval,
    Cancel,
    Control,
    History,
    Licence,
    Lineage,
    Model,
    ModelStatus,
    Move,
    MoveTo,
    Place,
    Queued,
    Retire,
    Status,
    Version,
    VersionNumber,
)

SHOWN_MAX: Final = 64
"""Versions that one query shows."""

Selection = VersionNumber | Name | None
"""A version by number or by channel; None: the default one."""


class Models(
    Pallet,
    events=(
        *(events.Registered, events.Published, events.Activated, events.Rejected, events.Retired),
        *(events.Approved, events.MoveBegun, events.MoveDue, events.MoveRefused),
        *(events.MoveCancelled, events.Moved, events.NameReleased),
    ),
    errors=(
        *(errors.BadName, errors.NameTaken, errors.BadLicence, errors.SharesDoNotAddUp),
        *(errors.UnknownDataset, errors.DatasetTwice, errors.ContributorsWithoutDataset),
        *(errors.UnknownModel, errors.NotOwner, errors.UnknownVersion, errors.AlreadyRetired),
        *(errors.QueueFull, errors.NotActive, errors.TooManyActive, errors.BadBounds),
        *(errors.UnknownParent, errors.ParentTwice, errors.JobMadeAnother, errors.NotYourJob),
        *(errors.JobNamesDataset, errors.RoyaltiesTooHigh, errors.TooManyAncestors),
        *(errors.BadControl, errors.NeedsReferendum, errors.NotDecidedByVote),
        *(errors.NotSignatory, errors.AlreadyApproved, errors.UnknownChannel),
        *(errors.TooManyChannels, errors.AlreadyThere, errors.MoveOpen, errors.NoMove),
        *(errors.VersionInUse, errors.GateBusy, errors.AgendaFull, errors.GivenUp),
        errors.VersionsLeft,
    ),
):
    """Names, versions, channels, and their admission."""

    models = StorageMap(NAME, record(Model), docs="Models by name.")
    names = StorageMap(
        U32, NAME, hasher=TWOX_64_CONCAT, docs="Names in the order of their registration."
    )
    count = StorageValue(U32, default=0, docs="Names that were ever taken.")
    versions = StorageDoubleMap(NAME, U32, record(Version), docs="Versions of a model by number.")
    waiting = StorageValue(
        sequence(record(Queued), QUEUE_MAX), default=(), docs="Versions whose bytes are awaited."
    )
    ready = StorageValue(
        sequence(record(Queued), READY_MAX),
        default=(),
        docs="Versions whose turn to be examined comes.",
    )
    moves = StorageMap(NAME, sequence(record(Move), CHANNELS_MAX), docs="Open moves of a model.")
    histories = StorageDoubleMap(
        NAME, NAME, record(History), default=History(), docs="What channels pointed at."
    )
    approvals = StorageMap(
        NAME, sequence(record(Approval), SIGNATORIES_MAX), docs="What signatories want."
    )
    scoring = StorageValue(
        sequence(record(Place), SCORING_MAX), default=(), docs="Moves that the gate looks at."
    )
    agenda = StorageMap(
        *(U32, sequence(record(Place), DUE_MAX)),
        hasher=TWOX_64_CONCAT,
        docs="Moves by the block in which they happen.",
    )

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
    time_lock_max = Constant(U32, lambda self: self.config.time_lock_max, "Longest time-lock.")

    def __init__(
        self,
        state: Overlay,
        config: ModelsConfig,
        currency: Currency,
        blobs: BlobRegistry,
        datasets: DatasetSource,
        snapshots: SnapshotKeeper,
        training: TrainedSource,
        evaluations: Evaluations,
        earnings: Earnings,
        sink: FeeSink,
        executor: Executor,
        heights: Heights,
        treasury: Address,
    ) -> None:
        super().__init__(state)
        self.config = config
        self.currency = currency
        self.snapshots = snapshots
        self.earnings = earnings
        self.heights = heights
        self.treasury = treasury
        store = self.store = Store(
            *(self.models, self.names, self.count, self.versions, self.waiting, self.ready),
            *(self.moves, self.histories, self.approvals, self.scoring, self.agenda, self.emit),
        )
        self.admission = Admission(store, config, blobs, executor, heights.height)
        self.publishing = Publishing(
            *(store, config, self.admission, currency, blobs),
            *(datasets, training, sink, heights.height),
        )
        self.authorities = Authorities(store)
        self.channels = Channels(store, evaluations, heights.height)

    @call(index=0, weight=weights.REGISTER)
    def register(
        self,
        origin: Signed,
        name: Name,
        blob: Hash32,
        licence: Licence,
        lineage: Lineage,
        policy: FeePolicy,
        control: Control,
        bounds: Bounds,
    ) -> None:
        """Take a name, with a first version whose blob the signer has announced.

        Bounds say how long the axes may be that the model leaves open.  Deposits and the fee for
        its examination are taken from the signer.  Policy and control never change.
        """
        if not is_name(name):
            raise errors.BadName(repr(name))
        if name in self.models:
            raise errors.NameTaken(name)
        if not licence:
            raise errors.BadLicence()
        check_policy(policy)
        check_control(control, self.config.time_lock_max)
        if control.gate is not None:
            self.snapshots.use_snapshot(control.gate)
        now, deposit = self.heights.height(), self.config.model_deposit
        model = Model(origin.address, licence, policy, control, self.count.get(), now, deposit)
        self.publishing.take_name(name, model)
        self.publishing.publish(name, blob, lineage, bounds)

    @call(index=1, weight=weights.PUBLISH)
    def publish(
        self, origin: Signed, name: Name, blob: Hash32, lineage: Lineage, bounds: Bounds
    ) -> None:
        """Add a version to a model of the signer.

        A deposit and the fee for its examination are taken from the signer.
        """
        self.store.owned(name, origin.address)
        self.publishing.publish(name, blob, lineage, bounds)

    @call(index=2, weight=weights.RETIRE)
    def retire(self, origin: Signed | Root, name: Name, version: VersionNumber) -> None:
        """Stop new calls of a version; old receipts keep their meaning.

        Decided as the model's control says; its owner alone retires what was rejected.
        """
        model, found = self.store.model(name), self.store.version(name, version)
        rejected = found.status == Status.REJECTED and origin == Signed(model.owner)
        if found.status == Status.RETIRED:
            raise errors.AlreadyRetired()
        if self.channels.uses(name, model, version):
            raise errors.VersionInUse(f"{name} version {version}")
        if rejected or self.authorities.allows(name, model, origin, Retire(version)):
            self.channels.forget(name, model, version)
            self.publishing.retire(name, version)

    @call(index=3, weight=weights.MOVE)
    def move(
        self, origin: Signed | Root, name: Name, channel: Name, version: VersionNumber | None
    ) -> None:
        """Let a channel point at an active version, or nowhere.

        Decided as the model's control says: signatories all make the same call.  A version that
        was not there before must pass the gate, paid by whom decided last or by the treasury; then
        the time-lock runs, in which the move can be cancelled.
        """
        model = self.store.model(name)
        self.channels.check(name, model, channel, version)
        if self.authorities.allows(name, model, origin, MoveTo(channel, version)):
            self.authorities.forget(name, lambda action: action == Cancel(channel))
            payer = origin.address if isinstance(origin, Signed) else self.treasury
            self.channels.begin(name, model, channel, version, payer)

    @call(index=4, weight=weights.CANCEL)
    def cancel_move(self, origin: Signed | Root, name: Name, channel: Name) -> None:
        """Let an open move not happen: by its owner, by vote, or by so many signatories that the
        others could not decide on it.
        """
        model, move = self.store.model(name), self.channels.open_move(name, channel)
        if self.authorities.allows(name, model, origin, Cancel(channel)):
            self.channels.cancel(name, move)

    @call(index=5, weight=weights.RELEASE)
    def release_name(self, origin: Signed, name: Name) -> None:
        """Give a model up whose versions are all retired; the deposit of its name comes back.

        Nobody can take the name again: receipts of its versions mean what they meant.
        """
        model = self.store.owned(name, origin.address)
        self.publishing.give_up(name, model)
        if model.control.gate is not None:
            self.snapshots.unuse_snapshot(model.control.gate)

    def runnable(self, name: Name, selection: Selection) -> Runnable:
        """Give what a run needs to know; raises DispatchError."""
        model = self.store.model(name)
        version = self._selected(name, model, selection)
        found = self.store.version(name, version)
        if found.status != Status.ACTIVE:
            raise errors.NotActive(f"{name} version {version} is {found.status.name.lower()}")
        return Runnable(
            name,
            version,
            found.blob,
            model.owner,
            model.policy,
            self._sources(found),
            found.royalties,
            found.inputs,
            found.bounds,
            found.gas,
        )

    def gas(self, name: Name, selection: Selection) -> int:
        """Say what a run costs: nothing where it cannot be run."""
        model = self.store.find(name)
        if model is None or not model.active:
            return 0
        try:
            found = self.versions.find((name, self._selected(name, model, selection)))
        except (errors.UnknownChannel, errors.NotActive):
            return 0
        return found.gas if found is not None and found.status == Status.ACTIVE else 0

    def outputs(self, name: Name, version: VersionNumber) -> tuple[TensorType, ...]:
        """Give what a version gives; raises DispatchError for an unknown one."""
        return self.store.version(name, version).outputs

    def status(self, name: Name) -> ModelStatus | None:
        """Give what there is to know about a model, None for an unknown one."""
        model = self.store.find(name)
        if model is None:
            return None
        first = max(1, model.versions - SHOWN_MAX + 1)
        numbers = range(first, model.versions + 1)
        return ModelStatus(
            model,
            tuple((each, self.versions[name, each]) for each in numbers),
            default_of(model),
            self.moves.find(name) or (),
            self.approvals.find(name) or (),
        )

    def page(self, after: Name | None, count: int) -> tuple[tuple[Name, Model], ...]:
        """Give models in the order of their registration, those behind `after`."""
        last = None if after is None else self.store.find(after)
        if after is not None and last is None:
            raise errors.UnknownModel(after)
        first = 0 if last is None else last.number + 1
        names = [self.names[each] for each in range(first, min(first + count, self.count.get()))]
        return tuple((name, self.models[name]) for name in names)

    def on_initialize(self, number: int) -> None:
        """Let moves happen that are due, then examine the versions whose turn it is."""
        self.channels.on_block(number)
        self.admission.examine()

    def on_finalize(self, number: int) -> None:
        """Let versions move up whose bytes have come, and give up those that waited too long."""
        self.admission.advance(number)

    def check_invariants(self) -> None:
        """Assert what the parts promise, and that deposits are set aside."""
        for owner, deposit in check_store(self.store).items():
            assert self.currency.reserved(owner) >= deposit, "a deposit is not set aside"

    def _selected(self, name: Name, model: Model, selection: Selection) -> VersionNumber:
        if isinstance(selection, int):
            return selection
        if selection is None:
            version = default_of(model)
            if version is None:
                missing = "stable points nowhere" if model.active else "has no active version"
                raise errors.NotActive(
                    f"{name}: {missing}" if model.active else f"{name} {missing}"
                )
            return version
        channel = model.channel(selection)
        if channel is None:
            raise errors.UnknownChannel(f"{name} has no channel {selection!r}")
        if channel.version is None:
            raise errors.NotActive(f"{name}: {selection} points nowhere")
        return channel.version

    def _sources(self, version: Version) -> tuple[Source, ...]:
        """Give whose contributors a run pays: by measured worth as soon as it was measured."""
        trained = version.trained
        if trained is None:
            return version.lineage.datasets
        measured = f"{trained.dataset}.{trained.snapshot}"
        return (measured if self.earnings.exists(measured) else trained.dataset,)
