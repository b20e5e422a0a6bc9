"""What goes into engines and comes out: arrays of any kind, and memory that nobody else has."""

import numpy as np
import pytest
from onnx import helper

import ai_exec
from ai_exec.tensor import Tensor
from tests.support.onnx_models import classifier, encode, proto, value

ENGINES = ("fast", "reference")
Node = helper.make_node
X = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)


def unaligned(tensor: Tensor) -> Tensor:
    octets = np.zeros(tensor.nbytes + 1, np.uint8)[1:]
    moved = octets.view(tensor.dtype).reshape(tensor.shape)
    moved[...] = tensor
    return moved


def read_only(tensor: Tensor) -> Tensor:
    kept = tensor.copy()
    kept.flags.writeable = False
    return kept


KINDS = {
    "big endian": X.astype(">f4"),
    "columns first": np.asfortranarray(X),
    "backwards": X[::-1, ::-1].copy()[::-1, ::-1],
    "with gaps": np.repeat(X, 3, axis=1)[:, ::3],
    "unaligned": unaligned(X),
    "read-only": read_only(X),
    "matrix": np.matrix(X),
    "masked": np.ma.masked_array(X, X > 0),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_any_kind_are_taken(engine: str, kind: str) -> None:
    executable = ai_exec.compile(ai_exec.admit(classifier()).program, engine)
    expected = executable.run({"x": X})["scores"]

    found = executable.run({"x": KINDS[kind]})["scores"]

    assert (type(found), found.tobytes()) == (np.ndarray, expected.tobytes())


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_no_array_traps(engine: str) -> None:
    executable = ai_exec.compile(ai_exec.admit(classifier()).program, engine)

    with pytest.raises(ai_exec.Trap, match="x is no array"):
        executable.run({"x": X.tolist()})  # type: ignore[dict-item]


@pytest.mark.parametrize("engine", ENGINES)
def test_bools_have_no_spare_bits(engine: str) -> None:
    nodes = [Node("Equal", ["x", "z"], ["y"])]
    inputs = [value("x", [3], "bool"), value("z", [3], "bool")]
    model = proto(nodes, inputs, [value("y", [3], "bool"), value("x", [3], "bool")])
    odd = np.array([0, 2, 255], np.uint8).view(np.bool_)

    found = ai_exec.compile(ai_exec.admit(encode(model)).program, engine).run(
        {"x": odd, "z": np.array([False, True, True])}
    )

    assert found["y"].tolist() == [True] * 3
    assert found["x"].view(np.uint8).tolist() == [0, 1, 1]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("operator", ["Identity", "Flatten", "Dropout", "Relu"])
def test_results_stay_whatever_becomes_of_inputs(engine: str, operator: str) -> None:
    model = proto([Node(operator, ["x"], ["y"])], [value("x", [2, 4])], [value("y", [2, 4])])
    x = X.copy()

    found = ai_exec.compile(ai_exec.admit(encode(model)).program, engine).run({"x": x})["y"]
    kept = found.copy()
    x[...] = 9

    assert found.tolist() == kept.tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_results_that_are_written_change_nothing(engine: str) -> None:
    nodes = [Node("Neg", ["x"], ["y"]), Node("Identity", ["y"], ["z"])]
    outputs = [value(name, [2, 4]) for name in ("x", "y", "z", "c")]
    model = proto(nodes, [value("x", [2, 4])], outputs, {"c": X})
    executable = ai_exec.compile(ai_exec.admit(encode(model)).program, engine)
    x = X.copy()

    first = executable.run({"x": x})
    for name in first:
        first[name][...] = 9
        assert [each.max() == 9 for each in first.values()].count(True) == 1
        first[name][...] = 0
    again = executable.run({"x": X})

    assert x.tolist() == X.tolist()
    assert again["c"].tolist() == X.tolist()
