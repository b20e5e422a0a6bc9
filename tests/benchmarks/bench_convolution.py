"""Networks for images against plain onnxruntime on one thread, in one process and by turns.

Times are of the processor, as others may use the machine too; of calls so short that its clock is
too coarse, of the wall.
"""

import os
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import onnxruntime

import ai_exec
from ai_exec.executable import Executable
from ai_exec.program import Program
from ai_exec.tensor import Tensor
from ai_exec.workers.child import ONE_THREAD
from tests.benchmarks.bench_inference import admitted, convolutional, session
from tests.support.networks import (
    image,
    lenet,
    mobilenet,
    resnet18,
    row,
    sound,
    unet,
    volume,
    volumes,
)

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.onnx"
SIDE = 224
Call = Callable[[], object]
NETWORKS: dict[str, tuple[Callable[[], bytes], Tensor, float]] = {
    "ResNet-18": (lambda: resnet18(folded=False), image(SIDE), 2.5),
    "ResNet-18, folded": (lambda: resnet18(folded=True), image(SIDE), 2.5),
    "MobileNetV2": (lambda: mobilenet(folded=False), image(SIDE), 4.0),
    "MobileNetV2, folded": (lambda: mobilenet(folded=True), image(SIDE), 4.0),
    "sound, one axis": (sound, row(8000), 4.0),
    "U-Net, 96 x 96": (unet, image(96), 4.0),
    "volume, three axes": (volume, volumes(16), 10.0),
    "LeNet, 28 x 28": (lenet, image(28, 1), 3.0),
    "two convolutions, 8 x 8": (convolutional, image(8, 1), 3.0),
}
"""What makes each, what it reads, and the ratio to stay below."""
ROUNDS = 25
ROUND_SECONDS = 0.05
SHORT_SECONDS = 1e-3


def least(first: Call, second: Call) -> tuple[float, float]:
    """Give the least seconds of a call of each, by turns."""
    best = [float("inf")] * 2
    for _ in range(ROUNDS):
        for index, call in enumerate((first, second)):
            end = perf_counter() + ROUND_SECONDS
            while (start := perf_counter()) < end:
                busy = process_time()
                call()
                busy, taken = process_time() - busy, perf_counter() - start
                best[index] = min(best[index], busy if taken > SHORT_SECONDS else taken)
    return best[0], best[1]


def compare(name: str, first: Call, second: Call) -> float:
    """Print the times of onnxruntime and of the fast engine; give their ratio."""
    plain, ours = least(first, second)
    ratio = ours / plain
    print(f"  {name:34} {plain * 1e3:9.3f} ms {ours * 1e3:9.3f} ms {ratio:6.2f} x", flush=True)
    return ratio


def runs(program: Program, plain: onnxruntime.InferenceSession, x: Tensor) -> tuple[Call, Call]:
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
            compare(f"{name}, loading", partial(session, model), partial(loaded, model))
            together, alone = (held / len(model) for held in held_bytes(model, x))
            print(f"    memory {alone:.2f} x its weights, with file {together:.2f} x", flush=True)


def loaded(model: bytes) -> Executable:
    """Admit and compile a network for the fast engine."""
    return ai_exec.compile(admitted(model), "fast")


def held_bytes(model: bytes, x: Tensor) -> tuple[int, int]:
    """Give the memory of a loaded network after a run: with its file and program, and alone."""
    tracemalloc.start()
    program = admitted(bytes(bytearray(model)))
    executable = ai_exec.compile(program, "fast")
    executable.run({program.inputs[0].name: x})
    together, _ = tracemalloc.get_traced_memory()
    del program
    alone, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return together, alone


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # numpy reads these when it is loaded, so the program starts again with them.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
