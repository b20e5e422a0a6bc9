"""Models whose inputs have open axes: admitted at bounds, run at any shorter lengths."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import ai_exec
from ai_exec.axes import Bound
from ai_exec.backend import Completed, InProcess, Trapped
from ai_exec.executable import SPECIALISED_MAX
from ai_exec.limits import Limits
from ai_exec.metering import JUDGED_ITEM_GAS
from ai_exec.registry import Mismatch
from ai_exec.tensor import TensorType, encode_tensors

ENGINES = ("fast", "reference")
BOUNDS = {"batch": 4, "seq": 6}
WEIGHTS = np.linspace(-1, 1, 40, dtype=np.float32).reshape(5, 8)
Lengths = tuple[int | str | None, ...]


def model_of(
    nodes: list[onnx.NodeProto],
    inputs: Mapping[str, Lengths],
    outputs: tuple[str, ...],
    constants: Mapping[str, Any] | None = None,
) -> bytes:
    """Give a model with float32 inputs and outputs of unsaid shapes."""
    graph = helper.make_graph(
        nodes,
        "open",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, lengths)
            for name, lengths in inputs.items()
        ],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(np.array(each), name) for name, each in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def attention(batch: int | str, sequence: int | str) -> bytes:
    """Scores of positions by one matrix; shapes are computed from shapes, as exporters do."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Slice", ["shape", "zero", "two"], ["front"]),
        helper.make_node("Concat", ["front", "heads"], ["split"], axis=0),
        helper.make_node("Reshape", ["h", "split"], ["parts"]),
        helper.make_node("Transpose", ["parts"], ["left"], perm=[0, 2, 1, 3]),
        helper.make_node("Transpose", ["parts"], ["right"], perm=[0, 2, 3, 1]),
        helper.make_node("MatMul", ["left", "right"], ["scores"]),
        helper.make_node("Unsqueeze", ["mask", "middle"], ["wide"]),
        helper.make_node("Add", ["scores", "wide"], ["masked"]),
        helper.make_node("Softmax", ["masked"], ["y"], axis=-1),
    ]
    constants = {
        "w": WEIGHTS,
        "zero": np.array([0], np.int64),
        "two": np.array([2], np.int64),
        "heads": np.array([2, 4], np.int64),
        "middle": np.array([1, 2], np.int64),
    }
    inputs: dict[str, Lengths] = {"x": (batch, sequence, 5), "mask": (batch, sequence)}
    return model_of(nodes, inputs, ("y",), constants)


def tensors(batch: int, sequence: int, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        "x": random.standard_normal((batch, sequence, 5)).astype(np.float32),
        "mask": random.standard_normal((batch, sequence)).astype(np.float32),
    }


def admitted(model: bytes, bounds: Mapping[str, int]) -> ai_exec.Program:
    admission = ai_exec.admit(model, bounds=bounds)
    assert admission.reasons == ()
    assert admission.program is not None
    return admission.program


def trap_of(program: ai_exec.Program, inputs: Mapping[str, np.ndarray]) -> str:
    """Give the words with which both engines trap."""
    words = set()
    for engine in ENGINES:
        with pytest.raises(ai_exec.Trap) as trap:
            ai_exec.compile(program, engine).run(inputs)
        words.add(str(trap.value))
    assert len(words) == 1
    return words.pop()


OPEN = admitted(attention("batch", "seq"), BOUNDS)
EXECUTABLES = {engine: ai_exec.compile(OPEN, engine) for engine in ENGINES}


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 99))
def test_open_axes_give_the_bits_of_fixed_ones(batch: int, sequence: int, seed: int) -> None:
    inputs = tensors(batch, sequence, seed)
    fixed = ai_exec.compile(admitted(attention(batch, sequence), {}), "reference").run(inputs)

    for executable in EXECUTABLES.values():
        found = executable.run(inputs)
        assert found["y"].shape == (batch, 2, sequence, sequence)
        assert found["y"].tobytes() == fixed["y"].tobytes()


def test_types_are_those_at_the_bounds_cost_and_memory_a_sixteenth_more() -> None:
    greatest = ai_exec.admit(attention(4, 6))
    found = ai_exec.admit(attention("batch", "seq"), bounds=BOUNDS)

    assert found.inputs == (
        TensorType("x", "float32", (4, 6, 5), ("batch", "seq", "")),
        TensorType("mask", "float32", (4, 6), ("batch", "seq")),
    )
    assert str(found.inputs[0]) == "x float32[batch <= 4, seq <= 6, 5]"
    assert found.outputs == greatest.outputs == (TensorType("y", "float32", (4, 2, 6, 6)),)
    assert found.peak_bytes == greatest.peak_bytes + greatest.peak_bytes // 16
    assert found.cost > greatest.cost  # Lengths not seen before are judged first.


def test_shorter_runs_cost_less() -> None:
    def shapes(batch: int, sequence: int) -> dict[str, tuple[int, ...]]:
        return {"x": (batch, sequence, 5), "mask": (batch, sequence)}

    short = ai_exec.admit(attention(1, 2))
    assert ai_exec.cost(OPEN, shapes(1, 2)) == short.cost
    greatest = ai_exec.admit(attention(4, 6))
    assert short.cost < ai_exec.cost(OPEN, shapes(4, 6)) == greatest.cost < OPEN.cost
    assert ai_exec.cost(OPEN) == OPEN.cost
    with pytest.raises(Mismatch):
        ai_exec.cost(OPEN, shapes(5, 6))
    with pytest.raises(Mismatch, match="axis batch has length 1 and also 2"):
        ai_exec.cost(OPEN, {"x": (1, 6, 5), "mask": (2, 6)})


def test_an_axis_without_a_name_is_called_by_its_input() -> None:
    model = model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": (None, 3)}, ("y",))
    assert ai_exec.admit(model).reasons == (
        "input 0 (x): axis 0 is open: give it a bound, for instance --bound x.0=8",
    )
    program = admitted(model, {"x.0": 2})
    assert program.inputs == (TensorType("x", "float32", (2, 3), ("x.0", "")),)
    x = np.ones((1, 3), np.float32)
    assert [ai_exec.compile(program, each).run({"x": x})["y"].shape for each in ENGINES] == [
        (1, 3),
        (1, 3),
    ]


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ({"batch": 4}, "input 0 (x): axis 1 (seq) is open: give it a bound, "),
        ({**BOUNDS, "words": 1}, "bound words=1: no open axis has this name; there are batch, seq"),
        ({"batch": 0, "seq": 6}, "bound batch=0: allowed are 1 to 16777216"),
        ({"batch": -1, "seq": 6}, "bound batch=-1: allowed are 1 to 16777216"),
        ({"batch": 1 << 24, "seq": 6}, "input 0 (x): 503316480 elements, at most "),
        ({"batch": (1 << 24) + 1, "seq": 6}, "bound batch=16777217: allowed are 1 to 16777216"),
        ({**BOUNDS, **{f"a{index}": 1 for index in range(15)}}, "17 bounds, at most 16"),
    ],
)
def test_bounds_that_do_not_fit_are_reasons(bounds: dict[str, int], reason: str) -> None:
    admission = ai_exec.admit(attention("batch", "seq"), bounds=bounds)
    assert not admission.admitted
    assert admission.program is None
    assert admission.reasons[0].startswith(reason)


def test_a_long_name_is_a_reason() -> None:
    name = "n" * 65
    model = model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": (name,)}, ("y",))
    assert ai_exec.admit(model, bounds={name: 1}).reasons == (
        f"input 0 (x): axis 0 ({name}) is open: its name {name} has more than 64 bytes",
    )


@pytest.mark.parametrize(
    ("x", "mask", "words"),
    [
        ((5, 6, 5), (5, 6), "x float32[5, 6, 5] where the model takes x float32[batch <= 4, "),
        ((4, 6, 4), (4, 6), "x float32[4, 6, 4] where the model takes x float32[batch <= 4, "),
        ((4, 5), (4, 6), "x float32[4, 5] where the model takes "),
        ((3, 6, 5), (4, 6), "axis batch has length 3 and also 4"),
        ((4, 6, 5), (4, 3), "axis seq has length 6 and also 3"),
    ],
)
def test_engines_trap_alike(x: tuple[int, ...], mask: tuple[int, ...], words: str) -> None:
    inputs = {"x": np.zeros(x, np.float32), "mask": np.zeros(mask, np.float32)}
    assert trap_of(OPEN, inputs).startswith(words)


def test_what_the_rules_refuse_at_real_lengths_traps() -> None:
    model = model_of(
        [helper.make_node("Reshape", ["x", "pairs"], ["y"])],
        {"x": ("n",)},
        ("y",),
        {"pairs": np.array([-1, 2], np.int64)},
    )
    program = admitted(model, {"n": 6})
    for engine in ENGINES:
        found = ai_exec.compile(program, engine).run({"x": np.arange(4, dtype=np.float32)})
        assert found["y"].tolist() == [[0, 1], [2, 3]]
    words = trap_of(program, {"x": np.zeros(3, np.float32)})
    assert words.startswith("at n=3: node 0 (Reshape): ")
    assert ai_exec.compile(program).run({"x": np.zeros(0, np.float32)})["y"].shape == (0, 2)


def test_what_costs_more_at_shorter_lengths_traps() -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["length"]),
        helper.make_node("Sub", ["whole", "length"], ["rest"]),
        helper.make_node("ConstantOfShape", ["rest"], ["zeros"]),
        helper.make_node("Exp", ["zeros"], ["y"]),
        helper.make_node("Relu", ["x"], ["z"]),
    ]
    model = model_of(nodes, {"x": ("n",)}, ("y", "z"), {"whole": np.array([5000], np.int64)})
    program = admitted(model, {"n": 4000})
    words = trap_of(program, {"x": np.zeros(0, np.float32)})
    assert words.startswith("at n=0: a run takes ")
    assert "gas, at most" in words


def test_the_latest_lengths_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, ...]] = []

    class Counted:
        def __init__(self, program: ai_exec.Program) -> None:
            made.append(program.inputs[0].shape[:1])

        def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {}

    model = model_of([helper.make_node("Relu", ["x"], ["y"])], {"x": ("n",)}, ("y",))
    executable = ai_exec.executable.OpenExecutable(admitted(model, {"n": 99}), Counted)
    for length in (*range(1, SPECIALISED_MAX + 1), 1, SPECIALISED_MAX + 1, 1, 2):
        executable.run({"x": np.zeros(length, np.float32)})
    assert made == [(length,) for length in (*range(1, SPECIALISED_MAX + 2), 2)]


def test_constants_are_shared_and_not_copied() -> None:
    model = attention("batch", "seq")
    program = admitted(model, BOUNDS)
    assert program.specialise is not None
    shorter = program.specialise({"batch": 1, "seq": 1})
    assert shorter.constants["w"] is program.constants["w"]
    file = np.frombuffer(model, np.uint8)
    assert np.shares_memory(file, program.constants["w"])
    assert ai_exec.compile(shorter).run(tensors(1, 1))["y"].shape == (1, 2, 1, 1)


def test_backends_tell_bounds_apart() -> None:
    backend, model = InProcess(), attention("batch", "seq")
    bounds = (Bound("batch", 4), Bound("seq", 6))
    inputs = encode_tensors(tensors(2, 3))

    def load() -> bytes:
        return model

    assert not backend.admit(bytes(32), load).admitted
    assert backend.admit(bytes(32), load, bounds).admitted
    assert backend.run(bytes(32), load, inputs) == Trapped("the model is not admitted")
    assert isinstance(backend.run(bytes(32), load, inputs, bounds), Completed)
    shorter = (Bound("batch", 1), Bound("seq", 6))
    assert isinstance(backend.run(bytes(32), load, inputs, shorter), Trapped)


def test_limits_hold_at_the_bounds() -> None:
    limits = Limits(cost_max=OPEN.cost - 1)
    admission = ai_exec.admit(attention("batch", "seq"), limits, BOUNDS)
    assert admission.reasons == (
        f"a run takes {OPEN.cost} gas, at most {OPEN.cost - 1} are allowed",
    )


def test_what_each_new_length_has_to_read_again_is_paid_for() -> None:
    def gas_of(count: int) -> int:
        body = helper.make_node("Constant", [], ["c"], value_floats=[0.5] * count)
        branch = helper.make_graph(
            [body, helper.make_node("ReduceSum", ["c"], ["r"], keepdims=0)],
            "b",
            [],
            [onnx.ValueInfoProto(name="r")],
        )
        choice = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
        flag = helper.make_node("Cast", ["s"], ["c"], to=TensorProto.BOOL)
        total = helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0)
        return admitted(model_of([total, flag, choice], {"x": ("n",)}, ("y",)), {"n": 9}).cost

    assert gas_of(2000) - gas_of(1000) >= 2 * 1000 * JUDGED_ITEM_GAS


def test_no_run_teaches_a_later_one_to_widen_constants() -> None:
    """Else what a run may still fold would depend on the runs before it."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Slice", ["long", "zero", "shape"], ["part"]),
        helper.make_node("Add", ["x", "part"], ["y"]),
        helper.make_node("ReduceSum", ["halves"], ["sum"], keepdims=0),
    ]
    constants = {
        "long": np.ones(90_000, np.float32),
        "zero": np.array([0], np.int64),
        "halves": np.ones(5000, np.float16),
    }
    model = model_of(nodes, {"x": ("n",)}, ("y", "sum"), constants)
    admission = ai_exec.admit(model, Limits(folded_bytes_max=4 * 90_000), {"n": 90_000})
    assert admission.program is not None
    assert admission.program.specialise is not None

    found = [admission.program.specialise({"n": length}) for length in (90_000, 10, 90_000)]

    assert [len(program.nodes) for program in found] == [4, 3, 4]


def test_results_declared_for_one_row_have_as_many_as_the_inputs() -> None:
    graph = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["y"])],
        "rows",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    admission = ai_exec.admit(model.SerializeToString(), bounds={"batch": 3})
    assert admission.reasons == ()
    for rows in (1, 3):
        x = np.ones((rows, 2), np.float32)
        assert ai_exec.compile(admission.program).run({"x": x})["y"].tolist() == (-x).tolist()
