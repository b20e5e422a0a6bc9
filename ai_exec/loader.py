"""From the bytes of an ONNX file to plain values: nothing is judged here but what cannot be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np

from ai_exec.limits import Limits
from ai_exec.registry import Attribute
from ai_exec.tensor import DTYPE_NAMES, ITEM_BYTES, Shape, Tensor, from_bytes
from ai_exec.wire import Field, Message, Reader, Schema

SHOWN_CHARACTERS: Final = 80


class Unreadable(Exception):
    """A part of the model has no meaning.  The message says which and why."""


@dataclass(frozen=True, slots=True)
class DeclaredValue:
    """An input or output as the model declares it."""

    name: str
    dtype: str | None
    """None if the model does not say."""
    shape: tuple[int | str | None, ...] | None
    """A text or None stands for a length that the model leaves open."""


@dataclass(frozen=True, slots=True, eq=False)
class RawNode:
    """A node as the model writes it."""

    operator: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: tuple[Message, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RawModel:
    """A model as the file has it."""

    ir_version: int
    opsets: tuple[tuple[str, int], ...]
    inputs: tuple[Message, ...]
    outputs: tuple[Message, ...]
    initialisers: tuple[Message, ...]
    nodes: tuple[RawNode, ...]


def shown(name: str) -> str:
    """Write a name of the model in a reason: ASCII, and not too long."""
    escaped = name.encode("unicode_escape").decode()
    return escaped if len(escaped) <= SHOWN_CHARACTERS else escaped[:SHOWN_CHARACTERS] + "..."


def read_model(onnx_bytes: bytes, limits: Limits) -> RawModel:
    """Read a file under limits; raises BadWire."""
    schema = _model_schema(limits)
    model = Reader(limits.items_max).read(memoryview(onnx_bytes), schema, "model")
    graph: Message = model.get("graph", {})
    return RawModel(
        model.get("ir_version", 0),
        tuple((opset.get("domain", ""), opset.get("version", 0)) for opset in model["opset_import"]),
        tuple(graph.get("input", ())),
        tuple(graph.get("output", ())),
        tuple(graph.get("initializer", ())),
        tuple(_node(node) for node in graph.get("node", ())),
    )


def _node(node: Message) -> RawNode:
    return RawNode(
        node.get("op_type", ""),
        node.get("domain", ""),
        tuple(node["input"]),
        tuple(node["output"]),
        tuple(node["attribute"]),
    )


def declared_value(message: Message) -> DeclaredValue:
    """Read what the model says about an input or output."""
    tensor: Message = message.get("type", {}).get("tensor_type", {})
    dtype = DTYPE_NAMES.get(tensor.get("elem_type", 0))
    if "elem_type" in tensor and dtype is None:
        raise Unreadable(f"element type number {tensor['elem_type']} is not supported")
    if "shape" not in tensor:
        return DeclaredValue(message.get("name", ""), dtype, None)
    lengths = tuple(dim.get("dim_value", dim.get("dim_param")) for dim in tensor["shape"]["dim"])
    return DeclaredValue(message.get("name", ""), dtype, lengths)


_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "float_data": ("float32",),
    "int32_data": ("int32", "int16", "int8", "uint16", "uint8", "bool"),
    "int64_data": ("int64",),
    "double_data": ("float64",),
    "uint64_data": ("uint64", "uint32"),
}
"""Which element types each list of a tensor holds."""


def tensor_of(message: Message, limits: Limits) -> Tensor:
    """Read a tensor that lies in the file; raises Unreadable."""
    dtype = DTYPE_NAMES.get(message.get("data_type", 0))
    if dtype is None:
        raise Unreadable(f"element type number {message.get('data_type', 0)} is not supported")
    if message.get("data_location", 0) or message["external_data"]:
        raise Unreadable("its data lies outside the file")
    shape = tuple(message["dims"])
    check_shape(shape, limits)
    lists = [name for name in _LISTS if message[name]]
    if "raw_data" in message:
        if lists:
            raise Unreadable(f"both raw_data and {lists[0]}")
        return _raw_tensor(dtype, shape, bytes(message["raw_data"]))
    if lists and (len(lists) > 1 or dtype not in _LISTS[lists[0]]):
        raise Unreadable(f"{', '.join(lists)} for {dtype}")
    return _listed_tensor(dtype, shape, message[lists[0]] if lists else [])


def check_shape(shape: Shape, limits: Limits) -> None:
    """Raise Unreadable if a shape exceeds the limits."""
    if len(shape) > limits.rank_max:
        raise Unreadable(f"{len(shape)} axes, at most {limits.rank_max} are allowed")
    for length in shape:
        if not 0 <= length <= limits.axis_max:
            raise Unreadable(f"an axis of length {length}, allowed are 0 to {limits.axis_max}")
    if prod(shape) > limits.elements_max:
        raise Unreadable(f"{prod(shape)} elements, at most {limits.elements_max} are allowed")


def _raw_tensor(dtype: str, shape: Shape, content: bytes) -> Tensor:
    if len(content) != prod(shape) * ITEM_BYTES[dtype]:
        raise Unreadable(f"{len(content)} bytes of data for {dtype}{list(shape)}")
    if dtype == "bool" and content.strip(b"\x00\x01"):
        raise Unreadable("a bool that is neither 0 nor 1")
    return from_bytes(dtype, shape, content)


def _listed_tensor(dtype: str, shape: Shape, values: list[Any]) -> Tensor:
    if len(values) != prod(shape):
        raise Unreadable(f"{len(values)} elements of data for {dtype}{list(shape)}")
    if dtype.startswith("float"):
        return np.array(values, dtype=dtype).reshape(shape)
    if dtype == "uint64":
        values = [value % (1 << 64) for value in values]
    low, high = (0, 1) if dtype == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if any(not low <= value <= high for value in values):
        raise Unreadable(f"a number that is no {dtype}")
    return np.array(values, dtype=dtype).reshape(shape)


def attribute_of(message: Message, limits: Limits) -> Attribute:
    """Read an attribute's value; raises Unreadable."""
    kind = ATTRIBUTE_KINDS.get(message.get("type", 0))
    if kind is None:
        raise Unreadable(f"attribute type {message.get('type', 0)} is not supported")
    if kind not in message:
        if kind in ("f", "i", "s"):
            return {"f": 0.0, "i": 0, "s": ""}[kind]
        raise Unreadable("it has no value of its type")
    value = message[kind]
    if kind == "s":
        return _word(value)
    if kind == "strings":
        return tuple(_word(item) for item in value)
    return tensor_of(value, limits) if kind == "t" else _plain(value)


def _plain(value: Any) -> Attribute:
    return tuple(value) if isinstance(value, list) else value  # type: ignore[no-any-return]


def _word(content: memoryview) -> str:
    try:
        return bytes(content).decode()
    except UnicodeDecodeError as error:
        raise Unreadable("a text that is no UTF-8") from error


ATTRIBUTE_KINDS: Final[Mapping[int, str]] = {
    1: "f",
    2: "i",
    3: "s",
    4: "t",
    6: "floats",
    7: "ints",
    8: "strings",
}
"""Fields of an attribute by the number of its type."""


def _schema(name: str, **fields: tuple[int, str] | tuple[int, Field]) -> Schema:
    found = {}
    for field_name, (number, kind) in fields.items():
        found[number] = Field(field_name, kind) if isinstance(kind, str) else kind
    return Schema(name, found)


def _model_schema(limits: Limits) -> Schema:
    """Give the part of onnx.proto that is supported, with its limits."""

    def text(name: str, *, many: int = 0) -> Field:
        return Field(name, "text", bool(many), None, many or 1, limits.name_bytes_max)

    def within(name: str, schema: Schema, *, many: int = 0) -> Field:
        return Field(name, "message", bool(many), schema, many or 1)

    def numbers(name: str, kind: str, count_max: int) -> Field:
        return Field(name, kind, True, None, count_max)

    many = limits.items_max
    tensor = _schema(
        "TensorProto",
        dims=(1, numbers("dims", "int", 64)),
        data_type=(2, "int"),
        segment=(3, "refused"),
        float_data=(4, numbers("float_data", "float", many)),
        int32_data=(5, numbers("int32_data", "int", many)),
        string_data=(6, "refused"),
        int64_data=(7, numbers("int64_data", "int", many)),
        name=(8, text("name")),
        raw_data=(9, "bytes"),
        double_data=(10, numbers("double_data", "double", many)),
        uint64_data=(11, numbers("uint64_data", "int", many)),
        doc_string=(12, "ignored"),
        external_data=(13, Field("external_data", "bytes", True, None, 64)),
        data_location=(14, "int"),
        metadata_props=(16, "ignored"),
    )
    dimension = _schema(
        "Dimension",
        dim_value=(1, "int"),
        dim_param=(2, text("dim_param")),
        denotation=(3, "ignored"),
    )
    shape = _schema("TensorShapeProto", dim=(1, within("dim", dimension, many=64)))
    tensor_type = _schema("Tensor", elem_type=(1, "int"), shape=(2, within("shape", shape)))
    type_of = _schema(
        "TypeProto",
        tensor_type=(1, within("tensor_type", tensor_type)),
        sequence_type=(4, "refused"),
        map_type=(5, "refused"),
        denotation=(6, "ignored"),
        opaque_type=(7, "refused"),
        sparse_tensor_type=(8, "refused"),
        optional_type=(9, "refused"),
    )
    value = _schema(
        "ValueInfoProto",
        name=(1, text("name")),
        type=(2, within("type", type_of)),
        doc_string=(3, "ignored"),
        metadata_props=(4, "ignored"),
    )
    node = _node_schema(limits, tensor)
    graph = _schema(
        "GraphProto",
        node=(1, within("node", node, many=limits.nodes_max)),
        name=(2, "ignored"),
        initializer=(5, within("initializer", tensor, many=limits.initialisers_max)),
        doc_string=(10, "ignored"),
        input=(11, within("input", value, many=limits.initialisers_max)),
        output=(12, within("output", value, many=limits.values_max)),
        value_info=(13, "ignored"),
        quantization_annotation=(14, "ignored"),
        sparse_initializer=(15, "refused"),
        metadata_props=(16, "ignored"),
    )
    opset = _schema("OperatorSetIdProto", domain=(1, text("domain")), version=(2, "int"))
    ignored = {"producer_name": 2, "producer_version": 3, "domain": 4, "model_version": 5}
    ignored |= {"doc_string": 6, "metadata_props": 14, "configuration": 26}
    return _schema(
        "ModelProto",
        ir_version=(1, "int"),
        graph=(7, within("graph", graph)),
        opset_import=(8, within("opset_import", opset, many=64)),
        training_info=(20, "refused"),
        functions=(25, "refused"),
        **{name: (number, "ignored") for name, number in ignored.items()},
    )


def _node_schema(limits: Limits, tensor: Schema) -> Schema:
    def texts(name: str, *, many: int = 0) -> Field:
        return Field(name, "text", bool(many), None, many or 1, limits.name_bytes_max)

    many = limits.items_max
    attribute = _schema(
        "AttributeProto",
        name=(1, texts("name")),
        f=(2, "float"),
        i=(3, "int"),
        s=(4, "bytes"),
        t=(5, Field("t", "message", False, tensor)),
        g=(6, "refused"),
        floats=(7, Field("floats", "float", True, None, many)),
        ints=(8, Field("ints", "int", True, None, many)),
        strings=(9, Field("strings", "bytes", True, None, many)),
        tensors=(10, "refused"),
        graphs=(11, "refused"),
        doc_string=(13, "ignored"),
        tp=(14, "refused"),
        type_protos=(15, "refused"),
        type=(20, "int"),
        ref_attr_name=(21, "refused"),
        sparse_tensor=(22, "refused"),
        sparse_tensors=(23, "refused"),
    )
    return _schema(
        "NodeProto",
        input=(1, texts("input", many=limits.operands_max)),
        output=(2, texts("output", many=limits.operands_max)),
        name=(3, "ignored"),
        op_type=(4, texts("op_type")),
        attribute=(
            5,
            Field("attribute", "message", True, attribute, limits.operands_max),
        ),
        doc_string=(6, "ignored"),
        domain=(7, texts("domain")),
        overload=(8, "refused"),
        metadata_props=(9, "ignored"),
        device_configurations=(10, "ignored"),
    )
