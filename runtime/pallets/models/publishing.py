"""Names and versions: registering, publishing, retiring, and giving a name up.

Invariant: a version that waits or can be run holds its blob, and its deposit is set aside.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from runtime.frame.ports import BlobRegistry, Bounds, Currency, FeeSink, are_bounds
from runtime.frame.runs import PARTS, FeePolicy
from runtime.frame.trainings import Trained, TrainedSource
from runtime.pallets.models import errors, events
from runtime.pallets.models.admission import Admission
from runtime.pallets.models.config import ModelsConfig
from runtime.pallets.models.lineage import (
    ROYALTIES_PARTS_MAX,
    ancestors_of,
    asking,
    royalties_of,
)
from runtime.pallets.models.ports import DatasetSource
from runtime.pallets.models.store import Store
from runtime.pallets.models.stored import (
    VERSIONS_ACTIVE_MAX,
    Lineage,
    Model,
    Parent,
    Status,
    TrainedOn,
    Version,
)

MODEL_KIND: Final = 0
"""The kind under which a model's blob must be announced."""


class Publishing:
    """Makes versions and takes them back."""

    def __init__(
        self,
        store: Store,
        config: ModelsConfig,
        admission: Admission,
        currency: Currency,
        blobs: BlobRegistry,
        datasets: DatasetSource,
        training: TrainedSource,
        sink: FeeSink,
        height: Callable[[], int],
    ) -> None:
        self._store = store
        self._config = config
        self._admission = admission
        self._currency = currency
        self._blobs = blobs
        self._datasets = datasets
        self.training = training
        self._sink = sink
        self._height = height

    def take_name(self, name: str, model: Model) -> None:
        """Give a name to a model; the deposit is set aside."""
        self._currency.reserve(model.owner, model.deposit)
        self._store.models[name] = model
        self._store.names[model.number] = name
        self._store.count.set(model.number + 1)
        self._store.emit(events.Registered(name, model.owner))

    def publish(self, name: str, blob: Hash32, lineage: Lineage, bounds: Bounds) -> None:
        """Add a version to a model and let it wait for admission; raises DispatchError."""
        model = self._store.models[name]
        check_bounds(bounds)
        if len(model.active) >= VERSIONS_ACTIVE_MAX:
            raise errors.TooManyActive(f"{VERSIONS_ACTIVE_MAX} active versions")
        number = model.versions + 1
        version = self._described(model, blob, lineage, bounds)
        length = self._blobs.use(blob, model.owner, MODEL_KIND)
        self._admission.enqueue(name, number, blob)
        self._pay_examination(model.owner, length)
        self._currency.reserve(model.owner, version.deposit)
        self._store.models[name] = replace(model, versions=number, unretired=model.unretired + 1)
        self._store.versions[name, number] = replace(version, length=length)
        self._store.emit(events.Published(name, number, blob))

    def retire(self, name: str, number: int) -> None:
        """Let no new calls run a version; what old receipts do not need leaves the state."""
        model, found = self._store.models[name], self._store.version(name, number)
        if found.status in (Status.PENDING, Status.ACTIVE):
            self._blobs.unuse(found.blob, model.owner)
        if found.status == Status.PENDING:
            self._admission.remove(name, number)
        self._currency.unreserve(model.owner, found.deposit)
        self._store.versions[name, number] = replace(
            found,
            status=Status.RETIRED,
            deposit=0,
            reasons=(),
            inputs=(),
            outputs=(),
            royalties=(),
        )
        active = tuple(each for each in model.active if each != number)
        self._store.models[name] = replace(model, active=active, unretired=model.unretired - 1)
        self._store.emit(events.Retired(name, number))

    def give_up(self, name: str, model: Model) -> None:
        """Return the deposit of a name; it stays taken, so that old receipts keep their meaning.

        No channel points anywhere any more, and no move is open: both would need a version.
        """
        if model.unretired:
            raise errors.VersionsLeft(f"{model.unretired} versions")
        self._currency.unreserve(model.owner, model.deposit)
        self._store.models[name] = replace(model, deposit=0, channels=())
        for channel in model.channels:
            if (name, channel.name) in self._store.histories:
                del self._store.histories[name, channel.name]
        if name in self._store.approvals:
            del self._store.approvals[name]
        self._store.emit(events.NameReleased(name))

    def _pay_examination(self, owner: Address, length: int) -> None:
        fee = self._config.examination_base + self._config.examination_per_byte * length
        self._currency.withdraw(owner, fee)
        self._sink.receive_fee(fee, 0)

    def _described(self, model: Model, blob: Hash32, lineage: Lineage, bounds: Bounds) -> Version:
        """Give a version with what follows from its lineage; raises DispatchError."""
        trained = self._trained(model.owner, blob, lineage)
        self._check_datasets(lineage, model.policy)
        parents = [(each.model, self._parent(each).ancestors) for each in lineage.parents]
        if len(set(lineage.parents)) < len(parents):
            raise errors.ParentTwice()
        ancestors = ancestors_of(parents)
        models = {each.model: self._store.models[each.model] for each in ancestors}
        ancestors = asking(ancestors, models)
        return Version(
            blob,
            0,
            lineage,
            self._height(),
            self._config.version_deposit,
            bounds=bounds,
            trained=None if trained is None else TrainedOn(trained.dataset, trained.snapshot),
            ancestors=ancestors,
            royalties=royalties_of(model.owner, ancestors, models),
        )

    def _trained(self, owner: Address, blob: Hash32, lineage: Lineage) -> Trained | None:
        if lineage.job is None:
            return None
        if lineage.datasets:
            raise errors.JobNamesDataset(", ".join(lineage.datasets))
        trained = self.training.trained(lineage.job)
        if trained.owner != owner:
            raise errors.NotYourJob(f"job {lineage.job}")
        if trained.model_root != blob:
            raise errors.JobMadeAnother(f"0x{trained.model_root.hex()}")
        return trained

    def _check_datasets(self, lineage: Lineage, policy: FeePolicy) -> None:
        for dataset in lineage.datasets:
            if not self._datasets.exists(dataset):
                raise errors.UnknownDataset(repr(dataset))
            if lineage.datasets.count(dataset) > 1:
                raise errors.DatasetTwice(dataset)
        if policy.contributors and not lineage.datasets and lineage.job is None:
            raise errors.ContributorsWithoutDataset(f"{policy.contributors} parts")

    def _parent(self, parent: Parent) -> Version:
        known = self._store.find(parent.model) is not None
        version = self._store.versions.find((parent.model, parent.version)) if known else None
        if version is None or version.activated is None:
            raise errors.UnknownParent(f"{parent.model}@{parent.version}")
        return version


def check_policy(policy: FeePolicy) -> None:
    """Refuse shares that are no whole, and a royalty that nobody could ever owe."""
    total = policy.validators + policy.owner + policy.contributors + policy.treasury
    if total != PARTS:
        raise errors.SharesDoNotAddUp(f"{total} instead of {PARTS}")
    if policy.royalty > ROYALTIES_PARTS_MAX:
        raise errors.RoyaltiesTooHigh(f"{policy.royalty} parts, at most {ROYALTIES_PARTS_MAX}")


def check_bounds(bounds: Bounds) -> None:
    """Refuse bounds that say nothing, or the same axis twice."""
    if not are_bounds(bounds):
        raise errors.BadBounds(", ".join(f"{bound.axis}={bound.most}" for bound in bounds))
