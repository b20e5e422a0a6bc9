"""Ports: what pallets need from each other and from outside, handed over by the assembly."""

from dataclasses import dataclass
from typing import Annotated, Protocol

from chain.primitives.codec import U8, U32, U64, record, sequence, text
from chain.primitives.hashing import Hash32
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount
from consensus.core.validators import Validator
from runtime.frame.failure import Failure
from runtime.frame.origin import Origin
from runtime.frame.outcome import DispatchError, PostInfo

TENSORS_MAX = 64
"""Inputs or outputs of one model; real ones have fewer than ten."""

DIMENSIONS_MAX = 8
"""Of one tensor; ONNX operators in use have at most five."""

REASONS_MAX = 65
"""Reasons for a refusal that are kept; a model that has more is far from admissible."""

NAME_BYTES_MAX = 256
"""Of a tensor's name."""

AXIS_NAME_BYTES_MAX = 64
"""Of an open axis's name."""

BOUNDS_MAX = 16
"""Open axes of one model; models in use have at most four."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How long an open axis of a model may be in a run."""

    axis: Annotated[str, text(AXIS_NAME_BYTES_MAX)]
    """Its name in the model, or the input's name, a dot and the number of the axis from 0 on."""

    most: Annotated[int, U32]


Bounds = Annotated[tuple[Bound, ...], sequence(record(Bound), BOUNDS_MAX)]
"""Names ascending as bytes."""


def are_bounds(bounds: Bounds) -> bool:
    """Tell whether every bound says something and names ascend, each named once."""
    names = [bound.axis.encode() for bound in bounds]
    return names == sorted(set(names)) and all(bound.most for bound in bounds)


@dataclass(frozen=True, slots=True)
class TensorType:
    """Type and shape of an input or output."""

    name: Annotated[str, text(NAME_BYTES_MAX)]
    element: Annotated[int, U8]
    """ONNX's number of the element type."""
    shape: Annotated[tuple[int, ...], sequence(U64, DIMENSIONS_MAX)]
    """Length of each axis; of an open one the most that it can have."""

    axes: Annotated[tuple[str, ...], sequence(text(AXIS_NAME_BYTES_MAX), DIMENSIONS_MAX)] = ()
    """Names of open axes, empty for a fixed one; no names at all if every axis is fixed."""


TENSOR_TYPES = sequence(record(TensorType), TENSORS_MAX)
REASONS = sequence(text(1024), REASONS_MAX)


@dataclass(frozen=True, slots=True)
class AdmissionSummary:
    """What admission found about a model's bytes; the same on every node."""

    admitted: bool
    reasons: Annotated[tuple[str, ...], REASONS]
    """Every reason for a refusal; empty if admitted."""
    inputs: Annotated[tuple[TensorType, ...], TENSOR_TYPES]
    outputs: Annotated[tuple[TensorType, ...], TENSOR_TYPES]
    gas: Annotated[int, U64]
    """Cost of one run; one gas is a nanosecond of a reference core."""
    peak_bytes: Annotated[int, U64]
    """Most memory that a run holds."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A run that ended."""

    outputs: bytes
    """Canonical tensor bytes."""


@dataclass(frozen=True, slots=True)
class Trapped:
    """A run that every node breaks off at the same place."""

    reason: str


class LocalFailure(Exception):
    """This node cannot do it now; nothing follows for the chain.  Try again, or look at its log."""


class Content(Protocol):
    """The bytes of blobs that this chain calls available."""

    def read(self, root: Hash32) -> bytes:
        """Give the whole content; raises LocalFailure where this node lacks it."""
        ...


class Executor(Content, Protocol):
    """Runs models.  Pure in its answers; raises LocalFailure where this node cannot give one."""

    def admit(self, root: Hash32, length: int, bounds: Bounds) -> AdmissionSummary:
        """Examine the model whose content has this root and length in bytes."""
        ...

    def run(self, root: Hash32, inputs: bytes, bounds: Bounds) -> Completed | Trapped:
        """Run an admitted model on canonical tensor bytes."""
        ...


class NoExecutor:
    """For views of the state that run no models."""

    def read(self, root: Hash32) -> bytes:
        """Refuse."""
        raise LocalFailure("content is not read here")

    def admit(self, root: Hash32, length: int, bounds: Bounds) -> AdmissionSummary:
        """Refuse."""
        raise LocalFailure("models are not examined here")

    def run(self, root: Hash32, inputs: bytes, bounds: Bounds) -> Completed | Trapped:
        """Refuse."""
        raise LocalFailure("models are not run here")


class Currency(Protocol):
    """Moves the native coin on behalf of other pallets; raises DispatchError where it cannot."""

    @property
    def existential_deposit(self) -> Amount:
        """Least that a live account holds."""
        ...

    def free(self, address: Address) -> Amount:
        """Give what the account can spend."""
        ...

    def reserved(self, address: Address) -> Amount:
        """Give what is set aside in the account."""
        ...

    def transfer(
        self, sender: Address, recipient: Address, amount: Amount, *, keep_alive: bool = True
    ) -> None:
        """Move free funds and say so in an event."""
        ...

    def withdraw(self, address: Address, amount: Amount) -> None:
        """Take free funds out of an account that stays alive; the caller must place them."""
        ...

    def deposit(self, address: Address, amount: Amount) -> None:
        """Put withdrawn funds into an account."""
        ...

    def issue(self, address: Address, amount: Amount) -> None:
        """Make new coins in an account."""
        ...

    def reserve(self, address: Address, amount: Amount) -> None:
        """Set free funds aside."""
        ...

    def unreserve(self, address: Address, amount: Amount) -> None:
        """Give back what was set aside."""
        ...


class BlobRegistry(Protocol):
    """Content that validators hold."""

    def use(self, root: Hash32, owner: Address, kind: int) -> int:
        """Hold an owner's announcement; gives its length in bytes; raises DispatchError."""
        ...

    def unuse(self, root: Hash32, owner: Address) -> None:
        """Give one `use` back."""
        ...

    def is_available(self, root: Hash32) -> bool:
        """Tell whether the bytes can be used."""
        ...

    def provide(self, root: Hash32, length: int, owner: Address, kind: int) -> None:
        """Make content available that every node made itself; raises DispatchError.

        Its bytes stand in `Overlay.contents` of the same block.
        """
        ...

    def deposit_of(self, length: int) -> Amount:
        """Give what is set aside for a blob of so many bytes."""
        ...

    def arrived(self) -> tuple[Hash32, ...]:
        """Give the blobs that became available in the block before this one."""
        ...

    def hold(self, root: Hash32) -> int:
        """Keep available content until `unhold`, whoever releases it; gives its bytes."""
        ...

    def unhold(self, root: Hash32) -> None:
        """Give one `hold` back."""
        ...


class FeeSink(Protocol):
    """Receives transaction fees."""

    def receive_fee(self, fee: Amount, tip: Amount) -> None:
        """Take over funds that were withdrawn from the payer; `tip` is not part of `fee`."""
        ...


class WorkSink(FeeSink, Protocol):
    """Receives fees, also for work that the chain does between transactions."""

    def charge(self, payer: Address, amount: Amount) -> None:
        """Take free funds of a payer at once; raises DispatchError for no funds."""
        ...


class Authorship(Protocol):
    """Knows who proposes the block."""

    def author(self) -> Address:
        """Give the proposer of this block; zeros outside a block."""
        ...


class Clock(Protocol):
    """Knows the time that the block claims."""

    def milliseconds(self) -> int:
        """Give the block's milliseconds since 1970; before its inherent, those of its parent."""
        ...


class Heights(Protocol):
    """Knows where the chain is."""

    def height(self) -> int:
        """Give the height of the block that is being executed."""
        ...


class ValidatorSource(Protocol):
    """Knows who validates."""

    def current_set(self) -> tuple[Validator, ...]:
        """Give the validators of this block, addresses ascending."""
        ...


class RandomSource(Protocol):
    """Seeds that nobody knew before their epoch began."""

    def epoch(self) -> int:
        """Give the number of the epoch in which this block lies."""
        ...

    def seed(self) -> Hash32:
        """Give the epoch's seed; mix it with what it is for."""
        ...


class Dispatcher(Protocol):
    """Runs calls that were kept as bytes."""

    def weigh(self, call: bytes) -> int:
        """Give the picoseconds that a call may take; raises DispatchError for no call."""
        ...

    def dispatch(self, origin: Origin, call: bytes) -> PostInfo:
        """Run a call; raises DispatchError, having changed nothing."""
        ...

    def failure_of(self, error: DispatchError) -> Failure:
        """Give the wire form of a refusal."""
        ...
