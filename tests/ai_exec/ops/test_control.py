"""If, Loop and Scan: both engines alike, as onnxruntime, traps and refusals in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

import ai_exec
from ai_exec.executable import Trap
from ai_exec.metering import BODY_GAS, HANDED_GAS
from ai_exec.registry import Mismatch
from tests.support.engines import assert_as_theirs, run_both
from tests.support.onnx_models import encode, proto, value

Arrays = Mapping[str, np.ndarray]
Node = helper.make_node
FLOATS = np.float32


def graph(nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], **known: Any) -> Any:
    """Build the graph of an attribute."""
    tensors = [helper.make_tensor(name, *spec) for name, spec in known.items()]
    return helper.make_graph(list(nodes), "body", list(inputs), list(outputs), tensors)


X = FLOATS([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])


def branches(then: Sequence[Any], other: Sequence[Any]) -> bytes:
    """Write a model that chooses by the sum of x."""
    nodes = [
        Node("ReduceSum", ["x"], ["sum"], keepdims=0),
        Node("Greater", ["sum", "zero"], ["condition"]),
        Node(
            "If",
            ["condition"],
            ["y"],
            then_branch=graph(then, [], [helper.make_empty_tensor_value_info("t")]),
            else_branch=graph(other, [], [helper.make_empty_tensor_value_info("e")]),
        ),
        Node("Neg", ["y"], ["z"]),
    ]
    outputs = [helper.make_empty_tensor_value_info("z")]
    return encode(proto(nodes, [value("x", [2, 3])], outputs, {"zero": FLOATS(0)}))


def test_one_branch_of_two() -> None:
    encoded = branches([Node("Relu", ["x"], ["t"])], [Node("Abs", ["x"], ["e"])])

    for x in (X, -X):
        assert_as_theirs(encoded, {"x": x})


def test_branches_of_different_shapes_are_bounded_by_run_both() -> None:
    encoded = branches(
        [Node("Concat", ["x", "x"], ["t"], axis=1)], [Node("Concat", ["x", "x"], ["e"], axis=0)]
    )

    admission = ai_exec.admit(encoded)

    assert [output.shape for output in admission.outputs] == [(4, 6)]
    assert [assert_as_theirs(encoded, {"x": x})["z"].shape for x in (X, -X)] == [(2, 6), (4, 3)]


def test_a_branch_costs_what_the_dearer_one_does() -> None:
    costs = [
        ai_exec.admit(branches([Node(one, ["x"], ["t"])], [Node(other, ["x"], ["e"])])).cost
        for one, other in (("Abs", "Abs"), ("Abs", "Erf"), ("Erf", "Erf"))
    ]

    assert costs[0] < costs[1] == costs[2]


def test_branches_must_agree() -> None:
    encoded = branches([Node("Relu", ["x"], ["t"])], [Node("ReduceSum", ["x"], ["e"], keepdims=0)])

    assert ai_exec.admit(encoded).reasons == (
        "node 2 (If): output 0 is float32[2, 3] in one branch and float32[] in the other: "
        "give both the same element type and number of axes",
    )


def test_reasons_within_say_where() -> None:
    encoded = branches([Node("Nothing", ["x"], ["t"])], [Node("Relu", ["gone"], ["e"])])

    assert ai_exec.admit(encoded).reasons == (
        "node 2 (If): else_branch: node 0 (Relu): input gone is neither given nor computed before",
    )


def test_a_known_condition_leaves_one_branch() -> None:
    """The other one may mean nothing, as exports of dynamic ranks have it."""
    then = graph([Node("Relu", ["x"], ["t"])], [], [value("t", [2, 3])])
    other = graph([Node("Nothing", ["x"], ["e"])], [], [value("e", [2, 3])])
    nodes = [
        Node("Shape", ["x"], ["shape"]),
        Node("Size", ["shape"], ["rank"]),
        Node("Equal", ["rank", "two"], ["condition"]),
        Node("If", ["condition"], ["y"], then_branch=then, else_branch=other),
    ]
    model = proto(nodes, [value("x", [2, 3])], [value("y", [2, 3])], {"two": np.array(2)})

    admission = ai_exec.admit(encode(model))

    assert [node.operator.name for node in admission.program.nodes] == ["Relu"]
    assert run_both(encode(model), {"x": X})["y"].tolist() == np.maximum(X, 0).tolist()


def loop(
    nodes: Sequence[Any],
    carried: Sequence[tuple[str, str]],
    scans: Sequence[str],
    *,
    trips: str = "trips",
    condition: str = "going",
    outputs: Sequence[Any] | None = None,
    constants: Arrays | None = None,
    inputs: Sequence[Any] = (),
) -> Any:
    """Build a loop over x whose body has the inputs i, g and those carried."""
    body = graph(
        nodes,
        [
            value("i", [], "int64"),
            value("g", [], "bool"),
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name, _ in carried),
        ],
        [
            value("again", [], "bool"),
            *(helper.make_empty_tensor_value_info(name) for _, name in carried),
            *(helper.make_empty_tensor_value_info(name) for name in scans),
        ],
    )
    names = [f"final{index}" for index in range(len(carried))]
    names += [f"stack{index}" for index in range(len(scans))]
    node = Node("Loop", [trips, condition, *["x"] * len(carried)], names, body=body)
    declared = outputs or [helper.make_empty_tensor_value_info(name) for name in names]
    return proto(
        [node],
        [value("x", [2, 3]), *inputs],
        declared,
        {"trips": np.array(4), "going": np.array(True), **(constants or {})},
    )


PASS = Node("Identity", ["g"], ["again"])


def test_a_counted_loop() -> None:
    nodes = [
        PASS,
        Node("Cast", ["i"], ["f"], to=TensorProto.FLOAT),
        Node("Mul", ["v", "f"], ["scaled"]),
        Node("Add", ["scaled", "x"], ["w"]),
        Node("Relu", ["w"], ["s"]),
    ]
    model = loop(nodes, [("v", "w")], ["s"])

    found = assert_as_theirs(encode(model), {"x": X})

    assert found["stack0"].shape == (4, 2, 3)
    assert ai_exec.admit(encode(model)).outputs[1].shape == (4, 2, 3)


@pytest.mark.parametrize(("trips", "going"), [(0, True), (4, False), (-3, True)])
def test_a_loop_that_does_not_run(trips: int, going: bool) -> None:
    nodes = [PASS, Node("Neg", ["v"], ["w"]), Node("Relu", ["w"], ["s"])]
    known = {"trips": np.array(trips), "going": np.array(going)}
    model = loop(nodes, [("v", "w")], ["s"], constants=known)

    found = run_both(encode(model), {"x": X})

    assert found["final0"].tolist() == X.tolist()
    assert found["stack0"].shape == (0, 2, 3)


def test_a_loop_ends_by_its_condition() -> None:
    nodes = [
        Node("Add", ["v", "x"], ["w"]),
        Node("ReduceMax", ["w"], ["most"], keepdims=0),
        Node("Less", ["most", "bound"], ["again"]),
    ]
    known = {"bound": FLOATS(17.0), "trips": np.array(1 << 62)}
    model = loop(nodes, [("v", "w")], ["most"], constants=known)

    found = assert_as_theirs(encode(model), {"x": X})

    assert found["stack0"].tolist() == [10.0, 15.0, 20.0]
    assert ai_exec.admit(encode(model)).outputs[1].shape == (1024,)


def test_a_loop_that_never_ends_traps() -> None:
    nodes = [
        Node("Abs", ["v"], ["w"]),
        Node("ReduceMax", ["v"], ["m"], keepdims=0),
        Node("GreaterOrEqual", ["m", "m"], ["again"]),
    ]
    model = loop(nodes, [("v", "w")], [], constants={"trips": np.array(1 << 62)})

    with pytest.raises(Trap, match=r"^node 0 \(Loop\): more than 1024 iterations$"):
        run_both(encode(model), {"x": X})


def test_the_number_of_iterations_may_be_an_input() -> None:
    nodes = [PASS, Node("Add", ["v", "x"], ["w"])]
    declared = [value("final0", [2, 3]), value("stack0", [5, 2, 3])]
    model = loop(
        nodes, [("v", "w")], ["w"], trips="n", outputs=declared, inputs=[value("n", [], "int64")]
    )

    admission = ai_exec.admit(encode(model))

    assert admission.reasons == ()
    for count in (0, 3, 5):
        found = run_both(encode(model), {"x": X, "n": np.array(count)})
        assert found["final0"].tolist() == (X * (count + 1)).tolist()
        assert found["stack0"].shape == (count, 2, 3)
    with pytest.raises(Trap, match="more than 5 iterations"):
        run_both(encode(model), {"x": X, "n": np.array(6)})


def test_a_value_that_grows() -> None:
    nodes = [PASS, Node("Concat", ["v", "x"], ["w"], axis=0)]
    model = loop(nodes, [("v", "w")], [])

    found = assert_as_theirs(encode(model), {"x": X})

    assert found["final0"].shape == (10, 3)
    assert [output.shape for output in ai_exec.admit(encode(model)).outputs] == [(10, 3)]


def test_a_value_that_grows_beyond_its_declaration_traps() -> None:
    nodes = [PASS, Node("Concat", ["v", "x"], ["w"], axis=0)]
    model = loop(nodes, [("v", "w")], [], outputs=[value("final0", [6, 3])])

    with pytest.raises(Trap, match=r"the result is float32\[8, 3\], at most float32\[6, 3\]"):
        run_both(encode(model), {"x": X})


def test_a_value_must_keep_its_axes() -> None:
    nodes = [PASS, Node("ReduceSum", ["v"], ["w"], keepdims=0)]

    assert ai_exec.admit(encode(loop(nodes, [("v", "w")], []))).reasons == (
        "node 0 (Loop): carried value 0 is float32[2, 3] at first and then float32[]: "
        "its element type and number of axes must stay",
    )


def test_results_of_iterations_must_have_one_shape() -> None:
    nodes = [PASS, Node("Concat", ["v", "x"], ["w"], axis=0)]
    model = loop(nodes, [("v", "w")], ["w"])

    with pytest.raises(Trap, match="results of iterations differ in shape"):
        run_both(encode(model), {"x": X})


def test_loops_in_loops_see_what_is_around() -> None:
    inner = graph(
        [
            Node("Identity", ["gg"], ["more"]),
            Node("Add", ["p", "v"], ["q"]),
            Node("Mul", ["q", "x"], ["r"]),
        ],
        [value("ii", [], "int64"), value("gg", [], "bool"), value("p", [2, 3])],
        [value("more", [], "bool"), helper.make_empty_tensor_value_info("r")],
    )
    nodes = [PASS, Node("Loop", ["two", "", "v"], ["w"], body=inner)]
    model = loop(nodes, [("v", "w")], [], constants={"two": np.array(2)})

    assert_as_theirs(encode(model), {"x": X / 4})


def test_loops_cost_their_iterations() -> None:
    nodes = [PASS, Node("Erf", ["v"], ["w"])]

    costs = [
        ai_exec.admit(encode(loop(nodes, [("v", "w")], [], constants={"trips": np.array(n)}))).cost
        for n in (1, 2, 1001)
    ]

    assert costs[2] - costs[0] == 1000 * (costs[1] - costs[0]) > 0
    dear = loop(nodes, [("v", "w")], [], constants={"trips": np.array(1 << 50)})
    assert "gas, at most" in ai_exec.admit(encode(dear)).reasons[0]


SCANNED = graph(
    [Node("Add", ["s", "e"], ["t"]), Node("Mul", ["t", "x"], ["o"]), Node("Neg", ["t"], ["u"])],
    [value("s", [3]), value("e", [3])],
    [value("t", [3]), helper.make_empty_tensor_value_info("o"), value("u", [3])],
)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"scan_input_directions": [1]},
        {"scan_output_directions": [1, 0], "scan_output_axes": [1, -1]},
        {"scan_input_axes": [-2], "scan_output_axes": [2, 0]},
    ],
)
def test_scans(given: dict[str, list[int]]) -> None:
    node = Node("Scan", ["zero", "x"], ["last", "o", "u"], body=SCANNED, num_scan_inputs=1, **given)
    names = ["last", "o", "u"]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
    model = proto([node], [value("x", [2, 3])], outputs, {"zero": np.zeros(3, FLOATS)})

    assert_as_theirs(encode(model), {"x": X})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"num_scan_inputs": 3}, "3 sequences of 2 inputs"),
        ({"scan_input_axes": [0, 1]}, "2 axes for 1 tensors"),
        ({"scan_input_axes": [5]}, "axis 5 of a tensor with 2 axes"),
        ({"scan_input_directions": [2]}, "directions [2] of 1 tensors"),
        ({"scan_input_axes": [1]}, "shapes [3] and [2] do not broadcast"),
    ],
)
def test_scans_that_are_refused(given: dict[str, Any], reason: str) -> None:
    attributes = {"body": SCANNED, "num_scan_inputs": 1, **given}
    node = Node("Scan", ["zero", "x"], ["last", "o", "u"], **attributes)
    outputs = [helper.make_empty_tensor_value_info("last")]
    model = proto([node], [value("x", [2, 3])], outputs, {"zero": np.zeros(3, FLOATS)})

    assert reason in " ".join(ai_exec.admit(encode(model)).reasons)


def test_graphs_lie_in_graphs_up_to_a_depth() -> None:
    nodes = [Node("Relu", ["x"], ["y"])]
    for _ in range(7):
        inner = graph(nodes, [], [helper.make_empty_tensor_value_info("y")])
        nodes = [Node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)]
    model = proto(nodes, [value("x", [2]), value("c", [], "bool")], [value("y", [2])])

    (reason,) = ai_exec.admit(encode(model)).reasons

    assert reason.startswith("not a readable ONNX file: ")
    assert reason.endswith(".g is not supported")


def test_cost_of_shapes_that_do_not_fit() -> None:
    encoded = branches([Node("Relu", ["x"], ["t"])], [Node("Abs", ["x"], ["e"])])

    with pytest.raises(Mismatch):
        ai_exec.cost(ai_exec.admit(encoded).program, {"x": (3, 3)})


def test_bodies_cost_what_is_handed_to_them() -> None:
    """Else a branch that is never taken, or a body of nothing, would be run for nothing."""
    empty = loop([PASS], [("v", "v")], [], constants={"trips": np.array(1000)})
    few, many = (
        branches(
            [Node("Neg", ["x"], ["t"])],
            [
                *(Node("Neg", ["x"], [f"n{index}"]) for index in range(count)),
                Node("Sum", [f"n{index}" for index in range(count)], ["e"]),
            ],
        )
        for count in (1, 50)
    )
    outer = [
        Node("Abs", ["x"], ["t"]),
        *(Node("Neg", ["x"], [f"n{index}"]) for index in range(50)),
    ]

    assert ai_exec.admit(encode(empty)).cost > 1000 * BODY_GAS
    assert ai_exec.admit(many).cost > ai_exec.admit(few).cost
    assert capturing(outer, 50) - capturing(outer, 1) > 49 * HANDED_GAS


def capturing(around: Sequence[Any], count: int) -> int:
    """Give the gas of a choice whose dearer branch is empty, and whose other one reads so many."""
    names = [f"n{index}" for index in range(count)]
    reading = graph([Node("Sum", names, ["e"])], [], [helper.make_empty_tensor_value_info("e")])
    dear = graph(
        [Node("Erf", ["x"], ["a"]), Node("Erf", ["a"], ["d"])],
        [],
        [helper.make_empty_tensor_value_info("d")],
    )
    nodes = [
        *around,
        Node("ReduceMax", ["x"], ["most"], keepdims=0),
        Node("Greater", ["most", "most"], ["condition"]),
        Node("If", ["condition"], ["y"], then_branch=dear, else_branch=reading),
        Node("Sum", ["y", *(f"n{index}" for index in range(50))], ["z"]),
    ]
    model = proto(nodes, [value("x", [2, 3])], [helper.make_empty_tensor_value_info("z")])
    return ai_exec.admit(encode(model)).cost
