"""Every operator by itself against plain onnxruntime on one thread, the worst first.

Words after the name of this program choose recipes whose names hold one of them.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from time import perf_counter

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NoKernel

import ai_exec
from ai_exec.fast.prepare import prepare
from ai_exec.workers.child import ONE_THREAD
from tests.benchmarks.bench_inference import LIMITS
from tests.benchmarks.gas_recipes import Recipe
from tests.benchmarks.operator_recipes import ALL

SIZES = {"small": 128, "medium": 1 << 17}
"""Elements, about."""
OPSETS = (22, 24, 26)
"""The first that knows the operator is taken."""
ROUNDS = 12
ROUND_SECONDS = 0.01

Call = Callable[[], object]


def sessions(recipe: Recipe) -> tuple[Call, Call] | str:
    """Give one call of onnxruntime and one of the fast engine, bits checked; or why not."""
    reason = ""
    for opset in OPSETS:
        model = recipe.model(opset)
        admission = ai_exec.admit(model, LIMITS)
        if admission.program is None:
            reason = str(admission.reasons[0])
            continue
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        try:
            plain = onnxruntime.InferenceSession(model, options)
        except NoKernel:
            reason = "not in onnxruntime"
            continue
        except Exception as error:  # onnxruntime has many kinds, none of them public
            reason = str(error)[:100]
            continue
        fast = ai_exec.compile(admission.program, "fast")
        inputs = dict(recipe.inputs)
        expected = ai_exec.compile(admission.program, "reference").run(inputs)
        found = fast.run(inputs)
        for name, tensor in expected.items():
            assert found[name].dtype == tensor.dtype, recipe.operator
            assert found[name].tobytes() == tensor.tobytes(), recipe.operator
        plain.run(None, inputs)
        return partial(plain.run, None, inputs), partial(fast.run, inputs)
    return reason


def least(calls: tuple[Call, ...]) -> list[float]:
    """Give the least microseconds of a call of each, by turns."""
    best = [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for index, call in enumerate(calls):
            end = perf_counter() + ROUND_SECONDS
            while (start := perf_counter()) < end:
                call()
                best[index] = min(best[index], (perf_counter() - start) * 1e6)
    return best


def main() -> None:
    """Print the ratio of each recipe and size, the worst first."""
    prepare()
    words = sys.argv[1:]
    chosen = [name for name in ALL if not words or any(word in name for word in words)]
    for size, count in SIZES.items():
        lines, missing = [], []
        for name in chosen:
            with np.errstate(all="ignore"):
                calls = sessions(ALL[name](count))
            if isinstance(calls, str):
                missing.append(f"{name} ({calls})")
                continue
            plain, ours = least(calls)
            lines.append((ours / plain, name, plain, ours))
        print(f"\n{size}: about {count} elements; ratio, onnxruntime and fast engine in us")
        for ratio, name, plain, ours in sorted(lines, reverse=True):
            print(f"  {ratio:8.2f} x  {name:34} {plain:10.1f} {ours:10.1f}", flush=True)
        print(f"  without a pair: {', '.join(missing) or 'none'}")


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # numpy reads these when it is loaded, so the program starts again with them.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
