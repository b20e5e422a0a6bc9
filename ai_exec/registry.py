"""What an operator is, and how operators are found by name, domain and opset."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from types import MappingProxyType, NoneType, UnionType
from typing import (
    Any,
    Final,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np

from ai_exec.span import TRUTH, Span
from ai_exec.tensor import Shape, Tensor, TensorType, type_text


class Body(Protocol):
    """A graph in an attribute, as kernels see it: ready to be called."""

    @property
    def results(self) -> tuple[TensorType, ...]:
        """What it gives: of an inexact shape the most that each axis can have."""
        ...

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Run it once on tensors."""
        ...


class Subgraph(Protocol):
    """A graph in an attribute, as rules of types and costs see it."""

    calls: int
    """How often it runs at most; rules set it."""

    @property
    def calls_max(self) -> int:
        """How often it may run where the number depends on values of a run."""
        ...

    @property
    def cost(self) -> int:
        """Work in gas of running it once, as it was judged last."""
        ...

    @property
    def scratch_bytes(self) -> int:
        """Memory in bytes that it needs, as it was judged last."""
        ...

    def judge(
        self, inputs: "tuple[Operand, ...]", most: "tuple[Operand | None, ...]" = ()
    ) -> "tuple[Operand, ...]":
        """Give the types of its outputs, some bounded from above; raises Mismatch."""
        ...


class NamedType:
    """A type in an attribute, which means nothing where types are inferred."""


Attribute = (
    int
    | float
    | str
    | tuple[int, ...]
    | tuple[float, ...]
    | tuple[str, ...]
    | Tensor
    | Body
    | Subgraph
)
Attributes = Mapping[str, Attribute | None]
Kernel = Callable[..., Tensor | tuple[Tensor, ...]]
K = TypeVar("K", bound=Kernel)
R = TypeVar("R", bound=Callable[..., Any])

ML: Final = "ai.onnx.ml"
"""Domain of the classic machine learning operators; the domain of all others is empty."""

OUTPUT_COUNT: Final = "output_count"
"""A kernel with a keyword of this name is told how many outputs its node has."""

NODES: Final = "nodes"
"""A rule that unfolds a node gets the means under this keyword."""


class Mismatch(Exception):
    """An operator cannot take these inputs or attributes.  The message says which and why."""


class Unbounded(Mismatch):
    """The result's shape depends on a value that is known at a run only."""


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """What admission knows of a tensor."""

    dtype: str
    shape: Shape
    value: Tensor | None = None
    """The elements, where they do not depend on the model's inputs."""
    exact: bool = True
    """Whether the shape is certain; if not, it is the most that each axis can have."""
    least: Shape | None = None
    """Of a shape that is not certain the least that each axis can have; None for 0."""
    within: Span | None = None
    """Bounds of elements that depend on a run, where they are known."""

    @property
    def shortest(self) -> Shape:
        """The least that each axis can have."""
        if self.exact:
            return self.shape
        return (0,) * len(self.shape) if self.least is None else self.least

    @property
    def span(self) -> Span | None:
        """Bounds of the elements, which meet where these are known."""
        if self.value is not None:
            return Span(self.value, self.value)
        return TRUTH if self.within is None and self.dtype == "bool" else self.within

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __str__(self) -> str:
        return type_text(self.dtype, self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A node as rules of types and costs see it."""

    inputs: tuple[Operand | None, ...]
    """One for each input of the node; None for an optional one that is left out."""
    attributes: Attributes
    """All attributes of the operator, defaults filled in."""
    output_count: int
    """Outputs of the node, unnamed ones included."""
    outputs: tuple[Operand, ...] = ()
    """Known when the cost is asked for."""
    declared: tuple[Operand | None, ...] = ()
    """What the model declares of the outputs, as bounds."""
    tensors: tuple[Tensor | None, ...] = ()
    """The inputs themselves where a run asks again; only `known` and `constant` tell them."""

    def at(self, index: int) -> Operand:
        """Give an input that must be there."""
        found = self.optional(index)
        if found is None:
            raise Mismatch(f"input {index} is missing")
        return found

    def optional(self, index: int) -> Operand | None:
        """Give an input, or None if it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def known(self, index: int) -> Tensor | None:
        """Give the elements of an input, or None where they depend on a run that is to come."""
        value = self.at(index).value
        return self.tensors[index] if value is None and self.tensors else value

    def constant(self, index: int) -> Tensor:
        """Give the elements of an input; raises Unbounded where they depend on a run."""
        value = self.known(index)
        if value is None:
            raise Unbounded(
                f"the shape of its result depends on input {index}, which is known at a run only: "
                "make it a constant"
            )
        return value

    def whole(self, name: str) -> int:
        """Give an attribute that is a whole number."""
        value = self.attributes[name]
        assert isinstance(value, int)
        return value

    def wholes(self, name: str) -> tuple[int, ...] | None:
        """Give an attribute that is a list of whole numbers, or None if it is left out."""
        value = self.attributes[name]
        return None if value is None else tuple(value)  # type: ignore[arg-type]

    def word(self, name: str) -> str:
        """Give an attribute that is a text."""
        value = self.attributes[name]
        assert isinstance(value, str)
        return value

    def subgraph(self, name: str) -> Subgraph:
        """Give an attribute that is a graph."""
        value: Any = self.attributes[name]
        assert hasattr(value, "judge")
        return value  # type: ignore[no-any-return]


Infer = Callable[[Call], tuple[Operand, ...]]
"""Gives the types of all outputs; raises Mismatch."""

Cost = Callable[[Call], int]
"""Gives the work in gas of a node whose types are known."""

Scratch = Callable[[Call], int]
"""Gives the memory in bytes that a node needs beside its inputs and outputs."""


def usual_scratch(call: Call) -> int:
    """Copies of all inputs and outputs in binary64, three times over."""
    present = [operand for operand in call.inputs if operand is not None]
    return 24 * sum(prod(operand.shape) for operand in (*present, *call.outputs))


@dataclass(frozen=True, slots=True)
class Idle:
    """An attribute that an operator's kernel does not take."""

    kind: str
    """Field of AttributeProto that holds it."""
    default: Attribute | None = None


CONSUMED: Final = MappingProxyType({"consumed_inputs": Idle("ints")})
"""What many operators of the first set have: a hint that meant nothing for results."""


@dataclass(frozen=True, eq=False)
class Operator:
    """One operator in one version of its specification."""

    name: str
    since: int
    domain: str
    kernel: Kernel
    infer: Infer
    cost: Cost
    scratch: Scratch
    values: tuple[str, ...] = field(default=())
    """Element types that the first input may have; empty means that `infer` decides."""
    moves: bool = False
    """The kernel takes elements of any type, as it computes nothing with them (R5)."""
    native: bool = False
    """The operator tells 16-bit floats apart itself.

    All others see them as binary32 numbers, and their binary32 results are rounded to 16 bits.
    """
    mixed: bool = False
    """Float inputs may differ in type."""
    unfolds: bool = False
    """The kernel is a rule by which admission puts other nodes in the node's place."""
    lacks: tuple[str, ...] = ()
    """Attributes of the kernel that this version has not: the kernel's defaults hold."""
    settles: Attributes = field(default_factory=dict)
    """Attributes of the kernel that this version has not, with what it means instead."""
    starts: Attributes = field(default_factory=dict)
    """Attributes whose default in this version is another one than the kernel's."""
    idle: Mapping[str, Idle] = field(default_factory=dict)
    """Attributes of this version that the kernel does not take."""
    inputs_taken: int | None = None
    """How many of the kernel's inputs this version has; None for all."""
    inputs_needed: int | None = None
    """How many inputs a node of this version must name; None for those that the kernel needs."""

    @cached_property
    def attribute_kinds(self) -> Mapping[str, str]:
        """Field of AttributeProto that holds each attribute, by name."""
        hints = get_type_hints(self.kernel)
        absent = (OUTPUT_COUNT, NODES, *self.lacks, *self.settles)
        kinds = {name: _field_of(hints[name]) for name in self._keywords if name not in absent}
        kinds |= {name: idle.kind for name, idle in self.idle.items()}
        return MappingProxyType({name: kinds[name] for name in sorted(kinds)})

    @cached_property
    def bodies(self) -> tuple[str, ...]:
        """Names of the attributes that are graphs."""
        return tuple(name for name, kind in self.attribute_kinds.items() if kind == "g")

    @cached_property
    def defaults(self) -> Attributes:
        """Default of each attribute that has one."""
        keywords = self._keywords
        found = {
            name: keywords[name].default
            for name in self.attribute_kinds
            if name in keywords and keywords[name].default is not inspect.Parameter.empty
        }
        idle = {name: idle.default for name, idle in self.idle.items()}
        return MappingProxyType({**found, **idle, **self.starts})

    @property
    def kernel_summary(self) -> str:
        """First line of what the kernel says about its result."""
        return (self.kernel.__doc__ or "").split("\n", maxsplit=1)[0]

    @cached_property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs, that of a list of inputs last."""
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        return tuple(p.name for p in self._parameters if p.kind in kinds)[: self.inputs_taken]

    @cached_property
    def inputs_min(self) -> int:
        """How many inputs a node must name."""
        if self.inputs_needed is not None:
            return self.inputs_needed
        return sum(parameter.default is parameter.empty for parameter in self._positional)

    @cached_property
    def inputs_listed(self) -> int:
        """How many inputs have a place of their own; more are a list, if the operator takes one."""
        return len(self._positional)

    @cached_property
    def inputs_max(self) -> int | None:
        """How many inputs a node may name; None where there is no bound."""
        return None if self._variadic else len(self._positional)

    def run(
        self, inputs: tuple[Tensor | None, ...], attributes: Attributes, output_count: int
    ) -> tuple[Tensor, ...]:
        """Compute the outputs of a node."""
        taken: dict[str, Any] = {**attributes, **self.settles}
        for name in self.idle:
            taken.pop(name, None)
        if OUTPUT_COUNT in self._keywords:
            taken[OUTPUT_COUNT] = output_count
        found = self.kernel(*inputs, **taken)
        outputs = found if isinstance(found, tuple) else (found,)
        return tuple(np.asarray(output) for output in outputs)

    @cached_property
    def _parameters(self) -> tuple[inspect.Parameter, ...]:
        return tuple(inspect.signature(self.kernel).parameters.values())

    @cached_property
    def _keywords(self) -> Mapping[str, inspect.Parameter]:
        return {p.name: p for p in self._parameters if p.kind is p.KEYWORD_ONLY}

    @cached_property
    def _positional(self) -> tuple[inspect.Parameter, ...]:
        found = tuple(p for p in self._parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
        return found[: self.inputs_taken]

    @cached_property
    def _variadic(self) -> bool:
        return any(p.kind is p.VAR_POSITIONAL for p in self._parameters)


_PLAIN_FIELDS: Final[Mapping[Any, str]] = {
    int: "i",
    float: "f",
    str: "s",
    Body: "g",
    NamedType: "tp",
}
_LIST_FIELDS: Final[Mapping[Any, str]] = {int: "ints", float: "floats", str: "strings"}


def _field_of(hint: Any) -> str:
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is tuple:
        return _LIST_FIELDS[get_args(hint)[0]]
    return _PLAIN_FIELDS.get(hint, "t")


_OPERATORS: Final[dict[tuple[str, str], dict[int, Operator]]] = {}


def operator(
    name: str,
    *,
    since: int | tuple[int, ...],
    infer: Infer,
    cost: Cost,
    scratch: Scratch = usual_scratch,
    values: tuple[str, ...] = (),
    domain: str = "",
    moves: bool = False,
    native: bool = False,
    mixed: bool = False,
) -> Callable[[K], K]:
    """Register a kernel for the given versions of an operator's specification."""

    def register(kernel: K) -> K:
        versions = _OPERATORS.setdefault((domain, name), {})
        for version in (since,) if isinstance(since, int) else since:
            assert version not in versions, f"{name} {version} is registered twice"
            versions[version] = Operator(
                name,
                version,
                domain,
                kernel,
                infer,
                cost,
                scratch,
                values,
                moves,
                native,
                mixed,
            )
        return kernel

    return register


def earlier(
    name: str, *, since: int | tuple[int, ...], of: int, domain: str = "", **different: Any
) -> None:
    """Register versions of an operator that do what version `of` does.

    What they have not, or have otherwise, is said by fields of `Operator`.
    """
    versions = _OPERATORS[domain, name]
    for version in (since,) if isinstance(since, int) else since:
        assert version not in versions, f"{name} {version} is registered twice"
        versions[version] = replace(versions[of], since=version, **different)


def unfolding(name: str, *, since: int | tuple[int, ...]) -> Callable[[R], R]:
    """Register a rule that puts other nodes in the place of one, for sequences and optionals."""

    def nothing(call: Call) -> Any:
        raise Mismatch("admission puts other nodes in its place")

    def register(rule: R) -> R:
        versions = _OPERATORS.setdefault(("", name), {})
        for version in (since,) if isinstance(since, int) else since:
            versions[version] = Operator(
                name, version, "", rule, nothing, nothing, nothing, unfolds=True
            )
        return rule

    return register


def all_operators() -> Iterator[Operator]:
    """Give all operators by domain, name and version."""
    for key in sorted(_OPERATORS):
        for version in sorted(_OPERATORS[key]):
            yield _OPERATORS[key][version]


def is_known(domain: str, name: str) -> bool:
    """Tell whether any version of an operator is supported."""
    return (domain, name) in _OPERATORS


def versions_of(domain: str, name: str) -> tuple[int, ...]:
    """Give the supported versions of an operator, ascending."""
    return tuple(sorted(_OPERATORS.get((domain, name), {})))


def find(domain: str, name: str, version: int) -> Operator | None:
    """Give the operator whose specification has exactly this version."""
    return _OPERATORS.get((domain, name), {}).get(version)


def newest(domain: str, name: str, opset: int) -> Operator | None:
    """Give the newest supported version of an operator that is not above an operator set's."""
    versions = [version for version in versions_of(domain, name) if version <= opset]
    return find(domain, name, versions[-1]) if versions else None
