"""Networks for images against plain onnxruntime on one thread, in one process and by turns.

Times are of the processor, as others use this machine too; wall times are printed beside them.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import onnxruntime

import ai_exec
from ai_exec.program import Program
from ai_exec.tensor import Tensor
from ai_exec.workers.child import ONE_THREAD
from tests.benchmarks.bench_inference import admitted, convolutional, resident_bytes, session
from tests.support.networks import image, lenet, mobilenet, resnet18

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.onnx"
SIDE = 224
NETWORKS: dict[str, tuple[Callable[[], bytes], Tensor, float]] = {
    "ResNet-18": (lambda: resnet18(folded=False), image(SIDE), 2.5),
    "ResNet-18, folded": (lambda: resnet18(folded=True), image(SIDE), 2.5),
    "MobileNetV2": (lambda: mobilenet(folded=False), image(SIDE), 4.0),
    "MobileNetV2, folded": (lambda: mobilenet(folded=True), image(SIDE), 4.0),
    "LeNet, 28 x 28": (lenet, image(28, 1), 3.0),
    "two convolutions, 8 x 8": (convolutional, image(8, 1), 3.0),
}
"""What makes each, what it reads, and the ratio to stay below."""
ROUNDS = 25
ROUND_SECONDS = 0.05


def least(first: Callable[[], object], second: Callable[[], object]) -> list[tuple[float, float]]:
    """Give the least seconds of a call of each, of the processor and of the wall, by turns."""
    best = [(float("inf"), float("inf"))] * 2
    for _ in range(ROUNDS):
        for index, call in enumerate((first, second)):
            end = perf_counter() + ROUND_SECONDS
            while (start := perf_counter()) < end:
                busy = process_time()
                call()
                taken = process_time() - busy, perf_counter() - start
                best[index] = min(best[index][0], taken[0]), min(best[index][1], taken[1])
    return best


def compare(name: str, first: Callable[[], object], second: Callable[[], object]) -> float:
    """Print the times of onnxruntime and of the fast engine; give their ratio."""
    (plain, plain_wall), (ours, ours_wall) = least(first, second)
    print(
        f"  {name:34} {plain * 1e3:9.3f} ms {ours * 1e3:9.3f} ms {ours / plain:6.2f} x"
        f"   (wall {plain_wall * 1e3:.3f}, {ours_wall * 1e3:.3f})",
        flush=True,
    )
    return ours / plain


def runs(program: Program, plain: onnxruntime.InferenceSession, x: Tensor) -> tuple[object, object]:
    """Give one call of each on the same input, the fast engine's bits checked."""
    fast = ai_exec.compile(program, "fast")
    name = program.inputs[0].name
    expected = ai_exec.compile(program, "reference").run({name: x})
    found = fast.run({name: x})
    assert all(found[name].tobytes() == expected[name].tobytes() for name in expected)
    largest = max(float(np.abs(value).max()) for value in expected.values())
    assert np.isfinite(largest)
    return lambda: plain.run(None, {name: x}), lambda: fast.run({name: x})


def main() -> None:
    """Print runs, loading and memory of each network."""
    print("onnxruntime and the fast engine, one thread, least time of the processor")
    for name, (make, x, most) in NETWORKS.items():
        model = make()
        program, plain = admitted(model), session(model)
        ratio = compare(f"{name} (at most {most})", *runs(program, plain, x))
        if ratio > most:
            print(f"    missed: {ratio:.2f} instead of {most}")
        if len(model) > 1 << 20:
            loading = compare(
                f"{name}, loading",
                lambda model=model: session(model),
                lambda model=model: ai_exec.compile(admitted(model), "fast"),
            )
            before = resident_bytes()
            held = ai_exec.compile(admitted(model), "fast")
            held.run({program.inputs[0].name: x})
            more = (resident_bytes() - before) / len(model)
            print(
                f"    memory {more:.2f} x its {len(model) / 1e6:.0f} MB of weights, {loading=:.2f}"
            )


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # numpy reads these when it is loaded, so the program starts again with them.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
