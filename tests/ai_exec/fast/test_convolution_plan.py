"""What follows a convolution against the reference: chains that are one pass, and near misses."""

from dataclasses import dataclass, field
from gc import collect
from sys import getrefcount

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ai_exec import admit
from ai_exec.engines import compile
from ai_exec.fast.plan import steps_of
from ai_exec.fast.products import STANDARD
from ai_exec.program import Program
from ai_exec.registry import Attribute
from ai_exec.tensor import Tensor
from tests.support.networks import (
    image,
    lenet,
    mobilenet,
    resnet18,
    row,
    sound,
    unet,
    volume,
    volumes,
)
from tests.support.programs import Line, program_of

CHANNELS, SIDE = 10, 6
HOSTILE = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e38, -1e38, 1e-38, 1e-45, -1e-45)


@dataclass
class Net:
    """Lines of a program that starts with a convolution of x, while it is written."""

    seed: int = 0
    channels: int = CHANNELS
    lines: list[Line] = field(default_factory=list)
    constants: dict[str, Tensor] = field(default_factory=dict)

    def constant(self, value: object) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(value)
        return name

    def normal(self, *shape: int) -> str:
        random = np.random.default_rng(self.seed + len(self.constants))
        return self.constant(random.standard_normal(shape).astype(np.float32))

    def number(self, value: float) -> str:
        return self.constant(np.float32(value))

    def op(self, operator: str, *inputs: str, **attributes: Attribute) -> str:
        name = f"v{len(self.lines)}"
        self.lines.append(Line(operator, inputs, name, attributes))
        return name

    def conv(self, x: str, maps: int = CHANNELS, size: int = 1) -> str:
        pads = (size // 2,) * 4
        kernels = self.normal(maps, self.channels, size, size)
        return self.op("Conv", x, kernels, self.normal(maps), pads=pads)

    def normalised(self, x: str) -> str:
        scale, bias, mean = (self.normal(self.channels) for _ in range(3))
        variance = self.constant(np.abs(self.constants[self.normal(self.channels)]))
        return self.op("BatchNormalization", x, scale, bias, mean, variance)

    def program(self, *outputs: str) -> Program:
        inputs = dict.fromkeys(("x", "z"), (2, self.channels, SIDE, SIDE))
        return program_of(self.lines, inputs, self.constants, outputs)


STEPS = (
    *("normal", "relu", "clip", "low", "add", "multiply", "silu", "swish", "gate", "leaky"),
    *("number", "less", "by_channel", "quotient", "sigmoid", "tanh", "gelu", "square", "tall"),
)


def step(net: Net, name: str, x: str) -> str:
    """Add one step after a value."""
    by_channel = net.normal(1, net.channels, 1, 1)
    if name == "normal":
        return net.normalised(x)
    if name == "clip":
        return net.op("Clip", x, net.number(0), net.number(6))
    if name == "low":
        return net.op("Clip", x, net.number(-0.0))
    if name in ("add", "multiply"):
        return net.op("Add" if name == "add" else "Mul", "z", x)
    if name == "silu":
        return net.op("Mul", x, net.op("Sigmoid", x))
    if name == "gate":
        return net.op("Mul", net.op("HardSigmoid", x), x)
    if name in ("number", "quotient"):
        return net.op("Add" if name == "number" else "Div", x, net.number(1.1))
    if name == "less":
        return net.op("Sub", by_channel, x)
    if name == "by_channel":
        return net.op("Mul", x, by_channel)
    if name == "square":
        return net.op("Mul", x, x)
    if name == "tall":
        return net.op("Add", x, net.normal(SIDE, 1))
    names = {"relu": "Relu", "swish": "HardSwish", "leaky": "LeakyRelu"}
    return net.op(names.get(name, name.capitalize()), x)


def assert_same(program: Program, seed: int, hostile: int) -> None:
    """Run both engines on normal numbers with some hostile ones among them."""
    random, inputs = np.random.default_rng(seed), {}
    for one in program.inputs:
        tensor = random.standard_normal(one.shape).astype(np.float32)
        places = random.integers(0, tensor.size, hostile)
        tensor.reshape(-1)[places] = random.choice(np.array(HOSTILE, np.float32), hostile)
        inputs[one.name] = tensor
    expected = compile(program, "reference").run(inputs)
    found = compile(program, "fast").run(inputs)
    assert {name: value.tobytes() for name, value in found.items()} == {
        name: value.tobytes() for name, value in expected.items()
    }


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(STEPS), max_size=4),
    st.sampled_from((3, 10, 26)),
    st.sampled_from((1, 3)),
    st.sampled_from((0, 0, 2)),
    st.integers(0, 1 << 16),
    st.booleans(),
)
def test_chains_have_the_bits_of_their_nodes(
    names: list[str], channels: int, size: int, hostile: int, seed: int, again: bool
) -> None:
    net = Net(seed, channels)
    x = net.conv("x", channels, size)
    for name in names:
        x = step(net, name, x)
    if again:
        x = net.conv(x, channels, size)
    assert_same(net.program(x), seed, hostile)


@pytest.mark.parametrize("names", [("relu",), ("normal", "add", "relu"), ("silu", "multiply")])
def test_a_transposed_convolution_takes_what_follows_it(names: tuple[str, ...]) -> None:
    net = Net(7)
    kernels = net.normal(CHANNELS, CHANNELS, 3, 3)
    x = net.op("ConvTranspose", "x", kernels, net.normal(CHANNELS), pads=(1, 1, 1, 1))
    for name in names:
        x = step(net, name, x)
    program = net.program(x)
    assert len(steps_of(program, STANDARD)) == 1
    for hostile in (0, 2):
        assert_same(program, 1, hostile)


@pytest.mark.parametrize(
    ("names", "steps"),
    [
        ((), 1),
        (("normal", "relu"), 1),
        (("normal", "add", "relu"), 1),
        (("clip",), 1),
        (("silu",), 1),
        (("normal", "swish", "multiply"), 1),
        (("add", "multiply"), 2),
        (("square",), 2),
        (("less", "leaky", "gate"), 1),
    ],
)
def test_what_is_one_pass(names: tuple[str, ...], steps: int) -> None:
    net = Net()
    x = net.conv("x")
    for name in names:
        x = step(net, name, x)
    assert len(steps_of(net.program(x), STANDARD)) == steps


def test_a_value_that_others_read_is_not_lost() -> None:
    net = Net()
    first = net.conv("x")
    second = net.normalised(first)
    third = net.op("Relu", second)
    program = net.program(net.op("Add", third, first), second)
    assert_same(program, 1, 0)


def test_branches_meet_whichever_comes_first() -> None:
    for order in (False, True):
        net = Net()
        found = [net.normalised(net.conv("x")), net.normalised(net.conv("z", size=3))]
        x = net.op("Relu", net.op("Add", *(found[::-1] if order else found)))
        pooled = net.op("MaxPool", x, kernel_shape=(2, 2), strides=(2, 2))
        assert_same(net.program(net.op("Reshape", pooled, net.constant(np.array([2, -1])))), 2, 1)


def test_a_normalisation_of_negative_variance_is_nan() -> None:
    net = Net()
    constants = [net.normal(CHANNELS) for _ in range(3)]
    minus = net.constant(np.full(CHANNELS, -1, np.float32))
    net.op("Relu", net.op("BatchNormalization", net.conv("x"), *constants, minus))
    assert_same(net.program("v2"), 3, 0)


@pytest.mark.parametrize(
    "model",
    [
        resnet18(folded=False, size=32, width=8, classes=7),
        resnet18(folded=True, size=32, width=8, classes=7),
        mobilenet(folded=False, size=32, classes=7),
        mobilenet(folded=True, size=32, classes=7),
        lenet(),
    ],
    ids=["resnet", "resnet folded", "mobilenet", "mobilenet folded", "lenet"],
)
def test_real_architectures(model: bytes) -> None:
    program = admit(model).program
    assert program is not None
    _, channels, side, _ = program.inputs[0].shape
    x = {"x": image(side, channels)}
    expected = compile(program, "reference").run(x)["y"]
    assert compile(program, "fast").run(x)["y"].tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("model", "x"),
    [(sound(), row(8000)), (unet(), image(96)), (volume(), volumes(16))],
    ids=["one axis", "transposed", "three axes"],
)
def test_networks_over_other_axes(model: bytes, x: Tensor) -> None:
    program = admit(model).program
    assert program is not None
    expected = compile(program, "reference").run({"x": x})["y"]
    assert compile(program, "fast").run({"x": x})["y"].tobytes() == expected.tobytes()


def test_an_executable_keeps_no_kernels_but_the_prepared_ones() -> None:
    program = admit(lenet()).program
    assert program is not None
    kernels = [value for value in program.constants.values() if value.ndim == 4]
    executable = compile(program, "fast")
    counts = [getrefcount(value) for value in kernels]
    del program
    collect()
    assert [getrefcount(value) for value in kernels] < counts
    assert executable.run({"x": image(28, 1)})["y"].shape == (1, 10)
