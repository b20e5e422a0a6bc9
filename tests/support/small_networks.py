"""Small networks of many kinds, with seeded weights."""

import numpy as np

from ai_exec.tensor import Tensor
from tests.support.networks import NetworkWriter

STEPS, FEATURES, HIDDEN = 24, 16, 32
SAMPLES = 2000
SIDE = 32


def recurrent() -> bytes:
    """Give an LSTM that reads in both directions, with a classifier behind it."""
    net = NetworkWriter(7, folded=True)
    random = np.random.default_rng(7)

    def weights(*shape: int) -> str:
        return net.constant((random.uniform(-1, 1, shape) / HIDDEN**0.5).astype(np.float32))

    gates = 4 * HIDDEN
    given = (weights(2, gates, FEATURES), weights(2, gates, HIDDEN), weights(2, 2 * gates))
    x = net.op("LSTM", "x", *given, hidden_size=HIDDEN, direction="bidirectional")
    x = net.op("Transpose", x, perm=[2, 0, 1, 3])
    x = net.op("Reshape", x, net.constant(np.array([1, STEPS, 2 * HIDDEN])))
    x = net.op("ReduceMean", x, axes=[1], keepdims=0)
    return net.model(net.op("Softmax", net.dense(x, 2 * HIDDEN, 5), axis=-1), (STEPS, 1, FEATURES))


def hourglass() -> bytes:
    """Give a U-Net of two levels: skips, learned and bilinear enlarging, one map out."""
    net = NetworkWriter(11, folded=True)
    random = np.random.default_rng(11)

    def block(x: str, channels: int, maps: int) -> str:
        x = net.conv(x, channels, maps, 3)
        scale = net.constant(random.uniform(0.5, 1.5, maps).astype(np.float32))
        x = net.op("InstanceNormalization", x, scale, net.constant(np.zeros(maps, np.float32)))
        return net.op("Relu", x)

    first = block("x", 3, 8)
    second = block(net.op("MaxPool", first, kernel_shape=[2, 2], strides=[2, 2]), 8, 16)
    deep = block(net.op("AveragePool", second, kernel_shape=[2, 2], strides=[2, 2]), 16, 32)
    kernels = net.constant((random.standard_normal((32, 16, 2, 2)) / 8).astype(np.float32))
    raised = net.op("ConvTranspose", deep, kernels, strides=[2, 2])
    x = block(net.op("Concat", raised, second, axis=1), 32, 8)
    twice = net.constant(np.array([1, 1, 2, 2], np.float32))
    x = net.op("Resize", x, "", twice, mode="linear", coordinate_transformation_mode="half_pixel")
    x = block(net.op("Concat", x, first, axis=1), 16, 8)
    return net.model(net.op("Sigmoid", net.conv(x, 8, 1, 1)), (1, 3, SIDE, SIDE))


def audio() -> bytes:
    """Give a network of one-dimensional convolutions over samples of sound."""
    net = NetworkWriter(13, folded=True)
    random = np.random.default_rng(13)
    x, channels = "x", 1
    for maps, size, stride, gap in ((16, 25, 4, 1), (32, 9, 2, 2), (32, 9, 2, 4), (64, 3, 1, 1)):
        kernels = random.standard_normal((maps, channels, size)) * (2 / (channels * size)) ** 0.5
        bias = net.constant((0.1 * random.standard_normal(maps)).astype(np.float32))
        given = {"strides": [stride], "dilations": [gap], "pads": [gap * (size // 2)] * 2}
        x = net.op("Conv", x, net.constant(kernels.astype(np.float32)), bias, **given)
        x = net.op("Mul", x, net.op("Sigmoid", x))
        channels = maps
    x = net.op("Flatten", net.op("GlobalAveragePool", x))
    x = net.op("LogSoftmax", net.dense(x, channels, 10), axis=-1)
    return net.model(x, (1, 1, SAMPLES))


def normal(seed: int, *shape: int) -> dict[str, Tensor]:
    """Give normal numbers as the input x."""
    return {"x": np.random.default_rng(seed).standard_normal(shape).astype(np.float32)}
