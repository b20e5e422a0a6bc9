"""Whole models and pools beside onnxruntime: the same numbers within float32's own error."""

from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import helper

import ai_exec
from tests.support.onnx_models import encode, proto, value

Node = helper.make_node
TOLERANCE = 1e-5


def random_tensor(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([*shape, seed]).normal(size=shape).astype(np.float32)


def check(encoded: bytes, inputs: dict[str, np.ndarray], tolerance: float = TOLERANCE) -> None:
    """Both engines give the same bits, and onnxruntime the same numbers."""
    admission = ai_exec.admit(encoded)
    assert admission.reasons == ()
    reference = ai_exec.compile(admission.program, "reference").run(inputs)
    fast = ai_exec.compile(admission.program, "fast").run(inputs)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    theirs = onnxruntime.InferenceSession(encoded, options).run(list(reference), inputs)
    for (name, ours), other in zip(reference.items(), theirs, strict=True):
        assert fast[name].tobytes() == ours.tobytes()
        assert (ours.dtype, ours.shape) == (other.dtype, other.shape)
        scale = max(1.0, float(np.abs(other).max()))
        np.testing.assert_allclose(ours, other, rtol=0, atol=tolerance * scale)


POOLS: list[dict[str, Any]] = [
    {"kernel_shape": [2, 2]},
    {"kernel_shape": [3, 2], "strides": [2, 3], "pads": [1, 0, 1, 1]},
    {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
    {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    {"kernel_shape": [2, 2], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
    {"kernel_shape": [3, 2], "strides": [2, 2], "auto_pad": "SAME_LOWER"},
    {"kernel_shape": [3, 3], "auto_pad": "VALID"},
    {"kernel_shape": [2, 2], "dilations": [2, 2]},
]


@pytest.mark.parametrize("attributes", POOLS, ids=str)
@pytest.mark.parametrize("operator", ["MaxPool", "AveragePool", "padded AveragePool"])
def test_pools(operator: str, attributes: dict[str, Any]) -> None:
    extra = {"count_include_pad": 1} if operator.startswith("padded") else {}
    node = Node(operator.split()[-1], ["x"], ["y"], **attributes, **extra)
    outputs = [helper.make_empty_tensor_value_info("y")]

    encoded = encode(proto([node], [value("x", [2, 3, 7, 8])], outputs, None, {"": 19}))

    check(encoded, {"x": random_tensor(2, 3, 7, 8)})


@pytest.mark.parametrize(
    ("shape", "kernel", "attributes"),
    [
        ((2, 4, 9), (6, 4, 3), {"pads": [1, 1], "strides": [2]}),
        ((1, 4, 8, 8), (6, 2, 3, 3), {"group": 2, "dilations": [2, 1]}),
        ((1, 6, 7, 7), (6, 1, 3, 3), {"group": 6, "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
        ((1, 300, 4, 4), (3, 300, 3, 3), {"pads": [1, 1, 1, 1]}),
        ((1, 2, 4, 4, 4), (3, 2, 2, 2, 2), {}),
    ],
)
def test_convolutions(
    shape: tuple[int, ...], kernel: tuple[int, ...], attributes: dict[str, Any]
) -> None:
    node = Node("Conv", ["x", "w", "b"], ["y"], **attributes)
    constants = {"w": random_tensor(*kernel), "b": random_tensor(kernel[0])}
    outputs = [helper.make_empty_tensor_value_info("y")]

    encoded = encode(proto([node], [value("x", list(shape))], outputs, constants))

    check(encoded, {"x": random_tensor(*shape)})


def test_convolutional_network() -> None:
    nodes = [
        Node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
        Node("BatchNormalization", ["c1", "s", "o", "m", "v"], ["n1"]),
        Node("Relu", ["n1"], ["r1"]),
        Node("MaxPool", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        Node("Conv", ["p1", "w2"], ["c2"], pads=[1, 1, 1, 1], strides=[2, 2]),
        Node("Sigmoid", ["c2"], ["g2"]),
        Node("Mul", ["c2", "g2"], ["r2"]),
        Node("GlobalAveragePool", ["r2"], ["p2"]),
        Node("Flatten", ["p2"], ["f"]),
        Node("Gemm", ["f", "w3", "b3"], ["logits"], transB=1),
        Node("Softmax", ["logits"], ["y"], axis=1),
    ]
    constants = {
        "w1": random_tensor(8, 1, 3, 3),
        "b1": random_tensor(8),
        "s": random_tensor(8, seed=1),
        "o": random_tensor(8, seed=2),
        "m": random_tensor(8, seed=3),
        "v": np.abs(random_tensor(8, seed=4)) + np.float32(0.1),
        "w2": random_tensor(16, 8, 3, 3),
        "w3": random_tensor(10, 16),
        "b3": random_tensor(10),
    }
    outputs = [value("y", [2, 10]), value("logits", [2, 10])]

    encoded = encode(proto(nodes, [value("x", [2, 1, 16, 16])], outputs, constants))

    check(encoded, {"x": random_tensor(2, 1, 16, 16)})


def test_attention() -> None:
    nodes = [
        Node("LayerNormalization", ["x", "s", "o"], ["n"]),
        Node("MatMul", ["n", "wq"], ["q"]),
        Node("MatMul", ["n", "wk"], ["k"]),
        Node("Transpose", ["k"], ["kt"], perm=[0, 2, 1]),
        Node("MatMul", ["q", "kt"], ["scores"]),
        Node("Div", ["scores", "root"], ["scaled"]),
        Node("Softmax", ["scaled"], ["weights"]),
        Node("MatMul", ["weights", "n"], ["mixed"]),
        Node("Gelu", ["mixed"], ["active"]),
        Node("Add", ["active", "x"], ["y"]),
    ]
    constants = {
        "s": random_tensor(32, seed=1),
        "o": random_tensor(32, seed=2),
        "wq": random_tensor(32, 32, seed=3),
        "wk": random_tensor(32, 32, seed=4),
        "root": np.array(np.sqrt(32), np.float32),
    }

    encoded = encode(
        proto(nodes, [value("x", [2, 9, 32])], [value("y", [2, 9, 32])], constants, {"": 20})
    )

    check(encoded, {"x": random_tensor(2, 9, 32)}, tolerance=5e-5)


def exported(model: Any, features: int, **options: Any) -> bytes:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    return bytes(
        to_onnx(
            model,
            initial_types=[("x", FloatTensorType([5, features]))],
            target_opset={"": 17, "ai.onnx.ml": 3},
            options={id(model): options} if options else None,
        ).SerializeToString()
    )


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", ["logistic", "mlp", "svc", "pipeline"])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_classifiers(kind: str, classes: int) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer, StandardScaler
    from sklearn.svm import LinearSVC

    x = random_tensor(60, 4)
    labels = np.arange(60) % classes
    model: Any = {
        "logistic": LogisticRegression(),
        "mlp": MLPClassifier(hidden_layer_sizes=(6,), max_iter=15, random_state=0),
        "svc": LinearSVC(),
        "pipeline": make_pipeline(StandardScaler(), Normalizer(), LogisticRegression()),
    }[kind].fit(x, labels)
    options = {} if kind == "svc" else {"zipmap": False}

    check(exported(model, 4, **options), {"x": x[:5]})


@pytest.mark.parametrize("kind", ["linear", "mlp"])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_regressors(kind: str) -> None:
    from sklearn.linear_model import LinearRegression
    from sklearn.neural_network import MLPRegressor

    x = random_tensor(60, 4)
    model: Any = {
        "linear": LinearRegression(),
        "mlp": MLPRegressor(hidden_layer_sizes=(6,), max_iter=15, random_state=0),
    }[kind].fit(x, x.sum(axis=1))

    check(exported(model, 4), {"x": x[:5]})
