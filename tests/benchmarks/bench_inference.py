"""The fast engine against plain onnxruntime on one thread, in one process and by turns."""

import gc
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from time import perf_counter

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import ai_exec
from ai_exec.fast.executable import FastExecutable
from ai_exec.fast.prepare import prepare
from ai_exec.fast.products import BYTES, PAIRS, WIDE, Products
from ai_exec.limits import DEFAULT_LIMITS
from ai_exec.program import Program
from ai_exec.tensor import Tensor, encode_tensors
from ai_exec.workers.child import ONE_THREAD
from ai_exec.workers.pool import PoolSettings, WorkerPool
from tests.support.encoder import encoder, encoder_inputs

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
ROW_BYTES = 65
SIZES = (
    *((1, 384, 384), (1, 384, 1536), (1, 768, 3072), (4, 384, 1536)),
    *((16, 384, 1536), (64, 384, 384), (64, 384, 1536), (256, 384, 1536)),
)
"""Rows, length and columns of products."""
WAYS = {"fast, binary64": WIDE, "fast, pairs": PAIRS, "fast, bytes": BYTES}
TOKENS = (64, 256)
LAYERS = (
    *(("LSTM", 16, 32, 100, 1, 1), ("LSTM", 64, 128, 100, 1, 1), ("LSTM", 64, 128, 100, 8, 1)),
    *(("LSTM", 64, 128, 100, 1, 2), ("LSTM", 128, 256, 50, 1, 1), ("LSTM", 128, 256, 50, 8, 1)),
    *(("GRU", 64, 128, 100, 1, 1), ("GRU", 64, 128, 100, 8, 1), ("RNN", 64, 128, 100, 1, 1)),
)
"""Recurrent layers: width, hidden elements, tokens, sequences and directions."""
LIMITS = replace(DEFAULT_LIMITS, model_bytes_max=1 << 28, peak_bytes_max=1 << 33)
ROUNDS = 7
ROUND_SECONDS = 0.1

Execute = Callable[[], object]


def microseconds(executes: Mapping[str, Execute], seconds: float) -> dict[str, float]:
    """Give the least microseconds of a call of each; rounds alternate, so that all meet a quiet
    moment of the machine.
    """
    best = dict.fromkeys(executes, float("inf"))
    for _ in range(ROUNDS):
        for name, execute in executes.items():
            end = perf_counter() + seconds
            while (start := perf_counter()) < end:
                execute()
                best[name] = min(best[name], (perf_counter() - start) * 1e6)
    return best


def show(title: str, executes: Mapping[str, Execute], seconds: float = ROUND_SECONDS) -> None:
    """Print the times and their ratio to onnxruntime's."""
    times = microseconds(executes, seconds)
    print(f"  {title}")
    for name, taken in times.items():
        ratio = f"{taken / times['onnxruntime']:8.2f} x" if name != "onnxruntime" else ""
        print(f"    {name:34} {taken:10.1f} us {ratio}", flush=True)


def session(model: bytes) -> onnxruntime.InferenceSession:
    """Give plain onnxruntime on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options)


def admitted(model: bytes) -> Program:
    """Give the program of a model that must be admitted."""
    admission = ai_exec.admit(model, LIMITS)
    assert admission.program is not None, admission.reasons
    return admission.program


def engines(
    model: bytes, inputs: Mapping[str, Tensor], ways: Mapping[str, Products] | None = None
) -> dict[str, Execute]:
    """Give one call of each on the same inputs, the fast engine's bits checked."""
    plain, program = session(model), admitted(model)
    fast = ai_exec.compile(program, "fast")
    forced = {name: FastExecutable(program, way) for name, way in (ways or {}).items()}
    expected = ai_exec.compile(program, "reference").run(inputs)
    for executable in (fast, *forced.values()):
        found = executable.run(inputs)
        assert all(found[name].tobytes() == expected[name].tobytes() for name in expected)
    return {
        "onnxruntime": lambda: plain.run(None, dict(inputs)),
        "fast": lambda: fast.run(inputs),
        **{name: partial(executable.run, inputs) for name, executable in forced.items()},
    }


def model_of(
    nodes: list[onnx.NodeProto], shape: tuple[int, ...], constants: Mapping[str, Tensor]
) -> bytes:
    """Give an ONNX file that takes x and gives y, both float32."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(onnx.shape_inference.infer_shapes(model).SerializeToString())


def normal(*shape: int) -> Tensor:
    """Give normal numbers."""
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def perceptron(*widths: int) -> bytes:
    """Give a network of dense layers with ReLU between them and a softmax at the end."""
    nodes, constants, x = [], {}, "x"
    for index, (before, after) in enumerate(pairwise(widths)):
        weights, bias, last = f"w{index}", f"b{index}", index == len(widths) - 2
        constants |= {weights: normal(after, before), bias: normal(after)}
        nodes.append(helper.make_node("Gemm", [x, weights, bias], [f"d{index}"], transB=1))
        operator, x = ("Softmax", "y") if last else ("Relu", f"x{index}")
        nodes.append(helper.make_node(operator, [f"d{index}"], [x]))
    return model_of(nodes, (1, widths[0]), constants)


def convolutional() -> bytes:
    """Give a network for images of 8 x 8: two convolutions, a pool and a dense layer."""
    shapes = {"k0": (16, 1, 3, 3), "b0": (16,), "k1": (32, 16, 3, 3), "b1": (32,)}
    nodes = [
        helper.make_node("Conv", ["x", "k0", "b0"], ["c0"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c0"], ["r0"]),
        helper.make_node("Conv", ["r0", "k1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("MaxPool", ["r1"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w", "b"], ["d"], transB=1),
        helper.make_node("Softmax", ["d"], ["y"]),
    ]
    shapes |= {"w": (10, 512), "b": (10,)}
    return model_of(nodes, (1, 1, 8, 8), {name: normal(*shape) for name, shape in shapes.items()})


def small_models() -> None:
    """Print small networks at batch 1, where the overhead of a call counts."""
    model = (DIGITS / "digits.onnx").read_bytes()
    rows = np.frombuffer((DIGITS / "unseen.rows").read_bytes(), np.uint8).reshape(-1, ROW_BYTES)
    pixels = rows[:, :-1].astype(np.float32)
    executes = engines(model, {"pixels": pixels[:1]})
    show("digits of the demo, one image", executes)
    for widths in ((64, 32, 10), (128, 256, 256, 10), (784, 512, 512, 10)):
        title = f"dense layers {' '.join(map(str, widths))}"
        show(title, engines(perceptron(*widths), {"x": normal(1, widths[0])}))
    show("two convolutions over 8x8", engines(convolutional(), {"x": normal(1, 1, 8, 8)}))
    fresh = count()
    with WorkerPool(PoolSettings(cache_bytes_max=1 << 20)) as pool:

        def run(number: int) -> object:
            image = pixels[:1] + np.float32(number) * np.float32(1e-6)
            return pool.run(bytes(32), lambda: model, encode_tensors({"pixels": image}))

        ways: dict[str, Execute] = {
            "onnxruntime": executes["onnxruntime"],
            "pool, new image": lambda: run(next(fresh)),
            "pool, answer kept": lambda: run(-1),
        }
        show("digits through the worker pool, encoding included", ways)


def text_encoders() -> None:
    """Print the encoder of 22 million parameters, by way of its products."""
    for tokens in TOKENS:
        for normalise in (False, True):
            model = encoder(tokens, normalise=normalise)
            form = "the operator" if normalise else "single nodes"
            title = f"encoder, {tokens} tokens, normalised by {form}"
            ways = {} if normalise else WAYS
            show(title, engines(model, encoder_inputs(tokens), ways), 4 * ROUND_SECONDS)


def resident_bytes() -> int:
    """Give the memory that this process takes now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory() -> None:
    """Print what the encoder takes; asked first, as memory that is given back stays resident."""
    model = encoder(TOKENS[0])
    before = resident_bytes()
    executable = ai_exec.compile(admitted(model), "fast")
    executable.run(encoder_inputs(TOKENS[0]))
    held = (resident_bytes() - before) / len(model)
    print(f"  memory of the encoder after a run: {held:.2f} x its {len(model) / 1e6:.0f} MB")


def loading() -> None:
    """Print how long the encoder takes to load."""
    model = encoder(TOKENS[0])
    program = admitted(model)
    executes: dict[str, Execute] = {
        "onnxruntime": lambda: session(model),
        "admit": lambda: admitted(model),
        "compile": lambda: ai_exec.compile(program, "fast"),
    }
    show("loading the encoder", executes, 4 * ROUND_SECONDS)


def operators() -> None:
    """Print single operators at sizes of real models."""
    for rows, length, columns in SIZES:
        nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
        model = model_of(nodes, (rows, length), {"w": normal(length, columns)})
        title = f"MatMul M{rows} K{length} N{columns}"
        show(title, engines(model, {"x": normal(rows, length)}, WAYS))
    for operator in ("Softmax", "Sigmoid", "Exp", "Tanh", "Erf"):
        model = model_of([helper.make_node(operator, ["x"], ["y"])], (64, 384), {})
        show(f"{operator} of 64x384", engines(model, {"x": normal(64, 384)}))


def recurrent() -> None:
    """Print recurrent layers as PyTorch exports them."""
    for operator, width, hidden, tokens, batch, directions in LAYERS:
        gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[operator] * hidden
        shapes = {
            "w": (directions, gates, width),
            "r": (directions, gates, hidden),
            "b": (directions, 2 * gates),
        }
        constants = {
            name: normal(*shape) * np.float32(hidden**-0.5) for name, shape in shapes.items()
        }
        attributes: dict[str, object] = {"hidden_size": hidden}
        if operator == "GRU":
            attributes["linear_before_reset"] = 1
        if directions == 2:
            attributes["direction"] = "bidirectional"
        node = helper.make_node(operator, ["x", "w", "r", "b"], ["y"], **attributes)
        shape = (tokens, batch, width)
        executes = engines(model_of([node], shape, constants), {"x": normal(*shape)})
        both = " both ways" if directions == 2 else ""
        title = f"{operator}{both} {width} to {hidden}, {tokens} tokens, batch {batch}"
        show(title, executes)


def main() -> None:
    """Print all comparisons."""
    prepare()
    print("least time of a call, one thread, and its ratio to onnxruntime's")
    memory()
    small_models()
    text_encoders()
    recurrent()
    loading()
    operators()


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # numpy reads these when it is loaded, so the program starts again with them.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
