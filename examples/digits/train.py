"""Trains the digits classifier and writes every file that the demo reads; needs scikit-learn.

Run `python examples/digits/train.py` from the repository root.  The demo itself only reads the
files, so scikit-learn is a development dependency.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

HERE = Path(__file__).parent
SIDE = 8
PIXELS = SIDE * SIDE
WHITE = 16
"""Brightest pixel of the UCI digits."""
CLASSES = 10
HIDDEN = 48
ROWS_EACH = 750
"""Rows of bob, and of carol; the remaining 297 stay unseen."""
HELD_OUT = 197
"""Unseen rows on which models are measured; the first is dave's.  Mallory has the other 100."""
SEED = 2024

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.uint8]


def load_rows() -> tuple[Pixels, Labels]:
    """Return all 1797 digits in a fixed shuffled order, so that each share holds all writers."""
    digits = load_digits()
    order = np.random.default_rng(SEED).permutation(len(digits.target))
    return digits.data.astype(np.uint8)[order], digits.target.astype(np.uint8)[order]


def encode_rows(pixels: Pixels, labels: Labels) -> bytes:
    """Return records of 65 bytes: 64 pixels row by row (0 to 16), then the label (0 to 9)."""
    return np.concatenate([pixels, labels[:, None]], axis=1).tobytes()


def fit(pixels: Pixels, labels: Labels) -> MLPClassifier:
    """Train one hidden layer to convergence, always from the same start."""
    network = MLPClassifier((HIDDEN,), solver="lbfgs", alpha=1.0, max_iter=5000, random_state=SEED)
    return network.fit(pixels / WHITE, labels)


def to_onnx(network: MLPClassifier) -> onnx.ModelProto:
    """Write the trained network as float32 ONNX: pixels [1, 64] to logits, probabilities, label."""

    def constant(name: str, values: Any) -> onnx.TensorProto:
        return numpy_helper.from_array(np.asarray(values, dtype=np.float32), name)

    (hidden_weights, output_weights), (hidden_bias, output_bias) = (
        network.coefs_,
        network.intercepts_,
    )
    nodes = [
        helper.make_node("Mul", ["pixels", "scale"], ["scaled"]),
        helper.make_node("Gemm", ["scaled", "hidden_weights", "hidden_bias"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "output_weights", "output_bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["logits"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, PIXELS])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, CLASSES]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, CLASSES]),
            helper.make_tensor_value_info("label", TensorProto.INT64, [1]),
        ],
        [
            constant("scale", 1 / WHITE),
            constant("hidden_weights", hidden_weights),
            constant("hidden_bias", hidden_bias),
            constant("output_weights", output_weights),
            constant("output_bias", output_bias),
        ],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="noema"
    )


def write_image(pixels: Pixels, label: int) -> None:
    """Write dave's digit as a PNG of 8x8, one of 64x64 to look at, and its true label."""
    grey = np.rint(pixels.reshape(SIDE, SIDE) * (255 / WHITE)).astype(np.uint8)
    image = Image.fromarray(grey)
    image.save(HERE / "dave.png")
    image.resize((64, 64), Image.Resampling.NEAREST).save(HERE / "dave-large.png")
    description = {"image": "dave.png", "label": label, "pixels": pixels.tolist(), "white": WHITE}
    (HERE / "dave.json").write_text(json.dumps(description) + "\n")


def main() -> None:
    """Write the model, the contributors' rows, the unseen rows and dave's image."""
    pixels, labels = load_rows()
    bob, carol = slice(0, ROWS_EACH), slice(ROWS_EACH, 2 * ROWS_EACH)
    seen, unseen = slice(0, 2 * ROWS_EACH), slice(2 * ROWS_EACH, None)
    network = fit(pixels[seen], labels[seen])
    accuracy = network.score(pixels[unseen] / WHITE, labels[unseen])

    model = to_onnx(network)
    onnx.checker.check_model(model, full_check=True)
    (HERE / "digits.onnx").write_bytes(model.SerializeToString(deterministic=True))
    for name, part in {"bob": bob, "carol": carol, "unseen": unseen}.items():
        (HERE / f"{name}.rows").write_bytes(encode_rows(pixels[part], labels[part]))
    held_out = slice(0, HELD_OUT)
    (HERE / "held-out.rows").write_bytes(
        encode_rows(pixels[unseen][held_out], labels[unseen][held_out])
    )
    wrong = (labels[unseen][HELD_OUT:] + 1) % CLASSES
    (HERE / "mallory.rows").write_bytes(encode_rows(pixels[unseen][HELD_OUT:], wrong))
    write_image(pixels[unseen][0], int(labels[unseen][0]))
    print(f"accuracy on {len(labels[unseen])} unseen digits: {accuracy:.3f}")


if __name__ == "__main__":
    main()
