"""Functions of a model, and names in scopes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import ai_exec
from ai_exec.limits import Limits
from tests.support.engines import assert_as_theirs, run_both
from tests.support.onnx_models import encode, proto, value

Node = helper.make_node
X = np.float32([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
OWN = "com.example"


def function(
    name: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    nodes: Sequence[Any],
    attributes: Sequence[str] = (),
    defaults: Sequence[Any] = (),
    opsets: Sequence[tuple[str, int]] = (("", 17), (OWN, 1)),
) -> onnx.FunctionProto:
    """Build a function of the own domain."""
    imports = [helper.make_opsetid(*pair) for pair in opsets]
    return helper.make_function(
        OWN, name, inputs, outputs, nodes, imports, attributes, list(defaults)
    )


def referring(node: Any, name: str, kind: int, source: str) -> Any:
    """Have an attribute of a node be one of the function's."""
    node.attribute.append(onnx.AttributeProto(name=name, ref_attr_name=source, type=kind))
    return node


def model(nodes: Sequence[Any], functions: Sequence[onnx.FunctionProto]) -> bytes:
    """Write a model from x to y with functions."""
    built = proto(nodes, [value("x", [2, 3])], [value("y", None)], None, {"": 17, OWN: 1})
    built.functions.extend(functions)
    return encode(built)


SCALED = function(
    "Scaled",
    ["a", "b"],
    ["c", "d"],
    [
        referring(Node("LeakyRelu", ["a"], ["h"]), "alpha", onnx.AttributeProto.FLOAT, "slope"),
        Node("Add", ["h", "b"], ["c"]),
        Node("Neg", ["c"], ["d"]),
    ],
    ["slope"],
)


def test_a_function_means_its_nodes() -> None:
    nodes = [
        Node("Scaled", ["x", "x"], ["h", "c"], domain=OWN, slope=0.25),
        Node("Scaled", ["h", "c"], ["", "y"], domain=OWN),
    ]
    encoded = model(nodes, [SCALED])

    assert_as_theirs(encoded, {"x": X})
    program = ai_exec.admit(encoded).program
    assert program is not None
    assert [node.operator.name for node in program.nodes] == ["LeakyRelu", "Add", "Neg"] * 2
    assert [node.attributes["alpha"] for node in program.nodes[::3]] == [0.25, np.float32(0.01)]
    assert program.nodes[0].place == "node 0 (Scaled): node 0 (LeakyRelu)"


def test_a_function_within_a_function_and_attributes_handed_on() -> None:
    outer = function(
        "Outer",
        ["x"],
        ["y"],
        [
            referring(
                Node("Scaled", ["x", "x"], ["y", ""], domain=OWN),
                "slope",
                onnx.AttributeProto.FLOAT,
                "steep",
            )
        ],
        defaults=[helper.make_attribute("steep", 0.5)],
    )
    for given, slope in (({}, 0.5), ({"steep": 2.0}, 2.0)):
        encoded = model([Node("Outer", ["x"], ["y"], domain=OWN, **given)], [SCALED, outer])

        found = run_both(encoded, {"x": X})["y"]

        np.testing.assert_array_equal(found, np.where(X < 0, X * np.float32(slope), X) + X)


def test_what_a_function_hands_through() -> None:
    through = function(
        "Through", ["a", "b"], ["a", "k"], [Node("Constant", [], ["k"], value_int=3)]
    )
    nodes = [
        Node("Through", ["x"], ["same", "three"], domain=OWN),
        Node("Cast", ["three"], ["f"], to=1),
        Node("Mul", ["same", "f"], ["y"]),
    ]

    assert run_both(model(nodes, [through]), {"x": X})["y"].tolist() == (3 * X).tolist()
    only = model([Node("Through", ["x"], ["y", ""], domain=OWN)], [through])
    assert run_both(only, {"x": X})["y"].tolist() == X.tolist()


def test_a_left_out_input_of_a_function() -> None:
    clipped = function(
        "Clipped", ["a", "low", "high"], ["c"], [Node("Clip", ["a", "low", "high"], ["c"])]
    )
    nodes = [
        Node("Constant", [], ["low"], value_float=-1.0),
        Node("Clipped", ["x", "low"], ["y"], domain=OWN),
    ]

    assert run_both(model(nodes, [clipped]), {"x": X})["y"].tolist() == np.maximum(X, -1).tolist()


def test_a_function_goes_before_an_operator_and_has_its_own_operator_sets() -> None:
    softmax = helper.make_function(
        "", "Softmax", ["a"], ["b"], [Node("Relu", ["a"], ["b"])], [helper.make_opsetid("", 14)]
    )
    encoded = model([Node("Softmax", ["x"], ["y"])], [softmax])
    program = ai_exec.admit(encoded).program

    assert program is not None
    assert [(n.operator.name, n.operator.since) for n in program.nodes] == [("Relu", 14)]


def test_functions_within_bodies_of_functions() -> None:
    body = helper.make_graph(
        [
            referring(
                Node("Scaled", ["a", "around"], ["t", ""], domain=OWN),
                "slope",
                onnx.AttributeProto.FLOAT,
                "steep",
            )
        ],
        "then",
        [],
        [value("t", None)],
    )
    other = helper.make_graph([Node("Neg", ["a"], ["e"])], "else", [], [value("e", None)])
    choice = function(
        "Choice",
        ["a"],
        ["c"],
        [
            Node("Abs", ["a"], ["around"]),
            Node("ReduceMax", ["a"], ["most"], keepdims=0),
            Node("ReduceMin", ["a"], ["least"], keepdims=0),
            Node("Greater", ["most", "least"], ["condition"]),
            Node("If", ["condition"], ["c"], then_branch=body, else_branch=other),
        ],
        ["steep"],
    )
    encoded = model([Node("Choice", ["x"], ["y"], domain=OWN, steep=0.5)], [SCALED, choice])

    expected = np.where(X < 0, X / 2, X) + np.abs(X)
    assert run_both(encoded, {"x": X})["y"].tolist() == expected.tolist()
    assert run_both(encoded, {"x": X * 0})["y"].tolist() == (-X * 0).tolist()


CALL = Node("F", ["x"], ["y"], domain=OWN)
RELU = [Node("Relu", ["a"], ["b"])]


@pytest.mark.parametrize(
    ("nodes", "functions", "reasons"),
    [
        (
            [CALL],
            [function("F", ["a"], ["b"], [Node("F", ["a"], ["b"], domain=OWN)])],
            ("node 0 (F): node 0 (F): the function calls itself",),
        ),
        (
            [CALL],
            [function("F", ["a"], ["b"], [Node("Relu", ["x"], ["b"])])],
            ("node 0 (F): node 0 (Relu): input x is neither given nor computed before",),
        ),
        (
            [CALL],
            [function("F", ["a"], ["c"], RELU)],
            ("node 0 (F): output 0 (c): nothing computes it",),
        ),
        (
            [Node("F", ["x", "x"], ["y"], domain=OWN)],
            [function("F", ["a"], ["b"], RELU)],
            ("node 0 (F): 2 inputs, the function takes 1",),
        ),
        (
            [Node("F", ["x"], ["y", "z"], domain=OWN)],
            [function("F", ["a"], ["b"], RELU)],
            ("node 0 (F): 2 outputs, at most 1 are supported",),
        ),
        (
            [Node("F", ["x"], ["y"], domain=OWN, alpha=1.0)],
            [function("F", ["a"], ["b"], RELU)],
            ("node 0 (F): attribute alpha is not supported",),
        ),
        (
            [CALL],
            [function("F", ["a"], ["b"], RELU, opsets=[("", 99)])],
            ("node 0 (F): operator set ai.onnx 99, supported are 1 to 28",),
        ),
        (
            [referring(Node("Relu", ["x"], ["y"]), "alpha", onnx.AttributeProto.FLOAT, "slope")],
            [],
            ("node 0 (Relu): attribute alpha is that of no function",),
        ),
        (
            [CALL],
            [],
            (
                "node 0 (F): domain com.example is not supported: "
                "write it with operators of ai.onnx, or as a function of the model",
            ),
        ),
    ],
)
def test_refused(
    nodes: Sequence[Any], functions: Sequence[onnx.FunctionProto], reasons: tuple[str, ...]
) -> None:
    assert ai_exec.admit(model(nodes, functions)).reasons == reasons


def chain(depth: int, width: int) -> bytes:
    """Write functions each of which calls the next one several times."""
    functions = [function("F0", ["a"], ["b"], RELU)]
    for level in range(1, depth):
        names = ["a", *(f"t{index}" for index in range(width - 1)), "b"]
        calls = [
            Node(f"F{level - 1}", [names[index]], [names[index + 1]], domain=OWN)
            for index in range(width)
        ]
        functions.append(function(f"F{level}", ["a"], ["b"], calls))
    return model([Node(f"F{depth - 1}", ["x"], ["y"], domain=OWN)], functions)


def test_functions_that_multiply_are_refused() -> None:
    assert ai_exec.admit(chain(6, 3)).admitted
    assert ai_exec.admit(chain(6, 10)).reasons == (
        "functions and bodies come to more than 40000 nodes",
    )
    assert ai_exec.admit(chain(6, 3), Limits(judged_nodes_max=100)).reasons == (
        "functions and bodies come to more than 100 nodes",
    )
    (reason,) = ai_exec.admit(chain(7, 1)).reasons
    assert reason.endswith("node 0 (F0): more than 6 functions within another")


@pytest.mark.parametrize("data", [np.ones(50, np.int32), np.ones(800, np.bool_)])
def test_functions_whose_constants_are_read_again_and_again_are_refused(data: np.ndarray) -> None:
    kept = numpy_helper.from_array(data)
    if data.dtype == np.int32:
        kept = helper.make_tensor("", onnx.TensorProto.INT32, data.shape, data)
    body = [Node("Constant", [], ["c"], value=kept), Node("Relu", ["a"], ["b"])]
    called = model(
        [Node("F", [f"t{i}"], [f"t{i + 1}"], domain=OWN) for i in range(10)],
        [function("F", ["a"], ["b"], body)],
    )
    built = onnx.load_from_string(called)
    built.graph.node[0].input[0], built.graph.node[-1].output[0] = "x", "y"

    assert ai_exec.admit(encode(built)).admitted
    assert ai_exec.admit(encode(built), Limits(judged_items_max=500)).reasons == (
        "attributes and constants of functions and bodies come to more than 500 numbers",
    )


def test_names_with_a_zero_character_are_refused() -> None:
    built = proto([Node("Relu", ["x"], ["y\0"])], [value("x", [1])], [value("y\0", [1])])

    assert ai_exec.admit(encode(built)).reasons == (
        "not a readable ONNX file: model.graph.node[0].output: a zero character",
    )
