"""The networks whose accuracy is measured, each with its inputs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ai_exec.tensor import Tensor
from tests.support import small_networks as small
from tests.support.encoder import encoder, encoder_inputs
from tests.support.networks import image, lenet, mobilenet, resnet18

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
ROW_BYTES = 65
SIDE = 96
"""Of pictures: the evaluator in binary64 is slow."""
TOKENS = 32
INPUTS = 5


@dataclass(frozen=True, slots=True)
class Network:
    """A model and what it is run on."""

    title: str
    model: Callable[[], bytes]
    inputs: Callable[[], Sequence[Mapping[str, Tensor]]]
    little: bool = False
    """Whether the reference engine runs it in a second, so that its bits are compared."""


def digits() -> list[dict[str, Tensor]]:
    """Give some of the demo's unseen rows, one by one as its model takes them."""
    rows = np.frombuffer((DIGITS / "unseen.rows").read_bytes(), np.uint8).reshape(-1, ROW_BYTES)
    return [{"pixels": row[None, :-1].astype(np.float32)} for row in rows[:100]]


def texts(tokens: int, words: int) -> list[dict[str, Tensor]]:
    """Give random texts, the ends of some masked."""
    first = encoder_inputs(tokens, words=words)
    drawn = np.random.default_rng(4).integers(0, words, (INPUTS - 1, 1, tokens))
    whole = np.ones_like(first["attention_mask"])
    return [first, *({**first, "input_ids": ids, "attention_mask": whole} for ids in drawn)]


def normals(*shape: int) -> list[dict[str, Tensor]]:
    """Give inputs of normal numbers."""
    return [small.normal(seed, *shape) for seed in range(INPUTS)]


def picture(channels: int = 3, side: int = SIDE) -> list[dict[str, Tensor]]:
    """Give one picture of normal numbers, and one of brightness between 0 and 1."""
    bright = np.random.default_rng(5).random((1, channels, side, side), np.float32)
    return [{"x": image(side, channels)}, {"x": bright}]


def measures() -> list[dict[str, Tensor]]:
    """Give rows of tumours, all in one batch."""
    from tests.support.fitted_networks import tumours

    return [{"X": tumours()}]


def perceptron() -> bytes:
    """Give a fitted network; scikit-learn is only loaded where it is asked for."""
    from tests.support.fitted_networks import perceptron

    return perceptron()


def forest() -> bytes:
    """Give a fitted forest; scikit-learn is only loaded where it is asked for."""
    from tests.support.fitted_networks import forest

    return forest()


NETWORKS = (
    Network("digits", (DIGITS / "digits.onnx").read_bytes, digits, little=True),
    Network("lenet", lenet, lambda: picture(1, 28), little=True),
    Network(
        "encoder, 2 layers of 64",
        lambda: encoder(16, layers=2, hidden=64, heads=4, words=200),
        lambda: texts(16, 200),
        little=True,
    ),
    Network("LSTM, both ways", small.recurrent, lambda: normals(small.STEPS, 1, 16), little=True),
    Network("U-Net", small.hourglass, lambda: normals(1, 3, small.SIDE, small.SIDE), little=True),
    Network("audio", small.audio, lambda: normals(1, 1, small.SAMPLES), little=True),
    Network("perceptron, fitted", perceptron, measures, little=True),
    Network("forest, fitted", forest, measures, little=True),
    Network("encoder, 22 M", lambda: encoder(TOKENS), lambda: texts(TOKENS, 30522)),
    Network("ResNet-18", lambda: resnet18(folded=False, size=SIDE), picture),
    Network("ResNet-18, folded", lambda: resnet18(folded=True, size=SIDE), picture),
    Network("MobileNetV2", lambda: mobilenet(folded=False, size=SIDE), picture),
    Network("MobileNetV2, folded", lambda: mobilenet(folded=True, size=SIDE), picture),
)
