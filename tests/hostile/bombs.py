"""Small models that ask for much: depth, length, time, memory."""

from collections.abc import Callable
from random import Random

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.hostile import wire

LENGTHS = (0, 1, 2, 3, 7, 64, 4097, 1 << 16, 1 << 20, 1 << 24, (1 << 24) + 1, 1 << 31, 1 << 62)


def deep_subgraphs(random: Random) -> bytes:
    """If in If in If."""
    depth = random.choice((1, 3, 8, 50, 99, 101, 1_000, 4_000))
    inner = wire.graph([wire.node("Relu", ["x"], ["y0"])], outputs=[wire.value("y0")])
    for level in range(1, depth + 1):
        branch = [wire.graph_attribute(name, inner) for name in ("then_branch", "else_branch")]
        if depth > 8:
            branch = branch[:1]
        inner = wire.graph(
            [wire.node("If", ["c"], [f"y{level}"], branch)], outputs=[wire.value(f"y{level}")]
        )
    inputs = [wire.value("c", TensorProto.BOOL, ()), wire.value("x")]
    return wire.model(inner + b"".join(wire.part(11, item) for item in inputs))


def deep_types(random: Random) -> bytes:
    """Sequences of sequences of sequences."""
    kind = wire.tensor_type(1, (2,))
    field = random.choice((4, 9))
    for _ in range(random.choice((1, 5, 100, 5_000))):
        kind = wire.part(field, wire.part(1, kind))
    declared = wire.part(1, "x") + wire.part(2, kind)
    return wire.model(
        wire.graph([wire.node("Identity")], inputs=[declared], outputs=[wire.value("y")])
    )


def deep_loops(random: Random) -> bytes:
    """Loops in loops, each with many rounds."""
    rounds = random.choice((2, 10, 1_000, 1 << 31, (1 << 63) - 1))
    depth = random.choice((1, 2, 4, 7, 30))
    trips = wire.part(8, "n") + wire.whole(2, 7) + wire.part(9, rounds.to_bytes(8, "little"))
    inner = [wire.node("Add", ["v0", "v0"], ["w0"])]
    for level in range(depth):
        body = wire.graph(
            [*inner, wire.node("Identity", [f"c{level}"], [f"d{level}"])],
            inputs=[
                wire.value(f"i{level}", 7, ()),
                wire.value(f"c{level}", 9, ()),
                wire.value(f"v{level}"),
            ],
            outputs=[wire.value(f"d{level}", 9, ()), wire.value(f"w{level}")],
        )
        reads = ["n", "", f"v{level + 1}"]
        attribute = wire.graph_attribute("body", body)
        inner = [wire.node("Loop", reads, [f"w{level + 1}"], [attribute])]
    return wire.model(
        wire.graph(
            inner,
            inputs=[wire.value(f"v{depth}")],
            outputs=[wire.value(f"w{depth}")],
            initialisers=[trips],
        )
    )


def functions(random: Random) -> bytes:
    """Functions that call functions: a chain, a doubling one, a ring, themselves."""
    count = random.choice((1, 2, 12, 40, 1_000))
    ring = random.random() < 0.3
    twice = random.random() < 0.5
    bodies = []
    for index in range(count):
        following = (index + 1) % count if ring else index + 1
        if following == count:
            nodes = [wire.node("Relu", ["x"], ["y"])]
        else:
            callee = f"f{following}"
            nodes = [wire.node(callee, ["x"], ["t"], domain="local")]
            nodes += [wire.node(callee if twice else "Relu", ["t"], ["y"], domain="local" * twice)]
        body = wire.part(1, f"f{index}") + wire.part(4, "x") + wire.part(5, "y")
        body += b"".join(wire.part(7, item) for item in nodes)
        body += wire.part(9, wire.whole(2, 21)) + wire.part(9, wire.part(1, "local"))
        bodies.append(body + wire.part(10, "local"))
    call = wire.node("f0", ["x"], ["y"], domain="local")
    graph = wire.graph([call], inputs=[wire.value("x")], outputs=[wire.value("y")])
    return wire.model(graph, bodies)


def many_parts(random: Random) -> bytes:
    """Nodes, attributes, inputs or initialisers in thousands, or very long names."""
    count = random.choice((100, 257, 1_000, 10_001, 60_000))
    what = random.choice(("nodes", "attributes", "operands", "initialisers", "name", "outputs"))
    nodes = [wire.node("Relu")]
    initialisers = []
    if what == "nodes":
        names = ["x", *(f"t{index}" for index in range(count - 1)), "y"]
        nodes = [wire.node("Relu", names[i : i + 1], names[i + 1 : i + 2]) for i in range(count)]
    elif what == "attributes":
        attributes = [wire.whole_attribute(f"a{index}", index) for index in range(count)]
        nodes = [wire.node("Relu", attributes=attributes)]
    elif what == "operands":
        nodes = [wire.node("Sum", ["x"] * count)]
    elif what == "outputs":
        nodes = [wire.node("Split", ["x"], ["y", *(f"t{index}" for index in range(count))])]
    elif what == "initialisers":
        initialisers = [wire.part(8, f"t{index}") + wire.whole(2, 1) for index in range(count)]
    else:
        name = random.choice(("x", "\N{SNOWMAN}", "\0", "\\", "\u202e")) * count
        nodes = [wire.node("Relu", ["x"], [name]), wire.node("Relu", [name], ["y"])]
    graph = wire.graph(nodes, [wire.value("x")], [wire.value("y")], initialisers)
    return wire.model(graph)


def million_nodes(random: Random) -> bytes:
    """As many nodes as a file can have."""
    graph = wire.part(1, wire.node("Relu")) * random.choice((100_000, 1_000_000))
    return wire.model(graph)


def shapes(random: Random) -> bytes:
    """Inputs and results of absurd shapes."""
    shape = [random.choice(LENGTHS) for _ in range(random.choice((0, 1, 2, 4, 8, 9, 64, 65)))]
    if random.random() < 0.2:
        shape = [-length for length in shape]
    operator = random.choice(("Relu", "Shape", "NonZero", "Flatten", "Transpose", "Softmax"))
    dtype = random.choice((1, 1, 1, 0, 2, 8, 11, 16, 23, 99, 1 << 40))
    graph = wire.graph(
        [wire.node(operator)], [wire.value("x", dtype, shape)], [wire.value("y", dtype, shape)]
    )
    return wire.model(graph)


def doubling(random: Random) -> bytes:
    """Results that double with each node."""
    operator = random.choice(("Concat", "Add", "MatMul", "Einsum", "Sum"))
    count = random.choice((5, 20, 40, 200))
    nodes = []
    for index in range(count):
        attributes: dict[str, object] = {}
        if operator == "Concat":
            attributes = {"axis": random.choice((0, 1, -1))}
        elif operator == "Einsum":
            attributes = {"equation": random.choice(("ab,cd->abcd", "ij,jk->ik", "ab,ab->", "..."))}
        nodes.append(helper.make_node(operator, [f"t{index}"] * 2, [f"t{index + 1}"], **attributes))
    shape = [random.choice((1, 2, 64, 1024))] * 2
    return _model(nodes, [("t0", 1, shape)], [f"t{count}"], {})


def cost(random: Random) -> bytes:
    """One node whose attributes or constants ask for much work."""
    return random.choice(_COSTLY)(random)


def _expand(random: Random) -> bytes:
    operator = random.choice(("Expand", "Tile", "ConstantOfShape", "Reshape"))
    shape = [random.choice(LENGTHS[:-2]) for _ in range(random.choice((1, 2, 3)))]
    reads = ["s"] if operator == "ConstantOfShape" else ["x", "s"]
    node = helper.make_node(operator, reads, ["y"])
    given = [("x", 1, [1] * len(shape))]
    return _model([node], given, ["y"], {"s": np.array(shape, np.int64)})


def _range(random: Random) -> bytes:
    numbers = (0, 1, -1, 1 << 24, 1 << 40, (1 << 63) - 1, -(1 << 63))
    constants = {name: np.array(random.choice(numbers), np.int64) for name in "abc"}
    if random.random() < 0.5:
        floats = (0.0, 1e-30, 1e30, float("nan"), float("inf"), -1.0)
        constants = {name: np.array(random.choice(floats), np.float32) for name in "abc"}
    return _model([helper.make_node("Range", ["a", "b", "c"], ["y"])], [], ["y"], constants)


def _convolution(random: Random) -> bytes:
    big = (1, 3, 100, 1 << 16, 1 << 31, (1 << 63) - 1)
    operator = random.choice(("Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool"))
    attributes = {
        name: [random.choice(big) for _ in range(length)]
        for name, length in (("kernel_shape", 2), ("strides", 2), ("dilations", 2), ("pads", 4))
        if random.random() < 0.6 or name == "kernel_shape"
    }
    kernel = [min(length, 100) for length in attributes["kernel_shape"]]
    reads = ["x", "w"] if operator.startswith("Conv") else ["x"]
    node = helper.make_node(operator, reads, ["y"], **attributes)
    constants = {"w": np.zeros([1, 1, *kernel], np.float32)} if len(reads) > 1 else {}
    side = random.choice((1, 10, 100, 4096))
    return _model([node], [("x", 1, [1, 1, side, side])], ["y"], constants)


def _resize(random: Random) -> bytes:
    scales = (1.0, 2.0, 1e3, 1e30, 1e-30, 0.0, -1.0, float("nan"), float("inf"))
    node = helper.make_node(
        "Resize",
        ["x", "", "scales"],
        ["y"],
        mode=random.choice(("nearest", "linear", "cubic")),
        antialias=random.choice((0, 1)),
    )
    scale = np.array([1, 1, random.choice(scales), random.choice(scales)], np.float32)
    side = random.choice((1, 16, 1024))
    return _model([node], [("x", 1, [1, 1, side, side])], ["y"], {"scales": scale})


def _matmul(random: Random) -> bytes:
    rows, inner, columns = (random.choice((0, 1, 1024, 8192, 1 << 20, 1 << 24)) for _ in range(3))
    given = [("a", 1, [rows, inner]), ("b", 1, [inner, columns])]
    return _model([helper.make_node("MatMul", ["a", "b"], ["y"])], given, ["y"], {})


def _choice(random: Random) -> bytes:
    many = random.choice((1, 1000, 100_000, 1 << 22))
    if random.random() < 0.5:
        node = helper.make_node("NonMaxSuppression", ["b", "s", "n"], ["y"])
        given = [("b", 1, [1, many, 4]), ("s", 1, [1, random.choice((1, 80)), many])]
        constants = {"n": np.array([random.choice((0, -1, 5, 1 << 62))], np.int64)}
        return _model([node], given, ["y"], constants)
    node = helper.make_node("TopK", ["x", "k"], ["y", "i"], axis=random.choice((-1, 0, 9)))
    constants = {"k": np.array([random.choice((0, -1, 1, many, many + 1, 1 << 62))], np.int64)}
    return _model([node], [("x", 1, [many])], ["y"], constants)


def _one_hot(random: Random) -> bytes:
    constants = {
        "d": np.array(random.choice((0, -1, 10, 1 << 24, 1 << 31, 1 << 62)), np.int64),
        "v": np.array([0, 1], np.float32),
    }
    node = helper.make_node("OneHot", ["x", "d", "v"], ["y"], axis=random.choice((-1, 0, 5)))
    return _model([node], [("x", 7, [random.choice((1, 1000, 1 << 20))])], ["y"], constants)


def _folded(random: Random) -> bytes:
    """Work at admission: constants that keep on growing through many nodes."""
    count = random.choice((10, 1_000, 9_000))
    operator = random.choice(("Exp", "Mul", "MatMul", "Erf"))
    side = random.choice((1, 30, 64, 512))
    nodes = []
    for index in range(count):
        reads = [f"t{index}"] * (2 if operator in ("Mul", "MatMul") else 1)
        nodes.append(helper.make_node(operator, reads, [f"t{index + 1}"]))
    start = {"t0": np.full((side, side), 0.5, np.float32)}
    return _model(nodes, [], [f"t{count}"], start)


_COSTLY: tuple[Callable[[Random], bytes], ...] = (
    _expand,
    _range,
    _convolution,
    _resize,
    _matmul,
    _choice,
    _one_hot,
    _folded,
)

BOMBS: tuple[Callable[[Random], bytes], ...] = (
    deep_subgraphs,
    deep_types,
    deep_loops,
    functions,
    many_parts,
    shapes,
    doubling,
    cost,
    cost,
)


def _model(
    nodes: list[onnx.NodeProto],
    inputs: list[tuple[str, int, list[int]]],
    outputs: list[str],
    constants: dict[str, np.ndarray],
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, dtype, shape) for name, dtype, shape in inputs],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10
    ).SerializeToString()
