"""ONNX's own node cases, against the reference engine: every one passes or is listed as refused.

Cases of pools are left to `test_against_onnxruntime`: building them takes ONNX ten seconds.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
import onnx.backend.test.case.base
import onnx.backend.test.case.node as onnx_cases
import pytest
from onnx import numpy_helper

import ai_exec
from ai_exec.admission.nodes import OPSETS
from ai_exec.registry import ML, all_operators, is_known

SLOW = {"averagepool", "maxpool", "lppool"}

ALL_FROZEN = ("ConstantOfShape", "Range")
REFUSED_BY_TYPE = ("element type number", "is not of", "type is not supported", "_type is not")
REFUSED = {
    "test_batchnorm_epsilon_training_mode": "training_mode is not supported",
    "test_batchnorm_example_training_mode": "training_mode is not supported",
    "test_training_dropout": "training with ratio 0.75 is random",
    "test_training_dropout_default": "training with ratio 0.5 is random",
    "test_training_dropout_default_mask": "training with ratio 0.5 is random",
    "test_training_dropout_mask": "training with ratio 0.75 is random",
    "test_mod_float32_mixed_sign_fmod_0": "fmod must be 1 for floats",
    "test_mod_float64_mixed_sign_fmod_0": "fmod must be 1 for floats",
    "test_mod_float_edge_cases_fmod_0_float32": "fmod must be 1 for floats",
    "test_mod_float_edge_cases_fmod_0_float64": "fmod must be 1 for floats",
    "test_spacetodepth_crd_mode_example": "attribute mode is not supported",
    "test_spacetodepth_dcr_mode_example": "attribute mode is not supported",
    "test_not_2d": "operator set ai.onnx 1, supported are 7 to 26",
    "test_not_3d": "operator set ai.onnx 1, supported are 7 to 26",
    "test_not_4d": "operator set ai.onnx 1, supported are 7 to 26",
    "test_reduce_max_empty_set": "nothing to reduce in float32[2, 0, 4]",
    "test_reduce_min_empty_set": "nothing to reduce in float32[2, 0, 4]",
    "test_reduce_log_sum_exp_empty_set": "nothing to reduce in float32[2, 0, 4]",
}
"""Cases that admission refuses, beside those of element types that are not supported."""


def load_cases() -> Iterator[Any]:
    names = {operator.name.lower() for operator in all_operators()}
    onnx.backend.test.case.base.process_snippet = lambda *snippet: ("", "")
    for module in pkgutil.iter_modules(onnx_cases.__path__):
        plain = module.name.replace("_", "")
        if plain in names - SLOW or plain.startswith("reduce"):
            importlib.import_module(f"{onnx_cases.__name__}.{module.name}")
    known = [case for case in onnx_cases._NodeTestCases if supported(case.model)]
    yield from sorted(known, key=lambda case: case.name)


def supported(model: onnx.ModelProto) -> bool:
    return all(is_known(node.domain, node.op_type) for node in model.graph.node)


def admitted_form(case: Any, arrays: list[np.ndarray]) -> bytes:
    """Give the model under an operator set that we know, with constants for shapes."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    for opset in model.opset_import:
        if opset.domain in ("", ML):
            opset.version = min(opset.version, OPSETS[opset.domain][-1])
    plain = model.SerializeToString()
    node = model.graph.node[0]
    reasons = " | ".join(ai_exec.admit(plain).reasons)
    if "must be a constant" not in reasons and "depends on values" not in reasons:
        return plain
    for value, array in zip(model.graph.input, arrays, strict=True):
        shaping = (
            node.op_type in ALL_FROZEN or "depends" in reasons or value.name not in node.input[:1]
        )
        if shaping:
            model.graph.initializer.append(numpy_helper.from_array(array, value.name))
    return model.SerializeToString()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_node_cases() -> None:
    passed, refused, wrong = 0, dict(REFUSED), []
    for case in load_cases():
        for data_given, data_expected in case.data_sets:
            given, expected = as_arrays(data_given), as_arrays(data_expected)
            admission = ai_exec.admit(admitted_form(case, given))
            reasons = " | ".join(admission.reasons)
            if not admission.admitted:
                if any(text in reasons for text in REFUSED_BY_TYPE):
                    continue
                if refused.pop(case.name, "nothing") not in reasons:
                    wrong.append(f"{case.name}: {reasons}")
                continue
            named = dict(zip([i.name for i in case.model.graph.input], given, strict=True))
            inputs = {tensor.name: named[tensor.name] for tensor in admission.inputs}
            found = ai_exec.compile(admission.program, "reference").run(inputs)
            wrong += [case.name] * (not agree(list(found.values()), expected, case.rtol))
            passed += 1

    assert (wrong, refused) == ([], {})
    assert passed >= 500


def as_arrays(values: Sequence[Any]) -> list[np.ndarray]:
    return [
        numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)
        for value in values
    ]


def agree(found: list[np.ndarray], expected: list[np.ndarray], relative: float) -> bool:
    return all(
        (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        and np.allclose(ours, theirs, rtol=max(relative, 1e-5), atol=1e-6, equal_nan=True)
        for ours, theirs in zip(found, expected, strict=True)
    )
