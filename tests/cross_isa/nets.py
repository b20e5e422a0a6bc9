"""Small nets of every kind, with weights that depend on nothing but their seeds."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

Weights = Mapping[str, np.ndarray]
FLOAT = TensorProto.FLOAT


def mlp() -> bytes:
    """Two layers and a softmax, of three samples."""
    random = np.random.default_rng(1)
    weights = {
        "w1": _normal(random, 24, 32),
        "b1": _normal(random, 32),
        "w2": _normal(random, 32, 10),
        "b2": _normal(random, 10),
    }
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "w2", "b2"], ["l"]),
        helper.make_node("Softmax", ["l"], ["y"]),
    ]
    return _model(nodes, {"x": [3, 24]}, weights)


def cnn() -> bytes:
    """Convolutions, one by depth, with normalisation, pooling and a layer."""
    random = np.random.default_rng(2)
    weights = {
        "k1": _normal(random, 8, 1, 3, 3),
        "scale": _normal(random, 8),
        "bias": _normal(random, 8),
        "mean": _normal(random, 8),
        "variance": np.abs(_normal(random, 8)) + np.float32(0.1),
        "k2": _normal(random, 8, 1, 3, 3),
        "k3": _normal(random, 12, 8, 1, 1),
        "w": _normal(random, 12, 5),
    }
    nodes = [
        helper.make_node("Conv", ["x", "k1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c1", "scale", "bias", "mean", "variance"], ["n1"]),
        helper.make_node("Relu", ["n1"], ["r1"]),
        helper.make_node("MaxPool", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p1", "k2"], ["c2"], group=8, strides=[2, 2]),
        helper.make_node("HardSwish", ["c2"], ["r2"]),
        helper.make_node("Conv", ["r2", "k3"], ["c3"]),
        helper.make_node("GlobalAveragePool", ["c3"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["y"]),
    ]
    return _model(nodes, {"x": [1, 1, 14, 14]}, weights)


def lstm() -> bytes:
    """Both directions over six steps."""
    return _recurrent("LSTM", 4)


def gru() -> bytes:
    """Both directions over six steps."""
    return _recurrent("GRU", 3)


def _recurrent(operator: str, gates: int) -> bytes:
    random = np.random.default_rng(3)
    hidden, width = 6, 5
    weights = {
        "w": _normal(random, 2, gates * hidden, width),
        "r": _normal(random, 2, gates * hidden, hidden),
        "b": _normal(random, 2, 2 * gates * hidden),
    }
    attributes = {"hidden_size": hidden, "direction": "bidirectional"}
    nodes = [helper.make_node(operator, ["x", "w", "r", "b"], ["y"], **attributes)]
    return _model(nodes, {"x": [6, 2, width]}, weights)


def transformer() -> bytes:
    """One block: attention of two heads, normalisation, a layer with gelu."""
    random = np.random.default_rng(4)
    width, tokens = 16, 7
    weights: dict[str, np.ndarray] = {
        **{f"w{name}": _normal(random, width, width) for name in "qkvo"},
        "up": _normal(random, width, 4 * width),
        "down": _normal(random, 4 * width, width),
        "gain": _normal(random, width),
        "shift": _normal(random, width),
        "scale": np.array(8**-0.5, np.float32),
        "heads": np.array([1, tokens, 2, 8], np.int64),
        "joined": np.array([1, tokens, width], np.int64),
    }
    nodes = []
    for name in "qkv":
        axes = [0, 2, 3, 1] if name == "k" else [0, 2, 1, 3]
        nodes += [
            helper.make_node("MatMul", ["x", f"w{name}"], [f"{name}1"]),
            helper.make_node("Reshape", [f"{name}1", "heads"], [f"{name}2"]),
            helper.make_node("Transpose", [f"{name}2"], [name], perm=axes),
        ]
    nodes += [
        helper.make_node("MatMul", ["q", "k"], ["s1"]),
        helper.make_node("Mul", ["s1", "scale"], ["s2"]),
        helper.make_node("Softmax", ["s2"], ["s3"], axis=-1),
        helper.make_node("MatMul", ["s3", "v"], ["a1"]),
        helper.make_node("Transpose", ["a1"], ["a2"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["a2", "joined"], ["a3"]),
        helper.make_node("MatMul", ["a3", "wo"], ["a4"]),
        helper.make_node("Add", ["x", "a4"], ["r1"]),
        helper.make_node("LayerNormalization", ["r1", "gain", "shift"], ["n1"]),
        helper.make_node("MatMul", ["n1", "up"], ["f1"]),
        helper.make_node("Gelu", ["f1"], ["f2"]),
        helper.make_node("MatMul", ["f2", "down"], ["f3"]),
        helper.make_node("Add", ["n1", "f3"], ["y"]),
    ]
    return _model(nodes, {"x": [1, tokens, width]}, weights)


def quantised() -> bytes:
    """Bytes: quantised, multiplied both ways, read back."""
    random = np.random.default_rng(5)
    weights: dict[str, np.ndarray] = {
        "step": np.array(0.05, np.float32),
        "zero": np.array(120, np.uint8),
        "w": random.integers(-128, 128, (24, 12)).astype(np.int8),
        "w_step": np.array(0.02, np.float32),
        "w_zero": np.array(0, np.int8),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "step", "zero"], ["q"]),
        helper.make_node(
            "QLinearMatMul",
            ["q", "step", "zero", "w", "w_step", "w_zero", "step", "zero"],
            ["m"],
        ),
        helper.make_node("DequantizeLinear", ["m", "step", "zero"], ["d"]),
        helper.make_node("MatMulInteger", ["q", "w", "zero", "w_zero"], ["i"]),
        helper.make_node("Cast", ["i"], ["f"], to=FLOAT),
        helper.make_node("Add", ["d", "f"], ["y"]),
    ]
    return _model(nodes, {"x": [4, 24]}, weights)


def trees() -> bytes:
    """A forest, as scikit-learn exports it."""
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier

    return _exported(RandomForestClassifier(8, max_depth=5, random_state=0), *_iris(load_iris))


def pipeline() -> bytes:
    """A scaler and a support vector machine, as scikit-learn exports them."""
    from sklearn.datasets import load_iris
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    return _exported(make_pipeline(StandardScaler(), SVR()), *_iris(load_iris))


def _iris(load: Callable[..., Any]) -> tuple[np.ndarray, np.ndarray]:
    features, labels = load(return_X_y=True)
    return features.astype(np.float32), labels


def _exported(estimator: Any, features: np.ndarray, labels: np.ndarray) -> bytes:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    estimator.fit(features, labels)
    given = [("x", FloatTensorType([9, features.shape[1]]))]
    is_classifier = hasattr(estimator, "predict_proba")
    options = {id(estimator): {"zipmap": False}} if is_classifier else None
    model = to_onnx(estimator, initial_types=given, options=options, target_opset=21)
    return bytes(model.SerializeToString())


NETS: Mapping[str, Callable[[], bytes]] = {
    "mlp": mlp,
    "cnn": cnn,
    "lstm": lstm,
    "gru": gru,
    "transformer": transformer,
    "quantised": quantised,
    "trees": trees,
    "pipeline": pipeline,
}


def _normal(random: np.random.Generator, *shape: int) -> np.ndarray:
    return random.normal(0, 0.4, shape).astype(np.float32)


def _model(nodes: list[Any], inputs: Mapping[str, list[int]], weights: Weights) -> bytes:
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info("y", FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opsets = [helper.make_opsetid("", 21)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
