"""Inference by engine against plain onnxruntime on one thread, in one run."""

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import ai_exec
from ai_exec.fast.executable import FastExecutable
from ai_exec.fast.products import BYTES, PAIRS, WIDE, Products
from ai_exec.tensor import Tensor, encode_tensors
from ai_exec.workers.child import ONE_THREAD
from ai_exec.workers.pool import PoolSettings, WorkerPool

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
ROW_BYTES = 65
SIZES = (
    *((1, 384, 384), (1, 384, 1536), (1, 768, 3072), (4, 384, 1536)),
    *((16, 384, 1536), (64, 384, 384), (64, 384, 1536)),
)
"""Rows, length and columns of products."""
WAYS = {"fast, binary64": WIDE, "fast, pairs": PAIRS, "fast, bytes": BYTES}
ROUNDS = 7
ROUND_SECONDS = 0.1

Execute = Callable[[], object]


def microseconds(executes: Mapping[str, Execute]) -> dict[str, float]:
    """Give the least microseconds of a call of each; rounds alternate, so that all meet a quiet
    moment of the machine.
    """
    best = dict.fromkeys(executes, float("inf"))
    for _ in range(ROUNDS):
        for name, execute in executes.items():
            end = perf_counter() + ROUND_SECONDS
            while (start := perf_counter()) < end:
                execute()
                best[name] = min(best[name], (perf_counter() - start) * 1e6)
    return best


def show(title: str, executes: Mapping[str, Execute], peer: str = "onnxruntime") -> None:
    """Print the times and their ratio to the peer's."""
    times = microseconds(executes)
    print(f"  {title}")
    for name, taken in times.items():
        ratio = f"{taken / times[peer]:8.2f} x {peer}" if name != peer else ""
        print(f"    {name:34} {taken:10.1f} us {ratio}")


def engines(
    model: bytes, inputs: Mapping[str, Tensor], ways: Mapping[str, Products] | None = None
) -> dict[str, Execute]:
    """Give one call of each engine on the same inputs, and of the fast one made to go some way."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options)
    admission = ai_exec.admit(model)
    assert admission.program is not None, admission.reasons
    fast = ai_exec.compile(admission.program, "fast")
    reference = ai_exec.compile(admission.program, "reference")
    forced = {name: FastExecutable(admission.program, way) for name, way in (ways or {}).items()}
    expected = reference.run(inputs)
    for executable in (fast, *forced.values()):
        found = executable.run(inputs)
        assert all(found[name].tobytes() == expected[name].tobytes() for name in expected)
    return {
        "onnxruntime": lambda: session.run(None, dict(inputs)),
        "fast": lambda: fast.run(inputs),
        **{name: partial(executable.run, inputs) for name, executable in forced.items()},
        "reference": lambda: reference.run(inputs),
    }


def single_node(operator: str, shape: tuple[int, ...], weights: Tensor | None) -> bytes:
    """Give a model of one operator with float32 weights."""
    reads = ["x"] if weights is None else ["x", "w"]
    graph = helper.make_graph(
        [helper.make_node(operator, reads, ["y"])],
        operator,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [] if weights is None else [numpy_helper.from_array(weights, "w")],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(onnx.shape_inference.infer_shapes(model).SerializeToString())


def digits() -> None:
    """Print the demo's model on one digit, by engine and through the pool of processes."""
    model = (DIGITS / "digits.onnx").read_bytes()
    rows = np.frombuffer((DIGITS / "unseen.rows").read_bytes(), np.uint8).reshape(-1, ROW_BYTES)
    pixels = rows[:, :-1].astype(np.float32)
    show("digits, one image", engines(model, {"pixels": pixels[:1]}))
    fresh = count()
    with WorkerPool(PoolSettings(cache_bytes_max=1 << 20)) as pool:
        root = bytes(32)

        def run(number: int) -> object:
            image = pixels[:1] + np.float32(number) * np.float32(1e-6)
            return pool.run(root, lambda: model, encode_tensors({"pixels": image}))

        executes = engines(model, {"pixels": pixels[:1]})
        show(
            "digits, through the worker pool, encoding included",
            {
                "onnxruntime": executes["onnxruntime"],
                "pool, new image": lambda: run(next(fresh)),
                "pool, answer kept": lambda: run(-1),
            },
        )


def operators() -> None:
    """Print single operators at sizes of real models."""
    random = np.random.default_rng(1)

    def normal(*shape: int) -> Tensor:
        return random.standard_normal(shape).astype(np.float32)

    for rows, length, columns in SIZES:
        model = single_node("MatMul", (rows, length), normal(length, columns))
        title = f"MatMul M{rows} K{length} N{columns}"
        show(title, engines(model, {"x": normal(rows, length)}, WAYS))
    model = single_node("Conv", (1, 16, 28, 28), normal(32, 16, 3, 3))
    show("Conv 16 to 32 channels, 3x3 over 28x28", engines(model, {"x": normal(1, 16, 28, 28)}))
    for operator in ("Softmax", "Sigmoid", "Exp", "Tanh"):
        model = single_node(operator, (64, 384), None)
        show(f"{operator} of 64x384", engines(model, {"x": normal(64, 384)}))


def main() -> None:
    """Print all comparisons."""
    print("least time of a call, one thread")
    digits()
    operators()


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # numpy reads these when it is loaded, so the program starts again with them.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
