"""The part of onnx.proto that is supported: messages, fields, and how many there may be."""

from collections.abc import Mapping
from functools import lru_cache

from ai_exec.limits import Limits
from ai_exec.model.wire import Field, Schema


@lru_cache(maxsize=8)
def model_schema(limits: Limits) -> Schema:
    """Give the schema of a whole file under limits."""
    opset = _schema("OperatorSetIdProto", {1: _text("domain", limits), 2: Field("version", "int")})
    graph = _graph(limits, limits.nesting_max)
    return _schema(
        "ModelProto",
        {
            1: Field("ir_version", "int"),
            7: _within("graph", graph),
            8: _within("opset_import", opset, many=64),
            25: _within("functions", _function(limits, opset), many=limits.functions_max),
        },
        ignored={
            2: "producer_name",
            3: "producer_version",
            4: "domain",
            5: "model_version",
            6: "doc_string",
            14: "metadata_props",
            20: "training_info",
            26: "configuration",
        },
    )


def _graph(limits: Limits, depth: int) -> Schema:
    """A graph whose nodes may hold graphs, `depth` times over."""
    tensor, value = _tensor(limits), _value(limits, inner=depth < limits.nesting_max)
    return _schema(
        "GraphProto",
        {
            1: _within("node", _node(limits, tensor, depth), many=limits.nodes_max),
            5: _within("initializer", tensor, many=limits.initialisers_max),
            11: _within("input", value, many=limits.initialisers_max),
            12: _within("output", value, many=limits.values_max),
            13: _within("value_info", _value(limits, inner=True), many=limits.items_max),
        },
        ignored={
            2: "name",
            10: "doc_string",
            14: "quantization_annotation",
            16: "metadata_props",
        },
        refused={15: "sparse_initializer"},
    )


def _function(limits: Limits, opset: Schema) -> Schema:
    tensor, operands = _tensor(limits), limits.operands_max
    attribute = _attribute(limits, tensor, limits.nesting_max)
    return _schema(
        "FunctionProto",
        {
            1: _text("name", limits),
            4: _text("input", limits, many=operands),
            5: _text("output", limits, many=operands),
            6: _text("attribute", limits, many=operands),
            7: _within("node", _node(limits, tensor, limits.nesting_max), many=limits.nodes_max),
            9: _within("opset_import", opset, many=64),
            10: _text("domain", limits),
            11: _within("attribute_proto", attribute, many=operands),
            12: _within("value_info", _value(limits, inner=True), many=limits.items_max),
            13: _text("overload", limits),
        },
        ignored={8: "doc_string", 14: "metadata_props"},
    )


def _tensor(limits: Limits) -> Schema:
    return _schema(
        "TensorProto",
        {
            1: _many("dims", "int", 64),
            2: Field("data_type", "int"),
            4: _many("float_data", "float", limits.items_max),
            5: _many("int32_data", "int", limits.items_max),
            7: _many("int64_data", "int", limits.items_max),
            8: _text("name", limits),
            9: Field("raw_data", "bytes"),
            10: _many("double_data", "double", limits.items_max),
            11: _many("uint64_data", "int", limits.items_max),
            13: _many("external_data", "bytes", 64),
            14: Field("data_location", "int"),
        },
        ignored={12: "doc_string", 16: "metadata_props"},
        refused={3: "segment", 6: "string_data"},
    )


def _value(limits: Limits, *, inner: bool = False) -> Schema:
    """What is declared of a tensor; of one within a graph other types than tensors mean nothing."""
    others = {
        5: "map_type",
        7: "opaque_type",
        8: "sparse_tensor_type",
        9: "optional_type",
    }
    dimension = _schema(
        "Dimension",
        {1: Field("dim_value", "int"), 2: _text("dim_param", limits)},
        ignored={3: "denotation"},
    )
    shape = _schema("TensorShapeProto", {1: _within("dim", dimension, many=64)})
    tensor_type = _schema("Tensor", {1: Field("elem_type", "int"), 2: _within("shape", shape)})
    types = {1: _within("tensor_type", tensor_type)}
    if inner:
        others[4] = "sequence_type"
    else:
        types[4] = _within("sequence_type", _sequence_of_maps(tensor_type))
    type_of = _schema(
        "TypeProto",
        types,
        ignored={6: "denotation", **(others if inner else {})},
        refused={} if inner else others,
    )
    return _schema(
        "ValueInfoProto",
        {1: _text("name", limits), 2: _within("type", type_of)},
        ignored={3: "doc_string", 4: "metadata_props"},
    )


def _attribute(limits: Limits, tensor: Schema, depth: int) -> Schema:
    numbers = limits.items_max
    fields = {
        1: _text("name", limits),
        2: Field("f", "float"),
        3: Field("i", "int"),
        4: Field("s", "bytes"),
        5: _within("t", tensor),
        7: _many("floats", "float", numbers),
        8: _many("ints", "int", numbers),
        9: _many("strings", "bytes", numbers),
        14: Field("tp", "bytes"),
        20: Field("type", "int"),
        21: _text("ref_attr_name", limits),
    }
    refused = {
        10: "tensors",
        11: "graphs",
        15: "type_protos",
        22: "sparse_tensor",
        23: "sparse_tensors",
    }
    if depth:
        fields[6] = _within("g", _graph(limits, depth - 1))
    else:
        refused[6] = "g"
    return _schema("AttributeProto", fields, ignored={13: "doc_string"}, refused=refused)


def _sequence_of_maps(tensor_type: Schema) -> Schema:
    """What a ZipMap is declared to give."""
    value = _schema("TypeProto", {1: _within("tensor_type", tensor_type)})
    pairs = _schema("Map", {1: Field("key_type", "int"), 2: _within("value_type", value)})
    element = _schema("TypeProto", {5: _within("map_type", pairs)}, refused={1: "tensor_type"})
    return _schema("Sequence", {1: _within("elem_type", element)})


def _node(limits: Limits, tensor: Schema, depth: int) -> Schema:
    operands = limits.operands_max
    return _schema(
        "NodeProto",
        {
            1: _text("input", limits, many=operands),
            2: _text("output", limits, many=operands),
            4: _text("op_type", limits),
            5: _within("attribute", _attribute(limits, tensor, depth), many=operands),
            7: _text("domain", limits),
            8: _text("overload", limits),
        },
        ignored={3: "name", 6: "doc_string", 9: "metadata_props", 10: "device_configurations"},
    )


def _schema(
    kind: str,
    fields: Mapping[int, Field],
    *,
    ignored: Mapping[int, str] | None = None,
    refused: Mapping[int, str] | None = None,
) -> Schema:
    skipped = {number: Field(name, "ignored") for number, name in (ignored or {}).items()}
    forbidden = {number: Field(name, "refused") for number, name in (refused or {}).items()}
    return Schema(kind, {**fields, **skipped, **forbidden})


def _text(name: str, limits: Limits, *, many: int = 0) -> Field:
    return Field(name, "text", bool(many), None, many or 1, limits.name_bytes_max)


def _within(name: str, schema: Schema, *, many: int = 0) -> Field:
    return Field(name, "message", bool(many), schema, many or 1)


def _many(name: str, kind: str, count_max: int) -> Field:
    return Field(name, kind, True, None, count_max)
