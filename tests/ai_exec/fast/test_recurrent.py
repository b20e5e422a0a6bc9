"""Recurrent layers in compiled passes against the reference: all that a layer may be made of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from onnx import helper

import ai_exec
from ai_exec.fast.executable import FastExecutable
from ai_exec.fast.kernels import find_kernel
from ai_exec.fast.prepare import prepare_recurrent
from ai_exec.fast.products import PAIRS, STANDARD, WIDE, Products
from ai_exec.fast.recurrent_steps import NAMES, run_steps
from ai_exec.program import Program
from ai_exec.tensor import Tensor
from ai_exec.workers.crew import Crew
from tests.support.one_node import encode_node
from tests.support.onnx_models import encode, proto

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
ACTIVATIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}
INPUTS = ("x", "w", "r", "b", "lens", "h", "c", "p")
HOSTILE = (np.nan, np.inf, -np.inf, 0.0, -0.0, 3e38, -1e38, 1e-38, 1e-45, -1e-45)
WAYS = (WIDE, PAIRS, STANDARD)


@dataclass(frozen=True)
class Sizes:
    """Lengths of a layer."""

    length: int
    batch: int
    width: int
    hidden: int


def numbers(seed: int, *shape: int, hostile: int = 0) -> Tensor:
    """Give numbers of usual size, with some hostile ones among them."""
    random = np.random.default_rng([seed, *shape])
    found = (random.standard_normal(shape) * 0.7).astype(np.float32)
    if found.size:
        places = random.integers(0, found.size, hostile)
        found.reshape(-1)[places] = random.choice(np.array(HOSTILE, np.float32), hostile)
    return found


def tensors_of(
    name: str, sizes: Sizes, directions: int, *, layout: int, seed: int, hostile: int
) -> dict[str, Tensor]:
    """Give all inputs that a layer may have."""
    gates, hidden = GATES[name] * sizes.hidden, sizes.hidden
    sequence = (sizes.length, sizes.batch, sizes.width)
    state = (directions, sizes.batch, hidden)
    if layout:
        sequence, state = ((shape[1], shape[0], shape[2]) for shape in (sequence, state))
    shapes = {
        "x": sequence,
        "w": (directions, gates, sizes.width),
        "r": (directions, gates, hidden),
        "b": (directions, 2 * gates),
        "h": state,
        "c": state,
        "p": (directions, 3 * hidden),
    }
    found = {
        key: numbers(seed + index, *shape, hostile=hostile)
        for index, (key, shape) in enumerate(shapes.items())
    }
    lens = np.random.default_rng(seed).integers(0, sizes.length + 2, sizes.batch)
    return {**found, "lens": lens.astype(np.int32)}


def program_of(
    name: str,
    tensors: Mapping[str, Tensor],
    attributes: Mapping[str, Any],
    constants: frozenset[str],
    opset: int = 22,
) -> Program:
    """Give the program of a layer whose weights are constants or inputs."""
    most = INPUTS if name == "LSTM" else INPUTS[:6]
    inputs = [key if key in tensors else "" for key in most]
    outputs = ["y", "y_h", "y_c"][: 3 if name == "LSTM" else 2]
    node = helper.make_node(name, inputs, outputs, **attributes)
    given_ = {key: value for key, value in tensors.items() if key not in constants}
    fixed = {key: value for key, value in tensors.items() if key in constants}
    admission = ai_exec.admit(encode_node(node, given_, fixed, opset))
    assert admission.program is not None, admission.reasons
    return admission.program


def assert_same(
    program: Program, tensors: Mapping[str, Tensor], products: Products = STANDARD
) -> None:
    """Both engines have the same bits."""
    inputs = {declared.name: tensors[declared.name] for declared in program.inputs}
    expected = ai_exec.compile(program, "reference").run(inputs)
    found = FastExecutable(program, products).run(inputs)
    assert list(found) == list(expected)
    for key, array in expected.items():
        assert (found[key].dtype, found[key].shape) == (array.dtype, array.shape)
        assert found[key].tobytes() == array.tobytes(), key


@st.composite
def layers(draw: st.DrawFn) -> tuple[Program, dict[str, Tensor], Products]:
    """Any layer, with any inputs."""
    name = draw(st.sampled_from(tuple(GATES)))
    direction = draw(st.sampled_from(("forward", "reverse", "bidirectional")))
    directions = 1 + (direction == "bidirectional")
    layout = draw(st.integers(0, 1))
    sizes = Sizes(
        draw(st.integers(1, 4)),
        draw(st.integers(1, 5)),
        draw(st.integers(1, 9)),
        draw(st.sampled_from((1, 2, 3, 8, 13, 17, 49))),
    )
    attributes: dict[str, Any] = {"direction": direction, "layout": layout}
    if draw(st.booleans()):
        count = ACTIVATIONS[name] * directions
        names = draw(st.lists(st.sampled_from(NAMES), min_size=count, max_size=count))
        factors = st.lists(st.sampled_from((0.5, -0.3, 1.7)), min_size=1, max_size=count)
        attributes |= {"activations": names}
        attributes |= {"activation_alpha": draw(factors), "activation_beta": draw(factors)}
    elif name == "RNN":
        attributes["activations"] = ["Tanh"] * directions
    if draw(st.integers(0, 3)) == 0:
        attributes["clip"] = draw(st.sampled_from((0.25, 1.5)))
    if name == "GRU":
        attributes["linear_before_reset"] = draw(st.integers(0, 1))
    if name == "LSTM":
        attributes["input_forget"] = draw(st.integers(0, 1))
    hostile = draw(st.sampled_from((0, 0, 1, 3)))
    seed = draw(st.integers(0, 1 << 16))
    tensors = tensors_of(name, sizes, directions, layout=layout, seed=seed, hostile=hostile)
    optional = ("b", "lens", "h", "c", "p") if name == "LSTM" else ("b", "lens", "h")
    kept = {"x", "w", "r", *draw(st.sets(st.sampled_from(optional)))}
    tensors = {key: value for key, value in tensors.items() if key in kept}
    fixed = draw(st.sampled_from((frozenset("wrb"), frozenset("wrb"), frozenset("r"))))
    products = draw(st.sampled_from(WAYS))
    return program_of(name, tensors, attributes, fixed), tensors, products


@settings(max_examples=150, deadline=None)
@given(layers())
def test_any_layer(made: tuple[Program, dict[str, Tensor], Products]) -> None:
    assert_same(*made)


@pytest.mark.parametrize(
    ("name", "hidden"),
    [("LSTM", 63), ("GRU", 96), ("LSTM", 385), ("GRU", 386), ("RNN", 800), ("RNN", 2050)],
)
@pytest.mark.parametrize("products", [WIDE, PAIRS], ids=["wide", "pairs"])
def test_products_of_many_steps_and_blocks(name: str, hidden: int, products: Products) -> None:
    sizes = Sizes(2, 3, 5, hidden)
    tensors = tensors_of(name, sizes, 1, layout=0, seed=1, hostile=0)
    kept = {key: tensors[key] for key in ("x", "w", "r", "h")}
    assert_same(program_of(name, kept, {}, frozenset("wr")), kept, products)


@pytest.mark.parametrize("opset", [1, 7, 14])
def test_earlier_versions(opset: int) -> None:
    sizes = Sizes(3, 2, 4, 5)
    tensors = tensors_of("LSTM", sizes, 2, layout=0, seed=2, hostile=0)
    attributes = {"direction": "bidirectional", "hidden_size": 5}
    program = program_of("LSTM", tensors, attributes, frozenset("wrb"), opset)
    assert find_kernel(program.nodes[0], program) is not None
    assert_same(program, tensors)


def test_states_at_their_ends_make_no_nan_where_there_is_no_peephole() -> None:
    sizes = Sizes(1, 1, 1, 2)
    tensors = tensors_of("LSTM", sizes, 1, layout=0, seed=3, hostile=0)
    kept = {key: tensors[key] for key in ("x", "w", "r", "c")}
    kept["c"] = np.array([[[np.inf, 1.0]]], np.float32)
    program = program_of("LSTM", kept, {}, frozenset("wr"))
    assert_same(program, kept)
    found = FastExecutable(program).run({"x": kept["x"], "c": kept["c"]})
    assert found["y_c"][0, 0, 0] == np.inf
    assert np.isfinite(found["y"]).all()


def test_two_threads_take_a_direction_each() -> None:
    sizes = Sizes(40, 8, 4, 64)
    tensors = tensors_of("GRU", sizes, 2, layout=0, seed=4, hostile=0)
    kept = {key: tensors[key] for key in ("x", "w", "r", "b")}
    program = program_of("GRU", kept, {"direction": "bidirectional"}, frozenset("wrb"))
    assert_same(program, kept, replace(STANDARD, threads=2, together=Crew(2)))


def test_nothing_is_compiled_in_runs_once_all_is_prepared() -> None:
    prepare_recurrent()
    before = len(run_steps.signatures)  # type: ignore[attr-defined]
    sizes = Sizes(3, 2, 4, 5)
    for name in GATES:
        for layout in (0, 1):
            tensors = tensors_of(name, sizes, 2, layout=layout, seed=5, hostile=1)
            if name != "LSTM":
                tensors = {key: tensors[key] for key in INPUTS[:6]}
            attributes: dict[str, Any] = {"direction": "bidirectional", "layout": layout}
            if name == "RNN":
                attributes["activations"] = ["Tanh", "Tanh"]
            for products in (WIDE, PAIRS):
                program = program_of(name, tensors, attributes, frozenset("wrb"))
                assert_same(program, tensors, products)
    assert len(run_steps.signatures) == before  # type: ignore[attr-defined]


def test_layers_of_other_types_are_left_to_the_operator() -> None:
    tensors = tensors_of("GRU", Sizes(2, 2, 3, 4), 1, layout=0, seed=6, hostile=0)
    kept = {key: tensors[key].astype(np.float64) for key in ("x", "w", "r")}
    program = program_of("GRU", kept, {}, frozenset("wr"))
    assert find_kernel(program.nodes[0], program) is None
    assert_same(program, kept)


def test_lengths_that_a_run_tells() -> None:
    tensors = tensors_of("LSTM", Sizes(5, 2, 3, 4), 1, layout=0, seed=7, hostile=0)
    nodes = [
        helper.make_node("Compress", ["x", "kept"], ["some"], axis=0),
        helper.make_node("LSTM", ["some", "w", "r"], ["y", "y_h", "y_c"], hidden_size=4),
    ]
    kept = np.array([True, False, True, True, False])
    inputs = {"x": tensors["x"], "kept": kept}
    declared = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
        for name, x in inputs.items()
    ]
    outputs = [helper.make_empty_tensor_value_info(name) for name in ("y", "y_h", "y_c")]
    constants = {key: tensors[key] for key in "wr"}
    admission = ai_exec.admit(encode(proto(nodes, declared, outputs, constants, {"": 22})))
    assert admission.program is not None, admission.reasons
    expected = ai_exec.compile(admission.program, "reference").run(inputs)
    found = ai_exec.compile(admission.program, "fast").run(inputs)
    assert found["y"].shape == (3, 1, 2, 4)
    assert {key: x.tobytes() for key, x in found.items()} == {
        key: x.tobytes() for key, x in expected.items()
    }


def test_tokens_without_elements_bring_their_bias() -> None:
    tensors = tensors_of("RNN", Sizes(2, 2, 0, 3), 1, layout=0, seed=8, hostile=0)
    kept = {key: tensors[key] for key in ("x", "w", "r", "b")}
    assert_same(program_of("RNN", kept, {}, frozenset("wrb")), kept)
