"""A registry of models in memory: blobs are there, trainings and scores are told in advance."""

from collections.abc import Sequence
from typing import Any

from chain.primitives.merkle import root_over
from runtime.assembly import Pallets
from runtime.frame import DispatchError, Root
from runtime.frame.evaluations import Failed, Score
from runtime.frame.ports import Bounds, TensorType
from runtime.frame.runs import FeePolicy
from runtime.frame.trainings import Trained
from runtime.pallets.models import Selection
from runtime.pallets.models.stored import Control, Lineage
from tests.support.economy import ALICE, Chain

TOPS = tuple(bytes((number,)) * 32 for number in range(1, 7))
ROOTS = tuple(root_over(top, 1_000) for top in TOPS)
POLICY = FeePolicy(1_000, 200_000, 500_000, 0, 300_000)


class Unknown(DispatchError, index=0):
    """Nobody told a test of it.  Tell it."""


class ToldTraining:
    """Knows the jobs that a test tells it."""

    def __init__(self) -> None:
        self.jobs: dict[int, Trained] = {}

    def trained(self, job: int) -> Trained:
        if job not in self.jobs:
            raise Unknown(f"job {job}")
        return self.jobs[job]


class ToldEvaluations:
    """Gives scores by the root of a model, as soon as a test tells them."""

    def __init__(self) -> None:
        self.scores: dict[bytes, Score | Failed] = {}
        self.ordered: list[tuple[bytes, int, bytes]] = []

    def request(
        self,
        model_root: bytes,
        bounds: Bounds,
        inputs: Sequence[TensorType],
        gas: int,
        snapshot: int,
        payer: bytes,
    ) -> int:
        self.ordered.append((model_root, snapshot, payer))
        return len(self.ordered) - 1

    def score(self, number: int) -> Score | Failed | None:
        return self.scores.get(self.ordered[number][0])


class Kept:
    """Snapshots of which there are three; counts their uses."""

    def __init__(self) -> None:
        self.uses = [0, 0, 0]

    def use_snapshot(self, number: int) -> None:
        if number >= len(self.uses):
            raise Unknown(f"snapshot {number}")
        self.uses[number] += 1

    def unuse_snapshot(self, number: int) -> None:
        self.uses[number] -= 1


class Registry(Chain):
    """A chain whose people have announced models that are available."""

    def __init__(self, *owners: bytes) -> None:
        super().__init__()
        self.training = ToldTraining()
        self.evaluations = ToldEvaluations()
        self.kept = Kept()
        self.join = self._tell
        self._tell(self.pallets)
        for top in TOPS:
            self.make_available(owners[0] if owners else ALICE, top, 1_000, 0)
            for owner in owners[1:]:
                self.call(owner, "blobs", "announce", top=top, length=1_000, kind=0)

    def _tell(self, pallets: Pallets) -> None:
        pallets.models.publishing.training = self.training
        pallets.models.channels.evaluations = self.evaluations
        pallets.models.snapshots = self.kept

    def register(self, owner: bytes = ALICE, name: str = "digits", **changes: Any) -> None:
        values = {
            "name": name,
            "blob": ROOTS[0],
            "licence": "MIT",
            "lineage": Lineage(),
            "policy": POLICY,
            "control": Control(),
            "bounds": (),
        }
        self.call(owner, "models", "register", **{**values, **changes})

    def publish(self, owner: bytes = ALICE, name: str = "digits", **changes: Any) -> None:
        values = {"name": name, "blob": ROOTS[1], "lineage": Lineage(), "bounds": ()}
        self.call(owner, "models", "publish", **{**values, **changes})

    def versions(self, count: int, **changes: Any) -> None:
        """Register digits with so many active versions, one for each of the first roots."""
        self.register(**changes)
        self.end_block()
        for root in ROOTS[1:count]:
            self.publish(blob=root)
            self.end_block()

    def as_root(self, call: str, **arguments: Any) -> None:
        """Dispatch a call of models as a vote would."""
        models = self.pallets.models
        (found,) = [each for each in models.calls.values() if each.name == call]
        models.run(Root(), found, tuple(arguments[each.name] for each in found.arguments))

    def refuse_root(self, error: DispatchError, call: str, **arguments: Any) -> None:
        """Assert that a vote cannot do it, and that nothing changed."""
        before = self.state.changes(), list(self.state.events)
        try:
            self.as_root(call, **arguments)
        except type(error) as refusal:
            assert str(refusal) == str(error)  # noqa: PT017
        else:
            raise AssertionError("it was not refused")
        assert (self.state.changes(), list(self.state.events)) == before

    def at(self, selection: Selection = None) -> int:
        """Give the version that a call runs."""
        return self.pallets.models.runnable("digits", selection).version
