"""The fast engine against the reference: the same bits on usual and on hostile values."""

from collections.abc import Mapping
from math import prod

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ai_exec.engines import compile
from ai_exec.executable import Trap
from ai_exec.fast.executable import FastExecutable
from ai_exec.fast.products import BYTES, PAIRS, WIDE
from ai_exec.program import Program
from ai_exec.registry import Attribute
from ai_exec.tensor import Tensor
from tests.support.programs import Line, program_of

HOSTILE = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -88.7, 88.8, -104.0, 1.5, 16777217.0),
    *(float("nan"), float("inf"), float("-inf")),
    *(1e-45, -1e-45, 1.1754944e-38, -1.1754942e-38, 1e-38, 1e38, -1e38, 3.4028235e38),
)
VALUES = st.one_of(
    st.sampled_from(HOSTILE).map(np.float32).map(float),
    st.floats(-10, 10, width=32),
    st.floats(width=32),
)
USUAL = st.floats(-4, 4, width=32)
ELEMENTWISE = ("Relu", "Sigmoid", "Exp", "Softmax", "Neg", "Abs", "Sqrt")
WAYS = (WIDE, PAIRS, BYTES)
BINARY = ("Add", "Sub", "Mul", "Div")


def tensors(shape: tuple[int, ...]) -> st.SearchStrategy[Tensor]:
    """Tensors of usual values only, or of any, so that one NaN does not hide all else."""
    return st.sampled_from((USUAL, VALUES)).flatmap(
        lambda elements: arrays.arrays(np.float32, shape, elements=elements)
    )


@st.composite
def layers(draw: st.DrawFn) -> tuple[Program, Mapping[str, Tensor]]:
    """A chain of matrix products, biases, residual sums and activations."""
    rows = draw(st.integers(1, 3))
    width = draw(st.integers(1, 7))
    shape: tuple[int, ...] = (rows, width)
    lines: list[Line] = []
    constants: dict[str, Tensor] = {}
    given_input = draw(tensors(shape))
    current = "x"
    for index in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(("MatMul", "Gemm", "binary", "activation")))
        result, weights, bias = f"y{index}", f"w{index}", f"b{index}"
        if kind == "activation":
            lines.append(Line(draw(st.sampled_from(ELEMENTWISE)), (current,), result))
        elif kind == "binary":
            constants[weights] = draw(tensors((shape[1],)))
            lines.append(Line(draw(st.sampled_from(BINARY)), (current, weights), result))
        else:
            width = draw(st.integers(1, 7))
            constants[weights] = draw(tensors((shape[1], width)))
            if kind == "MatMul":
                lines.append(Line("MatMul", (current, weights), result))
            else:
                constants[bias] = draw(tensors((width,)))
                scales = {
                    "alpha": draw(st.sampled_from((1.0, -0.5, 0.1))),
                    "beta": draw(st.sampled_from((1.0, 3.0))),
                }
                lines.append(Line("Gemm", (current, weights, bias), result, scales))
            shape = (rows, width)
        current = result
    return program_of(lines, {"x": (rows, given_input.shape[1])}, constants), {"x": given_input}


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Program, Mapping[str, Tensor]]:
    """One convolution: groups, strides, dilations, padding, with a bias or without."""
    group, inputs, maps = (draw(st.integers(1, 2)) for _ in range(3))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    shape = (draw(st.integers(1, 2)), group * inputs, *draw(st.tuples(*[st.integers(5, 7)] * 2)))
    attributes: dict[str, Attribute] = {
        "group": group,
        "strides": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "dilations": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "pads": draw(st.tuples(*[st.integers(0, 1)] * 4)),
    }
    constants = {"w": draw(tensors((group * maps, inputs, *kernel)))}
    reads: tuple[str, ...] = ("x", "w")
    if draw(st.booleans()):
        constants["b"] = draw(tensors((group * maps,)))
        reads = ("x", "w", "b")
    x = draw(tensors(shape))
    return program_of([Line("Conv", reads, "y", attributes)], {"x": shape}, constants), {"x": x}


def assert_same_bits(program: Program, inputs: Mapping[str, Tensor]) -> None:
    expected = compile(program, "reference").run(inputs)
    assert_bits(compile(program, "fast").run(inputs), expected)
    if any(node.operator.name in ("MatMul", "Gemm") for node in program.nodes):
        for products in WAYS:
            assert_bits(FastExecutable(program, products).run(inputs), expected)


def assert_bits(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    assert list(found) == list(expected)
    for name in expected:
        assert found[name].dtype == expected[name].dtype, name
        assert found[name].shape == expected[name].shape, name
        assert found[name].tobytes() == expected[name].tobytes(), name


@settings(max_examples=140, deadline=None)
@given(layers())
def test_layers_have_the_reference_bits(case: tuple[Program, Mapping[str, Tensor]]) -> None:
    assert_same_bits(*case)


@settings(max_examples=120, deadline=None)
@given(convolutions())
def test_convolutions_have_the_reference_bits(
    case: tuple[Program, Mapping[str, Tensor]],
) -> None:
    assert_same_bits(*case)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("length", [1, 513, 2048, 2049, 5000])
def test_long_contractions_are_cut_into_the_same_blocks(rows: int, length: int) -> None:
    random = np.random.default_rng(length)
    x = random.standard_normal((rows, length)).astype(np.float32)
    w = (random.standard_normal((length, 4)) * 10.0 ** random.integers(-30, 30, 4)).astype("f4")
    program = program_of([Line("MatMul", ("x", "w"), "y")], {"x": x.shape}, {"w": w})
    assert_same_bits(program, {"x": x})


@pytest.mark.parametrize("channels", [3, 228, 700])
def test_deep_convolutions_are_cut_into_the_same_blocks(channels: int) -> None:
    random = np.random.default_rng(channels)
    x = random.standard_normal((1, channels, 4, 4)).astype(np.float32)
    w = random.standard_normal((2, channels, 3, 3)).astype(np.float32)
    program = program_of([Line("Conv", ("x", "w"), "y")], {"x": x.shape}, {"w": w})
    assert_same_bits(program, {"x": x})


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_along_any_axis(axis: int) -> None:
    x = np.array([[-0.0, 0.0, 3e38], [-3e38, 5.0, 1e-40], [88.0, -104.0, 2.0]], np.float32)
    program = program_of([Line("Softmax", ("x",), "y", {"axis": axis})], {"x": x.shape})
    assert_same_bits(program, {"x": x})
    assert_same_bits(program, {"x": np.where(x == 5.0, np.float32(-np.inf), x)})
    assert_same_bits(program, {"x": np.where(x == 5.0, np.float32(np.nan), x)})


def test_functions_on_a_million_inputs_of_all_sizes() -> None:
    bits = np.random.default_rng(7).integers(0, 1 << 32, 500_000, np.uint32)
    near = np.random.default_rng(8).uniform(-110, 110, 500_000).astype(np.float32)
    x = np.concatenate([bits.view(np.float32), near])
    lines = [Line(name, ("x",), name) for name in ("Exp", "Sigmoid")]
    assert_same_bits(program_of(lines, {"x": x.shape}), {"x": x})


def test_runs_do_not_disturb_each_other() -> None:
    w = np.arange(6, dtype=np.float32).reshape(2, 3)
    lines = [Line("Gemm", ("x", "w"), "y", {"alpha": 0.3}), Line("Add", ("y", "y"), "z")]
    program = program_of(lines, {"x": (1, 2)}, {"w": w})
    executable = compile(program, "fast")
    first_input, second_input = np.array([[[1, 2]], [[3, 4]]], np.float32)
    first = executable.run({"x": first_input})
    kept = {name: tensor.copy() for name, tensor in first.items()}
    executable.run({"x": second_input})

    assert first_input.tolist() == [[1, 2]]
    for name, tensor in executable.run({"x": first_input}).items():
        assert tensor.tobytes() == kept[name].tobytes() == first[name].tobytes()


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"x": np.zeros((1, 3), np.float32)},
        {"x": np.zeros((1, 2), np.float64)},
        {"x": np.zeros((1, 2), np.float32), "y": np.zeros(1, np.float32)},
        {"z": np.zeros((1, 2), np.float32)},
    ],
)
def test_wrong_inputs_trap_alike(inputs: Mapping[str, Tensor]) -> None:
    program = program_of([Line("Relu", ("x",), "y")], {"x": (1, 2)})
    reasons = []
    for engine in ("reference", "fast"):
        with pytest.raises(Trap) as trap:
            compile(program, engine).run(inputs)
        reasons.append(str(trap.value))
    assert reasons[0] == reasons[1]


def test_hostile_rows_one_by_one() -> None:
    """Each hostile value beside each other one, in products with usual and hostile weights."""
    values = np.array(HOSTILE, np.float32)
    pairs = np.stack(np.meshgrid(values, values), axis=-1).reshape(-1, 2)
    weights = np.concatenate([np.ones((2, 1), np.float32), pairs.T[:, :: len(values) + 1]], axis=1)
    assert prod(pairs.shape) == 2 * len(HOSTILE) ** 2
    program = program_of([Line("MatMul", ("x", "w"), "y")], {"x": (1, 2)}, {"w": weights})
    reference, fast = compile(program, "reference"), compile(program, "fast")
    for pair in pairs:
        x = {"x": pair.reshape(1, 2)}
        assert fast.run(x)["y"].tobytes() == reference.run(x)["y"].tobytes(), pair


@pytest.mark.parametrize("beta", [1.0, -1.0])
@pytest.mark.parametrize("alpha", [1.0, -1.0])
def test_zeros_of_either_sign_in_products_and_biases(alpha: float, beta: float) -> None:
    values = np.array([0.0, -0.0, 1e-45, -1e-45, 1.0, -1.0], np.float32)
    scales: dict[str, Attribute] = {"alpha": alpha, "beta": beta}
    line = Line("Gemm", ("x", "w", "b"), "y", scales)
    for bias in values[:2]:
        constants = {"w": values.reshape(1, -1), "b": np.full(len(values), bias, np.float32)}
        program = program_of([line], {"x": (1, 1)}, constants)
        for value in values:
            assert_same_bits(program, {"x": np.full((1, 1), value, np.float32)})


@pytest.mark.parametrize("shape", [(0, 2), (2, 0), (0, 0)])
def test_products_of_nothing(shape: tuple[int, int]) -> None:
    w = np.ones((shape[1], 3), np.float32)
    program = program_of([Line("MatMul", ("x", "w"), "y")], {"x": shape}, {"w": w})
    assert_same_bits(program, {"x": np.zeros(shape, np.float32)})
