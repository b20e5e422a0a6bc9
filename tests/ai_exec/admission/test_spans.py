"""Numbers that only a run tells have bounds, and what has a shape by them is bounded too."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

import ai_exec
from ai_exec.admission.spans import GREATEST, bounded
from ai_exec.registry import Call, Operand, newest
from ai_exec.span import Span
from ai_exec.tensor import Tensor
from tests.support.engines import assert_as_theirs
from tests.support.onnx_models import encode, proto, value

Node = helper.make_node
Wholes = Sequence[int]

COUNT = [
    Node("NonZero", ["x"], ["places"]),
    Node("Shape", ["places"], ["lengths"]),
    Node("Gather", ["lengths", "one"], ["n"]),
]
"""How many of nine numbers are not zero, as a list of one number."""
FILL = numpy_helper.from_array(np.float32([2.5]))
ADD_ONE = helper.make_graph(
    [Node("Identity", ["go"], ["on"]), Node("Add", ["sum", "sum"], ["next"])],
    "body",
    [value("i", [], "int64"), value("go", [], "bool"), value("sum", [3])],
    [value("on", [], "bool"), value("next", [3])],
)
MADE: dict[str, tuple[list[Any], tuple[int, ...]]] = {
    "filled": ([Node("ConstantOfShape", ["n"], ["y"], value=FILL)], (9,)),
    "expanded": ([Node("Expand", ["row", "n"], ["y"])], (9,)),
    "tiled": ([Node("Tile", ["trio", "n"], ["y"])], (27,)),
    "counted": (
        [Node("Squeeze", ["n"], ["k"]), Node("Range", ["zero", "k", "two"], ["y"])],
        (5,),
    ),
    "padded": (
        [
            Node("Sub", ["nine", "n"], ["rest"]),
            Node("Concat", ["rest", "one"], ["widths"], axis=0),
            Node("Pad", ["trio", "widths"], ["y"]),
        ],
        (13,),
    ),
    "hot": ([Node("OneHot", ["trio_indices", "n", "pair"], ["y"])], (3, 9)),
    "chosen": (
        [Node("Min", ["n", "two_list"], ["k"]), Node("TopK", ["trio", "k"], ["y", "i"])],
        (2,),
    ),
    "cut": ([Node("Slice", ["x", "one", "n"], ["y"])], (8,)),
    "resized": ([Node("Resize", ["row_1", "", "", "n"], ["y"], mode="nearest")], (9,)),
    "repeated": ([Node("Loop", ["n", "", "trio"], ["y"], body=ADD_ONE)], (3,)),
    "cut and shaped": (
        [
            Node("Compress", ["table", "mask"], ["rows"], axis=0),
            Node("Shape", ["rows"], ["all"]),
            Node("Gather", ["all", "zero_list"], ["height"]),
            Node("Concat", ["height", "rest", "two_list"], ["wanted"], axis=0),
            Node("Reshape", ["rows", "wanted"], ["y"]),
        ],
        (9, 3, 2),
    ),
    "expanded as torch does": (
        [
            Node("Concat", ["n", "three"], ["wanted"], axis=0),
            Node("Equal", ["wanted", "minus"], ["open"]),
            Node("Where", ["open", "ones", "wanted"], ["whole"]),
            Node("Expand", ["trio", "whole"], ["y"]),
        ],
        (9, 3),
    ),
}
CONSTANTS: dict[str, Tensor] = {
    "one": np.int64([1]),
    "zero_list": np.int64([0]),
    "two_list": np.int64([2]),
    "three": np.int64([3]),
    "nine": np.int64([9]),
    "ones": np.int64([1, 1]),
    "minus": np.int64([-1, -1]),
    "rest": np.int64([-1]),
    "zero": np.int64(0),
    "two": np.int64(2),
    "row": np.float32([1.5]),
    "row_1": np.float32([1.5]),
    "trio": np.float32([1.0, -2.0, 3.0]),
    "trio_indices": np.int64([0, 1, 0]),
    "pair": np.float32([0.0, 1.0]),
    "table": np.arange(54, dtype=np.float32).reshape(9, 6),
}


@pytest.mark.parametrize("name", MADE)
def test_a_shape_by_a_count_is_bounded(name: str) -> None:
    nodes, most = MADE[name]
    mask = [Node("Greater", ["x", "row"], ["mask"])] if name == "cut and shaped" else []
    own = {out for node in nodes for out in node.output}
    constants = {key: tensor for key, tensor in CONSTANTS.items() if key not in own}
    used = {read for node in (*COUNT, *mask, *nodes) for read in node.input}
    built = proto(
        [*COUNT, *mask, *nodes],
        [value("x", [9])],
        [helper.make_empty_tensor_value_info("y")],
        {key: tensor for key, tensor in constants.items() if key in used},
    )
    admission = ai_exec.admit(encode(built))

    assert admission.reasons == ()
    assert admission.outputs[0].shape == most
    for count in (2, 5, 9):
        x = np.zeros(9, np.float32)
        x[9 - count :] = 4.0
        assert_as_theirs(encode(built), {"x": x})


SPANS: list[tuple[str, Any, list[tuple[Wholes, Wholes]], tuple[Wholes, Wholes] | None]] = [
    ("Add", {}, [([1], [3]), ([2], [5])], ([3], [8])),
    ("Sub", {}, [([1], [3]), ([2], [5])], ([-4], [1])),
    ("Mul", {}, [([-2], [3]), ([2], [5])], ([-10], [15])),
    ("Div", {}, [([-7], [9]), ([0], [2])], ([-7], [9])),
    ("Div", {}, [([-7], [9]), ([-1], [2])], None),
    ("Mod", {}, [([0], [9]), ([4], [4])], ([0], [3])),
    ("Neg", {}, [([-7], [9])], ([-9], [7])),
    ("Abs", {}, [([-7], [3])], ([0], [7])),
    ("Abs", {}, [([-7], [-3])], ([3], [7])),
    ("Min", {}, [([1, 8], [3, 9]), ([2, 2], [5, 5])], ([1, 2], [3, 5])),
    ("Concat", {"axis": 0}, [([1], [3]), ([2], [5])], ([1, 2], [3, 5])),
    ("ReduceMax", {"axes": (0,), "keepdims": 1}, [([1, 2], [3, 9])], ([2], [9])),
    ("Mul", {}, [([0], [GREATEST - 1]), ([2], [2])], None),
]


@pytest.mark.parametrize(("name", "attributes", "inputs", "expected"), SPANS)
def test_bounds_of_arithmetic(
    name: str,
    attributes: Any,
    inputs: list[tuple[Wholes, Wholes]],
    expected: tuple[Wholes, Wholes] | None,
) -> None:
    operator = newest("", name, 13)
    assert operator is not None
    operands = tuple(
        Operand("int64", (len(low),), within=Span(np.int64(low), np.int64(high)))
        for low, high in inputs
    )
    call = Call(operands, {**operator.defaults, **attributes}, 1)
    (span,) = bounded(operator, call, operator.infer(call))

    found = None if span is None else (span.low.tolist(), span.high.tolist())
    assert found == expected


def test_truth_is_counted() -> None:
    nodes = [
        Node("Greater", ["x", "row"], ["mask"]),
        Node("Cast", ["mask"], ["whole"], to=7),
        Node("ReduceSum", ["whole"], ["n"], keepdims=1),
        Node("ConstantOfShape", ["n"], ["y"], value=FILL),
    ]
    y = helper.make_empty_tensor_value_info("y")
    built = proto(nodes, [value("x", [9])], [y], {"row": CONSTANTS["row"]})

    assert ai_exec.admit(encode(built)).outputs[0].shape == (9,)
    assert_as_theirs(encode(built), {"x": np.arange(9, dtype=np.float32)})


def test_clipped_numbers_are_bounded_whatever_they_were() -> None:
    nodes = [
        Node("Max", ["x", "low"], ["positive"]),
        Node("Min", ["positive", "high"], ["held"]),
        Node("Cast", ["held"], ["n"], to=7),
        Node("ConstantOfShape", ["n"], ["y"], value=FILL),
    ]
    ends = {"low": np.float32([1]), "high": np.float32([4])}
    built = proto(nodes, [value("x", [1])], [helper.make_empty_tensor_value_info("y")], ends)

    assert ai_exec.admit(encode(built)).outputs[0].shape == (4,)
    assert_as_theirs(encode(built), {"x": np.float32([2.5])})
    assert_as_theirs(encode(built), {"x": np.float32([77])})
