"""The programs that every processor runs: small nets, and an example of every operator."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

import ai_exec
from ai_exec.tensor import Tensor, encode_tensors
from tests.conformance.cases import load_cases
from tests.conformance.judge import admitted
from tests.cross_isa.nets import NETS
from tests.hostile.trial import hostile_inputs

GAS_MAX = 3_000_000
"""Of an example: an emulator is a hundred times slower, or more."""
SEEDS = (0, 1)


@dataclass(frozen=True)
class Example:
    """A model and what it is run on."""

    name: str
    model: bytes
    inputs: tuple[Mapping[str, Tensor], ...]


def write_programs(folder: Path) -> int:
    """Write all programs to a folder and give their number."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for example in (*nets(), *operators()):
        (folder / f"{example.name}.onnx").write_bytes(example.model)
        for index, inputs in enumerate(example.inputs):
            (folder / f"{example.name}.{index}.in").write_bytes(encode_tensors(inputs))
        count += 1
    return count


def nets() -> Iterator[Example]:
    """Give small nets with plain inputs and hostile ones."""
    for name, make in NETS.items():
        model = make()
        admission = ai_exec.admit(model)
        if not admission.admitted:
            print(f"left out: {name}: {admission.reasons[0]}")
            continue
        random = np.random.default_rng(7)
        plain = {
            tensor.name: random.normal(0, 1, tensor.shape).astype(tensor.dtype)
            for tensor in admission.inputs
        }
        yield Example(f"net-{name}", model, (plain, hostile_inputs(admission.inputs, 1)))


def operators() -> Iterator[Example]:
    """Give a case of the suite for every version of every operator, with hostile inputs."""
    seen: set[tuple[str, int]] = set()
    for case in load_cases(("node", "simple", "pytorch-operator"), slow=False):
        model = onnx.load_from_string(case.model)
        opsets = {opset.domain: opset.version for opset in model.opset_import}
        kinds = {
            (f"{node.domain}.{node.op_type}", opsets.get(node.domain, 1))
            for node in model.graph.node
        }
        if kinds <= seen or not case.sets:
            continue
        content, admission, given = admitted(case)
        if admission.program is None or admission.cost > GAS_MAX:
            continue
        seen |= kinds
        hostile = [hostile_inputs(admission.inputs, seed) for seed in SEEDS]
        yield Example(case.name, content, (given, *hostile))
