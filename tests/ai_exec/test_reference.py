"""The reference engine: order, memory, optional inputs and canonical outputs."""

import numpy as np
import pytest
from onnx import helper

import ai_exec
from ai_exec.reference import last_uses
from tests.support.onnx_models import classifier, encode, proto, value

Node = helper.make_node


def test_results_are_dropped_after_their_last_use() -> None:
    program = ai_exec.admit(classifier()).program

    assert program is not None
    assert last_uses(program) == {1: ("h",), 2: ("r",)}


def test_inputs_and_constants_may_be_outputs() -> None:
    nodes = [Node("Constant", [], ["c"], value_ints=[1, 2])]
    outputs = [value("x", [2]), value("c", [2], "int64")]
    admission = ai_exec.admit(encode(proto(nodes, [value("x", [2])], outputs)))

    found = ai_exec.compile(admission.program, "reference").run({"x": np.float32([3, 4])})

    assert {name: tensor.tolist() for name, tensor in found.items()} == {
        "x": [3.0, 4.0],
        "c": [1, 2],
    }


def test_optional_inputs_may_be_left_out() -> None:
    nodes = [Node("Clip", ["x", "", "most"], ["y"]), Node("Clip", ["x", "most"], ["z"])]
    outputs = [value("y", [3]), value("z", [3])]
    constants = {"most": np.array(0.5, np.float32)}
    admission = ai_exec.admit(encode(proto(nodes, [value("x", [3])], outputs, constants)))

    found = ai_exec.compile(admission.program, "reference").run({"x": np.float32([-1, 0, 1])})

    assert {name: tensor.tolist() for name, tensor in found.items()} == {
        "y": [-1.0, 0.0, 0.5],
        "z": [0.5, 0.5, 1.0],
    }


def test_outputs_hold_the_canonical_nan() -> None:
    admission = ai_exec.admit(
        encode(proto([Node("Neg", ["x"], ["y"])], [value("x", [2])], [value("y", [2])]))
    )
    odd = np.uint32([0x7FC00001, 0xFF800001]).view(np.float32)

    found = ai_exec.compile(admission.program, "reference").run({"x": odd})

    assert found["y"].view(np.uint32).tolist() == [0x7FC00000] * 2


def test_inputs_are_checked_and_not_changed() -> None:
    executable = ai_exec.compile(ai_exec.admit(classifier()).program, "reference")
    given = np.ones((2, 4), np.float32)

    with pytest.raises(ai_exec.Trap) as trap:
        executable.run({"x": given.astype(np.float64), "z": given})
    executable.run({"x": given})

    assert str(trap.value) == (
        "unknown input z; x float64[2, 4] where the model takes x float32[2, 4]"
    )
    assert given.tolist() == np.ones((2, 4)).tolist()


def test_unknown_engine() -> None:
    with pytest.raises(ai_exec.UnknownEngine):
        ai_exec.compile(ai_exec.admit(classifier()).program, "gpu")
