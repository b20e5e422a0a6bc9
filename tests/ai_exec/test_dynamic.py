"""Shapes that a run tells: bounds at admission, traps above them, work added up."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from onnx import helper

import ai_exec
from ai_exec.dynamic import Meter
from ai_exec.executable import Trap
from tests.support.engines import assert_as_theirs, run_both
from tests.support.onnx_models import encode, proto, value

Node = helper.make_node
X = np.float32([[1.0, 0.0, 3.0], [0.0, 5.0, -6.0]])


def model(
    nodes: Sequence[Any],
    shape: Sequence[int] | None = None,
    declared: Sequence[Any] = (),
    inputs: Sequence[Any] = (),
    name: str = "y",
) -> bytes:
    """Write a model from x to y in which further shapes may be declared."""
    built = proto(nodes, [value("x", [2, 3]), *inputs], [value(name, shape)])
    built.graph.value_info.extend(declared)
    return encode(built)


CHOSEN = [
    Node("NonZero", ["x"], ["places"]),
    Node("Transpose", ["places"], ["turned"]),
    Node("GatherND", ["x", "turned"], ["found"]),
    Node("Exp", ["found"], ["y"]),
]


def test_results_of_unknown_length_are_bounded_by_their_nature() -> None:
    admission = ai_exec.admit(model(CHOSEN))

    assert admission.reasons == ()
    assert admission.outputs[0].shape == (6,)
    for x in (X, np.ones_like(X), np.zeros_like(X)):
        found = assert_as_theirs(model(CHOSEN), {"x": x})["y"]
        assert found.shape == (np.count_nonzero(x),)


def test_a_declared_length_is_a_bound_that_traps() -> None:
    declared = helper.make_tensor_value_info("places", 7, [2, 4])
    encoded = model(CHOSEN, declared=[declared])

    assert ai_exec.admit(encoded).outputs[0].shape == (4,)
    assert ai_exec.admit(encoded).peak_bytes < ai_exec.admit(model(CHOSEN)).peak_bytes
    run_both(encoded, {"x": X})
    with pytest.raises(Trap) as trap:
        run_both(encoded, {"x": X + 10})
    assert str(trap.value) == (
        "node 0 (NonZero): the result is int64[2, 6], at most int64[2, 4] is admitted"
    )


SHAPED = [Node("Reshape", ["x", "shape"], ["h"]), Node("Neg", ["h"], ["y"])]
SHAPE = value("shape", [2], "int64")


def test_a_shape_that_nothing_bounds_needs_a_declaration() -> None:
    filled = [Node("ConstantOfShape", ["shape"], ["y"])]

    assert ai_exec.admit(model(filled, inputs=[SHAPE])).reasons == (
        "node 0 (ConstantOfShape): the shape of its result depends on input 0, which is known at "
        "a run only: make it a constant, or declare the greatest shape of the result in the model "
        "(value_info)",
    )


def test_a_shape_for_given_elements_is_bounded_by_their_number() -> None:
    encoded = model(SHAPED, inputs=[SHAPE])

    assert ai_exec.admit(encoded).outputs[0].shape == (6, 6)
    for shape in ([2, 3], [1, 6], [6, -1]):
        found = run_both(encoded, {"x": X, "shape": np.array(shape)})["y"]
        assert found.tolist() == (-X.reshape(shape)).tolist()


def test_a_shape_that_is_an_input() -> None:
    encoded = model(SHAPED, [6, 3], [value("h", [6, 3])], [SHAPE])

    assert ai_exec.admit(encoded).outputs[0].shape == (6, 3)
    for shape in ([2, 3], [3, -1], [6, 1]):
        found = run_both(encoded, {"x": X, "shape": np.array(shape)})["y"]
        assert found.tolist() == (-X.reshape(shape)).tolist()
    with pytest.raises(Trap) as trap:
        run_both(encoded, {"x": X, "shape": np.array([1, 6])})
    assert str(trap.value) == (
        "node 0 (Reshape): the result is float32[1, 6], at most float32[6, 3] is admitted"
    )
    with pytest.raises(Trap) as trap:
        run_both(encoded, {"x": X, "shape": np.array([4, 2])})
    assert str(trap.value) == "node 0 (Reshape): [2, 3] cannot become [4, 2]"


def test_a_lie_about_a_type_traps() -> None:
    nodes = [Node("ConstantOfShape", ["shape"], ["h"]), Node("Identity", ["h"], ["y"])]
    built = proto(nodes, [value("x", [2, 3]), SHAPE], [helper.make_empty_tensor_value_info("y")])
    built.graph.value_info.append(value("h", [6, 3], "int64"))

    with pytest.raises(Trap, match=r"the result is float32\[2, 3\], at most int64\[6, 3\]"):
        run_both(encode(built), {"x": X, "shape": np.array([2, 3])})


def test_shapes_that_meet_only_at_a_run() -> None:
    """Two bounds differ, though the shapes of a run agree; the greater one bounds the result."""
    nodes = [
        Node("NonZero", ["x"], ["p"]),
        Node("NonZero", ["z"], ["q"]),
        Node("Add", ["p", "q"], ["y"]),
    ]
    inputs = [value("z", [4, 4])]
    z = np.zeros((4, 4), np.float32)
    z[:2, :2] = 1
    built = proto(nodes, [value("x", [2, 3]), *inputs], [helper.make_empty_tensor_value_info("y")])

    assert ai_exec.admit(encode(built)).outputs[0].shape == (2, 16)
    run_both(encode(built), {"x": X, "z": z})

    built.graph.value_info.append(value("y", [2, 6], "int64"))
    run_both(encode(built), {"x": X, "z": z})
    with pytest.raises(Trap, match=r"node 2 \(Add\): shapes \[2, 4\] and \[2, 16\] do not"):
        run_both(encode(built), {"x": X, "z": z + 1})


def test_work_is_added_up() -> None:
    """The work of a run is what is done, at most what was admitted."""
    program = ai_exec.admit(model(CHOSEN)).program

    assert program is not None
    assert 0 < program.metered_gas < program.cost
    meter = Meter(100)
    meter.add(60)
    meter.add(40)
    with pytest.raises(Trap, match="more than the 100 gas that are admitted"):
        meter.add(1)


def test_cuts_and_parts_by_values_are_bounded_by_their_input() -> None:
    nodes = [
        Node("Slice", ["x", "start", "end"], ["s"]),
        Node("TopK", ["s", "k"], ["y", "places"], axis=1),
    ]
    inputs = [value(name, [1], "int64") for name in ("start", "end", "k")]
    encoded = model(nodes, inputs=inputs)

    given = {"x": X, "start": np.array([1]), "end": np.array([9]), "k": np.array([2])}
    assert assert_as_theirs(encoded, given)["y"].shape == (1, 2)
    with pytest.raises(Trap) as trap:
        run_both(encoded, {**given, "k": np.array([4])})
    assert str(trap.value) == "node 1 (TopK): k is 4 of 3 elements"


def test_nothing_found_is_a_result_too() -> None:
    """What a detector picks by indices of what it found may be nothing of nothing."""
    nodes = [
        Node("NonZero", ["x"], ["places"]),
        Node("Gather", ["places", "row"], ["line"]),
        Node("Gather", ["line", "line"], ["picked"]),
        Node("GatherElements", ["picked", "line"], ["again"]),
        Node("Cast", ["again"], ["y"], to=1),
    ]
    y = helper.make_empty_tensor_value_info("y")
    built = proto(nodes, [value("x", [2, 3])], [y], {"row": np.int64(1)})

    assert run_both(encode(built), {"x": np.zeros((2, 3), np.float32)})["y"].shape == (0,)
    assert run_both(encode(built), {"x": X})["y"].tolist() == [0.0, 2.0, 1.0, 2.0]
