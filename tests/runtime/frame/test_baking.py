"""Baking: parameters become part of a file that any ONNX runtime can run."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from chain.primitives.tensor_bytes import TensorRecord
from runtime.frame.baking import UnfitFile, bake

WEIGHT = np.asarray([[1, 2], [3, -4]], np.float32)
PARAMETERS = (TensorRecord("weight", 1, (2, 2), WEIGHT.tobytes()),)


def predict() -> bytes:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weight"], ["y"])],
        "predict",
        [
            helper.make_tensor_value_info("weight", TensorProto.FLOAT, [2, 2]),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
    )
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


def test_a_baked_file_runs_anywhere() -> None:
    baked = bake(predict(), PARAMETERS)
    onnx.checker.check_model(baked, full_check=True)
    graph = onnx.load_from_string(baked).graph
    assert [each.name for each in graph.input] == ["x"]
    assert np.array_equal(numpy_helper.to_array(graph.initializer[0]), WEIGHT)
    x = np.asarray([[1, 1], [0, 2]], np.float32)
    (y,) = onnxruntime.InferenceSession(baked).run(None, {"x": x})
    assert y.tolist() == (x @ WEIGHT).tolist()
    assert baked == bake(predict(), PARAMETERS)


def test_scalars_and_other_types_are_baked() -> None:
    scalar = TensorRecord("weight", 7, (), (-5).to_bytes(8, "little", signed=True))
    (found,) = onnx.load_from_string(bake(predict(), (scalar,))).graph.initializer
    assert (found.data_type, list(found.dims)) == (TensorProto.INT64, [])
    assert numpy_helper.to_array(found) == -5


def test_unfit_files_are_refused() -> None:
    good = predict()
    with pytest.raises(UnfitFile, match="bias is not among its inputs"):
        bake(good, (TensorRecord("bias", 1, (), bytes(4)),))
    with pytest.raises(UnfitFile, match="0 graphs"):
        bake(b"", PARAMETERS)
    with pytest.raises(UnfitFile, match="2 graphs"):
        bake(good + good, PARAMETERS)
    for cut in range(1, len(good)):
        try:
            bake(good[:cut], PARAMETERS)
        except UnfitFile:
            continue
        assert cut > len(good) - 20, "a file that breaks off was baked"
    for wrong in (b"\x3b", b"\x00\x00", b"\xff" * 11, b"\x39\0", b"\x3d\0", b"\x38"):
        with pytest.raises(UnfitFile):
            bake(wrong, PARAMETERS)
