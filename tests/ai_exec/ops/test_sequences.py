"""Sequences and optionals: nothing of them is left in a program, results are onnxruntime's."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from onnx import helper

import ai_exec
from tests.support.engines import assert_as_theirs, run_both
from tests.support.onnx_models import encode, proto, value

Node = helper.make_node
X = np.float32([[1.0, -2.0, 3.0, 4.0], [4.0, 5.0, -6.0, 0.5]])


def model(nodes: Sequence[Any], outputs: Sequence[str] = ("y",), **constants: Any) -> bytes:
    """Write a model of x [2, 4]."""
    known = {name: np.asarray(constant) for name, constant in constants.items()}
    declared = [helper.make_empty_tensor_value_info(name) for name in outputs]
    return encode(proto(nodes, [value("x", [2, 4])], declared, known, {"": 18}))


def operators(encoded: bytes) -> list[str]:
    """Give the names of the operators that a run calls."""
    admission = ai_exec.admit(encoded)
    assert admission.reasons == ()
    assert admission.program is not None
    return [node.operator.name for node in admission.program.nodes]


def test_a_sequence_leaves_nothing_behind() -> None:
    nodes = [
        Node("Neg", ["x"], ["n"]),
        Node("SequenceConstruct", ["x", "n"], ["s"]),
        Node("Abs", ["x"], ["a"]),
        Node("SequenceInsert", ["s", "a", "one"], ["t"]),
        Node("SequenceErase", ["t", "zero"], ["u"]),
        Node("SequenceAt", ["u", "last"], ["y"]),
        Node("SequenceLength", ["u"], ["count"]),
        Node("ConcatFromSequence", ["u"], ["z"], axis=1),
        Node("ConcatFromSequence", ["u"], ["stack"], axis=-1, new_axis=1),
    ]
    encoded = model(nodes, ("y", "count", "z", "stack"), zero=0, one=1, last=-1)

    found = assert_as_theirs(encoded, {"x": X})

    assert found["count"].tolist() == 2
    assert found["stack"].shape == (2, 4, 2)
    assert not any("Sequence" in name for name in operators(encoded))


@pytest.mark.parametrize(
    ("split", "attributes"),
    [
        (None, {"axis": 1}),
        (None, {"axis": -2, "keepdims": 0}),
        (3, {"axis": 1}),
        ([1, 3], {"axis": 1}),
    ],
)
def test_parts(split: Any, attributes: Mapping[str, int]) -> None:
    inputs = ["x"] if split is None else ["x", "split"]
    nodes = [
        Node("SplitToSequence", inputs, ["s"], **attributes),
        Node("SequenceAt", ["s", "last"], ["h"]),
        Node("Exp", ["h"], ["y"]),
    ]
    constants = {} if split is None else {"split": np.int64(split)}

    assert_as_theirs(model(nodes, last=-1, **constants), {"x": X})


def test_a_body_on_each_tensor() -> None:
    body = helper.make_graph(
        [Node("Add", ["e", "x"], ["f"]), Node("Mul", ["f", "k"], ["g"])],
        "body",
        [helper.make_empty_tensor_value_info(name) for name in ("e", "k")],
        [helper.make_empty_tensor_value_info("g")],
    )
    nodes = [
        Node("Neg", ["x"], ["n"]),
        Node("SequenceConstruct", ["x", "n"], ["s"]),
        Node("SequenceMap", ["s", "three"], ["t"], body=body),
        Node("ConcatFromSequence", ["t"], ["y"], axis=0),
    ]
    encoded = model(nodes, three=np.float32(3))

    assert run_both(encoded, {"x": X})["y"].tolist() == np.concatenate([6 * X, 0 * X]).tolist()


def test_optionals() -> None:
    nodes = [
        Node("Optional", ["x"], ["o"]),
        Node("OptionalHasElement", ["o"], ["there"]),
        Node("OptionalGetElement", ["o"], ["e"]),
        Node("Neg", ["e"], ["y"]),
        Node("OptionalHasElement", [""], ["missing"]),
    ]
    encoded = model(nodes, ("y", "there", "missing"))

    found = run_both(encoded, {"x": X})

    assert operators(encoded) == ["Neg"]
    assert found["y"].tolist() == (-X).tolist()
    assert (found["there"].tolist(), found["missing"].tolist()) == (True, False)


def test_outputs_keep_their_names() -> None:
    nodes = [Node("SequenceConstruct", ["x"], ["s"]), Node("SequenceAt", ["s", "zero"], ["y"])]

    assert run_both(model(nodes, zero=0), {"x": X})["y"].tolist() == X.tolist()


MADE = Node("SequenceConstruct", ["x", "x"], ["s"])


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([MADE, Node("Neg", ["s"], ["y"])], "node 1 (Neg): input 0 is no tensor, but a sequence"),
        ([Node("SequenceConstruct", ["x"], ["y"])], "output 0 (y): it is no tensor"),
        ([MADE, Node("SequenceAt", ["s", "two"], ["y"])], "position 2 of a sequence of 2"),
        (
            [MADE, Node("ArgMax", ["x"], ["k"]), Node("SequenceAt", ["s", "k"], ["y"])],
            "position must be a constant whole number, so that sequences are bounded",
        ),
        ([Node("SequenceConstruct", ["x", "two"], ["s"])], "a sequence of float32, int64"),
        ([Node("SequenceLength", ["x"], ["y"])], "where a sequence is needed"),
        ([Node("SequenceEmpty", [], ["s"]), Node("SequenceErase", ["s"], ["y"])], "is empty"),
        ([Node("SplitToSequence", ["x", "two"], ["s"], axis=7)], "axis 7 of a tensor with 2 axes"),
        ([Node("SplitToSequence", ["x", "zero"], ["s"])], "parts of length 0"),
        ([Node("Optional", [], ["o"]), Node("OptionalGetElement", ["o"], ["y"])], "is empty"),
    ],
)
def test_refused(nodes: Sequence[Any], reason: str) -> None:
    reasons = ai_exec.admit(model(nodes, two=2, zero=0)).reasons

    assert reason in " ".join(reasons)
