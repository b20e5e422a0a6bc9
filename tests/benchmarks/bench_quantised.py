"""Quantised networks, attention and Einsum beside onnxruntime, in one process and by turns."""

import os
import sys
from collections.abc import Mapping

import numpy as np
from onnx import TensorProto, helper

from ai_exec.fast.prepare import prepare
from ai_exec.tensor import Tensor
from ai_exec.workers.child import ONE_THREAD
from tests.benchmarks.bench_inference import engines, normal, show
from tests.support.quantised_networks import (
    TYPES,
    block,
    images,
    inputs_of,
    perceptron,
    quantised,
)

NETWORKS = {
    "dense layers, 64 rows": perceptron(),
    "dense layers, 1 row": perceptron(1),
    "convolutions": images(),
    "transformer block": block(),
}
HEADS = ((8, 8, 64, 64), (8, 2, 64, 256), (12, 12, 128, 128))
"""Heads of queries, of keys; tokens of queries, of keys."""
EQUATIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "bid,bjd->bij": ((8, 64, 64), (8, 64, 64)),
    "bhid,bhjd->bhij": ((1, 8, 64, 32), (1, 8, 64, 32)),
    "bsd,de->bse": ((1, 64, 256), (256, 256)),
}


def model_of(node: object, inputs: Mapping[str, Tensor], opset: int) -> bytes:
    """Give a file of one node on binary32."""
    declared = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, x.shape)
        for name, x in inputs.items()
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph([node], "graph", declared, outputs)
    imports = [helper.make_opsetid("", opset)]
    made = helper.make_model(graph, opset_imports=imports, ir_version=10)
    return bytes(made.SerializeToString())


def networks() -> None:
    """Print each network in each form that onnxruntime's tools give it."""
    for name, network in NETWORKS.items():
        for form, types in (("dynamic", "u8s8"), *(("QDQ", one) for one in TYPES)):
            for per_channel in (False, True):
                model = quantised(network, form, types, per_channel=per_channel)
                given = inputs_of(network, 99)
                by = ", by channel" if per_channel else ""
                title = f"{name}: {form}, {types}{by}"
                show(title, engines(model.SerializeToString(), given), 0.05)


def attention() -> None:
    """Print attention with heads of 64 elements."""
    for heads, keys, length, total in HEADS:
        given = {
            "q": normal(1, heads, length, 64),
            "k": normal(1, keys, total, 64),
            "v": normal(1, keys, total, 64),
        }
        node = helper.make_node("Attention", list(given), ["y"], is_causal=int(length == total))
        title = f"Attention, {heads} heads, {keys} of keys, {length} tokens, {total} keys"
        show(title, engines(model_of(node, given, 23), given))


def equations() -> None:
    """Print sums of products."""
    for equation, shapes in EQUATIONS.items():
        given = {f"x{index}": normal(*shape) for index, shape in enumerate(shapes)}
        node = helper.make_node("Einsum", list(given), ["y"], equation=equation)
        show(f"Einsum {equation}", engines(model_of(node, given, 17), given))


def main() -> None:
    """Print all comparisons."""
    prepare()
    np.seterr(all="ignore")
    networks()
    attention()
    equations()


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    main()
