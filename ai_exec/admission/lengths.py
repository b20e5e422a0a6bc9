"""Open axes of a model's inputs: which there are, and what speaks against the bounds given."""

from collections.abc import Mapping

from ai_exec.axes import BOUNDS_MAX
from ai_exec.limits import Limits
from ai_exec.model.loader import (
    DeclaredValue,
    RawGraph,
    Unreadable,
    check_shape,
    declared_value,
    shown,
)
from ai_exec.tensor import AXIS_NAME_BYTES_MAX, TensorType


def input_type(value: DeclaredValue, lengths: Mapping[str, int], limits: Limits) -> TensorType:
    """Give the type of an input whose open axes have these lengths by name; raises Unreadable."""
    if value.dtype is None or value.shape is None:
        raise Unreadable("its type and shape are not given: declare them in the model")
    axes = _axes(value)
    shape = tuple(
        length if isinstance(length, int) else _length(value, axis, lengths)
        for axis, length in enumerate(value.shape)
    )
    check_shape(shape, limits)
    return TensorType(value.name, value.dtype, shape, axes if any(axes) else ())


def bound_complaints(graph: RawGraph, bounds: Mapping[str, int], limits: Limits) -> list[str]:
    """Give every complaint about bounds alone."""
    known = _names(graph)
    complaints = [f"{len(bounds)} bounds, at most {BOUNDS_MAX}"] * (len(bounds) > BOUNDS_MAX)
    for name, most in bounds.items():
        given = f"bound {shown(name)}={most}"
        if name not in known:
            there = ", ".join(shown(each) for each in known) or "none"
            complaints.append(f"{given}: no open axis has this name; there are {there}")
        elif not 1 <= most <= limits.axis_max:
            complaints.append(f"{given}: allowed are 1 to {limits.axis_max}")
    return complaints


def _length(value: DeclaredValue, axis: int, lengths: Mapping[str, int]) -> int:
    name, label = _axes(value)[axis], (value.shape or ())[axis]
    here = f"axis {axis} ({shown(label)})" if isinstance(label, str) and label else f"axis {axis}"
    if len(name.encode()) > AXIS_NAME_BYTES_MAX:
        raise Unreadable(
            f"{here} is open: its name {shown(name)} has more than {AXIS_NAME_BYTES_MAX} bytes"
        )
    if name not in lengths:
        raise Unreadable(f"{here} is open: give it a bound, for instance --bound {shown(name)}=8")
    return lengths[name]


def _axes(value: DeclaredValue) -> tuple[str, ...]:
    return tuple(
        "" if isinstance(length, int) else length or f"{value.name}.{axis}"
        for axis, length in enumerate(value.shape or ())
    )


def _names(graph: RawGraph) -> tuple[str, ...]:
    """Give the names of all open axes that the graph declares, those of inputs first."""
    initialised = {message.get("name", "") for message in graph.initialisers}
    names: dict[str, None] = {}
    for message in (*graph.inputs, *graph.values, *graph.outputs):
        try:
            value = declared_value(message)
        except Unreadable:
            continue
        if value.name not in initialised:
            names |= dict.fromkeys(name for name in _axes(value) if name)
    return tuple(names)
