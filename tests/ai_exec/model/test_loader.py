"""Tensors of ONNX files: raw or listed, and nothing in between."""

from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import ai_exec
from ai_exec.limits import DEFAULT_LIMITS
from ai_exec.model.loader import Unreadable, read_model, shown, tensor_of
from ai_exec.tensor import DTYPE_NUMBERS, PACKED_BITS, Tensor
from tests.hostile import wire
from tests.support.onnx_models import encode, proto, value


def load(tensor: onnx.TensorProto) -> Tensor:
    """Read a tensor the way it lies in a file."""
    model = proto([], [], [value("x", [1])])
    model.graph.initializer.append(tensor)
    graph = read_model(encode(model), DEFAULT_LIMITS).graph
    return tensor_of(graph.initialisers[0], DEFAULT_LIMITS)


@pytest.mark.parametrize("dtype", sorted(DTYPE_NUMBERS))
@pytest.mark.parametrize("raw", [False, True])
def test_every_element_type(dtype: str, raw: bool) -> None:
    plain = np.array([[1, 0, 1], [0, 1, 1]]).astype(dtype)
    if dtype.startswith(("int", "float", "bfloat")) and dtype != "float8_e8m0fnu":
        plain[0, 0] = -1
    if dtype.startswith("uint"):
        plain[0, 0] = ml_dtypes.iinfo(dtype).max
    tensor = (
        numpy_helper.from_array(plain)
        if raw
        else helper.make_tensor("t", DTYPE_NUMBERS[dtype], plain.shape, plain.reshape(-1))
    )

    found = load(tensor)

    assert found.dtype == plain.dtype
    assert found.tobytes() == plain.tobytes()


@pytest.mark.parametrize("dtype", sorted(PACKED_BITS))
def test_elements_that_do_not_fill_their_last_byte(dtype: str) -> None:
    codes = (np.arange(7) * 5 % (1 << PACKED_BITS[dtype])).astype(np.uint8)

    found = load(numpy_helper.from_array(codes.view(dtype)))
    assert found.view(np.uint8).tolist() == codes.tolist()


def test_scalars_and_empty_tensors() -> None:
    assert load(numpy_helper.from_array(np.array(7, np.int64))).tolist() == 7
    assert load(numpy_helper.from_array(np.zeros((0, 3), np.float32))).shape == (0, 3)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"dims": [2], "float_data": [1.0]}, "1 elements of data for float32[2]"),
        ({"dims": [2], "int32_data": [1, 2]}, "int32_data for float32"),
        (
            {"dims": [1], "float_data": [1.0], "int64_data": [1]},
            "float_data, int64_data for float32",
        ),
        ({"dims": [1], "float_data": [1.0], "raw_data": bytes(4)}, "both raw_data and float_data"),
        ({"dims": [2], "raw_data": bytes(7)}, "7 bytes of data for float32[2]"),
        ({"dims": [-1]}, "an axis of length -1, allowed are 0 to 16777216"),
        ({"dims": [1] * 9}, "9 axes, at most 8 are allowed"),
        (
            {"dims": [1 << 24, 1 << 24]},
            "281474976710656 elements, at most 67108864 are allowed",
        ),
        (
            {"dims": [1], "data_type": TensorProto.INT8, "int32_data": [200]},
            "a number that is no int8",
        ),
        (
            {"dims": [1], "data_type": TensorProto.BOOL, "raw_data": b"\x02"},
            "a bool that is neither 0 nor 1",
        ),
        ({"data_type": TensorProto.STRING}, "element type number 8 (texts) is not supported"),
    ],
)
def test_refused_tensors(fields: dict[str, Any], reason: str) -> None:
    tensor = onnx.TensorProto(**{"name": "t", "data_type": TensorProto.FLOAT, **fields})

    with pytest.raises(Unreadable) as refusal:
        load(tensor)

    assert str(refusal.value) == reason


def test_names_in_reasons_are_short_ascii() -> None:
    assert shown("conv1/é\n") == "conv1/\\xe9\\n"
    assert shown("x" * 200) == "x" * 80 + "..."


def test_doc_strings_and_metadata_change_nothing() -> None:
    model = proto([helper.make_node("Neg", ["x"], ["y"])], [value("x", [2])], [value("y", [2])])
    plain = ai_exec.admit(encode(model))
    model.doc_string = "about"
    model.graph.node[0].name = "first"
    model.metadata_props.add(key="a", value="b")

    noted = ai_exec.admit(encode(model))

    assert (noted.admitted, noted.cost, noted.peak_bytes) == (True, plain.cost, plain.peak_bytes)


def test_an_axis_with_a_length_and_a_name_is_refused() -> None:
    """Other readers take whichever comes last in the file."""
    axis = wire.whole(1, 3) + wire.part(2, "n")
    kind = wire.part(1, wire.whole(1, TensorProto.FLOAT) + wire.part(2, wire.part(1, axis)))
    declared = wire.part(1, "x") + wire.part(2, kind)
    content = wire.model(wire.graph([wire.node("Relu")], [declared], [wire.value("y")]))

    assert ai_exec.admit(content).reasons == (
        "input 0 (x): an axis with a length and a name: which one counts, readers disagree",
    )
