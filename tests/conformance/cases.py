"""The cases of ONNX's backend suite, as plain values: model bytes, inputs, outputs, tolerances."""

import importlib
import importlib.util
import pkgutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.backend.test.case.base
import onnx.backend.test.case.node as node_cases
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner

KINDS = ("node", "simple", "pytorch-operator", "pytorch-converted", "light")
LIGHT = "onnx/backend/test/data/light/"
SLOW = ("averagepool", "lppool", "maxpool")
NOISY = ("test_dft_inverse", "test_dft_inverse_opset19")
"""What is expected of these is computed in complex64: zeros are off by more than is allowed."""
SPECIAL = ("sequence_type", "optional_type", "map_type", "sparse_tensor_type")


@dataclass(frozen=True)
class Case:
    """One case of the suite."""

    kind: str
    name: str
    model: bytes
    sets: tuple[tuple[list[Any], list[Any]], ...]
    """Inputs in the order of the graph, and the outputs that are expected."""
    relative: float
    absolute: float

    @property
    def key(self) -> str:
        """Name that no other case has."""
        return f"{self.kind}/{self.name}"


def load_cases(kinds: Sequence[str] = KINDS, slow: bool = True) -> tuple[Case, ...]:
    """Give the cases of these kinds, in an order that is always the same.

    Without `slow`, cases are left out that take the suite seconds to make.
    """
    loaders = {"node": partial(_nodes, slow=slow), "light": _light}
    return tuple(case for kind in kinds for case in loaders.get(kind, _folders)(kind))


def operators_of(model: onnx.ModelProto) -> tuple[str, ...]:
    """Give the operators of a model without subgraphs, each once."""
    names = (f"{node.domain}.{node.op_type}".lstrip(".") for node in model.graph.node)
    return tuple(dict.fromkeys(names))


def element_types(model: onnx.ModelProto) -> set[str]:
    """Give the element types that a model speaks of, and the kinds of values that are no tensor."""
    graph = model.graph
    found = {_dtype_name(tensor.data_type) for tensor in graph.initializer}
    for value in (*graph.input, *graph.output, *graph.value_info):
        found |= {kind for kind in SPECIAL if value.type.HasField(kind)}
        if value.type.HasField("tensor_type"):
            found.add(_dtype_name(value.type.tensor_type.elem_type))
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                found.add(_dtype_name(attribute.t.data_type))
    return found


def _dtype_name(number: int) -> str:
    if number == onnx.TensorProto.STRING:
        return "string"
    return str(onnx.helper.tensor_dtype_to_np_dtype(number).name) if number else "undefined"


def _nodes(kind: str, slow: bool) -> Iterator[Case]:
    # The suite also writes documentation of each case, which nobody reads here.
    onnx.backend.test.case.base.process_snippet = lambda *snippet: ("", "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in pkgutil.walk_packages(node_cases.__path__, f"{node_cases.__name__}."):
            if slow or module.name.split(".")[-1] not in SLOW:
                importlib.import_module(module.name)
    for case in sorted(node_cases._NodeTestCases, key=lambda case: case.name):
        sets = tuple(
            ([_plain(value) for value in given], [_plain(value) for value in expected])
            for given, expected in case.data_sets
        )
        if case.name in NOISY:
            sets = tuple((given, [_inverse_transform(given[0])]) for given, _ in sets)
        yield Case(kind, case.name, case.model.SerializeToString(), sets, case.rtol, case.atol)


def _inverse_transform(pairs: np.ndarray) -> np.ndarray:
    """Give the inverse DFT along axis 1, computed in binary64."""
    wide = pairs.astype(np.float64)
    found = np.fft.ifft(wide[..., 0] + 1j * wide[..., 1], axis=1)
    return np.stack((found.real, found.imag), axis=-1).astype(np.float32)


def _folders(kind: str) -> Iterator[Case]:
    for case in sorted(load_model_tests(kind=kind), key=lambda case: case.name):
        folder = Path(case.model_dir)
        model = (folder / "model.onnx").read_bytes()
        graph = onnx.load_from_string(model).graph
        sets = tuple(
            (
                _values(data, "input", [value.type for value in graph.input]),
                _values(data, "output", [value.type for value in graph.output]),
            )
            for data in sorted(folder.glob("test_data_set*"))
        )
        yield Case(kind, case.name, model, sets, case.rtol, case.atol)


def _light(kind: str) -> Iterator[Case]:
    spec = importlib.util.find_spec("onnx")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent.parent
    for case in sorted(load_model_tests(kind="real"), key=lambda case: case.name):
        if not case.url.startswith(LIGHT):
            continue
        path = root / case.url
        model = path.read_bytes()
        graph = onnx.load_from_string(model).graph
        constants = {tensor.name for tensor in graph.initializer}
        given = [
            Runner.generate_dummy_data(value)
            for value in graph.input
            if value.name not in constants
        ]
        outputs = sorted(path.parent.glob(f"{path.stem}_output_*.pb"))
        expected = [
            _value(output, kind.type) for output, kind in zip(outputs, graph.output, strict=False)
        ]
        yield Case(kind, case.name, model, ((given, expected),), case.rtol, case.atol)


def _values(folder: Path, stem: str, kinds: Sequence[onnx.TypeProto]) -> list[Any]:
    paths = (folder / f"{stem}_{index}.pb" for index in range(len(kinds)))
    return [_value(path, kind) for path, kind in zip(paths, kinds, strict=False) if path.exists()]


def _value(path: Path, kind: onnx.TypeProto) -> Any:
    encoded = path.read_bytes()
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(encoded))
    if kind.HasField("optional_type"):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(encoded))
    return numpy_helper.to_array(onnx.TensorProto.FromString(encoded))


def _plain(value: Any) -> Any:
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if value is None else np.asarray(value)
