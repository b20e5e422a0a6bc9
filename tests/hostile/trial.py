"""What becomes of a hostile model: refused, or admitted and run by both engines alike."""

import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

import ai_exec
from ai_exec.tensor import Tensor, TensorType

RUN_GAS_MAX = 20_000_000
"""Admitted models that cost more are not run: the reference engine is slow."""
WHOLES = (0, 1, 2, 3, -1, 5, 127, -128, 1 << 31, (1 << 63) - 1, -(1 << 63))
FLOATS = (0.0, -0.0, 1.0, -1.5, 0.5, np.nan, np.inf, -np.inf, 1e-45, -1e-39, 3.4e38, 1e-38, 7.0)


@dataclass(frozen=True)
class Outcome:
    """What became of one input."""

    word: str
    """refused, ran, trapped, dear (admitted, too dear to run here); or failed."""
    reason: str
    digest: str
    """Of the whole verdict: reasons, types, cost, memory."""
    seconds: float
    """Time of a processor that admission took."""
    peak_bytes: int
    """Memory of the process, at most, so far."""


def attempt(content: bytes, run: bool = True) -> Outcome:
    """Judge a model, run it if admitted; nothing may be raised but by our own mistake."""
    start = time.process_time()
    try:
        admission = ai_exec.admit(content)
    except Exception as error:
        # A border: that admission raises is what this looks for.
        return _outcome("failed", f"admission: {error!r}", "", start)
    taken = time.process_time() - start
    verdict = (admission.reasons, admission.cost, admission.peak_bytes)
    digest = blake2b(repr((verdict, admission.inputs, admission.outputs)).encode()).hexdigest()
    if not admission.admitted:
        return _outcome("refused", admission.reasons[0], digest, start, taken)
    if not run or admission.cost > RUN_GAS_MAX:
        return _outcome("dear", f"{admission.cost} gas", digest, start, taken)
    word, reason = _run(admission)
    return _outcome(word, reason, digest, start, taken)


def _outcome(
    word: str, reason: str, digest: str, start: float, taken: float | None = None
) -> Outcome:
    seconds = time.process_time() - start if taken is None else taken
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    return Outcome(word, reason, digest, seconds, peak)


def _run(admission: ai_exec.Admission) -> tuple[str, str]:
    assert admission.program is not None
    word = "ran"
    for seed in range(2):
        inputs = hostile_inputs(admission.inputs, seed)
        found = {}
        for engine in ("reference", "fast"):
            try:
                executable = ai_exec.compile(admission.program, engine=engine)
                found[engine] = told(executable.run(inputs))
            except ai_exec.Trap as trap:
                found[engine], word = f"trap: {trap}", "trapped"
            except Exception as error:
                # A border: that an engine raises is what this looks for.
                return "failed", f"{engine} {inputstold(admission)}: {error!r}"
        if found["reference"] != found["fast"]:
            return "failed", f"engines differ, {inputstold(admission)}: {found}"
    return word, ""


def inputstold(admission: ai_exec.Admission) -> str:
    """Write the inputs of a model."""
    return ", ".join(str(declared) for declared in admission.inputs)


def hostile_inputs(declared: tuple[TensorType, ...], seed: int) -> Mapping[str, Tensor]:
    """Give inputs with many special values."""
    random = np.random.default_rng(seed)
    return {tensor.name: _hostile(tensor, random) for tensor in declared}


def _hostile(tensor: TensorType, random: np.random.Generator) -> Tensor:
    dtype = np.dtype(tensor.dtype)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        pool = [value for value in WHOLES if limits.min <= value <= limits.max]
        pool += [0, 1, 1, 2, limits.max]
        return random.choice(np.array(pool, dtype), tensor.shape)
    if dtype.kind == "b":
        return random.integers(0, 2, tensor.shape).astype(bool)
    plain = random.normal(0, 1, tensor.shape)
    special = random.choice(np.array(FLOATS), tensor.shape)
    with np.errstate(all="ignore"):
        return np.where(random.random(tensor.shape) < 0.3, special, plain).astype(dtype)


def told(outputs: Mapping[str, Tensor]) -> str:
    """Write types and digests of tensors."""
    return " ".join(
        f"{value.dtype}{list(value.shape)}:{blake2b(value.tobytes(), digest_size=8).hexdigest()}"
        for value in outputs.values()
    )
