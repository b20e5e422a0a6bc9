"""Execution: lets pallets run models by the engine that a node was given."""

from collections.abc import Callable
from functools import partial

from ai_exec import axes, backend
from ai_exec.tensor import DTYPE_NUMBERS
from ai_exec.tensor import TensorType as ModelTensorType
from chain.primitives.hashing import Hash32
from runtime.frame.ports import (
    AdmissionSummary,
    Bounds,
    Completed,
    LocalFailure,
    TensorType,
    Trapped,
)

Content = Callable[[Hash32], bytes]
"""Gives the bytes under a root; raises LocalFailure where this node lacks them."""


class BackendExecutor:
    """The executor of pallets over a backend of `ai_exec` and this node's content."""

    def __init__(self, models: backend.Backend, content: Content) -> None:
        self._models = models
        self._content = content

    def read(self, root: Hash32) -> bytes:
        """Give the bytes of a blob; raises LocalFailure."""
        return self._content(root)

    def admit(self, root: Hash32, length: int, bounds: Bounds) -> AdmissionSummary:
        """Examine the model with this root and length in bytes; raises LocalFailure."""
        try:
            found = self._models.admit(root, lambda: self._load(root, length), model_bounds(bounds))
        except backend.LocalFailure as failure:
            raise LocalFailure(str(failure)) from failure
        return AdmissionSummary(
            admitted=found.admitted,
            reasons=found.reasons,
            inputs=tuple(map(_tensor_type, found.inputs)),
            outputs=tuple(map(_tensor_type, found.outputs)),
            gas=found.cost,
            peak_bytes=found.peak_bytes,
        )

    def run(self, root: Hash32, inputs: bytes, bounds: Bounds) -> Completed | Trapped:
        """Run an admitted model on canonical tensor bytes; raises LocalFailure."""
        try:
            load = partial(self._content, root)
            found = self._models.run(root, load, inputs, model_bounds(bounds))
        except backend.LocalFailure as failure:
            raise LocalFailure(str(failure)) from failure
        if isinstance(found, backend.Completed):
            return Completed(found.output)
        return Trapped(found.reason)

    def _load(self, root: Hash32, length: int) -> bytes:
        content = self._content(root)
        if len(content) != length:
            raise LocalFailure(f"content has {len(content)} bytes instead of {length}")
        return content


def model_bounds(bounds: Bounds) -> axes.Bounds:
    """Give the bounds of a version as backends take them."""
    return tuple(axes.Bound(bound.axis, bound.most) for bound in bounds)


def _tensor_type(tensor: ModelTensorType) -> TensorType:
    return TensorType(tensor.name, DTYPE_NUMBERS[tensor.dtype], tensor.shape, tensor.axes)
