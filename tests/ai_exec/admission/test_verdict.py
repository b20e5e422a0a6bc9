"""What admission answers: yes with types and price, or every reason why not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import ai_exec
from ai_exec.limits import DEFAULT_LIMITS
from ai_exec.tensor import TensorType
from tests.support.onnx_models import classifier, encode, one_node, proto, value

Node = helper.make_node
Change = Callable[[onnx.ModelProto], object]


def test_admitted() -> None:
    admission = ai_exec.admit(classifier())

    assert (admission.admitted, admission.reasons) == (True, ())
    assert admission.inputs == (TensorType("x", "float32", (2, 4)),)
    assert admission.outputs == (TensorType("scores", "float32", (2, 3)),)
    assert admission.program is not None
    assert admission.cost == admission.program.cost > 0
    assert admission.peak_bytes == admission.program.peak_bytes > 0
    assert [node.operator.name for node in admission.program.nodes] == ["Gemm", "Relu", "Softmax"]


def test_shape_arithmetic_is_folded() -> None:
    nodes = [
        Node("Shape", ["x"], ["shape"]),
        Node("Gather", ["shape", "zero"], ["rows"]),
        Node("Unsqueeze", ["rows", "axes"], ["row"]),
        Node("Concat", ["row", "rest"], ["target"], axis=0),
        Node("Reshape", ["x", "target"], ["y"]),
        Node("Exp", ["x"], ["unused"]),
    ]
    constants = {"zero": np.int64(0), "axes": np.int64([0]), "rest": np.int64([-1])}
    constants = {name: np.asarray(array) for name, array in constants.items()}

    admission = ai_exec.admit(
        encode(proto(nodes, [value("x", [2, 3, 4])], [value("y", ["n", 12])], constants))
    )

    assert admission.reasons == ()
    assert admission.program is not None
    assert [node.operator.name for node in admission.program.nodes] == ["Reshape"]
    assert list(admission.program.constants) == ["target"]


def test_old_files_list_initialisers_as_inputs() -> None:
    model = onnx.load_from_string(classifier())
    model.graph.input.append(value("w", [3, 4]))

    admission = ai_exec.admit(encode(model))

    assert admission.inputs == (TensorType("x", "float32", (2, 4)),)


def node(index: int = 0) -> Callable[[onnx.ModelProto], onnx.NodeProto]:
    return lambda model: model.graph.node[index]


def change_opset(version: int) -> Change:
    return lambda model: setattr(model.opset_import[0], "version", version)


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def cycle(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "r"


def swap(model: onnx.ModelProto) -> None:
    first, second = (onnx.NodeProto.FromString(n.SerializeToString()) for n in model.graph.node[:2])
    model.graph.node[0].CopyFrom(second)
    model.graph.node[1].CopyFrom(first)


def bomb(model: onnx.ModelProto) -> None:
    model.graph.node.append(Node("Expand", ["x", "target"], ["bomb"]))
    model.graph.initializer.append(
        numpy_helper.from_array(np.int64([1 << 20, 1 << 20, 2, 4]), "target")
    )


def subgraph(model: onnx.ModelProto) -> None:
    inner = helper.make_graph([], "inner", [], [value("x", [2, 4])])
    model.graph.node.append(Node("If", ["x"], ["z"], then_branch=inner, else_branch=inner))


CHANGES: dict[str, tuple[Change, tuple[str, ...]]] = {
    "custom domain": (
        lambda model: setattr(node(1)(model), "domain", "com.example"),
        (
            "node 1 (Relu): domain com.example is not supported: "
            "write it with operators of ai.onnx, or as a function of the model",
        ),
    ),
    "unknown operator": (
        lambda model: setattr(node(1)(model), "op_type", "RegexFullMatch"),
        (
            "node 1 (RegexFullMatch): the operator is not supported; "
            "ai_exec/README.md lists those that are",
        ),
    ),
    "old operator set": (
        change_opset(0),
        (
            "operator set ai.onnx 0, supported are 1 to 28",
            "node 0 (Gemm): C is float32[3], not [2, 3], and broadcast is 0",
        ),
    ),
    "new operator set": (
        change_opset(99),
        ("operator set ai.onnx 99, supported are 1 to 28",),
    ),
    "two operator sets of a domain": (
        lambda model: model.opset_import.add(domain="ai.onnx", version=18),
        ("operator set ai.onnx 17 and also 18",),
    ),
    "no operator set": (
        lambda model: model.ClearField("opset_import"),
        tuple(
            f"node {index} ({name}): the model imports no operator set of the main domain"
            for index, name in enumerate(["Gemm", "Relu", "Softmax"])
        ),
    ),
    "format version": (
        lambda model: setattr(model, "ir_version", 99),
        ("format version 99, supported are 3 to 14",),
    ),
    "external data": (
        external,
        (
            "initialiser 0 (w): its data lies outside the file: "
            "write the model as one file, for instance by onnx.save(onnx.load(path), path)",
        ),
    ),
    "cycle": (cycle, ("node 0 (Gemm): input r is neither given nor computed before",)),
    "wrong order": (swap, ("node 0 (Relu): input h is neither given nor computed before",)),
    "open axis": (
        lambda model: model.graph.input[0].CopyFrom(value("x", ["batch", 4])),
        ("input 0 (x): axis 0 (batch) is open: give it a bound, for instance --bound batch=8",),
    ),
    "no shape": (
        lambda model: model.graph.input[0].CopyFrom(value("x", None)),
        ("input 0 (x): its type and shape are not given: declare them in the model",),
    ),
    "negative axis": (
        lambda model: model.graph.input[0].CopyFrom(value("x", [-2, 4])),
        ("input 0 (x): an axis of length -2, allowed are 0 to 16777216",),
    ),
    "wrong type": (
        lambda model: model.graph.input[0].CopyFrom(value("x", [2, 4], "int64")),
        ("node 0 (Gemm): inputs differ in element type: int64[2, 4], float32[3, 4], float32[3]",),
    ),
    "wrong shape": (
        lambda model: model.graph.input[0].CopyFrom(value("x", [2, 5])),
        ("node 0 (Gemm): float32[2, 5] and float32[3, 4] differ along the contracted axis",),
    ),
    "wrong output": (
        lambda model: model.graph.output[0].CopyFrom(value("scores", [2, 4])),
        ("output 0 (scores): declared float32[2, 4], computed float32[2, 3]",),
    ),
    "missing output": (
        lambda model: model.graph.output[0].CopyFrom(value("other", [2, 3])),
        ("output 0 (other): nothing computes it",),
    ),
    "no outputs": (
        lambda model: model.graph.ClearField("output"),
        ("the model has no outputs",),
    ),
    "defined twice": (
        lambda model: model.graph.node[1].output.__setitem__(0, "h"),
        (
            "node 1 (Relu): h is defined twice",
            "node 2 (Softmax): input r is neither given nor computed before",
            "output 0 (scores): is there twice",
        )[:2],
    ),
    "short initialiser": (
        lambda model: setattr(model.graph.initializer[0], "raw_data", bytes(44)),
        ("initialiser 0 (w): 44 bytes of data for float32[3, 4]",),
    ),
    "half precision": (
        lambda model: setattr(model.graph.initializer[1], "data_type", TensorProto.FLOAT16),
        ("initialiser 1 (b): 12 bytes of data for float16[3]",),
    ),
    "unknown attribute": (
        lambda model: node(1)(model).attribute.append(helper.make_attribute("leak", 1.0)),
        ("node 1 (Relu): attribute leak is not supported",),
    ),
    "attribute of a wrong type": (
        lambda model: node(2)(model).attribute[0].CopyFrom(helper.make_attribute("axis", 1.0)),
        ("node 2 (Softmax): attribute axis is of a wrong type",),
    ),
    "axis out of range": (
        lambda model: setattr(node(2)(model).attribute[0], "i", 2),
        ("node 2 (Softmax): axis 2 of a tensor with 2 axes",),
    ),
    "too many inputs": (
        lambda model: node(1)(model).input.append("x"),
        ("node 1 (Relu): 2 inputs, at most 1 are allowed",),
    ),
    "no input": (
        lambda model: node(1)(model).ClearField("input"),
        ("node 1 (Relu): input 0 is missing",),
    ),
    "shape bomb": (
        bomb,
        ("node 3 (Expand): 8796093022208 elements, at most 67108864 are allowed",),
    ),
    "subgraph": (
        subgraph,
        ("node 3 (If): the condition is float32[2, 4], not of bool",),
    ),
    "function twice": (
        lambda model: model.functions.extend([onnx.FunctionProto(name="f")] * 2),
        ("function f is defined twice",),
    ),
    "name with an escape": (
        lambda model: setattr(node(1)(model), "op_type", "\x1b[31mé"),
        (
            "node 1 (\\x1b[31m\\xe9): the operator is not supported; "
            "ai_exec/README.md lists those that are",
        ),
    ),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_refused_with_all_reasons(change: str) -> None:
    act, reasons = CHANGES[change]
    model = onnx.load_from_string(classifier())
    act(model)

    admission = ai_exec.admit(encode(model))

    assert admission.reasons == reasons
    assert (admission.admitted, admission.program) == (False, None)
    assert (admission.inputs, admission.outputs) == ((), ())
    assert (admission.cost, admission.peak_bytes) == (0, 0)


def test_reasons_are_complete_and_in_order() -> None:
    model = onnx.load_from_string(classifier())
    for name in ("wrong type", "unknown attribute", "half precision", "no operator set"):
        CHANGES[name][0](model)
    model.opset_import.add(domain="", version=0)

    assert ai_exec.admit(encode(model)).reasons == (
        "operator set ai.onnx 0, supported are 1 to 28",
        "initialiser 1 (b): 12 bytes of data for float16[3]",
        "node 1 (Relu): attribute leak is not supported",
    )


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"model_bytes_max": 10}, "bytes, at most 10 are allowed"),
        ({"nodes_max": 2}, "model.graph.node: more than 2"),
        ({"initialisers_max": 1}, "model.graph.initializer: more than 1"),
        ({"operands_max": 2}, "model.graph.node[0].input: more than 2"),
        ({"name_bytes_max": 6}, "op_type: 7 bytes, at most 6 are allowed"),
        ({"items_max": 40}, "more parts than 40 in all; use raw_data"),
        ({"rank_max": 1}, "initialiser 0 (w): 2 axes, at most 1 are allowed"),
        ({"axis_max": 3}, "an axis of length 4, allowed are 0 to 3"),
        ({"elements_max": 11}, "initialiser 0 (w): 12 elements, at most 11 are allowed"),
        ({"cost_max": 1}, "gas, at most 1 are allowed"),
        ({"peak_bytes_max": 1}, "bytes of memory, at most 1 are allowed"),
    ],
)
def test_limits(limits: dict[str, int], reason: str) -> None:
    admission = ai_exec.admit(classifier(), replace(DEFAULT_LIMITS, **limits))

    assert not admission.admitted
    assert reason in "\n".join(admission.reasons)


def test_too_many_reasons_are_counted() -> None:
    nodes = [Node("Nothing", ["x"], [f"y{index}"]) for index in range(70)]
    encoded = encode(proto(nodes, [value("x", [1])], [value("y0", [1])]))

    reasons = ai_exec.admit(encoded).reasons

    assert len(reasons) == DEFAULT_LIMITS.reasons_max + 1
    assert reasons[-1] == "and 6 more"


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (one_node("Add", (2, 3), (2,)), "shapes [2, 3] and [2] do not broadcast"),
        (one_node("MatMul", (2, 3), (4, 2)), "differ along the contracted axis"),
        (one_node("Conv", (1, 3, 5, 5), (4, 2, 3, 3)), "group is 1"),
        (one_node("Conv", (1, 2, 2, 2), (4, 2, 3, 3)), "a window of 3 does not fit into 2"),
        (
            one_node("MaxPool", (1, 1, 4, 4), kernel_shape=[2, 2], strides=[0, 1]),
            "strides is [0, 1] for 2 spatial axes",
        ),
        (one_node("Transpose", (2, 3), perm=[0, 0]), "is no order of the axes"),
        (one_node("Concat", (2, 3), (3, 3), axis=1), "input 1 is float32[3, 3], not [2, 3]"),
        (one_node("Reshape", (2, 3), (2,)), "input 1 is float32[2], not of int32 or int64"),
        (one_node("Conv", (1, 2, 4, 4)), "input 1 is missing"),
        (one_node("Dropout", (2, 3), opset=6), "training with ratio 0.5 is random"),
        (one_node("Concat", (2, 3), (2,), axis=1), "its number of axes is not supported"),
        (
            one_node("Split", (2, 3), opset=18, num_outputs=1 << 40),
            "num_outputs is 1099511627776 for 1 outputs",
        ),
        (
            one_node("Conv", (1, 1, 4), (1, 1, 2), pads=[1 << 40] * 2, strides=[1 << 40]),
            "padding makes more than 67108864 elements",
        ),
        (
            one_node(
                "MaxPool", (1, 1, 4), kernel_shape=[2], dilations=[1 << 40], pads=[1 << 40, 0]
            ),
            "padding makes more than 67108864 elements",
        ),
    ],
)
def test_operators_refuse_what_they_cannot_take(encoded: bytes, reason: str) -> None:
    admission = ai_exec.admit(encoded)

    assert not admission.admitted
    assert reason in "\n".join(admission.reasons)


def test_every_cut_off_file_is_refused_or_admitted() -> None:
    encoded = classifier()
    for length in range(len(encoded)):
        admission = ai_exec.admit(encoded[:length])
        assert admission.admitted or admission.reasons


def test_every_flipped_bit_gives_an_answer() -> None:
    encoded = classifier()
    for place in range(8 * len(encoded)):
        changed = bytearray(encoded)
        changed[place // 8] ^= 1 << place % 8
        admission = ai_exec.admit(bytes(changed))
        assert admission.admitted or admission.reasons


def test_random_bytes_are_refused() -> None:
    random = np.random.default_rng(3)
    for length in range(1, 200):
        admission = ai_exec.admit(random.bytes(length))
        assert not admission.admitted
        assert admission.reasons


def test_deep_nesting_is_no_recursion() -> None:
    content = b""
    for _ in range(5000):
        content = b"\x0a" + _varint(len(content)) + content

    admission = ai_exec.admit(b"\x3a" + _varint(len(content)) + content)

    assert not admission.admitted
    assert len(admission.reasons) == 1


def test_empty_file() -> None:
    assert ai_exec.admit(b"").reasons == (
        "format version 0, supported are 3 to 14",
        "the model has no outputs",
    )


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


@pytest.mark.parametrize(
    ("content", "meaning"),
    [
        (b"PK\x03\x04" + bytes(40), "a zip archive, perhaps of PyTorch or Keras"),
        (b"<!DOCTYPE html><html></html>", "a web page or XML: fetch the model itself"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (b"\x1c\0\0\0TFL3" + bytes(40), "a TensorFlow Lite model"),
    ],
)
def test_files_of_other_formats_are_named(content: bytes, meaning: str) -> None:
    (reason,) = ai_exec.admit(content).reasons

    assert reason.startswith("not a readable ONNX file: ")
    assert f"; it looks like {meaning}" in reason


def test_reasons_that_depend_on_bounds_say_which() -> None:
    node = helper.make_node("Add", ["x", "w"], ["y"])
    constants = {"w": np.ones(3, np.float32)}
    built = encode(proto([node], [value("x", ["n"])], [value("y", ["n"])], constants))

    assert ai_exec.admit(built, bounds={"n": 3}).reasons == ()
    assert ai_exec.admit(built, bounds={"n": 5}).reasons == (
        "node 0 (Add): shapes [5] and [3] do not broadcast",
        "so found with n=5: bounds must be lengths that a run may have",
    )


def test_what_is_said_of_training_means_nothing() -> None:
    built = onnx.load_from_string(classifier())
    built.training_info.add().algorithm.name = "descent"

    assert ai_exec.admit(encode(built)).admitted
