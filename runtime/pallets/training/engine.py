"""The steps of one training within a block: rows in, state on, loss out.

Changes no state of the chain.  Raises LocalFailure where this node cannot compute now.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from chain.primitives.hashing import Hash32
from runtime.frame.batches import draws
from runtime.frame.layout import Layout
from runtime.frame.ports import Executor, TensorType, Trapped
from runtime.frame.snapshots import DTYPES, Snapshot, SnapshotRows
from runtime.pallets.training.convention import FEATURES, FLOAT32, INT64, LABELS, LOSS, NEXT
from runtime.pallets.training.stored import Shape

_EXPONENT: Final = 0x7F800000
"""All ones in a float32 that is no number."""


@dataclass(frozen=True, slots=True)
class Advance:
    """How far some steps came."""

    state: bytes
    """Canonical bytes of the state behind the last step that succeeded."""

    done: int
    """Steps that succeeded."""

    loss: int
    """Bits of the last one's loss."""

    fault: str | None = None
    """Why the next step broke off."""


class Stepper:
    """Runs steps of one training."""

    def __init__(
        self, program: Hash32, shape: Shape, snapshot: Snapshot, seed: Hash32, executor: Executor
    ) -> None:
        self._program = program
        self._features = shape.features
        self._snapshot = snapshot
        self._seed = seed
        self._executor = executor
        self._batch = shape.features.shape[0]
        labels = TensorType(LABELS, INT64, (self._batch,))
        following = (TensorType(each.name + NEXT, each.element, each.shape) for each in shape.state)
        self._state = Layout(shape.state)
        self._inputs = Layout((shape.features, labels, *shape.state))
        self._outputs = Layout((*following, TensorType(LOSS, FLOAT32, ())))

    def advance(self, state: bytes, first: int, steps: int) -> Advance:
        """Take steps number `first` and following on a state."""
        tensors, done, loss = self._state.split(state), 0, 0
        batches = self._rows(first, steps)
        for features, labels in zip(*batches, strict=True):
            taken = {**tensors, FEATURES: features, LABELS: labels}
            outcome = self._executor.run(self._program, self._inputs.join(taken), ())
            if isinstance(outcome, Trapped):
                return Advance(self._state.join(tensors), done, loss, outcome.reason)
            given = self._outputs.split(outcome.outputs)
            bits = int.from_bytes(given[LOSS], "little")
            if bits & _EXPONENT == _EXPONENT:
                fault = f"the loss of step {first + done + 1} is no finite number"
                return Advance(self._state.join(tensors), done, loss, fault)
            tensors = {name: given[name + NEXT] for name in tensors}
            done, loss = done + 1, bits
        return Advance(self._state.join(tensors), done, loss)

    def _rows(self, first: int, steps: int) -> tuple[list[bytes], list[bytes]]:
        """Give features and labels of each step as the bytes of their tensors."""
        batch, snapshot = self._batch, self._snapshot
        drawn = draws(self._seed, snapshot.rows, first * batch, steps * batch)
        features, labels = SnapshotRows(snapshot, self._executor).take(drawn.tolist())
        floats = np.ascontiguousarray(features.astype(DTYPES[self._features.element]))
        ends = range(0, steps * batch, batch)
        return (
            [floats[at : at + batch].tobytes() for at in ends],
            [labels[at : at + batch].astype("<i8").tobytes() for at in ends],
        )
