"""Models of one node, and whether both engines give the same bits for them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

import ai_exec
from ai_exec.program import Program
from ai_exec.tensor import Tensor

HOSTILE = np.float32(
    [
        *(0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, -1e-45, 1.1754944e-38, 3e38, -3e38),
        *(1.0, -1.0, 0.5, 65504.0, 65520.0, 65519.9, 2.0**31, -(2.0**31), 2.0**63, -(2.0**63)),
    ]
)


def hostile(*shape: int, seed: int = 7, share: float = 0.1) -> Tensor:
    """Give numbers of very different size, some of them odd ones."""
    random = np.random.default_rng((seed, *shape))
    usual = random.normal(size=shape) * np.exp2(random.integers(-12, 12, shape))
    odd = random.choice(HOSTILE, shape)
    return np.where(random.random(shape) < share, odd, usual).astype(np.float32)


def one_node(
    operator: str,
    inputs: Mapping[str, Tensor],
    constants: Mapping[str, Tensor] | None = None,
    *,
    names: tuple[str, ...] = (),
    outputs: int = 1,
    opset: int = 22,
    **attributes: Any,
) -> Program:
    """Admit a model of one node that reads the inputs, then the constants."""
    constants = constants or {}
    results = [f"out{index}" for index in range(outputs)]
    read = names or (*inputs, *constants)
    node = helper.make_node(operator, read, results, **attributes)
    graph = helper.make_graph(
        [node],
        "one",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(tensor.dtype), tensor.shape
            )
            for name, tensor in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in results],
        [numpy_helper.from_array(tensor, name) for name, tensor in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    admission = ai_exec.admit(model.SerializeToString())
    assert admission.program is not None, admission.reasons
    return admission.program


def assert_same_bits(program: Program, inputs: Mapping[str, Tensor]) -> None:
    """Run both engines and compare all bits of the results."""
    expected = ai_exec.compile(program, "reference").run(inputs)
    found = ai_exec.compile(program, "fast").run(inputs)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].shape == tensor.shape
        size = tensor.dtype.itemsize
        different = found[name].view(f"u{size}") != tensor.view(f"u{size}")
        pairs = list(zip(found[name][different], tensor[different], strict=True))
        assert pairs == [], f"{name}: found, expected {pairs[:5]}"
