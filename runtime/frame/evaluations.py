"""Evaluations of models on snapshots, as other pallets order them and read their end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from chain.primitives.codec import U32, U64, text
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from runtime.frame.ports import Bounds, TensorType
from runtime.frame.snapshots import SnapshotNumber

EvaluationNumber = Annotated[int, U64]
"""Counts all evaluations of the chain from 0."""


@dataclass(frozen=True, slots=True)
class Score:
    """How a model did."""

    correct: Annotated[int, U32]
    """Rows whose label it gave."""

    rows: Annotated[int, U32]
    """Rows of the snapshot."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An evaluation that gave no score."""

    reason: Annotated[str, text(240)]


class Evaluations(Protocol):
    """Runs models over all rows of a snapshot, some in each block."""

    def request(
        self,
        model_root: Hash32,
        bounds: Bounds,
        inputs: Sequence[TensorType],
        gas: int,
        snapshot: SnapshotNumber,
        payer: Address,
    ) -> EvaluationNumber:
        """Order one, paid in advance; raises DispatchError.

        It holds the model's content until its end, whatever becomes of the model.
        """
        ...

    def score(self, number: EvaluationNumber) -> Score | Failed | None:
        """Give how it ended, None while it runs."""
        ...
