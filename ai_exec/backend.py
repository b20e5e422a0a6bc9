"""Judging and running models for the chain: bytes in, answers of consensus out."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

from ai_exec.admission.verdict import Admission, admit
from ai_exec.axes import Bounds
from ai_exec.engines import compile
from ai_exec.executable import Executable, Trap
from ai_exec.fast.products import STANDARD, Products
from ai_exec.limits import DEFAULT_LIMITS, Limits
from ai_exec.program import SEMANTICS_VERSION
from ai_exec.semantics.environment import is_ieee
from ai_exec.tensor import TensorError, TensorLimits, TensorType, decode_tensors, encode_tensors
from chain.primitives.codec import BOOL, U32, U64, Codec, record, sequence, text

REASON_BYTES_MAX: Final = 512
REASONS_MAX: Final = 65
VALUES_MAX: Final = 64
HELD_BYTES_MAX: Final = 512 << 20
"""Constants of all programs that a backend holds; one program is held anyway."""


class LocalFailure(Exception):
    """This node cannot compute now.  Never a result: stop voting until it can."""


@dataclass(frozen=True, slots=True)
class AdmissionSummary:
    """What the chain keeps of an admission."""

    admitted: Annotated[bool, BOOL]
    """Whether the model may be run."""
    reasons: Annotated[tuple[str, ...], sequence(text(REASON_BYTES_MAX), REASONS_MAX)]
    """Why not, completely; empty if admitted."""
    inputs: Annotated[tuple[TensorType, ...], sequence(record(TensorType), VALUES_MAX)]
    outputs: Annotated[tuple[TensorType, ...], sequence(record(TensorType), VALUES_MAX)]
    cost: Annotated[int, U64]
    """Work of one run in gas."""
    peak_bytes: Annotated[int, U64]
    """Memory of one run in bytes, at most."""
    semantics_version: Annotated[int, U32] = SEMANTICS_VERSION


ADMISSION_SUMMARY: Final[Codec[AdmissionSummary]] = record(AdmissionSummary)


@dataclass(frozen=True, slots=True)
class Completed:
    """A run that gave a result: the canonical bytes of the output tensors."""

    output: bytes


@dataclass(frozen=True, slots=True)
class Trapped:
    """A run that no validator can finish, for instance for inputs of a wrong shape."""

    reason: str


Load = Callable[[], bytes]
"""Gives the model's bytes; called only if they are needed."""


class Backend(Protocol):
    """Judges and runs models named by the root of their bytes; raises LocalFailure.

    The same bytes with other bounds of open axes are another model.
    """

    def admit(self, root: bytes, load: Load, bounds: Bounds = ()) -> AdmissionSummary:
        """Say whether a model may be run, and why not."""
        ...

    def run(
        self, root: bytes, load: Load, inputs: bytes, bounds: Bounds = ()
    ) -> Completed | Trapped:
        """Run an admitted model on encoded tensors."""
        ...


Key = tuple[bytes, Bounds]
"""What a program is made of: the root of the model, and how long its open axes may be."""


class InProcess:
    """A backend within this process, holding the programs that were used last."""

    def __init__(
        self,
        engine: str = "fast",
        limits: Limits = DEFAULT_LIMITS,
        *,
        programs_max: int = 16,
        products: Products = STANDARD,
    ) -> None:
        self._engine = engine
        self._products = products
        self._limits = limits
        self._programs_max = programs_max
        self._programs: OrderedDict[Key, tuple[Admission, Executable | None]] = OrderedDict()

    def admit(self, root: bytes, load: Load, bounds: Bounds = ()) -> AdmissionSummary:
        """Say whether a model may be run, and why not."""
        try:
            _check_arithmetic()
            found = summary(self._program((root, bounds), load)[0])
            _check_arithmetic()
        except MemoryError as error:
            raise LocalFailure("out of memory") from error
        return found

    def run(
        self, root: bytes, load: Load, inputs: bytes, bounds: Bounds = ()
    ) -> Completed | Trapped:
        """Run a model on encoded tensors; one that is not admitted traps."""
        try:
            _check_arithmetic()
            admission, executable = self._program((root, bounds), load)
            if not admission.admitted:
                return Trapped("the model is not admitted")
            if executable is None:
                executable = self._compiled((root, bounds), admission)
            tensors = decode_tensors(inputs, _input_limits(admission))
            found = executable.run(tensors)
            _check_arithmetic()
            return Completed(encode_tensors(found))
        except (Trap, TensorError) as refusal:
            return Trapped(_cut(str(refusal)))
        except MemoryError as error:
            raise LocalFailure("out of memory") from error

    def forget(self, root: bytes) -> None:
        """Drop what is held of a model, if anything."""
        for key in [key for key in self._programs if key[0] == root]:
            del self._programs[key]

    def _program(self, key: Key, load: Load) -> tuple[Admission, Executable | None]:
        if key not in self._programs:
            bounds = {bound.axis: bound.most for bound in key[1]}
            self._keep(key, admit(load(), self._limits, bounds), None)
        self._programs.move_to_end(key)
        return self._programs[key]

    def _compiled(self, key: Key, admission: Admission) -> Executable:
        assert admission.program is not None
        executable = compile(admission.program, self._engine, self._products)
        self._keep(key, admission, executable)
        return executable

    def _keep(self, key: Key, admission: Admission, executable: Executable | None) -> None:
        self._programs[key] = (admission, executable)
        self._programs.move_to_end(key)
        held = [_constant_bytes(kept) for kept, _ in self._programs.values()]
        while len(held) > 1 and (len(held) > self._programs_max or sum(held) > HELD_BYTES_MAX):
            self._programs.popitem(last=False)
            del held[0]


def summary(admission: Admission) -> AdmissionSummary:
    """Give what the chain keeps of an admission, its texts bounded."""
    return AdmissionSummary(
        admission.admitted,
        tuple(_cut(reason) for reason in admission.reasons[:REASONS_MAX]),
        admission.inputs,
        admission.outputs,
        admission.cost,
        admission.peak_bytes,
    )


def _constant_bytes(admission: Admission) -> int:
    constants = admission.program.constants.values() if admission.program else ()
    return sum(constant.nbytes for constant in constants)


def _input_limits(admission: Admission) -> TensorLimits:
    """Bound the inputs by what the model takes; a little more may come, to name what is wrong."""
    needed = sum(tensor.content_bytes for tensor in admission.inputs)
    return TensorLimits(2 * needed + (1 << 16), 4 * VALUES_MAX)


def _check_arithmetic() -> None:
    """Raise LocalFailure if some library changed how this thread computes."""
    if not is_ieee():
        raise LocalFailure("a library has switched subnormals or rounding to nearest off")


def _cut(reason: str) -> str:
    encoded = reason.encode(errors="replace")[:REASON_BYTES_MAX]
    return encoded.decode(errors="ignore")
