"""Deterministic ONNX: judges models and runs them with the same bits on every machine."""

from ai_exec.admission.verdict import Admission, admit
from ai_exec.engines import UnknownEngine, compile
from ai_exec.executable import Executable, Trap
from ai_exec.limits import DEFAULT_LIMITS, Limits
from ai_exec.metering import cost
from ai_exec.program import SEMANTICS_VERSION, Program
from ai_exec.tensor import TensorType

__all__ = [
    "DEFAULT_LIMITS",
    "SEMANTICS_VERSION",
    "Admission",
    "Executable",
    "Limits",
    "Program",
    "TensorType",
    "Trap",
    "UnknownEngine",
    "admit",
    "compile",
    "cost",
]
