"""Every kernel's signature is what the ONNX schema of its version says."""

import inspect

import onnx.defs
import onnx.helper
import pytest

import ai_exec.ops
from ai_exec.registry import OUTPUT_COUNT, Operator, all_operators, find

UNSUPPORTED_ATTRIBUTES = {"sparse_value", "value_string", "value_strings"}
"""Of Constant: no sparse tensors, no texts."""

assert ai_exec.ops.__all__


@pytest.mark.parametrize("op", list(all_operators()), ids=lambda op: f"{op.name}-{op.since}")
def test_signature_is_the_schema(op: Operator) -> None:
    schema = onnx.defs.get_schema(op.name, op.since, op.domain)
    required = [
        formal.name.lower()
        for formal in schema.inputs
        if formal.option == onnx.defs.OpSchema.FormalParameterOption.Single
    ]

    assert schema.since_version == op.since
    assert list(op.input_names) == [formal.name.lower() for formal in schema.inputs]
    assert len(required) == op.inputs_min
    attributes = {
        name: attribute
        for name, attribute in schema.attributes.items()
        if name not in UNSUPPORTED_ATTRIBUTES
    }
    assert list(op.attribute_kinds) == sorted(attributes)
    for name, attribute in attributes.items():
        default = onnx.helper.get_attribute_value(attribute.default_value)
        if isinstance(default, bytes):
            default = default.decode()
        if isinstance(default, list):
            default = tuple(v.decode() if isinstance(v, bytes) else v for v in default)
        if attribute.default_value.name:
            assert op.defaults[name] == default, name
        elif attribute.required:
            assert name not in op.defaults, name
        else:
            assert op.defaults[name] is None, name


def test_only_the_output_count_is_no_attribute() -> None:
    split = find("", "Split", 13)

    assert split is not None
    assert OUTPUT_COUNT in inspect.signature(split.kernel).parameters
    assert list(split.attribute_kinds) == ["axis"]
