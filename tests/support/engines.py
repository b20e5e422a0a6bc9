"""A model through admission and both engines, which agree on every bit and every trap."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnxruntime

import ai_exec
from ai_exec.executable import Trap

Arrays = Mapping[str, np.ndarray]


def run_both(
    encoded: bytes, inputs: Arrays, bounds: Mapping[str, int] | None = None
) -> dict[str, np.ndarray]:
    """Give what both engines give; raises the Trap that both meet."""
    admission = ai_exec.admit(encoded, bounds=bounds or {})
    assert admission.reasons == ()
    assert admission.program is not None
    reference = ai_exec.compile(admission.program, "reference")
    fast = ai_exec.compile(admission.program, "fast")
    assert outcome(reference.run, inputs) == outcome(fast.run, inputs)
    return fast.run(inputs)


def run_theirs(encoded: bytes, inputs: Arrays) -> list[np.ndarray]:
    """Run by onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    return list(onnxruntime.InferenceSession(encoded, options).run(None, dict(inputs)))


def assert_as_theirs(encoded: bytes, inputs: Arrays) -> dict[str, np.ndarray]:
    """Run by all three: types and shapes are equal, numbers nearly."""
    found = run_both(encoded, inputs)
    for mine, other in zip(found.values(), run_theirs(encoded, inputs), strict=True):
        assert (mine.dtype, mine.shape) == (other.dtype, other.shape)
        np.testing.assert_allclose(mine, other, rtol=1e-6)
    return found


def outcome(run: Callable[[Arrays], Arrays], inputs: Arrays) -> list[Any] | str:
    """Give the outputs in bits, or why there are none."""
    try:
        found = run(inputs)
    except Trap as trap:
        return str(trap)
    return [(name, array.dtype, array.shape, array.tobytes()) for name, array in found.items()]
