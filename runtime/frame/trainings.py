"""Trainings that the chain has finished, as other pallets see them."""

from dataclasses import dataclass
from typing import Annotated, Protocol

from chain.primitives.codec import U64
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address

JobNumber = Annotated[int, U64]
"""Counts all trainings of the chain from 0."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a finished training came from, and what it made."""

    owner: Address
    dataset: str
    snapshot: int
    program: Hash32
    """Root of the step graph."""

    model_root: Hash32
    """Root of the model that the chain wrote at its end."""


class TrainedSource(Protocol):
    """Finished trainings by number."""

    def trained(self, job: int) -> Trained:
        """Give a finished training; raises DispatchError for any other."""
        ...
