"""Evaluates an ONNX model in binary64: every float32 number, type and cast becomes float64."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from onnx.reference.ops import op_conv
from onnx.reference.ops.aionnxml import op_tree_ensemble_classifier as trees
from onnx.reference.ops.aionnxml.op_tree_ensemble_helper import TreeEnsemble

from ai_exec.tensor import Tensor

Tensors = Mapping[str, Tensor]
TYPE_ATTRIBUTES = ("to", "dtype", "output_datatype")
"""Attributes that name the element type of a result."""


class NotWide(Exception):
    """The evaluator computed something in float32, so nothing can be measured by it.

    The message names the tensors: give their operator a class of its own here.
    """


class Binary64:
    """A model made ready to be evaluated."""

    def __init__(self, model: onnx.ModelProto) -> None:
        wide = widened(model)
        known = {one.name for one in wide.functions}
        faster = [one for one in (Conv, TreeEnsembleClassifier) if one.__name__ not in known]
        self._names = [output.name for output in wide.graph.output]
        self._evaluator = ReferenceEvaluator(wide, new_ops=faster)

    def run(self, inputs: Tensors) -> dict[str, Tensor]:
        """Give the outputs by name as binary64 arithmetic has them; raises NotWide."""
        given = {name: _wide_array(value) for name, value in inputs.items()}
        with np.errstate(all="ignore"):
            values = self._evaluator.run(None, given, intermediate=True)
        narrow = [name for name, one in values.items() if _is_narrow(one)]
        if narrow:
            raise NotWide(f"float32 is left in {', '.join(narrow[:8])}")
        return {name: np.asarray(values[name]) for name in self._names}


def widened(model: onnx.ModelProto) -> onnx.ModelProto:
    """Give a copy of a model in which float64 stands wherever float32 stood."""
    wide = onnx.ModelProto()
    wide.CopyFrom(model)
    _widen_graph(wide.graph)
    for function in wide.functions:
        _widen_nodes(function.node)
    return wide


def _is_narrow(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.float32


def _wide_array(value: Tensor) -> Tensor:
    return value.astype(np.float64) if value.dtype == np.float32 else value


def _widen_graph(graph: onnx.GraphProto) -> None:
    for tensor in graph.initializer:
        _widen_tensor(tensor)
    for declared in (*graph.input, *graph.output, *graph.value_info):
        if declared.type.tensor_type.elem_type == TensorProto.FLOAT:
            declared.type.tensor_type.elem_type = TensorProto.DOUBLE
    _widen_nodes(graph.node)


def _widen_tensor(tensor: onnx.TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT:
        wide = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))


def _widen_nodes(nodes: Iterable[onnx.NodeProto]) -> None:
    for node in nodes:
        for attribute in node.attribute:
            _widen_attribute(node, attribute)
        if node.op_type == "ConstantOfShape" and not node.attribute:
            zero = numpy_helper.from_array(np.zeros(1, np.float64))
            node.attribute.append(helper.make_attribute("value", zero))


def _widen_attribute(node: onnx.NodeProto, attribute: onnx.AttributeProto) -> None:
    if attribute.name in TYPE_ATTRIBUTES and attribute.i == TensorProto.FLOAT:
        attribute.i = TensorProto.DOUBLE
    elif attribute.type == AttributeProto.TENSOR:
        _widen_tensor(attribute.t)
    elif attribute.type == AttributeProto.GRAPH:
        _widen_graph(attribute.g)
    elif node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
        floats = attribute.f if attribute.name == "value_float" else list(attribute.floats)
        value = numpy_helper.from_array(np.array(floats, np.float64))
        attribute.CopyFrom(helper.make_attribute("value", value))


class Conv(OpRun):
    """The same sums as the evaluator's own, by one matrix product a group: seconds, not minutes."""

    op_domain = ""

    def _run(self, x: Tensor, w: Tensor, b: Tensor | None = None, **given: Any) -> tuple[Tensor]:
        if (given.get("auto_pad") or "NOTSET") != "NOTSET" or x.dtype != np.float64:
            given = {"auto_pad": None, "kernel_shape": None, **given}
            return (op_conv._conv_implementation(x, w, b, **given),)
        axes = tuple(range(2, x.ndim))
        pads = given["pads"] or [0] * 2 * len(axes)
        steps = given["strides"] or [1] * len(axes)
        gaps = given["dilations"] or [1] * len(axes)
        ends = zip(pads[: len(axes)], pads[len(axes) :], strict=True)
        padded = np.pad(x, ((0, 0), (0, 0), *ends))
        spans = tuple((k - 1) * gap + 1 for k, gap in zip(w.shape[2:], gaps, strict=True))
        windows = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=axes)
        every = (slice(None),) * 2
        windows = windows[(*every, *(slice(None, None, one) for one in (*steps, *gaps)))]
        groups, channels = given["group"] or 1, w.shape[1]
        kernels = w.reshape(groups, -1, channels, *w.shape[2:])
        folded = (1, *range(2 + len(axes), 2 + 2 * len(axes)))
        parts = [
            np.tensordot(
                windows[:, group * channels : (group + 1) * channels],
                kernels[group],
                (folded, range(1, kernels.ndim - 1)),
            )
            for group in range(groups)
        ]
        found = np.moveaxis(np.concatenate(parts, axis=-1), -1, 1)
        return (found if b is None else found + b.reshape(-1, *[1] * len(axes)),)


class TreeEnsembleClassifier(trees.TreeEnsembleClassifier):
    """The evaluator's own adds up in float32, so votes are added here."""

    op_domain = "ai.onnx.ml"

    def _run(self, x: Tensor, **given: Any) -> tuple[Tensor, Tensor]:
        label, scores = super()._run(x, **given)
        if given["post_transform"] not in (None, "NONE"):
            return label, scores
        ensemble = TreeEnsemble(
            **{name: value for name, value in given.items() if name.startswith(("nodes_", "base_"))}
        )
        votes: dict[tuple[int, int], list[tuple[int, float]]] = {}
        places = zip(given["class_treeids"], given["class_nodeids"], strict=True)
        weights = zip(given["class_ids"], given["class_weights"], strict=True)
        for place, vote in zip(places, weights, strict=True):
            votes.setdefault(place, []).append(vote)
        wide = np.zeros(scores.shape) + np.array(given["base_values"] or 0.0, np.float64)
        for row, leaves in enumerate(ensemble.leave_index_tree(x)):
            for leaf in leaves:
                place = (given["nodes_treeids"][leaf], given["nodes_nodeids"][leaf])
                for column, weight in votes[place]:
                    wide[row, column] += np.float32(weight)
        if len(set(given["class_ids"])) == 1:
            # Two classes with votes for one only, in the first column: the other has the rest.
            wide = np.stack([1 - wide[:, 0], wide[:, 0]], axis=1)
        return label, wide
