"""Where onnxruntime's float32 leaves the exact result, node by node.

`so far` compares onnxruntime's value inside its own run of the whole model, `own` what onnxruntime
makes of this node alone from the exact inputs.  Both are relative to the largest magnitude of the
exact value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

from ai_exec.engines import compile
from ai_exec.explanation import title
from ai_exec.program import Program
from ai_exec.tensor import Tensor, TensorType

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far onnxruntime is from the exact result at one node."""

    node: int
    """Its place in the order of a run."""
    operator: str
    output: str
    """Name of the tensor that deviates most."""
    so_far: float | None
    """In onnxruntime's own run; None if it does not show this tensor."""
    own: float | None
    """Of this node alone on exact inputs; None if onnxruntime cannot run it alone."""


def deviations(model: bytes, program: Program, inputs: Tensors) -> tuple[Deviation, ...]:
    """Compare every floating-point result of a run with onnxruntime's."""
    exact = exact_values(program, inputs)
    theirs = _whole_run(model, exact, inputs)
    parsed = onnx.load_from_string(model)
    by_output = {name: node for node in parsed.graph.node for name in node.output if name}
    found = []
    for index, node in enumerate(program.nodes):
        names = [name for name in node.outputs if name and exact[name].dtype.kind == "f"]
        if not names:
            continue
        alone = _alone(parsed, by_output.get(names[0]), exact)
        so_far = {name: _relative(exact[name], theirs.get(name)) for name in names}
        own = {name: _relative(exact[name], alone.get(name)) for name in names}
        name = max(names, key=lambda name: (so_far[name] or 0.0, own[name] or 0.0))
        found.append(Deviation(index, title(node), name, so_far[name], own[name]))
    return tuple(found)


def largest_by_operator(found: Iterable[Deviation]) -> tuple[tuple[str, int, Deviation], ...]:
    """Give for every operator how many nodes it has, and the one that deviates most of itself."""
    groups: dict[str, list[Deviation]] = {}
    for deviation in found:
        groups.setdefault(deviation.operator, []).append(deviation)
    worst = [
        (name, len(group), max(group, key=lambda one: (one.own or 0.0, one.so_far or 0.0)))
        for name, group in groups.items()
    ]
    return tuple(sorted(worst, key=lambda row: -(row[2].own or 0.0)))


def exact_values(program: Program, inputs: Tensors) -> dict[str, Tensor]:
    """Give every tensor of a run by name, inputs and constants too."""
    names = [name for node in program.nodes for name in node.outputs if name]
    shown = tuple(
        TensorType(name, program.operands[name].dtype, program.operands[name].shape)
        for name in dict.fromkeys(names)
    )
    found = compile(replace(program, outputs=shown)).run(inputs)
    return {**program.constants, **inputs, **found}


def _whole_run(model: bytes, exact: Tensors, inputs: Tensors) -> dict[str, Tensor]:
    shown = onnx.load_from_string(model)
    del shown.graph.output[:]
    names = [
        name
        for node in shown.graph.node
        for name in node.output
        if name in exact and exact[name].dtype.kind == "f"
    ]
    shown.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return _onnxruntime(shown, names, inputs)


def _alone(
    model: onnx.ModelProto, node: onnx.NodeProto | None, exact: Tensors
) -> dict[str, Tensor]:
    """Run one node by onnxruntime on exact inputs; give nothing if that cannot be done."""
    if node is None or any(attribute.HasField("g") for attribute in node.attribute):
        return {}
    reads = [name for name in dict.fromkeys(node.input) if name]
    if not all(name in exact for name in reads):
        return {}
    graph = helper.make_graph(
        [node],
        "alone",
        [],
        [onnx.ValueInfoProto(name=name) for name in node.output if name],
        [numpy_helper.from_array(np.asarray(exact[name]), name) for name in reads[1:]],
    )
    for name in reads[:1]:
        kind = helper.np_dtype_to_tensor_dtype(exact[name].dtype)
        graph.input.append(helper.make_tensor_value_info(name, kind, exact[name].shape))
    alone = helper.make_model(graph, opset_imports=model.opset_import)
    alone.ir_version = model.ir_version
    names = [name for name in node.output if name]
    return _onnxruntime(alone, names, {name: exact[name] for name in reads[:1]})


def _onnxruntime(
    model: onnx.ModelProto, names: Sequence[str], inputs: Tensors
) -> dict[str, Tensor]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session: Any = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))
    except Exception:
        # A border: this library's errors have no common class.
        return {}


def _relative(exact: Tensor, other: Tensor | None) -> float | None:
    """Give the largest deviation, relative to the largest finite magnitude."""
    if other is None or other.shape != exact.shape or other.dtype != exact.dtype:
        return None
    ours, theirs = exact.astype(np.float64), other.astype(np.float64)
    finite = np.isfinite(ours) & np.isfinite(theirs)
    if not finite.any():
        return 0.0
    scale = float(np.abs(ours[finite]).max()) or 1.0
    return float(np.abs(ours[finite] - theirs[finite]).max()) / scale
