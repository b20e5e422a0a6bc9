"""Fused passes against the reference: patterns that are hit, and patterns that are just missed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ai_exec.engines import compile
from ai_exec.fast.executable import FastExecutable
from ai_exec.fast.plan import steps_of
from ai_exec.fast.products import BYTES, PAIRS, STANDARD, WIDE, Products
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


@dataclass
class Model:
    """Lines of a program while it is written."""

    shape: tuple[int, ...]
    lines: list[Line] = field(default_factory=list)
    constants: dict[str, Tensor] = field(default_factory=dict)

    def constant(self, value: object) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(value)
        return name

    def number(self, value: float) -> str:
        return self.constant(np.float32(value))

    def op(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        name = f"v{len(self.lines)}"
        self.lines.append(Line(operator, inputs, name, attributes))
        return name

    def program(self, *outputs: str) -> Program:
        return program_of(self.lines, {"x": self.shape}, self.constants, outputs)

    def gelu(self, x: str) -> str:
        erf = self.op("Erf", self.op("Div", x, self.number(1.4142135)))
        return self.op(
            "Mul", self.op("Mul", x, self.op("Add", erf, self.number(1.0))), self.number(0.5)
        )

    def normal(self, x: str, epsilon: float = 1e-5, *, power: bool = True) -> str:
        axes = self.constant(np.array([-1]))
        centred = self.op("Sub", x, self.op("ReduceMean", x, axes))
        two = self.number(2.0)
        square = self.op("Pow", centred, two) if power else self.op("Mul", centred, centred)
        mean = self.op("ReduceMean", square, axes)
        return self.op("Div", centred, self.op("Sqrt", self.op("Add", mean, self.number(epsilon))))


def tensors(shape: tuple[int, ...]) -> st.SearchStrategy[Tensor]:
    """Tensors of usual values only, or of any, so that one NaN does not hide all else."""
    return st.sampled_from((USUAL, USUAL, VALUES)).flatmap(
        lambda elements: arrays.arrays(np.float32, shape, elements=elements)
    )


WAYS = (STANDARD, WIDE, PAIRS, BYTES)


def assert_same_bits(program: Program, x: Tensor, ways: tuple[Products, ...] = WAYS) -> None:
    expected = compile(program, "reference").run({"x": x})
    for products in ways:
        found = FastExecutable(program, products).run({"x": x})
        assert list(found) == list(expected)
        for name, tensor in expected.items():
            assert found[name].shape == tensor.shape
            assert found[name].tobytes() == tensor.tobytes(), name


def hostile(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Normal numbers, one in twenty of them hostile."""
    random = np.random.default_rng(seed)
    x = random.standard_normal(shape).astype(np.float32)
    places = random.random(shape) < 0.05
    x[places] = random.choice(np.array(HOSTILE, np.float32), places.sum())
    return x


def count_of_steps(program: Program) -> int:
    return len(steps_of(program, STANDARD))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Program, Tensor]:
    """Products, biases, residual sums, activations, gelu, silu and normalisations in any order.

    Some values in the middle are outputs or have further readers.
    """
    width = draw(st.integers(2, 20))
    shape = (*draw(st.sampled_from(((1,), (3,), (2, 2), (17,)))), width)
    model = Model(shape)
    history = ["x"]
    for _ in range(draw(st.integers(1, 7))):
        current = draw(st.sampled_from(history[-2:]))
        kind = draw(st.sampled_from(("product", "function", "binary", "gelu", "silu", "normal")))
        if kind == "product":
            made = model.op("MatMul", current, model.constant(draw(tensors((width, width)))))
        elif kind == "function":
            operator = draw(st.sampled_from(("Relu", "Tanh", "Sigmoid", "Neg", "Sqrt", "Gelu")))
            made = model.op(operator, current)
        elif kind == "binary":
            operator = draw(st.sampled_from(("Add", "Sub", "Mul", "Div")))
            others = st.sampled_from(((), (1,), (width,), (1, width), shape)).flatmap(tensors)
            other = draw(st.one_of(others.map(model.constant), st.sampled_from(history)))
            pair = (current, other) if draw(st.booleans()) else (other, current)
            made = model.op(operator, *pair)
        elif kind == "gelu":
            made = model.gelu(current)
        elif kind == "silu":
            made = model.op("Mul", current, model.op("Sigmoid", current))
        else:
            made = model.normal(
                current, draw(st.sampled_from((0.0, 1e-5))), power=draw(st.booleans())
            )
        history.append(made)
    inner = draw(st.lists(st.sampled_from([line.output for line in model.lines]), max_size=2))
    outputs = dict.fromkeys([*inner, history[-1]])
    return model.program(*outputs), draw(tensors(shape))


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_graphs_have_the_reference_bits(case: tuple[Program, Tensor]) -> None:
    assert_same_bits(*case, (WIDE, PAIRS))


@st.composite
def attentions(draw: st.DrawFn) -> tuple[Program, Tensor]:
    """Attention of several heads, with or without scale, mask and an output in the middle."""
    batch, tokens, heads, depth = (draw(st.integers(1, most)) for most in (2, 5, 3, 4))
    model = Model((batch, tokens, heads * depth))
    split = model.constant(np.array([batch, tokens, heads, depth]))

    def head(order: tuple[int, ...]) -> str:
        weights = model.constant(draw(tensors((heads * depth, heads * depth))))
        return model.op(
            "Transpose", model.op("Reshape", model.op("MatMul", "x", weights), split), perm=order
        )

    scores = model.op("MatMul", head((0, 2, 1, 3)), head((0, 2, 3, 1)))
    if draw(st.booleans()):
        scores = model.op(draw(st.sampled_from(("Div", "Mul"))), scores, model.number(draw(USUAL)))
    if draw(st.booleans()):
        shapes = (
            *((batch, 1, 1, tokens), (1, 1, tokens, tokens), (1, heads, tokens, tokens)),
            *((batch, heads, tokens, tokens), (1, heads, tokens, 1), (tokens, tokens)),
        )
        mask = model.constant(draw(st.sampled_from(shapes).flatmap(tensors)))
        scores = model.op("Add", scores, mask)
    shares = model.op("Softmax", scores)
    context = model.op(
        "Transpose", model.op("MatMul", shares, head((0, 2, 1, 3))), perm=(0, 2, 1, 3)
    )
    joined = model.op("Reshape", context, model.constant(np.array([batch, tokens, -1])))
    outputs = (joined, scores) if draw(st.booleans()) else (joined,)
    return model.program(*outputs), draw(tensors(model.shape))


@settings(max_examples=60, deadline=None)
@given(attentions())
def test_attention_has_the_reference_bits(case: tuple[Program, Tensor]) -> None:
    assert_same_bits(*case, (WIDE, PAIRS))


@pytest.mark.parametrize("length", [2, 3, 48, 49, 384, 1100])
@pytest.mark.parametrize("epsilon", [0.0, 1e-12, 1e-5, 1e30])
def test_hostile_rows_in_normalisations(length: int, epsilon: float) -> None:
    model = Model((60, length))
    scale, bias = (model.constant(hostile((length,), seed)) for seed in (1, 2))
    single = model.op("Add", model.op("Mul", model.normal("x", epsilon), scale), bias)
    whole = model.op("LayerNormalization", "x", scale, bias, epsilon=epsilon)
    program = model.program(single, whole)
    assert count_of_steps(program) == 2
    x = hostile(model.shape)
    x[:5] = [[0.0], [1e-45], [3e38], [-0.0], [1.0]]
    x[5:9, ::2] = np.float32(-3.4e38)
    x[10:30] = np.random.default_rng(5).standard_normal((20, length))
    assert_same_bits(program, x)


@pytest.mark.parametrize("length", [1, 2, 31, 64, 257])
def test_hostile_rows_in_softmax(length: int) -> None:
    x = hostile((80, length))
    x[0], x[1], x[2], x[3, 0] = -np.inf, np.inf, 3.4e38, -np.inf
    x[4:6] = [[-0.0], [1e-45]]
    model = Model(x.shape)
    assert_same_bits(model.program(model.op("Softmax", "x")), x)


@pytest.mark.parametrize("rows", [1, 13, 70])
@pytest.mark.parametrize("columns", [1, 24, 49])
def test_hostile_values_in_what_follows_a_product(rows: int, columns: int) -> None:
    model = Model((rows, 30))
    product = model.op("MatMul", "x", model.constant(hostile((30, columns), 1)))
    shifted = model.op("Add", model.constant(hostile((columns,), 2)), product)
    residual = model.op("MatMul", "x", model.constant(hostile((30, columns), 3)))
    made = model.op("Add", model.gelu(shifted), residual)
    program = model.program(model.op("Mul", made, model.op("Sigmoid", made)))
    assert count_of_steps(program) == 3
    x = hostile(model.shape, 4)
    x[: rows // 2] = np.random.default_rng(4).standard_normal((rows // 2, 30))
    assert_same_bits(program, x)


def encoder_layer(model: Model, x: str, hidden: int) -> str:
    def linear(x: str, columns: int, rows: int) -> str:
        weights = model.constant(hostile((rows, columns), len(model.constants)))
        return model.op(
            "Add", model.constant(hostile((columns,), 7)), model.op("MatMul", x, weights)
        )

    inner = model.gelu(linear(x, 3 * hidden, hidden))
    return model.normal(model.op("Add", linear(inner, hidden, 3 * hidden), x))


def test_a_layer_takes_three_steps() -> None:
    model = Model((4, 16))
    program = model.program(encoder_layer(model, "x", 16))
    assert count_of_steps(program) == 3
    assert_same_bits(program, hostile((4, 16)))


def test_rows_are_quantised_once_for_all_products_that_read_them() -> None:
    model = Model((4, 16))
    parts = [model.op("MatMul", "x", model.constant(hostile((16, 5), seed))) for seed in range(3)]
    assert count_of_steps(model.program(*parts)) == 4
    assert_same_bits(model.program(*parts), hostile((4, 16)))


@pytest.mark.parametrize("kept", range(5))
def test_what_is_an_output_is_not_fused_away(kept: int) -> None:
    model = Model((4, 16))
    model.gelu(model.op("MatMul", "x", model.constant(hostile((16, 16), 1))))
    program = model.program(*dict.fromkeys((model.lines[kept].output, model.lines[-1].output)))
    assert count_of_steps(program) > 1
    assert_same_bits(program, hostile((4, 16)))


@pytest.mark.parametrize("kept", range(6))
def test_no_part_of_a_normalisation_that_is_read_elsewhere_is_fused_away(kept: int) -> None:
    model = Model((4, 16))
    whole = model.normal("x")
    other = model.op("Neg", model.lines[kept].output)
    program = model.program(whole, other)
    assert count_of_steps(program) > 2
    assert_same_bits(program, hostile((4, 16)))


@pytest.mark.parametrize(
    "columns", [(1, 16), (4, 1), (4, 16), (1, 1, 16), (1,), (2, 1, 4, 16)], ids=str
)
def test_sums_with_constants_of_other_shapes(columns: tuple[int, ...]) -> None:
    model = Model((4, 16))
    product = model.op("MatMul", "x", model.constant(hostile((16, 16), 1)))
    added = model.op("Add", product, model.constant(hostile(columns, 2)))
    assert_same_bits(model.program(model.op("Relu", added)), hostile((4, 16)))


@pytest.mark.parametrize(
    ("left", "right"),
    [((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((2, 1, 2, 3), (5, 3, 4))],
    ids=str,
)
def test_products_of_two_values_of_the_run(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    model = Model((prod(left) + prod(right),))
    start, middle, end = (
        model.constant(np.array([place])) for place in (0, prod(left), prod(left) + prod(right))
    )
    first, second = model.op("Slice", "x", start, middle), model.op("Slice", "x", middle, end)
    product = model.op(
        "MatMul",
        model.op("Reshape", first, model.constant(np.array(left))),
        model.op("Reshape", second, model.constant(np.array(right))),
    )
    assert_same_bits(model.program(product), hostile(model.shape))


def test_inputs_and_outputs_of_a_run_are_nobody_elses() -> None:
    model = Model((4, 16))
    program = model.program(model.op("Relu", model.op("Neg", "x")))
    executable = compile(program, "fast")
    x: Mapping[str, Tensor] = {"x": hostile((4, 16))}
    x["x"].flags.writeable = False
    first = executable.run(x)
    again = executable.run({"x": -x["x"]})
    assert first["v1"].tobytes() == executable.run(x)["v1"].tobytes() != again["v1"].tobytes()
