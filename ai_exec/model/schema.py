"""The part of onnx.proto that is supported: messages, fields, and how many there may be."""

from collections.abc import Mapping

from ai_exec.limits import Limits
from ai_exec.model.wire import Field, Schema


def model_schema(limits: Limits) -> Schema:
    """Give the schema of a whole file under limits."""
    opset = _schema("OperatorSetIdProto", {1: _text("domain", limits), 2: Field("version", "int")})
    return _schema(
        "ModelProto",
        {
            1: Field("ir_version", "int"),
            7: _within("graph", _graph(limits)),
            8: _within("opset_import", opset, many=64),
        },
        ignored={
            2: "producer_name",
            3: "producer_version",
            4: "domain",
            5: "model_version",
            6: "doc_string",
            14: "metadata_props",
            26: "configuration",
        },
        refused={20: "training_info", 25: "functions"},
    )


def _graph(limits: Limits) -> Schema:
    tensor, value = _tensor(limits), _value(limits)
    return _schema(
        "GraphProto",
        {
            1: _within("node", _node(limits, tensor), many=limits.nodes_max),
            5: _within("initializer", tensor, many=limits.initialisers_max),
            11: _within("input", value, many=limits.initialisers_max),
            12: _within("output", value, many=limits.values_max),
        },
        ignored={
            2: "name",
            10: "doc_string",
            13: "value_info",
            14: "quantization_annotation",
            16: "metadata_props",
        },
        refused={15: "sparse_initializer"},
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


def _value(limits: Limits) -> Schema:
    dimension = _schema(
        "Dimension",
        {1: Field("dim_value", "int"), 2: _text("dim_param", limits)},
        ignored={3: "denotation"},
    )
    shape = _schema("TensorShapeProto", {1: _within("dim", dimension, many=64)})
    tensor_type = _schema("Tensor", {1: Field("elem_type", "int"), 2: _within("shape", shape)})
    type_of = _schema(
        "TypeProto",
        {1: _within("tensor_type", tensor_type)},
        ignored={6: "denotation"},
        refused={
            4: "sequence_type",
            5: "map_type",
            7: "opaque_type",
            8: "sparse_tensor_type",
            9: "optional_type",
        },
    )
    return _schema(
        "ValueInfoProto",
        {1: _text("name", limits), 2: _within("type", type_of)},
        ignored={3: "doc_string", 4: "metadata_props"},
    )


def _node(limits: Limits, tensor: Schema) -> Schema:
    operands, numbers = limits.operands_max, limits.items_max
    attribute = _schema(
        "AttributeProto",
        {
            1: _text("name", limits),
            2: Field("f", "float"),
            3: Field("i", "int"),
            4: Field("s", "bytes"),
            5: _within("t", tensor),
            7: _many("floats", "float", numbers),
            8: _many("ints", "int", numbers),
            9: _many("strings", "bytes", numbers),
            20: Field("type", "int"),
        },
        ignored={13: "doc_string"},
        refused={
            6: "g",
            10: "tensors",
            11: "graphs",
            14: "tp",
            15: "type_protos",
            21: "ref_attr_name",
            22: "sparse_tensor",
            23: "sparse_tensors",
        },
    )
    return _schema(
        "NodeProto",
        {
            1: _text("input", limits, many=operands),
            2: _text("output", limits, many=operands),
            4: _text("op_type", limits),
            5: _within("attribute", attribute, many=operands),
            7: _text("domain", limits),
        },
        ignored={3: "name", 6: "doc_string", 9: "metadata_props", 10: "device_configurations"},
        refused={8: "overload"},
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
