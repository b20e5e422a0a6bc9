"""What the chain asks for: summaries, runs, traps, and the programs that are held."""

import numpy as np
import pytest

import ai_exec
from ai_exec.backend import (
    ADMISSION_SUMMARY,
    REASON_BYTES_MAX,
    AdmissionSummary,
    Completed,
    InProcess,
    LocalFailure,
    Trapped,
    summary,
)
from ai_exec.tensor import TensorType, decode_tensors, encode_tensors
from chain.primitives.codec import DecodeError
from tests.support.onnx_models import classifier, one_node

ROOT = bytes(32)
INPUT = np.arange(8, dtype=np.float32).reshape(2, 4)


class Source:
    """A model's bytes, and how often they were asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.loads = 0

    def __call__(self) -> bytes:
        self.loads += 1
        return self.content


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_a_run_is_what_the_executable_gives(engine: str) -> None:
    backend, source = InProcess(engine), Source(classifier())
    admission = ai_exec.admit(classifier())
    expected = ai_exec.compile(admission.program, "reference").run({"x": INPUT})

    outcome = backend.run(ROOT, source, encode_tensors({"x": INPUT}))

    assert outcome == Completed(encode_tensors(expected))
    assert np.allclose(decode_tensors(outcome.output)["scores"].sum(axis=1), 1.0)


def test_a_model_is_loaded_once_while_it_is_held() -> None:
    backend, source = InProcess("reference", programs_max=1), Source(classifier())
    inputs = encode_tensors({"x": INPUT})

    backend.admit(ROOT, source)
    first = backend.run(ROOT, source, inputs)
    assert (backend.run(ROOT, source, inputs), source.loads) == (first, 1)

    backend.admit(bytes([1]) * 32, Source(classifier()))
    assert (backend.run(ROOT, source, inputs), source.loads) == (first, 2)

    backend.forget(ROOT)
    assert (backend.run(ROOT, source, inputs), source.loads) == (first, 3)


def test_summary_of_an_admitted_model() -> None:
    admission = ai_exec.admit(classifier())

    found = InProcess("reference").admit(ROOT, classifier)

    assert found == AdmissionSummary(
        True,
        (),
        (TensorType("x", "float32", (2, 4)),),
        (TensorType("scores", "float32", (2, 3)),),
        admission.cost,
        admission.peak_bytes,
        1,
    )
    assert ADMISSION_SUMMARY.decode(ADMISSION_SUMMARY.encode(found)) == found


def test_summary_of_a_refused_model() -> None:
    found = InProcess("reference").admit(ROOT, lambda: one_node("Nothing", (1,)))

    assert found == AdmissionSummary(
        False,
        (
            "node 0 (Nothing): the operator is not supported; "
            "ai_exec/README.md lists those that are",
        ),
        (),
        (),
        0,
        0,
        1,
    )
    with pytest.raises(DecodeError):
        ADMISSION_SUMMARY.decode(ADMISSION_SUMMARY.encode(found) + b"\x00")


def test_long_reasons_are_cut_between_characters() -> None:
    reasons = tuple(f"{index} " + "é" * REASON_BYTES_MAX for index in range(99))
    refused = ai_exec.Admission(False, reasons, None, (), (), 0, 0)

    found = summary(refused)

    assert len(found.reasons) == 65
    assert all(len(reason.encode()) <= REASON_BYTES_MAX for reason in found.reasons)
    assert ADMISSION_SUMMARY.decode(ADMISSION_SUMMARY.encode(found)) == found


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        (encode_tensors({}), "no input x"),
        (
            encode_tensors({"x": INPUT, "z": INPUT[0], "y": INPUT[0]}),
            "unknown input y; unknown input z",
        ),
        (
            encode_tensors({"x": INPUT.T}),
            "x float32[4, 2] where the model takes x float32[2, 4]",
        ),
        (
            encode_tensors({"x": INPUT.astype(np.int64)}),
            "x int64[2, 4] where the model takes x float32[2, 4]",
        ),
        (b"\x01", "not the encoding of tensors: 1 bytes missing"),
        (bytes(1 << 20), "1048576 bytes, at most 65600 are allowed"),
    ],
)
def test_wrong_inputs_trap(inputs: bytes, reason: str) -> None:
    outcome = InProcess("reference").run(ROOT, classifier, inputs)

    assert outcome == Trapped(reason)


def test_a_refused_model_traps() -> None:
    outcome = InProcess("reference").run(ROOT, lambda: b"junk", encode_tensors({"x": INPUT}))

    assert outcome == Trapped("the model is not admitted")


def test_lack_of_memory_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def starve(*arguments: object) -> None:
        raise MemoryError

    backend = InProcess("reference")
    backend.admit(ROOT, classifier)
    monkeypatch.setattr("ai_exec.backend.compile", starve)

    with pytest.raises(LocalFailure):
        backend.run(ROOT, classifier, encode_tensors({"x": INPUT}))
    monkeypatch.setattr("ai_exec.backend.admit", starve)
    with pytest.raises(LocalFailure):
        backend.admit(bytes([1]) * 32, classifier)


def test_constants_of_the_programs_held_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[bytes] = []

    def load() -> bytes:
        loads.append(b"")
        return classifier()

    monkeypatch.setattr("ai_exec.backend.HELD_BYTES_MAX", 0)
    backend = InProcess()
    for root in (b"a", b"a", b"b", b"b", b"a"):
        assert backend.admit(root, load).admitted
    assert len(loads) == 3
