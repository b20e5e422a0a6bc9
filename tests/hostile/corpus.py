"""Hostile models, each named by a number: mutated cases of ONNX's suite, and bombs."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from math import inf, nan
from random import Random
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, helper, numpy_helper

from tests.conformance.cases import Case
from tests.hostile import wire
from tests.hostile.bombs import BOMBS, million_nodes

BASE_BYTES_MAX = 20_000
WHOLES = (0, 1, -1, 2, 3, -2, 8, 64, 1 << 16, 1 << 31, (1 << 31) - 1, (1 << 63) - 1, -(1 << 63))
FLOATS = (0.0, -0.0, 1.0, -1.0, nan, inf, -inf, 1e-45, 3.4e38, 1e-8, 0.5)
TEXTS = ("", "linear", "constant", "NOTSET", "VALID", "sum", "\0", "\N{SNOWMAN}" * 40, "nan")
MILLION_EVERY = 1_000


class Corpus:
    """All hostile models of one seed; the same on every machine."""

    def __init__(self, cases: Sequence[Case], seed: int = 0) -> None:
        self._seed = seed
        self._bases = [
            case.model for case in cases if len(case.model) <= BASE_BYTES_MAX and case.sets
        ]
        self._sets = [
            case.sets[0][0] for case in cases if len(case.model) <= BASE_BYTES_MAX and case.sets
        ]

    def at(self, index: int) -> bytes:
        """Give the model of a number."""
        random = Random(f"{self._seed} {index}")
        if index % MILLION_EVERY == MILLION_EVERY - 1:
            return million_nodes(random)
        return KINDS[index % len(KINDS)](self, random, index // len(KINDS))

    def kind_of(self, index: int) -> str:
        """Give the kind of the model of a number."""
        if index % MILLION_EVERY == MILLION_EVERY - 1:
            return "million_nodes"
        return KINDS[index % len(KINDS)].__name__.lstrip("_")

    def base(self, random: Random) -> bytes:
        """Give some model that is right."""
        return random.choice(self._bases)

    def base_at(self, number: int) -> bytes:
        """Give one model that is right after the other."""
        return self._bases[number % len(self._bases)]

    def frozen_base(self, random: Random) -> onnx.ModelProto:
        """Give some model with its small inputs as constants."""
        place = random.randrange(len(self._bases))
        model = onnx.load_from_string(self._bases[place])
        for value, given in list(zip(model.graph.input, self._sets[place], strict=False))[1:]:
            if isinstance(given, np.ndarray) and given.size <= 64 and given.dtype.kind in "bif":
                model.graph.initializer.append(numpy_helper.from_array(given, value.name))
        return model

    @cached_property
    def attribute_places(self) -> list[tuple[int, int, str, int, Any]]:
        """Every attribute of every operator with every hostile value: (base, node, ...)."""
        return list(_attribute_places(self._bases))

    def with_attribute(self, place: tuple[int, int, str, int, Any]) -> bytes:
        """Give a base with one attribute replaced."""
        base, node, name, kind, value = place
        model = onnx.load_from_string(self._bases[base])
        changed = model.graph.node[node]
        kept = [attribute for attribute in changed.attribute if attribute.name != name]
        del changed.attribute[:]
        changed.attribute.extend([*kept, _attribute(name, kind, value)])
        _forget_results(model)
        return model.SerializeToString()


def _forget_results(model: onnx.ModelProto) -> None:
    """Leave out what the model declares of its outputs, so that it does not stop the lie early."""
    for value in model.graph.output:
        value.ClearField("type")


def _attribute_places(bases: Sequence[bytes]) -> Iterator[tuple[int, int, str, int, Any]]:
    seen = set()
    for base, content in enumerate(bases):
        model = onnx.load_from_string(content)
        opsets = {opset.domain: opset.version for opset in model.opset_import}
        for place, node in enumerate(model.graph.node):
            try:
                schema = onnx.defs.get_schema(node.op_type, opsets.get(node.domain, 1), node.domain)
            except onnx.defs.SchemaError:
                continue
            key = (node.op_type, schema.since_version, node.domain)
            if key in seen:
                continue
            seen.add(key)
            for name in sorted(schema.attributes):
                kind = int(schema.attributes[name].type.value)
                for value in _hostile_values(kind):
                    yield base, place, name, kind, value


def _hostile_values(kind: int) -> Iterator[Any]:
    if kind == AttributeProto.INT:
        yield from WHOLES
    elif kind == AttributeProto.FLOAT:
        yield from FLOATS
    elif kind == AttributeProto.STRING:
        yield from TEXTS
    elif kind == AttributeProto.INTS:
        yield from ([], [0], [1] * 1_000, *([value] * n for value in WHOLES for n in (1, 2, 4)))
    elif kind == AttributeProto.FLOATS:
        yield from ([], [1.0] * 1_000, *([value] * 2 for value in FLOATS))
    elif kind == AttributeProto.STRINGS:
        yield from ([], [""], ["a"] * 1_000)
    elif kind == AttributeProto.TENSOR:
        for dtype in (np.float32, np.int64, np.uint8, np.bool_):
            yield from (np.zeros(shape, dtype) for shape in ((), (0,), (1,), (3, 3)))


def _attribute(name: str, kind: int, value: Any) -> AttributeProto:
    attribute = AttributeProto(name=name, type=kind)
    if kind == AttributeProto.INT:
        attribute.i = value
    elif kind == AttributeProto.FLOAT:
        attribute.f = value
    elif kind == AttributeProto.STRING:
        attribute.s = value.encode()
    elif kind == AttributeProto.INTS:
        attribute.ints.extend(value)
    elif kind == AttributeProto.FLOATS:
        attribute.floats.extend(value)
    elif kind == AttributeProto.STRINGS:
        attribute.strings.extend(text.encode() for text in value)
    else:
        attribute.t.CopyFrom(numpy_helper.from_array(value))
    return attribute


def _attributes(corpus: Corpus, random: Random, count: int) -> bytes:
    places = corpus.attribute_places
    # A stride that is prime to most lengths reaches every operator early.
    return corpus.with_attribute(places[count * 7919 % len(places)])


def _values(corpus: Corpus, random: Random, count: int) -> bytes:
    """Constants with hostile elements: shapes, axes, indices, counts."""
    model = corpus.frozen_base(random)
    if not model.graph.initializer:
        return model.SerializeToString()
    chosen = random.choice(model.graph.initializer)
    array = np.array(numpy_helper.to_array(chosen))
    if array.dtype.kind in "ifu" and array.size:
        pool = WHOLES if array.dtype.kind != "f" else FLOATS
        for _ in range(random.choice((1, 1, array.size))):
            value = np.array([random.choice(pool)]).astype(array.dtype)[0]
            array.reshape(-1)[random.randrange(array.size)] = value
    if random.random() < 0.3:
        array = random.choice(
            (array[..., :0] if array.ndim else array, array[None], np.ravel(array))
        )
    chosen.CopyFrom(numpy_helper.from_array(array, chosen.name))
    return model.SerializeToString()


def _plain(corpus: Corpus, random: Random, count: int) -> bytes:
    """Nothing wrong with the model: what comes in at a run is hostile."""
    return corpus.base_at(count * 7919)


def _truncated(corpus: Corpus, random: Random, count: int) -> bytes:
    base = corpus.base(random)
    return base[: random.randrange(len(base))]


def _flipped(corpus: Corpus, random: Random, count: int) -> bytes:
    octets = bytearray(corpus.base(random))
    for _ in range(random.choice((1, 1, 2, 8, 64))):
        octets[random.randrange(len(octets))] ^= 1 << random.randrange(8)
    return bytes(octets)


def _spliced(corpus: Corpus, random: Random, count: int) -> bytes:
    first, second = corpus.base(random), corpus.base(random)
    if random.random() < 0.2:
        return first + second
    begin, end = sorted((random.randrange(len(second)), random.randrange(len(second))))
    place = random.randrange(len(first))
    return first[:place] + second[begin:end] + first[place + random.choice((0, end - begin)) :]


def _overwritten(corpus: Corpus, random: Random, count: int) -> bytes:
    """Numbers replaced by overlong, huge or negative ones."""
    octets = bytearray(corpus.base(random))
    place = random.randrange(len(octets))
    number = wire.varint(random.choice(WHOLES), random.choice((0, 2, 5, 10, 11, 20)))
    octets[place : place + random.choice((0, 1, len(number)))] = number
    return bytes(octets)


def _noise(corpus: Corpus, random: Random, count: int) -> bytes:
    return random.randbytes(random.choice((0, 1, 2, 10, 100, 10_000)))


def _typed(corpus: Corpus, random: Random, count: int) -> bytes:
    """Lies about element types, shapes, names, order."""
    model = corpus.frozen_base(random)
    for _ in range(random.choice((1, 1, 2, 4))):
        random.choice(_LIES)(model, random)
    return model.SerializeToString()


def _lie_type(model: onnx.ModelProto, random: Random) -> None:
    values = [*model.graph.input, *model.graph.output]
    if values:
        tensor = random.choice(values).type.tensor_type
        tensor.elem_type = random.choice((0, 1, 2, 6, 7, 8, 9, 10, 11, 16, 22, 1 << 20, -1))


def _lie_shape(model: onnx.ModelProto, random: Random) -> None:
    values = [*model.graph.input, *model.graph.output]
    if not values:
        return
    shape = random.choice(values).type.tensor_type.shape
    if shape.dim and random.random() < 0.7:
        dim = random.choice(shape.dim)
        if random.random() < 0.3:
            dim.dim_param = random.choice(("", "n", "batch", "x" * 300))
        else:
            dim.dim_value = random.choice(WHOLES)
    elif random.random() < 0.5:
        shape.dim.add().dim_value = random.choice(WHOLES)
    else:
        del shape.dim[:]


def _lie_data(model: onnx.ModelProto, random: Random) -> None:
    if not model.graph.initializer:
        return
    tensor = random.choice(model.graph.initializer)
    lie = random.randrange(6)
    if lie == 0:
        tensor.data_type = random.choice((0, 1, 2, 6, 7, 8, 9, 10, 11, 22, 99))
    elif lie == 1:
        tensor.dims.append(random.choice(WHOLES))
    elif lie == 2:
        tensor.raw_data += b"\xff" * random.choice((1, 4, 1000))
    elif lie == 3:
        tensor.float_data.append(random.choice(FLOATS))
    elif lie == 4:
        tensor.data_location = 1
    else:
        tensor.external_data.add(key="location", value="/etc/passwd")


def _lie_name(model: onnx.ModelProto, random: Random) -> None:
    """Duplicates, cycles, names of nothing."""
    nodes = model.graph.node
    if not nodes:
        return
    names = [name for node in nodes for name in (*node.input, *node.output)] or ["x"]
    names += ["", "nothing", *(value.name for value in model.graph.input)]
    node = random.choice(nodes)
    side = random.choice((node.input, node.output))
    if side:
        side[random.randrange(len(side))] = random.choice(names)
    if random.random() < 0.3:
        side.append(random.choice(names))


def _lie_operator(model: onnx.ModelProto, random: Random) -> None:
    nodes = model.graph.node
    if nodes:
        node = random.choice(nodes)
        node.op_type = random.choice([*(other.op_type for other in nodes), "Relu", "Loop", "Add"])
        node.domain = random.choice((node.domain, node.domain, "ai.onnx", "ai.onnx.ml", "evil"))


def _lie_order(model: onnx.ModelProto, random: Random) -> None:
    nodes = list(model.graph.node)
    random.shuffle(nodes)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *nodes[: random.choice((0, 0, 1))]])


def _lie_version(model: onnx.ModelProto, random: Random) -> None:
    if random.random() < 0.5:
        model.ir_version = random.choice((0, 1, 3, 10, 14, 99, -1))
    opset = helper.make_opsetid(random.choice(("", "ai.onnx.ml", "evil")), random.choice(WHOLES))
    model.opset_import.append(opset)


_LIES = (_lie_type, _lie_shape, _lie_data, _lie_name, _lie_operator, _lie_order, _lie_version)


def _bombs(corpus: Corpus, random: Random, count: int) -> bytes:
    return BOMBS[count % len(BOMBS)](random)


KINDS: tuple[Callable[[Corpus, Random, int], bytes], ...] = (
    _attributes,
    _values,
    _truncated,
    _attributes,
    _flipped,
    _typed,
    _attributes,
    _spliced,
    _bombs,
    _attributes,
    _values,
    _typed,
    _attributes,
    _overwritten,
    _noise,
    _bombs,
    _plain,
    _plain,
)
