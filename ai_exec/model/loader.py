"""From the bytes of an ONNX file to plain values; only what cannot be read is refused here."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, Final

import numpy as np

from ai_exec.limits import Limits
from ai_exec.model.schema import model_schema
from ai_exec.model.wire import Message, Reader
from ai_exec.registry import Attribute
from ai_exec.tensor import (
    DTYPE_NAMES,
    ELEMENT_BITS,
    NARROW,
    PACKED_BITS,
    TINY,
    Shape,
    Tensor,
    canonical,
    from_bytes,
    unpacked,
)

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
    overload: str = ""
    """Tells functions of one name apart."""


@dataclass(frozen=True, slots=True, eq=False)
class RawGraph:
    """A graph as the model writes it: the main one, or an attribute of a node."""

    inputs: tuple[Message, ...]
    outputs: tuple[Message, ...]
    initialisers: tuple[Message, ...]
    nodes: tuple[RawNode, ...]
    values: tuple[Message, ...]
    """What it declares of tensors within."""


@dataclass(frozen=True, slots=True, eq=False)
class RawFunction:
    """A function of the model: nodes that one node stands for."""

    key: tuple[str, str, str]
    """Domain, name and overload."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: tuple[str, ...]
    """Names of attributes without a default."""
    defaults: tuple[Message, ...]
    nodes: tuple[RawNode, ...]
    opsets: tuple[tuple[str, int], ...]
    values: tuple[Message, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RawModel:
    """A model as the file has it."""

    ir_version: int
    opsets: tuple[tuple[str, int], ...]
    graph: RawGraph
    functions: tuple[RawFunction, ...]


@lru_cache(maxsize=4096)
def shown(name: str) -> str:
    """Write a name of the model in a reason: ASCII, and not too long."""
    escaped = name.encode("unicode_escape").decode()
    return escaped if len(escaped) <= SHOWN_CHARACTERS else escaped[:SHOWN_CHARACTERS] + "..."


def read_model(onnx_bytes: bytes, limits: Limits) -> RawModel:
    """Read a file under limits; raises BadWire."""
    schema = model_schema(limits)
    model = Reader(limits.items_max).read(memoryview(onnx_bytes), schema, "model")
    return RawModel(
        model.get("ir_version", 0),
        _opsets(model),
        graph_of(model.get("graph", {})),
        tuple(_function(function) for function in model["functions"]),
    )


def graph_of(graph: Message) -> RawGraph:
    """Give a graph whose message was read."""
    return RawGraph(
        tuple(graph.get("input", ())),
        tuple(graph.get("output", ())),
        tuple(graph.get("initializer", ())),
        tuple(_node(node) for node in graph.get("node", ())),
        tuple(graph.get("value_info", ())),
    )


def _function(function: Message) -> RawFunction:
    domain = function.get("domain", "")
    return RawFunction(
        (domain, function.get("name", ""), function.get("overload", "")),
        tuple(function["input"]),
        tuple(function["output"]),
        tuple(function["attribute"]),
        tuple(function["attribute_proto"]),
        tuple(_node(node) for node in function["node"]),
        _opsets(function),
        tuple(function["value_info"]),
    )


def _opsets(message: Message) -> tuple[tuple[str, int], ...]:
    imports = message["opset_import"]
    return tuple((opset.get("domain", ""), opset.get("version", 0)) for opset in imports)


def _node(node: Message) -> RawNode:
    return RawNode(
        node.get("op_type", ""),
        node.get("domain", ""),
        tuple(node["input"]),
        tuple(node["output"]),
        tuple(node["attribute"]),
        node.get("overload", ""),
    )


def declared_value(message: Message) -> DeclaredValue:
    """Read what the model says about an input or output."""
    if "sequence_type" in message.get("type", {}):
        raise Unreadable("only a ZipMap gives a sequence of maps")
    tensor: Message = message.get("type", {}).get("tensor_type", {})
    dtype = DTYPE_NAMES.get(tensor.get("elem_type", 0))
    if "elem_type" in tensor and dtype is None:
        raise Unreadable(_no_type(tensor["elem_type"]))
    if "shape" not in tensor:
        return DeclaredValue(message.get("name", ""), dtype, None)
    if any(len(dim) > 1 for dim in tensor["shape"]["dim"]):
        raise Unreadable("an axis with a length and a name: which one counts, readers disagree")
    lengths = tuple(dim.get("dim_value", dim.get("dim_param")) for dim in tensor["shape"]["dim"])
    return DeclaredValue(message.get("name", ""), dtype, lengths)


def _no_type(number: int) -> str:
    named = {8: " (texts)", 14: " (complex numbers)", 15: " (complex numbers)"}.get(number, "")
    return f"element type number {number}{named} is not supported"


_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "float_data": ("float32",),
    "int32_data": ("int32", "int16", "int8", "uint16", "uint8", "bool", *NARROW, *TINY),
    "int64_data": ("int64",),
    "double_data": ("float64",),
    "uint64_data": ("uint64", "uint32"),
}
"""Which element types each list of a tensor holds; of narrow ones their bits, or packed bytes."""


def tensor_of(message: Message, limits: Limits) -> Tensor:
    """Read a tensor that lies in the file; raises Unreadable."""
    dtype = DTYPE_NAMES.get(message.get("data_type", 0))
    if dtype is None:
        raise Unreadable(_no_type(message.get("data_type", 0)))
    if message.get("data_location", 0) or message["external_data"]:
        raise Unreadable(
            "its data lies outside the file: write the model as one file, for instance by "
            "onnx.save(onnx.load(path), path)"
        )
    shape = tuple(message["dims"])
    check_shape(shape, limits)
    lists = [name for name in _LISTS if message[name]]
    if "raw_data" in message:
        if lists:
            raise Unreadable(f"both raw_data and {lists[0]}")
        return _raw_tensor(dtype, shape, message["raw_data"])
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


def _raw_tensor(dtype: str, shape: Shape, content: memoryview) -> Tensor:
    if len(content) != -(-prod(shape) * ELEMENT_BITS[dtype] // 8):
        raise Unreadable(f"{len(content)} bytes of data for {dtype}{list(shape)}")
    if dtype in PACKED_BITS:
        return unpacked(dtype, shape, content)
    if dtype == "bool" and np.frombuffer(content, np.uint8).max(initial=0) > 1:
        raise Unreadable("a bool that is neither 0 nor 1")
    return from_bytes(dtype, shape, content)


def _listed_tensor(dtype: str, shape: Shape, values: list[Any]) -> Tensor:
    packed = PACKED_BITS.get(dtype) in (2, 4)
    if len(values) != (-(-prod(shape) * ELEMENT_BITS[dtype] // 8) if packed else prod(shape)):
        raise Unreadable(f"{len(values)} elements of data for {dtype}{list(shape)}")
    if dtype in ("float32", "float64"):
        return np.array(values, dtype=dtype).reshape(shape)
    numbers = np.array(values, np.int64)
    held = "uint8" if dtype in TINY else "uint16" if dtype in NARROW else dtype
    low, high = (0, 1) if dtype == "bool" else (np.iinfo(held).min, np.iinfo(held).max)
    # Numbers of 64 bits are whatever their bits say.
    if dtype != "uint64" and any(not low <= end <= high for end in _ends(numbers)):
        raise Unreadable(f"a number that is no {dtype}")
    listed = numbers.astype(held)
    if packed:
        return unpacked(dtype, shape, listed.tobytes())
    plain = listed.reshape(shape).view(dtype)
    return canonical(plain) if dtype in PACKED_BITS else plain


def _ends(numbers: Tensor) -> tuple[int, ...]:
    """Give the least and the greatest, if there are any."""
    return (int(numbers.min()), int(numbers.max())) if numbers.size else ()


def attribute_of(message: Message, limits: Limits) -> Attribute | RawGraph:
    """Read an attribute's value; raises Unreadable."""
    kind = ATTRIBUTE_KINDS.get(message.get("type", 0))
    if kind is None:
        raise Unreadable(f"attribute type {message.get('type', 0)} is not supported")
    if kind not in message:
        if kind in _ABSENT:
            return _ABSENT[kind]
        raise Unreadable("it has no value of its type")
    value = message[kind]
    if kind == "s":
        return _word(value)
    if kind == "strings":
        return tuple(_word(item) for item in value)
    if kind == "tp":
        return ""
    if kind == "g":
        return graph_of(value)
    return tensor_of(value, limits) if kind == "t" else _plain(value)


def weight_of(message: Message, *, lists_only: bool = False) -> int:
    """Give how much there is to read in an attribute or a tensor: numbers, parts, 8 raw bytes."""
    weight = 0
    for value in message.values():
        if isinstance(value, list):
            weight += len(value)
        elif isinstance(value, memoryview) and not lists_only:
            weight += len(value) // 8
        elif isinstance(value, dict) and not lists_only:
            weight += weight_of(value)
    return weight


def _plain(value: Any) -> Attribute:
    return tuple(value) if isinstance(value, list) else value


def _word(content: memoryview) -> str:
    try:
        return bytes(content).decode()
    except UnicodeDecodeError as error:
        raise Unreadable("a text that is no UTF-8") from error


_ABSENT: Final[Mapping[str, Attribute]] = {"f": 0.0, "i": 0, "s": ""}
"""A value that equals the default of its field may be left out of the file."""

ATTRIBUTE_KINDS: Final[Mapping[int, str]] = {
    1: "f",
    2: "i",
    3: "s",
    4: "t",
    5: "g",
    6: "floats",
    7: "ints",
    8: "strings",
    13: "tp",
}
"""Fields of an attribute by the number of its type."""
