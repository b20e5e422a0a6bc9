"""Node by node: where errors against binary64 arise, ours and onnxruntime's."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

import ai_exec
from ai_exec.deviation import exact_values
from ai_exec.tensor import Tensor
from tests.accuracy.binary64 import Binary64
from tests.accuracy.measure import LIMITS, relative_error

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class NodeError:
    """Our errors at one node's first output, relative to its largest magnitude."""

    operator: str
    output: str
    so_far: float
    """Against a binary64 run of the whole model."""
    alone: float
    """Against this node in binary64 on our own inputs."""


def node_errors(model: onnx.ModelProto, inputs: Tensors) -> tuple[NodeError, ...]:
    """Give the errors of all nodes of the top graph with float32 results, in the order of a run."""
    program = ai_exec.admit(model.SerializeToString(), LIMITS).program
    assert program is not None
    ours = exact_values(program, inputs)
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    del shown.graph.output[:]
    nodes = [
        node
        for node in model.graph.node
        if node.output[0] in ours and ours[node.output[0]].dtype == np.float32
    ]
    shown.graph.output.extend(onnx.ValueInfoProto(name=node.output[0]) for node in nodes)
    exact = Binary64(shown).run(inputs)
    found = []
    for node in nodes:
        name = node.output[0]
        if all(one in ours for one in node.input if one):
            alone = relative_error(_alone(model, node, ours), ours[name])
            so_far = relative_error(exact[name], ours[name])
            found.append(NodeError(node.op_type, name, so_far, alone))
    return tuple(found)


def _alone(model: onnx.ModelProto, node: onnx.NodeProto, values: Tensors) -> Tensor:
    """Run one node in binary64 on the values that it has in our run."""
    names = [name for name in dict.fromkeys(node.input) if name]
    graph = helper.make_graph(
        [node],
        "alone",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(values[name].dtype), values[name].shape
            )
            for name in names
        ],
        [onnx.ValueInfoProto(name=node.output[0])],
    )
    alone = helper.make_model(graph, opset_imports=model.opset_import, functions=model.functions)
    alone.ir_version = model.ir_version
    given = {name: values[name] for name in names}
    return Binary64(alone).run(given)[node.output[0]]
