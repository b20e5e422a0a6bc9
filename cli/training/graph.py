"""An ONNX graph in the making: nodes one after the other, constants, inputs and outputs."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]

OPSET: Final = 17
IR_VERSION: Final = 9

FLOAT: Final = int(TensorProto.FLOAT)
INT64: Final = int(TensorProto.INT64)


class Graph:
    """Collects what a model file holds."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, Array] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, element: int, shape: Sequence[int | str]) -> str:
        """Take a tensor from outside."""
        self._inputs.append(helper.make_tensor_value_info(name, element, list(shape)))
        return name

    def output(self, name: str, element: int, shape: Sequence[int | str]) -> None:
        """Give a tensor away."""
        self._outputs.append(helper.make_tensor_value_info(name, element, list(shape)))

    def add(self, operator: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        """Add a node with one output, and give its name; Cast casts to `to_type`."""
        name = to or f"{operator.lower()}.{len(self._nodes)}"
        if "to_type" in attributes:
            attributes["to"] = attributes.pop("to_type")
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def number(self, value: float) -> str:
        """Give a constant float."""
        return self._constant(np.asarray(value, np.float32))

    def numbers(self, values: Sequence[int]) -> str:
        """Give a constant list of whole numbers, such as axes or a shape."""
        return self._constant(np.asarray(values, np.int64))

    def to_bytes(self) -> bytes:
        """Give the model file."""
        constants = [numpy_helper.from_array(each, name) for name, each in self._constants.items()]
        graph = helper.make_graph(self._nodes, self._name, self._inputs, self._outputs, constants)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(
            graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="noema"
        )
        onnx.checker.check_model(model, full_check=True)
        written: bytes = model.SerializeToString(deterministic=True)
        return written

    def _constant(self, values: Array) -> str:
        for name, known in self._constants.items():
            if known.dtype == values.dtype and np.array_equal(known, values):
                return name
        name = f"constant.{len(self._constants)}"
        self._constants[name] = values
        return name
