"""What becomes of one case: passed, refused, wrong; by our engines or by plain onnxruntime."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

import ai_exec
from tests.conformance.cases import Case

ENGINES = ("reference", "fast")
PEER = "onnxruntime"
NARROW_TOLERANCES = {"bfloat16": 2.0**-6, "float16": 2.0**-9}
"""Two units in the last place: the suite allows so much to bfloat16."""


@dataclass(frozen=True)
class Verdict:
    """What became of a case."""

    word: str
    """passed, refused, wrong or crashed."""
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.word}: {self.reason}" if self.reason else self.word


class Refused(Exception):
    """The model or a run of it was refused."""


class Wrong(Exception):
    """A result is not the expected one."""


def judge(case: Case, engines: Sequence[str]) -> Verdict:
    """Run a case by every engine; the engines must also agree bit for bit."""
    try:
        if PEER in engines:
            _run_peer(case)
        else:
            _run_ours(case, engines)
    except Refused as refusal:
        return Verdict("refused", str(refusal))
    except Wrong as error:
        return Verdict("wrong", str(error))
    return Verdict("passed")


def _run_ours(case: Case, engines: Sequence[str]) -> None:
    model = onnx.load_from_string(case.model)
    sets = [(_named(model, given), expected) for given, expected in case.sets]
    admission = ai_exec.admit(case.model, bounds=_bounds(model, [inputs for inputs, _ in sets]))
    if admission.program is None:
        raise Refused(" | ".join(admission.reasons))
    for engine in engines:
        executable = ai_exec.compile(admission.program, engine=engine)
        bits = []
        for inputs, expected in sets:
            fed = {tensor.name: inputs[tensor.name] for tensor in admission.inputs}
            try:
                found = executable.run(fed)
            except ai_exec.Trap as trap:
                raise Refused(f"{engine} traps: {trap}") from trap
            _check(engine, list(found.values()), expected, case)
            bits.append(_bits(found))
        if engine == engines[0]:
            first = bits
        if bits != first:
            raise Wrong("the engines differ in bits")


def admitted(case: Case) -> tuple[bytes, ai_exec.Admission, dict[str, Any]]:
    """Give a case's model for its first inputs alone, its admission, and these inputs."""
    model = onnx.load_from_string(case.model)
    inputs = _named(model, case.sets[0][0])
    content = _fixed(model, inputs)
    admission = ai_exec.admit(content)
    return content, admission, {tensor.name: inputs[tensor.name] for tensor in admission.inputs}


def _fixed(model: onnx.ModelProto, inputs: Mapping[str, Any]) -> bytes:
    """Give the model with the lengths that the inputs have."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value in fixed.graph.input:
        if value.name in inputs and value.type.HasField("tensor_type"):
            axes = value.type.tensor_type.shape.dim
            for axis, length in zip(axes, np.shape(inputs[value.name]), strict=False):
                axis.dim_value = length
    return fixed.SerializeToString()


def _bounds(model: onnx.ModelProto, sets: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Give the greatest lengths that the data have on axes that the model leaves open."""
    bounds: dict[str, int] = {}
    for value in model.graph.input:
        for inputs in sets:
            if value.name not in inputs or not value.type.HasField("tensor_type"):
                continue
            axes, lengths = value.type.tensor_type.shape.dim, np.shape(inputs[value.name])
            for index, (axis, length) in enumerate(zip(axes, lengths, strict=False)):
                if not axis.HasField("dim_value"):
                    label = axis.dim_param or f"{value.name}.{index}"
                    bounds[label] = max(bounds.get(label, 0), length)
    return bounds


def _named(model: onnx.ModelProto, given: Sequence[Any]) -> dict[str, Any]:
    names = [value.name for value in model.graph.input]
    if len(names) != len(given):
        constants = {tensor.name for tensor in model.graph.initializer}
        names = [name for name in names if name not in constants]
    return dict(zip(names, given, strict=False))


def _check(engine: str, found: Sequence[Any], expected: Sequence[Any], case: Case) -> None:
    if len(found) != len(expected):
        raise Wrong(f"{engine}: {len(found)} outputs, expected are {len(expected)}")
    for index, (ours, theirs) in enumerate(zip(found, expected, strict=False)):
        complaint = _complaint(ours, theirs, case)
        if complaint:
            raise Wrong(f"{engine}: output {index}: {complaint}")


def _complaint(ours: Any, theirs: Any, case: Case) -> str:
    """Tell how a value differs from the expected one; empty if it does not."""
    if isinstance(theirs, list):
        if not isinstance(ours, list) or len(ours) != len(theirs):
            return "not the expected sequence"
        pairs = zip(ours, theirs, strict=False)
        return next(filter(None, (_complaint(a, b, case) for a, b in pairs)), "")
    if theirs is None or ours is None:
        return "" if ours is theirs else "present where nothing is expected, or the reverse"
    theirs = np.asarray(theirs)
    if (ours.dtype, ours.shape) != (theirs.dtype, theirs.shape):
        return f"{ours.dtype}{list(ours.shape)}, expected is {theirs.dtype}{list(theirs.shape)}"
    if theirs.dtype == object:
        return "" if (ours == theirs).all() else "other texts"
    if ours.tobytes() == theirs.tobytes():
        return ""
    relative = max(case.relative, NARROW_TOLERANCES.get(ours.dtype.name, 0.0))
    if ours.dtype.kind not in "biufc":
        ours, theirs = ours.astype(np.float32), theirs.astype(np.float32)
    close = np.isclose(ours, theirs, rtol=relative, atol=case.absolute, equal_nan=True)
    if close.all():
        return ""
    place = tuple(int(axis[0]) for axis in np.nonzero(~close)) if close.ndim else ()
    return (
        f"{np.count_nonzero(~close)} of {close.size} elements, "
        f"first {place}: {ours[place]}, expected is {theirs[place]}"
    )


def _bits(outputs: Mapping[str, Any]) -> list[tuple[str, str, tuple[int, ...], bytes]]:
    return [
        (name, value.dtype.name, value.shape, np.ascontiguousarray(value).tobytes())
        for name, value in outputs.items()
    ]


def _run_peer(case: Case) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(case.model, options, ["CPUExecutionProvider"])
        for given, expected in case.sets:
            names = [value.name for value in session.get_inputs()]
            _check(
                PEER, _peer_outputs(session, dict(zip(names, given, strict=False))), expected, case
            )
    except Wrong:
        raise
    except Exception as error:
        # A border: this library's errors have no common class.
        raise Refused(str(error).splitlines()[0] if str(error) else repr(error)) from error


def _peer_outputs(session: Any, given: Mapping[str, Any]) -> list[Any]:
    """Give the outputs; element types that numpy lacks take values of the library's own."""
    import onnxruntime

    if not any(
        isinstance(value, np.ndarray) and value.dtype.kind == "V" for value in given.values()
    ):
        return list(session.run(None, dict(given)))
    own = onnxruntime.OrtValue
    fed = {
        name: own.ortvalue_from_numpy_with_onnx_type(
            value, onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
        )
        if value.dtype.kind == "V"
        else own.ortvalue_from_numpy(value)
        for name, value in given.items()
    }
    return [output.numpy() for output in session.run_with_ort_values(None, fed)]
