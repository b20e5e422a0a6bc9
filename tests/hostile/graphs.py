"""Right graphs of many nodes over all operators, with hostile values, for engines to agree on.

A case of ONNX's suite becomes a function of the model, so that operator sets may mix; its inputs
are constants, inputs of the run, or results of earlier nodes in another shape.  Between them stand
chains, products and normalisations that the fast engine fuses, branches and loops.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import prod
from random import Random
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.conformance.cases import Case

OPSET = 21
OWN = "local"
CASE_BYTES_MAX = 20_000
ELEMENTS_MAX = 20_000
FLOATS = (0.0, -0.0, 1.0, -1.5, np.nan, np.inf, -np.inf, 1e-45, -1e-39, 3.4e38, -1e38, 1e-38, 7.0)
UNARY = (
    *("Relu", "Sigmoid", "Tanh", "Exp", "Erf", "Gelu", "Neg", "Sqrt", "Abs", "Softplus", "Elu"),
    *("HardSwish", "HardSigmoid", "LeakyRelu", "Mish", "Softsign", "Identity", "Reciprocal", "Log"),
)
BINARY = ("Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Mod")
Array = np.ndarray[Any, Any]
Node = helper.make_node


@dataclass(frozen=True)
class Piece:
    """A case of the suite as a function: what it takes and gives."""

    name: str
    function: onnx.FunctionProto
    given: tuple[Array, ...]
    found: tuple[Array, ...]


def pieces_of(cases: Sequence[Case]) -> list[Piece]:
    """Give the cases that tensors go into and come out of, without constants of their own."""
    pieces = []
    for case in cases:
        if len(case.model) > CASE_BYTES_MAX or not case.sets:
            continue
        given, found = case.sets[0]
        arrays = [*given, *found]
        model = onnx.load_from_string(case.model)
        plain = all(
            isinstance(array, np.ndarray) and array.dtype.kind in "biuf" for array in arrays
        )
        small = plain and sum(array.size for array in arrays) <= ELEMENTS_MAX
        if not small or model.graph.initializer or len(given) != len(model.graph.input):
            continue
        function = helper.make_function(
            OWN,
            f"F{len(pieces)}",
            [value.name for value in model.graph.input],
            [value.name for value in model.graph.output],
            list(model.graph.node),
            list(model.opset_import),
        )
        function.opset_import.append(helper.make_opsetid(OWN, 1))
        pieces.append(Piece(case.name, function, tuple(given), tuple(found)))
    return pieces


@dataclass
class Graph:
    """A graph that grows from its inputs on."""

    random: Random
    array: np.random.Generator
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    inputs: dict[str, Array] = field(default_factory=dict)
    constants: dict[str, Array] = field(default_factory=dict)
    functions: dict[str, onnx.FunctionProto] = field(default_factory=dict)
    tensors: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Those of binary32 that later nodes may read, by their shapes."""
    declared: dict[str, onnx.ValueInfoProto] = field(default_factory=dict)
    count: int = 0

    def name(self, stem: str = "t") -> str:
        """Give a new name."""
        self.count += 1
        return f"{stem}{self.count}"

    def add(self, operator: str, reads: Sequence[str], shape: Sequence[int], **given: Any) -> str:
        """Add a node of one binary32 result."""
        name = self.name()
        self.nodes.append(Node(operator, list(reads), [name], **given))
        self.tensors[name] = tuple(shape)
        return name

    def constant(self, value: Array) -> str:
        """Add a constant."""
        name = self.name("c")
        self.constants[name] = value
        return name

    def floats(self, shape: Sequence[int]) -> Array:
        """Give numbers of one size, or of very different ones, some with special ones among."""
        size = self.random.choice((1.0, 1.0, 1.0, 30.0, 1e-30, 1e-40, 1e30))
        found = self.array.normal(0, size, shape)
        kind = self.random.random()
        if kind < 0.15:
            found = found * 10.0 ** self.array.integers(-30, 30, shape)
        elif kind < 0.3:
            special = self.array.choice(np.array(FLOATS), shape)
            found = np.where(self.array.random(shape) < 0.1, special, found)
        elif kind < 0.35:
            found = np.rint(found)
        with np.errstate(all="ignore"):
            return np.asarray(found).astype(np.float32)

    def some(self) -> str:
        """Give a tensor that there is."""
        names = list(self.tensors)
        return self.random.choice(names[-6:] if self.random.random() < 0.7 else names)

    def shaped(self, name: str, shape: Sequence[int]) -> str:
        """Give a tensor of a shape, made of the elements of another one."""
        have, want = prod(self.tensors[name]), prod(shape)
        if self.tensors[name] == tuple(shape):
            return name
        if not have:
            self.tensors[name := self.constant(self.floats(shape))] = tuple(shape)
            return name
        flat = self.add("Reshape", [name, self.constant(np.array([have]))], (have,))
        if want > have:
            times = -(-want // have)
            flat = self.add("Tile", [flat, self.constant(np.array([times]))], (have * times,))
        ends = [self.constant(np.array([end])) for end in (0, want)]
        flat = self.add("Slice", [flat, *ends], (want,))
        return self.add("Reshape", [flat, self.constant(np.array(shape, np.int64))], shape)

    def model(self, outputs: Sequence[str]) -> bytes:
        """Write the model."""
        kinds = {
            name: helper.np_dtype_to_tensor_dtype(each.dtype) for name, each in self.inputs.items()
        }
        graph = helper.make_graph(
            self.nodes,
            "random",
            [
                helper.make_tensor_value_info(name, kinds[name], each.shape)
                for name, each in self.inputs.items()
            ],
            [self.declared.get(name, onnx.ValueInfoProto(name=name)) for name in outputs],
            [numpy_helper.from_array(each, name) for name, each in self.constants.items()],
            value_info=[each for name, each in self.declared.items() if name not in outputs],
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(OWN, 1)]
        functions = list(self.functions.values())
        made = helper.make_model(graph, opset_imports=opsets, ir_version=10, functions=functions)
        return bytes(made.SerializeToString())


def random_graph(pieces: Sequence[Piece], random: Random) -> tuple[bytes, Mapping[str, Array]]:
    """Give a model and inputs for it."""
    graph = Graph(random, np.random.default_rng(random.randrange(1 << 32)))
    for _ in range(random.choice((1, 2))):
        rank = random.choice((1, 2, 2, 3, 4, 4))
        shape = [random.choice((1, 2, 3, 4, 7, 16, 17)) for _ in range(rank)]
        if random.random() < 0.04:
            shape[random.randrange(rank)] = 0
        graph.inputs[name := graph.name("x")] = graph.floats(shape)
        graph.tensors[name] = tuple(shape)
    for _ in range(random.choice((1, 2, 3, 5, 8, 12))):
        random.choices(*STEPS)[0](graph, pieces)
    outputs = [list(graph.tensors)[-1]]
    more = [*graph.tensors, *graph.constants]
    outputs += random.sample(more, min(len(more), random.choice((0, 0, 1, 3))))
    return graph.model(list(dict.fromkeys(outputs))), graph.inputs


def _case(graph: Graph, pieces: Sequence[Piece]) -> None:
    """One or more operators of the suite."""
    piece, random = graph.random.choice(pieces), graph.random
    reads = [_operand(graph, array) for array in piece.given]
    names = [graph.name("f") for _ in piece.found]
    graph.functions[piece.function.name] = piece.function
    graph.nodes.append(Node(piece.function.name, reads, names, domain=OWN))
    for name, array in zip(names, piece.found, strict=True):
        if random.random() < 0.9:
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            graph.declared[name] = helper.make_tensor_value_info(name, kind, array.shape)
        if array.dtype == np.float32:
            graph.tensors[name] = array.shape
        elif array.dtype.kind in "biuf":
            graph.add("Cast", [name], array.shape, to=TensorProto.FLOAT)


def _operand(graph: Graph, array: Array) -> str:
    random, dtype = graph.random, array.dtype
    if dtype.kind == "f" and random.random() < 0.6:
        name = graph.shaped(graph.some(), array.shape)
        if dtype == np.float32:
            return name
        graph.nodes.append(
            Node("Cast", [name], [cast := graph.name()], to=helper.np_dtype_to_tensor_dtype(dtype))
        )
        return cast
    if dtype.kind == "f" and random.random() < 0.5:
        with np.errstate(all="ignore"):
            array = graph.floats(array.shape).astype(dtype)
    elif dtype.kind in "iu" and array.size and random.random() < 0.15:
        array = array.copy()
        place, wrong = random.randrange(array.size), random.choice((0, 1, 2, -1, 5, 100))
        array.reshape(-1)[place] = np.array(wrong).astype(dtype)
    if random.random() < (0.7 if dtype.kind in "iub" else 0.4):
        return graph.constant(array)
    graph.inputs[name := graph.name("x")] = array
    return name


def _chain(graph: Graph, pieces: Sequence[Piece]) -> None:
    """Steps on each element: what may be fused, and what just must not be."""
    random, name = graph.random, graph.some()
    for _ in range(random.choice((1, 2, 3, 5))):
        shape = graph.tensors[name]
        if random.random() < 0.55:
            name = graph.add(random.choice(UNARY), [name], shape)
            continue
        operator = random.choice(BINARY[:4] if random.random() < 0.8 else BINARY)
        given = {"fmod": 1} if operator == "Mod" else {}
        pair = [name, _other(graph, name, shape)]
        if random.random() < 0.3:
            pair.reverse()
        name = graph.add(operator, pair, shape, **given)


def _other(graph: Graph, name: str, shape: tuple[int, ...]) -> str:
    """A number, a row, a column, a channel, a tensor: of before, or the very same."""
    random = graph.random
    kind = random.choice(("number", "row", "channel", "full", "column", "same", "earlier"))
    if kind == "same":
        return name
    if kind == "earlier":
        return graph.shaped(graph.some(), shape)
    lengths: tuple[int, ...] = {
        "number": random.choice(((), (1,), (1,) * len(shape))),
        "row": shape[-1:],
        "channel": (*shape[1:2], *(1,) * max(len(shape) - 2, 0)),
        "column": (*shape[:-1], 1) if shape else (),
        "full": shape,
    }[kind]
    return graph.constant(graph.floats(lengths))


def _product(graph: Graph, pieces: Sequence[Piece]) -> None:
    """A product with constants or of two tensors of the run, and what often follows."""
    random = graph.random
    rows, length, columns = (random.choice((1, 2, 5, 16, 33, 70)) for _ in range(3))
    if random.random() < 0.03:
        length = 2100
    lead = random.choice(((), (2,), (2, 3)))
    x = graph.shaped(graph.some(), (*lead, rows, length))
    if random.random() < 0.3:
        shape = (*random.choice(((), (1,), lead)), length, columns)
        right = graph.shaped(graph.some(), shape)
        name = graph.add("MatMul", [x, right], (*lead, rows, columns))
    elif random.random() < 0.5 or lead:
        right = graph.constant(graph.floats((length, columns)))
        name = graph.add("MatMul", [x, right], (*lead, rows, columns))
    else:
        flip = random.choice((0, 1))
        right = graph.constant(graph.floats((columns, length) if flip else (length, columns)))
        bias = graph.constant(graph.floats(random.choice(((), (1,), (columns,), (rows, 1)))))
        given = {"alpha": random.choice((1.0, 0.3)), "beta": random.choice((1.0, -2.0))}
        name = graph.add("Gemm", [x, right, bias], (rows, columns), transB=flip, **given)
    _after(graph, name)


def _after(graph: Graph, name: str) -> None:
    random, shape = graph.random, graph.tensors[name]
    if random.random() < 0.6:
        name = graph.add("Add", [name, graph.constant(graph.floats(shape[-1:]))], shape)
    if random.random() < 0.6:
        name = graph.add(random.choice(UNARY), [name], shape)
    if random.random() < 0.4:
        name = graph.add("Add", [name, graph.shaped(graph.some(), shape)], shape)
    if random.random() < 0.3:
        graph.add("Softmax", [name], shape, axis=random.choice((-1, 0)))


def _convolution(graph: Graph, pieces: Sequence[Piece]) -> None:
    """A convolution, and what often follows."""
    random = graph.random
    groups = random.choice((1, 1, 2, 8))
    channels, maps = (groups * random.choice((1, 2, 3, 8)) for _ in range(2))
    if random.random() < 0.2:
        groups = channels = maps = random.choice((8, 16, 24))
    side, size = random.choice((1, 5, 8, 11)), random.choice((1, 2, 3, 3))
    x = graph.shaped(graph.some(), (random.choice((1, 2)), channels, side, side + 1))
    given = {
        "pads": [random.choice((0, 1, 2)) for _ in range(4)],
        "strides": [random.choice((1, 1, 2))] * 2,
        "dilations": [random.choice((1, 1, 2)) for _ in range(2)],
    }
    lengths = [
        (length + before + after - dilation * (size - 1) - 1) // given["strides"][0] + 1
        for length, before, after, dilation in zip(
            (side, side + 1), given["pads"][:2], given["pads"][2:], given["dilations"], strict=True
        )
    ]
    if min(lengths) < 1:
        return
    shape = (graph.tensors[x][0], maps, *lengths)
    kernels = graph.constant(graph.floats((maps, channels // groups, size, size)))
    bias = [graph.constant(graph.floats((maps,)))] * random.choice((0, 1))
    name = graph.add("Conv", [x, kernels, *bias], shape, group=groups, **given)
    if random.random() < 0.5:
        rows = [graph.constant(graph.floats((maps,))) for _ in range(3)]
        rows.append(graph.constant(np.abs(graph.floats((maps,)))))
        name = graph.add("BatchNormalization", [name, *rows], shape)
    if random.random() < 0.5:
        ends = [graph.constant(np.array(end, np.float32)) for end in (0.0, 6.0)]
        name = random.choice(
            (
                lambda: graph.add(random.choice(UNARY), [name], shape),
                lambda: graph.add("Clip", [name, *ends], shape),
            )
        )()
    if random.random() < 0.4:
        name = graph.add("Add", [name, graph.shaped(graph.some(), shape)], shape)
    if random.random() < 0.3:
        graph.add("GlobalAveragePool", [name], (*shape[:2], 1, 1))


def _normalisation(graph: Graph, pieces: Sequence[Piece]) -> None:
    """A layer normalisation as single nodes, as exporters write it."""
    name = graph.some()
    shape = graph.tensors[name]
    if len(shape) < 2 or not prod(shape):
        return
    thin = (*shape[:-1], 1)
    axes = graph.constant(np.array([-1]))
    mean = graph.add("ReduceMean", [name, axes], thin)
    centred = graph.add("Sub", [name, mean], shape)
    two = graph.constant(np.array(2, np.float32))
    square = graph.add("Pow", [centred, two], shape)
    variance = graph.add("ReduceMean", [square, axes], thin)
    epsilon = graph.constant(np.array(graph.random.choice((1e-5, 0.0)), np.float32))
    root = graph.add("Sqrt", [graph.add("Add", [variance, epsilon], thin)], thin)
    result = graph.add("Div", [centred, root], shape)
    scale = graph.constant(graph.floats(shape[-1:]))
    _after(graph, graph.add("Mul", [result, scale], shape))


def _body(graph: Graph, pieces: Sequence[Piece]) -> None:
    """A branch, a loop or a scan around some steps, which read what is around them, too."""
    random, name = graph.random, graph.some()
    shape = graph.tensors[name]
    kind = random.choice(("If", "Loop", "Scan"))
    if kind == "Scan" and not (shape and prod(shape)):
        return
    inner_shape = shape[1:] if kind == "Scan" else shape
    start = graph.shaped(graph.some(), inner_shape) if kind == "Scan" else name
    bodies = [_inner(graph, kind, name, start, inner_shape) for _ in range(2)]
    flag = graph.constant(np.array(random.choice((True, True, False))))
    if random.random() < 0.5:
        graph.inputs[flag := graph.name("x")] = np.array(random.choice((True, False)))
    if kind == "If":
        graph.add("If", [flag], shape, then_branch=bodies[0], else_branch=bodies[1])
        return
    count = random.choice((0, 1, 3))
    results = [graph.name(), graph.name()]
    if kind == "Loop":
        trips = graph.constant(np.array(count))
        if random.random() < 0.3:
            graph.inputs[trips := graph.name("x")] = np.array(count)
        graph.nodes.append(Node("Loop", [trips, flag, name], results, body=bodies[0]))
        graph.tensors[results[0]] = shape
        return
    graph.nodes.append(Node("Scan", [start, name], results, body=bodies[0], num_scan_inputs=1))
    graph.tensors |= {results[0]: inner_shape, results[1]: shape}


def _inner(
    graph: Graph, kind: str, name: str, start: str, shape: tuple[int, ...]
) -> onnx.GraphProto:
    random = graph.random
    inner = Graph(random, graph.array, count=graph.count + 1000)
    value = partial(helper.make_tensor_value_info, elem_type=TensorProto.FLOAT, shape=shape)
    formal, extra = [], []
    if kind == "If":
        inner.tensors[name] = graph.tensors[name]
        current = name
    elif kind == "Loop":
        current = inner.name("v")
        number, going = inner.name("i"), inner.name("g")
        formal = [
            helper.make_tensor_value_info(number, TensorProto.INT64, ()),
            helper.make_tensor_value_info(going, TensorProto.BOOL, ()),
            value(current),
        ]
        inner.nodes.append(Node("Identity", [going], [went := inner.name("g")]))
        extra = [helper.make_tensor_value_info(went, TensorProto.BOOL, ())]
    else:
        current, part = inner.name("v"), inner.name("v")
        formal = [value(current), value(part)]
        inner.tensors[part] = shape
    inner.tensors[current] = shape
    around = [each for each, lengths in graph.tensors.items() if lengths == shape]
    if around and random.random() < 0.7:
        inner.tensors[random.choice(around)] = shape
    for _ in range(random.choice((1, 2, 3))):
        other = random.choice(list(inner.tensors))
        if random.random() < 0.5 or inner.tensors[other] != shape:
            current = inner.add(random.choice(UNARY), [current], shape)
        else:
            current = inner.add(random.choice(BINARY[:4]), [current, other], shape)
    result = inner.name("r")
    inner.nodes.append(Node("Identity", [current], [result]))
    outputs = [*extra, value(result)]
    if kind != "If":
        inner.nodes.append(Node("Neg", [current], [stack := inner.name("r")]))
        outputs.append(value(stack))
    return helper.make_graph(inner.nodes, "body", formal, outputs)


Step = Callable[[Graph, Sequence[Piece]], None]
STEPS: tuple[tuple[Step, ...], tuple[int, ...]] = (
    (_case, _chain, _product, _convolution, _normalisation, _body),
    (8, 4, 3, 3, 1, 2),
)
"""What a graph grows by, and how often."""
