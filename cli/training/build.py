"""Programs of a training: the step graph, the predict graph and the parameters to begin with.

The step graph takes `features`, `labels` and the state, and gives the next state and the loss; the
predict graph takes features and the parameters.  Both are plain ONNX files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chain.primitives.tensor_bytes import TENSORS, TensorRecord
from cli.training.graph import FLOAT, INT64, Graph
from cli.training.initial import initial
from cli.training.layers import Convolution, Dense, Gradients, Layer, Parameter, Pool, Relu
from cli.training.optimisers import OPTIMISERS, Adam, Descent, Momentum

ARCHITECTURES: Final = ("linear", "mlp", "cnn")


class Unbuildable(Exception):
    """There is no such network.  Mend what is named."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be built."""

    architecture: str
    inputs: tuple[int, ...]
    """Shape of one row's features; for pictures height and width, or channels before them."""

    classes: int
    hidden: tuple[int, ...] = (32,)
    """Widths of hidden layers; of a cnn the channels of its convolution."""

    optimiser: str = "adam"
    rate: float = 0.01
    batch: int = 32
    element: int = 2
    """ONNX's number of the features' element type; 2 is uint8."""

    scale: float = 255.0
    """Features are divided by it."""

    seed: int = 0


@dataclass(frozen=True, slots=True)
class Built:
    """The three files of a training."""

    step: bytes
    predict: bytes
    parameters: bytes
    """Canonical tensor bytes of the state before the first step."""


def build(plan: Plan) -> Built:
    """Write the programs; raises Unbuildable."""
    _check(plan)
    layers = _layers(plan)
    learnt = tuple(parameter for layer in layers for parameter in layer.parameters)
    optimiser = OPTIMISERS[plan.optimiser](plan.rate)
    step = _step(plan, layers, learnt, optimiser)
    predict = _predict(plan, layers, learnt)
    return Built(step, predict, _parameters(learnt, optimiser, plan.seed))


def _check(plan: Plan) -> None:
    if plan.architecture not in ARCHITECTURES:
        raise Unbuildable(f"architecture {plan.architecture!r}: one of {', '.join(ARCHITECTURES)}")
    if plan.optimiser not in OPTIMISERS:
        raise Unbuildable(f"optimiser {plan.optimiser!r}: one of {', '.join(OPTIMISERS)}")
    if min((plan.batch, plan.classes, *plan.inputs, *plan.hidden)) < 1:
        raise Unbuildable("lengths are at least 1")
    if plan.scale <= 0 or plan.rate <= 0:
        raise Unbuildable("scale and rate are above zero")
    if plan.architecture == "cnn":
        if len(plan.inputs) not in (2, 3) or any(each % 2 for each in plan.inputs[-2:]):
            raise Unbuildable("a cnn takes pictures of even height and width, such as 8x8")
        if len(plan.hidden) != 1:
            raise Unbuildable("a cnn has one convolution")


def _layers(plan: Plan) -> tuple[Layer, ...]:
    if plan.architecture == "cnn":
        channels, height, width = (1, *plan.inputs)[-3:]
        filters = plan.hidden[0]
        flat = filters * (height // 2) * (width // 2)
        slide = Convolution("convolution", channels, filters)
        return slide, Relu(), Pool(filters, height, width), Dense("output", flat, plan.classes)
    layers: list[Layer] = []
    width = prod(plan.inputs)
    for place, wide in enumerate(plan.hidden if plan.architecture == "mlp" else ()):
        layers += [Dense(f"hidden{place}", width, wide), Relu()]
        width = wide
    return *layers, Dense("output", width, plan.classes)


def _features(graph: Graph, plan: Plan) -> str:
    """Turn rows into floats of the shape that the first layer takes."""
    floats = graph.add("Cast", "features", to_type=FLOAT) if plan.element != FLOAT else "features"
    scaled = graph.add("Mul", floats, graph.number(1.0 / plan.scale))
    shape = (1, *plan.inputs)[-3:] if plan.architecture == "cnn" else (prod(plan.inputs),)
    return graph.add("Reshape", scaled, graph.numbers([-1, *shape]))


def _forward(graph: Graph, layers: tuple[Layer, ...], taken: str) -> list[str]:
    """Give what each layer takes, and what the last one gives."""
    passed = [taken]
    for layer in layers:
        passed.append(layer.forward(graph, passed[-1]))
    return passed


def _step(
    plan: Plan,
    layers: tuple[Layer, ...],
    learnt: tuple[Parameter, ...],
    optimiser: Descent | Momentum | Adam,
) -> bytes:
    graph = Graph("step")
    graph.input("features", plan.element, (plan.batch, *plan.inputs))
    graph.input("labels", INT64, (plan.batch,))
    for parameter in learnt:
        for name in (parameter.name, *optimiser.memory(parameter)):
            graph.input(name, FLOAT, parameter.shape)
            graph.output(f"{name}.next", FLOAT, parameter.shape)
    for name in optimiser.scalars():
        graph.input(name, FLOAT, ())
        graph.output(f"{name}.next", FLOAT, ())
    passed = _forward(graph, layers, _features(graph, plan))
    gradient = _loss(graph, plan, passed[-1])
    gradients = _backward(graph, layers, passed, gradient)
    optimiser.advance(graph)
    for parameter in learnt:
        optimiser.move(graph, parameter, gradients[parameter.name])
    graph.output("loss", FLOAT, ())
    return graph.to_bytes()


def _loss(graph: Graph, plan: Plan, logits: str) -> str:
    """Compute the mean cross-entropy, and give the gradient of the logits."""
    column = graph.add("Unsqueeze", "labels", graph.numbers([1]))
    same = graph.add("Equal", column, graph.numbers(range(plan.classes)))
    wanted = graph.add("Cast", same, to_type=FLOAT)
    logs = graph.add("LogSoftmax", logits, axis=1)
    hits = graph.add("ReduceSum", graph.add("Mul", wanted, logs), graph.numbers([0, 1]), keepdims=0)
    graph.add("Mul", hits, graph.number(-1.0 / plan.batch), to="loss")
    wrong = graph.add("Sub", graph.add("Softmax", logits, axis=1), wanted)
    return graph.add("Mul", wrong, graph.number(1.0 / plan.batch))


def _backward(
    graph: Graph, layers: tuple[Layer, ...], passed: list[str], gradient: str
) -> Gradients:
    gradients: Gradients = {}
    for place in reversed(range(len(layers))):
        found, gradient = layers[place].backward(
            graph, passed[place], passed[place + 1], gradient, place == 0
        )
        gradients |= found
    return gradients


def _predict(plan: Plan, layers: tuple[Layer, ...], learnt: tuple[Parameter, ...]) -> bytes:
    graph = Graph("predict")
    graph.input("features", plan.element, ("rows", *plan.inputs))
    for parameter in learnt:
        graph.input(parameter.name, FLOAT, parameter.shape)
    logits = _forward(graph, layers, _features(graph, plan))[-1]
    graph.add("Identity", logits, to="logits")
    graph.add("Softmax", logits, axis=1, to="probabilities")
    graph.add("ArgMax", logits, axis=1, keepdims=0, to="label")
    graph.output("logits", FLOAT, ("rows", plan.classes))
    graph.output("probabilities", FLOAT, ("rows", plan.classes))
    graph.output("label", INT64, ("rows",))
    return graph.to_bytes()


def _parameters(
    learnt: tuple[Parameter, ...], optimiser: Descent | Momentum | Adam, seed: int
) -> bytes:
    tensors: dict[str, npt.NDArray[Any]] = dict(initial(learnt, seed))
    for parameter in learnt:
        for name in optimiser.memory(parameter):
            tensors[name] = np.zeros(parameter.shape, np.float32)
    for name, value in optimiser.scalars().items():
        tensors[name] = np.asarray(value, np.float32)
    return encode(tensors)


def encode(tensors: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Give canonical tensor bytes of floats."""
    return TENSORS.encode(
        tuple(
            TensorRecord(name, FLOAT, tensors[name].shape, tensors[name].astype("<f4").tobytes())
            for name in sorted(tensors, key=str.encode)
        )
    )
