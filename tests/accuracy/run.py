"""Prints how far the fast engine and onnxruntime's float32 are from binary64, network by network.

`python tests/accuracy/run.py` measures the networks of this project, `... --only encoder` those of
such a title, `... model.onnx inputs.npz` any other: open axes are fixed to the inputs' shapes.
`--nodes` adds the nodes whose own errors are largest.  The exit code is 1 if a bound is broken.
"""

import argparse
import os
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import onnx

from ai_exec.tensor import Tensor
from tests.accuracy.measure import (
    ERROR_MAX,
    RATIO_MAX,
    SMALL,
    Accuracy,
    NotAdmitted,
    accuracies,
)
from tests.accuracy.networks import NETWORKS, Network
from tests.accuracy.nodes import node_errors

NODES_SHOWN = 12


def fixed(model: onnx.ModelProto, inputs: Mapping[str, Tensor]) -> onnx.ModelProto:
    """Give a copy of a model whose open axes have the lengths of these inputs."""
    closed = onnx.ModelProto()
    closed.CopyFrom(model)
    lengths: dict[str, int] = {}
    for declared in closed.graph.input:
        if declared.name in inputs:
            shape = inputs[declared.name].shape
            for axis, length in zip(declared.type.tensor_type.shape.dim, shape, strict=True):
                if axis.dim_param:
                    lengths[axis.dim_param] = length
                axis.dim_value = length
    for declared in (*closed.graph.output, *closed.graph.value_info):
        axes = declared.type.tensor_type.shape.dim
        for axis in axes:
            if axis.dim_param in lengths:
                axis.dim_value = lengths[axis.dim_param]
        if not all(axis.HasField("dim_value") for axis in axes):
            declared.type.tensor_type.ClearField("shape")
    return closed


def given_network(model: Path, inputs: Path) -> Network:
    """Give a model of the command line, run on one set of arrays."""
    with np.load(inputs) as arrays:
        given = dict(arrays)
    closed = fixed(onnx.load(model), given)
    return Network(model.stem, closed.SerializeToString, lambda: [given])


def show(network: Network, *, nodes: bool) -> bool:
    """Print one network's lines; say whether its bounds are kept."""
    model, inputs = onnx.load_from_string(network.model()), network.inputs()
    start = time.monotonic()
    try:
        found = accuracies(model, inputs, reference=network.little)
    except NotAdmitted as error:
        print(f"{network.title:26} not admitted: {error}", flush=True)
        return False
    seconds = time.monotonic() - start
    for one in found:
        print(_line(network.title, len(inputs), one), f"{seconds:6.1f} s", flush=True)
    if nodes:
        errors = sorted(node_errors(model, inputs[0]), key=lambda one: -one.alone)
        for node in errors[:NODES_SHOWN]:
            errors_of = f"alone {node.alone:8.1e} so far {node.so_far:8.1e}"
            print(f"    {node.operator:24} {errors_of} {node.output}")
    return all(one.holds for one in found)


def _line(title: str, runs: int, one: Accuracy) -> str:
    bits = {None: "not compared", True: "equal", False: "DIFFER"}[one.same_bits]
    return (
        f"{title:26} {one.output[:24]:24} {runs:4} {one.theirs:12.2e} {one.ours:9.2e} "
        f"{one.ratio:6.2f} {one.angle:10.1e}  {bits:12} {'' if one.holds else 'BROKEN'}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("inputs", type=Path, nargs="?")
    parser.add_argument("--only", default="", help="part of a title")
    parser.add_argument("--nodes", action="store_true", help="show where our errors arise")
    options = parser.parse_args(arguments)
    if (options.model is None) != (options.inputs is None):
        parser.error("a model needs its inputs, an .npz of arrays by input name")
    chosen = [one for one in NETWORKS if options.only.lower() in one.title.lower()]
    if options.model is not None:
        chosen = [given_network(options.model, options.inputs)]
    warnings.filterwarnings("ignore")
    print(f"largest error relative to the output's scale; at most {RATIO_MAX:.0f} times", end=" ")
    print(f"onnxruntime's (or {SMALL:.0e}) and {ERROR_MAX:.0e}")
    print(f"{'network':26} {'output':24} runs  onnxruntime      ours  ratio   1-cosine  bits")
    kept = [show(network, nodes=options.nodes) for network in chosen]
    return 0 if kept and all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
