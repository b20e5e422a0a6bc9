"""What a finished training job made, as other pallets hear of it."""

from dataclasses import dataclass
from typing import Annotated, Protocol

from chain.primitives.codec import U64
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from runtime.frame import failure as wire_forms
from runtime.frame.outcome import DispatchError
from runtime.frame.snapshots import SnapshotNumber

JobNumber = Annotated[int, U64]
"""Counts all training jobs of the chain from 0."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What a job was, and what came out of it."""

    owner: Address
    dataset: str
    snapshot: SnapshotNumber
    """What it was trained on."""

    program: Hash32
    """Root of the step graph."""

    model_root: Hash32
    """Root of the ONNX file that the chain wrote at its end."""


class TrainedSource(Protocol):
    """Training jobs by number."""

    def trained(self, job: JobNumber) -> Trained:
        """Give what a job made; raises DispatchError where it is unknown or not finished."""
        ...


class NothingTrained(DispatchError, wire=wire_forms.Other()):
    """No training job ran here.  Leave the job out."""


class NoTraining:
    """For assemblies that train nothing."""

    def trained(self, job: JobNumber) -> Trained:
        """Refuse."""
        raise NothingTrained(f"job {job}")
