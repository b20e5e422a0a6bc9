"""Right graphs whose first axis is open, and what runs of different lengths must have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
import onnx
from onnx import TensorProto, helper

import ai_exec
from ai_exec.tensor import Tensor
from tests.hostile.graphs import UNARY, Graph
from tests.hostile.trial import told

AXIS = "n"
LENGTHS = (0, 1, 2, 3, 5, 8)
BOUND = LENGTHS[-1]


@dataclass(frozen=True)
class OpenGraph:
    """A model, and its input at the greatest length."""

    content: bytes
    name: str
    tensor: Tensor

    def at(self, length: int) -> bytes:
        """Give the model with the axis closed."""
        model = onnx.load_from_string(self.content)
        dimension = model.graph.input[0].type.tensor_type.shape.dim[0]
        dimension.dim_value = length
        return bytes(model.SerializeToString())


def random_open_graph(random: Random) -> OpenGraph:
    """Give a graph that keeps its open axis in front."""
    graph = Graph(random, np.random.default_rng(random.randrange(1 << 32)))
    name = graph.name("x")
    tensor = graph.floats((BOUND, *(random.choice((1, 3, 7, 17)) for _ in range(2))))
    graph.tensors[name] = tensor.shape
    current = name
    for _ in range(random.choice((2, 4, 7))):
        current = random.choice(STEPS)(graph, current)
    model = onnx.load_from_string(graph.model([current]))
    model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, tensor.shape))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = AXIS
    return OpenGraph(bytes(model.SerializeToString()), name, tensor)


def judge_open_graph(number: int) -> tuple[str, str]:
    """Run the graph of a number at many lengths, in any order; a word, and what went wrong."""
    random = Random(f"open {number}")
    graph = random_open_graph(random)
    admission = ai_exec.admit(graph.content, bounds={AXIS: BOUND})
    if admission.program is None:
        return "refused", admission.reasons[0]
    kept = ai_exec.compile(admission.program, "fast")
    word = "ran"
    for length in random.choices(LENGTHS, k=8):
        given = {graph.name: graph.tensor[:length].copy()}
        found = _outcome(kept, given)
        anew = _outcome(ai_exec.compile(admission.program, "reference"), given)
        if found != anew:
            return "failed", f"at {length}: {found} after other lengths, {anew} anew"
        closed = ai_exec.admit(graph.at(length))
        if closed.program is None:
            word = "trapped"
            if not found.startswith("trap"):
                return "failed", f"at {length}: {found}, but closed {closed.reasons[0]}"
        elif _outcome(ai_exec.compile(closed.program, "fast"), given) != found:
            return "failed", f"at {length}: {found}, otherwise if closed"
    return word, ""


def _outcome(executable: ai_exec.Executable, inputs: dict[str, Tensor]) -> str:
    try:
        return told(executable.run(inputs))
    except ai_exec.Trap as trap:
        return f"trap: {trap}"
    except Exception as error:
        # A border: that an engine raises is what this looks for.
        return f"raised {error!r}"


def _unary(graph: Graph, name: str) -> str:
    return graph.add(graph.random.choice(UNARY), [name], graph.tensors[name])


def _row(graph: Graph, name: str) -> str:
    shape = graph.tensors[name]
    row = graph.constant(graph.floats(graph.random.choice((shape[-1:], shape[1:], ()))))
    return graph.add(graph.random.choice(("Add", "Mul", "Sub", "Div")), [name, row], shape)


def _itself(graph: Graph, name: str) -> str:
    made = _unary(graph, name)
    pair = [made, name] if graph.random.random() < 0.5 else [name, made]
    return graph.add(graph.random.choice(("Add", "Mul", "Max")), pair, graph.tensors[name])


def _product(graph: Graph, name: str) -> str:
    shape = graph.tensors[name]
    columns = graph.random.choice((1, 5, 16, 40))
    right = graph.constant(graph.floats((shape[-1], columns)))
    return graph.add("MatMul", [name, right], (*shape[:-1], columns))


def _scores(graph: Graph, name: str) -> str:
    """A product with the tensor itself, turned."""
    shape = graph.tensors[name]
    turned = graph.add("Transpose", [name], (shape[0], shape[2], shape[1]), perm=[0, 2, 1])
    return graph.add("MatMul", [name, turned], (shape[0], shape[1], shape[1]))


def _softmax(graph: Graph, name: str) -> str:
    axis = graph.random.choice((-1, 1, 0))
    return graph.add("Softmax", [name], graph.tensors[name], axis=axis)


def _mean(graph: Graph, name: str) -> str:
    shape = graph.tensors[name]
    axes = graph.constant(np.array([graph.random.choice((-1, 1))]))
    mean = graph.add("ReduceMean", [name, axes], (*shape[:-1], 1))
    return graph.add("Sub", [name, mean], shape)


def _reshaped(graph: Graph, name: str) -> str:
    """There and back, by a shape that is computed."""
    shape = graph.tensors[name]
    lengths = graph.add("Shape", [name], (len(shape),))
    flat = graph.add("Reshape", [name, graph.constant(np.array([-1]))], (-1,))
    for each in (lengths, flat):
        del graph.tensors[each]
    return graph.add("Reshape", [flat, lengths], shape)


def _spread(graph: Graph, name: str) -> str:
    """What is added has as many rows as there are, computed from the shape."""
    shape = graph.tensors[name]
    lengths = graph.add("Shape", [name], (len(shape),))
    row = graph.constant(graph.floats(shape[-1:]))
    wide = graph.add("Expand", [row, lengths], shape)
    del graph.tensors[lengths]
    return graph.add("Add", [name, wide], shape)


def _positions(graph: Graph, name: str) -> str:
    """Rows of a table, as many as there are."""
    shape = graph.tensors[name]
    count = graph.add("Shape", [name], (1,), start=0, end=1)
    start, axes = (graph.constant(np.array([0])) for _ in range(2))
    table = graph.constant(graph.floats((BOUND + 2, *shape[1:])))
    rows = graph.add("Slice", [table, start, count, axes], shape)
    del graph.tensors[count]
    return graph.add("Add", [name, rows], shape)


def _twice(graph: Graph, name: str) -> str:
    """Longer on the way, and shorter again."""
    shape = graph.tensors[name]
    longer = graph.add("Concat", [name, name], shape, axis=0)
    count = graph.add("Shape", [name], (1,), start=0, end=1)
    start, axes = (graph.constant(np.array([0])) for _ in range(2))
    shorter = graph.add("Slice", [longer, start, count, axes], shape)
    for each in (longer, count):
        del graph.tensors[each]
    return shorter


def _half(graph: Graph, name: str) -> str:
    shape = graph.tensors[name]
    half = graph.add("Cast", [name], shape, to=TensorProto.FLOAT16)
    factor = graph.constant(graph.floats(shape[-1:]).astype(np.float16))
    made = graph.add("Mul", [half, factor], shape)
    for each in (half, made):
        del graph.tensors[each]
    return graph.add("Cast", [made], shape, to=TensorProto.FLOAT)


STEPS: tuple[Callable[[Graph, str], str], ...] = (
    *(_unary, _row, _itself, _product, _scores, _softmax, _mean),
    *(_reshaped, _spread, _positions, _twice, _half),
)
"""What a graph grows by."""
