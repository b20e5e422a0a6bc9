"""Execution: answers of a backend become answers to pallets."""

import pytest

from ai_exec import axes, backend
from ai_exec.backend import Load
from ai_exec.tensor import TensorType as ModelTensorType
from chain.primitives.codec import record
from runtime.execution import BackendExecutor
from runtime.frame.ports import AdmissionSummary, Completed, LocalFailure, TensorType, Trapped

ROOT = bytes([7]) * 32
CONTENT = b"model"


Answer = backend.AdmissionSummary | backend.Completed | backend.Trapped | Exception


class Scripted:
    """Loads, then answers."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.loaded: list[bytes] = []

    def admit(self, root: bytes, load: Load, bounds: axes.Bounds = ()) -> backend.AdmissionSummary:
        self.loaded.append(load())
        if isinstance(self.answer, Exception):
            raise self.answer
        if isinstance(self.answer, backend.AdmissionSummary):
            return self.answer
        return backend.AdmissionSummary(
            True,
            (),
            (ModelTensorType("x", "float32", (1, 64)),),
            (ModelTensorType("y", "int64", (1,)),),
            5000,
            4096,
        )

    def run(
        self, root: bytes, load: Load, inputs: bytes, bounds: axes.Bounds = ()
    ) -> backend.Completed | backend.Trapped:
        self.loaded.append(load())
        if isinstance(self.answer, Exception):
            raise self.answer
        assert not isinstance(self.answer, backend.AdmissionSummary)
        return self.answer


def content(root: bytes) -> bytes:
    if root != ROOT:
        raise LocalFailure("no chunks")
    return CONTENT


def test_an_admission_is_passed_on() -> None:
    models = Scripted(backend.Trapped(""))

    assert BackendExecutor(models, content).admit(ROOT, 5, ()) == AdmissionSummary(
        admitted=True,
        reasons=(),
        inputs=(TensorType("x", 1, (1, 64)),),
        outputs=(TensorType("y", 7, (1,)),),
        gas=5000,
        peak_bytes=4096,
    )
    assert models.loaded == [CONTENT]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (backend.Completed(b"out"), Completed(b"out")),
        (backend.Trapped("wrong shape"), Trapped("wrong shape")),
    ],
)
def test_a_run_is_passed_on(
    answer: backend.Completed | backend.Trapped, expected: Completed | Trapped
) -> None:
    assert BackendExecutor(Scripted(answer), content).run(ROOT, b"in", ()) == expected


def test_what_this_node_cannot_do_is_never_a_result() -> None:
    failing = BackendExecutor(Scripted(backend.LocalFailure("out of memory")), content)
    with pytest.raises(LocalFailure, match="out of memory"):
        failing.run(ROOT, b"in", ())
    with pytest.raises(LocalFailure, match="out of memory"):
        failing.admit(ROOT, 5, ())
    working = BackendExecutor(Scripted(backend.Completed(b"")), content)
    with pytest.raises(LocalFailure, match="no chunks"):
        working.run(bytes(32), b"in", ())
    with pytest.raises(LocalFailure, match="content has 5 bytes instead of 6"):
        working.admit(ROOT, 6, ())


def test_the_state_holds_whatever_a_backend_may_say() -> None:
    tensors = tuple(
        ModelTensorType(f"{number:02}" + "n" * 254, "uint64", ((1 << 32) - 1,) * 8)
        for number in range(backend.VALUES_MAX)
    )
    greatest = (1 << 64) - 1
    reasons = ("r" * backend.REASON_BYTES_MAX,) * backend.REASONS_MAX
    said = backend.AdmissionSummary(False, reasons, tensors, tensors, greatest, greatest)
    backend.ADMISSION_SUMMARY.encode(said)

    kept = BackendExecutor(Scripted(said), content).admit(ROOT, 5, ())

    assert record(AdmissionSummary).decode(record(AdmissionSummary).encode(kept)) == kept
