"""Networks for images as PyTorch exports them, of real architectures, with seeded weights."""

from math import prod

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ai_exec.tensor import Tensor

Strides = int
MOBILE_STAGES = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)
"""Expansion, channels, blocks and stride of each stage of MobileNetV2."""


class NetworkWriter:
    """Nodes and constants of a network while it is written."""

    def __init__(self, seed: int, *, folded: bool) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._folded = folded
        self._random = np.random.default_rng(seed)

    def constant(self, value: object) -> str:
        """Add a constant and give its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def op(self, operator: str, *inputs: str, **attributes: object) -> str:
        """Add a node and give the name of its output."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def conv(
        self, x: str, channels: int, maps: int, size: int, stride: int = 1, group: int = 1
    ) -> str:
        """Add a convolution and its normalisation: a node of its own, or folded into weights."""
        shape = (maps, channels // group, size, size)
        deviation = np.sqrt(2 / prod(shape[1:]))
        weights = (self._random.standard_normal(shape) * deviation).astype(np.float32)
        scale, variance = self._random.uniform(0.5, 1.5, (2, maps)).astype(np.float32)
        bias, mean = (0.1 * self._random.standard_normal((2, maps))).astype(np.float32)
        given = {
            "kernel_shape": [size, size],
            "strides": [stride, stride],
            "pads": [size // 2] * 4,
            "group": group,
        }
        if not self._folded:
            found = self.op("Conv", x, self.constant(weights), **given)
            statistics = map(self.constant, (scale, bias, mean, variance))
            return self.op("BatchNormalization", found, *statistics, epsilon=1e-5)
        factor = (scale / np.sqrt(variance + np.float32(1e-5))).astype(np.float32)
        kernels = self.constant(weights * factor.reshape(-1, 1, 1, 1))
        return self.op("Conv", x, kernels, self.constant(bias - mean * factor), **given)

    def along(self, x: str, shape: tuple[int, ...], operator: str = "Conv", **given: object) -> str:
        """Add a convolution over any axes with kernels of a shape, and a bias."""
        weights = self._random.standard_normal(shape) * np.sqrt(2 / prod(shape[1:]))
        bias = 0.1 * self._random.standard_normal(shape[int(operator == "ConvTranspose")])
        constants = (self.constant(value.astype(np.float32)) for value in (weights, bias))
        return self.op(operator, x, *constants, **given)

    def dense(self, x: str, length: int, columns: int) -> str:
        """Add a fully connected layer."""
        weights = self._random.standard_normal((columns, length)) * np.sqrt(1 / length)
        bias = 0.1 * self._random.standard_normal(columns)
        constants = (self.constant(value.astype(np.float32)) for value in (weights, bias))
        return self.op("Gemm", x, *constants, transB=1)

    def model(self, result: str, shape: tuple[int, ...]) -> bytes:
        """Give the ONNX file, whose input is x and whose output is y."""
        self.nodes.append(helper.make_node("Identity", [result], ["y"]))
        graph = helper.make_graph(
            self.nodes,
            "network",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            self.constants,
        )
        opsets = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
        return bytes(onnx.shape_inference.infer_shapes(model).SerializeToString())


def resnet18(*, folded: bool, size: int = 224, width: int = 64, classes: int = 1000) -> bytes:
    """Give a ResNet of 18 layers for one image of three channels."""
    net = NetworkWriter(18, folded=folded)
    x = net.op("Relu", net.conv("x", 3, width, 7, 2))
    x = net.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = width
    for stage in range(4):
        maps = width << stage
        for block in range(2):
            stride = 2 if stage and not block else 1
            before = x
            found = net.op("Relu", net.conv(x, channels, maps, 3, stride))
            found = net.conv(found, maps, maps, 3)
            if stride != 1 or channels != maps:
                before = net.conv(x, channels, maps, 1, stride)
            x = net.op("Relu", net.op("Add", found, before))
            channels = maps
    x = net.op("Flatten", net.op("GlobalAveragePool", x))
    return net.model(net.dense(x, channels, classes), (1, 3, size, size))


def mobilenet(*, folded: bool, size: int = 224, classes: int = 1000) -> bytes:
    """Give MobileNetV2 for one image of three channels."""
    net = NetworkWriter(2, folded=folded)
    low, high = net.constant(np.float32(0)), net.constant(np.float32(6))

    def capped(found: str) -> str:
        return net.op("Clip", found, low, high)

    x, channels = capped(net.conv("x", 3, 32, 3, 2)), 32
    for expansion, maps, blocks, first in MOBILE_STAGES:
        for block in range(blocks):
            stride, wide, found = first if not block else 1, expansion * channels, x
            if expansion != 1:
                found = capped(net.conv(found, channels, wide, 1))
            found = capped(net.conv(found, wide, wide, 3, stride, wide))
            found = net.conv(found, wide, maps, 1)
            x = net.op("Add", x, found) if stride == 1 and channels == maps else found
            channels = maps
    x = capped(net.conv(x, channels, 1280, 1))
    x = net.op("Flatten", net.op("GlobalAveragePool", x))
    return net.model(net.dense(x, 1280, classes), (1, 3, size, size))


def lenet() -> bytes:
    """Give LeNet for one image of 28 x 28."""
    net = NetworkWriter(5, folded=True)
    x = net.op("Relu", net.conv("x", 1, 6, 5))
    x = net.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = net.op("Relu", net.conv(x, 6, 16, 5))
    x = net.op("Flatten", net.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]))
    x = net.op("Relu", net.dense(x, 16 * 7 * 7, 120))
    x = net.op("Relu", net.dense(x, 120, 84))
    return net.model(net.dense(x, 84, 10), (1, 1, 28, 28))


def image(size: int, channels: int = 3) -> Tensor:
    """Give a picture of normal numbers."""
    random = np.random.default_rng(size)
    return random.standard_normal((1, channels, size, size)).astype(np.float32)


def sound() -> bytes:
    """Give a classifier of sounds: convolutions and pools over one axis."""
    net, x, channels = NetworkWriter(7, folded=True), "x", 1
    for maps, size, stride in ((32, 80, 4), (64, 3, 1), (128, 3, 1)):
        x = net.op("Relu", net.along(x, (maps, channels, size), strides=[stride]))
        x = net.op("MaxPool", x, kernel_shape=[4], strides=[4])
        channels = maps
    x = net.op("Flatten", net.op("GlobalAveragePool", x))
    return net.model(net.dense(x, channels, 10), (1, 1, 8000))


def unet() -> bytes:
    """Give a U-Net of two levels with a transposed convolution, for images of 96 x 96."""
    net = NetworkWriter(8, folded=True)
    first = net.op("Relu", net.conv("x", 3, 16, 3))
    found = net.op("MaxPool", first, kernel_shape=[2, 2], strides=[2, 2])
    found = net.op("Relu", net.conv(found, 16, 32, 3))
    found = net.along(found, (32, 16, 2, 2), "ConvTranspose", strides=[2, 2])
    found = net.op("Concat", found, first, axis=1)
    found = net.op("Relu", net.conv(found, 32, 16, 3))
    return net.model(net.conv(found, 16, 2, 1), (1, 3, 96, 96))


def volume() -> bytes:
    """Give a classifier of volumes: convolutions and pools over three axes."""
    net = NetworkWriter(9, folded=True)
    x = net.op("Relu", net.along("x", (8, 1, 3, 3, 3), pads=[1] * 6))
    x = net.op("MaxPool", x, kernel_shape=[2, 2, 2], strides=[2, 2, 2])
    x = net.op("Relu", net.along(x, (16, 8, 3, 3, 3), pads=[1] * 6))
    x = net.op("Flatten", net.op("GlobalAveragePool", x))
    return net.model(net.dense(x, 16, 4), (1, 1, 16, 16, 16))


def row(length: int) -> Tensor:
    """Give a sound of normal numbers."""
    random = np.random.default_rng(length)
    return random.standard_normal((1, 1, length)).astype(np.float32)


def volumes(size: int) -> Tensor:
    """Give a volume of normal numbers."""
    random = np.random.default_rng(size)
    return random.standard_normal((1, 1, size, size, size)).astype(np.float32)
