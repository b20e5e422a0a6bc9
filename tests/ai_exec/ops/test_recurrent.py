"""RNN, GRU and LSTM beside onnxruntime: directions, lengths, activations, peepholes, layouts."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from ai_exec.ops.recurrent_cells import ACTIVATIONS
from tests.support.one_node import assert_same, computed, ours, reasons, theirs

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
STATES = {"RNN": 1, "GRU": 1, "LSTM": 2}
INPUTS = ("x", "w", "r", "b", "lens", "h", "c", "p")


def numbers(*shape: int, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    return (np.random.default_rng([*shape, seed]).normal(size=shape) * 0.6).astype(dtype)


def layer(name: str, directions: int = 1, dtype: str = "float32") -> dict[str, np.ndarray]:
    length, batch, width, hidden = 4, 3, 5, 2
    gates = GATES[name]
    return {
        "x": numbers(length, batch, width, dtype=dtype),
        "w": numbers(directions, gates * hidden, width, dtype=dtype),
        "r": numbers(directions, gates * hidden, hidden, dtype=dtype),
        "b": numbers(directions, 2 * gates * hidden, dtype=dtype),
        "lens": np.array([4, 2, 3], np.int32),
        "h": numbers(directions, batch, hidden, dtype=dtype),
        "c": numbers(directions, batch, hidden, dtype=dtype, seed=1),
        "p": numbers(directions, 3 * hidden, dtype=dtype),
    }


def node(name: str, given: dict[str, np.ndarray], **attributes: Any) -> Any:
    inputs = [key if key in given else "" for key in INPUTS[: 8 if name == "LSTM" else 6]]
    outputs = ["y", "y_h", "y_c"][: 1 + STATES[name]]
    return helper.make_node(name, inputs, outputs, hidden_size=2, **attributes)


def chosen(name: str, keys: str, directions: int = 1) -> dict[str, np.ndarray]:
    most = INPUTS if name == "LSTM" else INPUTS[:6]
    return {key: x for key, x in layer(name, directions).items() if key in most and key in keys}


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("keys", ["x w r", "x w r b lens h c p"])
@pytest.mark.parametrize("opset", [7, 14, 21])
def test_directions(name: str, direction: str, keys: str, opset: int) -> None:
    directions = 1 + (direction == "bidirectional")
    given = chosen(name, keys, directions)
    made = node(name, given, direction=direction)
    if name == "RNN":
        made = node(name, given, direction=direction, activations=["Tanh"] * directions)

    assert_same(ours(made, given, opset=opset), theirs(made, given, opset=opset), 2e-6)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("GRU", {"linear_before_reset": 1}),
        ("GRU", {"clip": 0.3}),
        ("LSTM", {"input_forget": 1}),
        ("LSTM", {"activations": ["HardSigmoid", "Softsign", "Relu"]}),
        ("RNN", {"activations": ["LeakyRelu"], "activation_alpha": [0.3]}),
        ("RNN", {"activations": ["Affine"], "activation_alpha": [0.5], "activation_beta": [0.1]}),
        (
            "RNN",
            {
                "activations": ["ScaledTanh"],
                "activation_alpha": [1.5],
                "activation_beta": [2.0],
            },
        ),
        ("GRU", {"activations": ["Sigmoid", "Elu"], "activation_alpha": [0.7]}),
        ("RNN", {"activations": ["ThresholdedRelu"], "activation_alpha": [0.2]}),
        ("RNN", {"activations": ["Softplus"]}),
    ],
)
def test_attributes(name: str, attributes: Any) -> None:
    given = chosen(name, "x w r b h c")
    made = node(name, given, **attributes)

    assert_same(ours(made, given, opset=14), theirs(made, given, opset=14), 2e-6)


@pytest.mark.parametrize("name", GATES)
def test_layouts_give_the_same_bits(name: str) -> None:
    given = layer(name, 2)
    inputs = [given[key] for key in INPUTS[: 8 if name == "LSTM" else 6]]
    turned = [inputs[0].transpose(1, 0, 2), *inputs[1:5]]
    turned += [state.transpose(1, 0, 2) for state in inputs[5 : 5 + STATES[name]]]
    turned += inputs[7:8]
    fixed = {"direction": "bidirectional", "count": 1 + STATES[name]}

    plain = computed(name, 22, *inputs, layout=0, **fixed, **unset(name))
    other = computed(name, 22, *turned, layout=1, **fixed, **unset(name))

    assert other[0].transpose(1, 2, 0, 3).tobytes() == plain[0].tobytes()
    for mine, theirs_ in zip(plain[1:], other[1:], strict=True):
        assert theirs_.transpose(1, 0, 2).tobytes() == mine.tobytes()


def unset(name: str) -> dict[str, None]:
    names = ["activation_alpha", "activation_beta", "clip"] + ["activations"] * (name != "RNN")
    return dict.fromkeys(names)


@pytest.mark.parametrize("name", GATES)
def test_binary64_is_finer(name: str) -> None:
    fine, coarse = layer(name, dtype="float64"), layer(name)
    keys = [key for key in INPUTS[: 8 if name == "LSTM" else 6] if key != "lens"]

    found = [
        computed(
            name,
            22,
            *(given[key] if key != "lens" else None for key in INPUTS[: len(keys) + 1]),
            **unset(name),
        )[0]
        for given in (fine, coarse)
    ]

    assert [one.dtype.name for one in found] == ["float64", "float32"]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-6)


def test_all_activations_are_known() -> None:
    expected = ["relu", "tanh", "sigmoid", "affine", "leakyrelu", "thresholdedrelu", "scaledtanh"]
    expected += ["hardsigmoid", "elu", "softsign", "softplus"]

    assert sorted(ACTIVATIONS) == sorted(expected)


@pytest.mark.parametrize(
    ("attributes", "changes", "reason"),
    [
        ({"direction": "up"}, {}, "direction is up, not one of forward, reverse, bidirectional"),
        (
            {"direction": "bidirectional"},
            {},
            "R is float32[1, 6, 2], direction is bidirectional",
        ),
        ({"activations": ["Tanh"]}, {}, "1 activations for 1 directions of 2"),
        ({"activations": ["Tanh", "Gelu"]}, {}, "activation 'Gelu' is not supported"),
        ({}, {"b": numbers(1, 6)}, "B is float32[1, 6], not [1, 12]"),
        ({}, {"x": numbers(4, 3, 4)}, "W is float32[1, 6, 5], not [1, 6, 4]"),
    ],
)
def test_refusals(attributes: Any, changes: Any, reason: str) -> None:
    given = {**chosen("GRU", "x w r b"), **changes}

    assert reasons(node("GRU", given, **attributes), given) == (f"node 0 (GRU): {reason}",)
