"""Any operator with any attributes on any inputs: a verdict, then what it promised."""

import random
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import ai_exec
from ai_exec.admission.nodes import OPSETS
from ai_exec.registry import ML, Operator, all_operators
from ai_exec.tensor import DTYPE_NUMBERS, Tensor
from tests.support.engines import outcome
from tests.support.onnx_models import encode, proto

DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool", "int8", "uint64")
WORDS = ("none", "NOTSET", "SAME_UPPER", "reflect", "edge", "wrap", "L2", "SOFTMAX", "LOGISTIC")
ODD = (float("nan"), float("inf"), float("-inf"), -0.0)


class Dice:
    """Draws nodes that are sometimes right."""

    def __init__(self, seed: int) -> None:
        self.choice = random.Random(seed)
        self.array = np.random.default_rng(seed)

    def shape(self) -> list[int]:
        rank = self.choice.randint(0, 4)
        return [self.choice.choice([0, 1, 1, 2, 3, 4]) for _ in range(rank)]

    def tensor(self, shape: list[int], dtype: str) -> Tensor:
        if dtype == "bool":
            return np.asarray(self.array.integers(0, 2, shape).astype(bool))
        if not dtype.startswith("float"):
            low = 0 if dtype.startswith("u") else -4
            return np.asarray(self.array.integers(low, 5, shape)).astype(dtype)
        numbers = np.asarray(self.array.normal(size=shape) * self.choice.choice([1, 1e-40, 1e30]))
        if numbers.size and self.choice.random() < 0.3:
            numbers.reshape(-1)[self.choice.randrange(numbers.size)] = self.choice.choice(ODD)
        return numbers.astype(dtype)

    def attribute(self, kind: str, rank: int) -> Any:
        if kind == "i":
            return self.choice.choice([0, 1, -1, 2, 3, 7, 1 << 40])
        if kind == "f":
            return self.choice.choice([0.0, 1.0, -0.5, 1e30, float("nan")])
        if kind == "s":
            return self.choice.choice(WORDS)
        if kind == "t":
            return numpy_helper.from_array(self.tensor([1], self.choice.choice(DTYPES)))
        length = self.choice.choice([1, max(rank - 2, 1), max(2 * rank - 4, 1), max(rank, 1), 6])
        if kind == "ints":
            return [self.choice.choice([0, 1, 2, 1, -1, 3, 1 << 40]) for _ in range(length)]
        return list(self.array.normal(size=length)) if kind == "floats" else ["a"]

    def model(self, operator: Operator) -> tuple[onnx.ModelProto, dict[str, Tensor]]:
        most = operator.inputs_max if operator.inputs_max is not None else 3
        count = self.choice.randint(max(operator.inputs_min, most > 0), most)
        base, dtype = self.shape(), self.choice.choice((*DTYPES[:1] * 8, *DTYPES))
        given, constants = {}, {}
        for index in range(count):
            shape = base if self.choice.random() < 0.6 else self.shape()
            kind = dtype if self.choice.random() < 0.8 else self.choice.choice(DTYPES)
            if index and self.choice.random() < 0.5:
                lengths = ([len(base)], [1], shape, [2 * len(base)])
                kind = self.choice.choice(["int64", kind])
                constants[f"i{index}"] = self.tensor(list(self.choice.choice(lengths)), kind)
            else:
                given[f"i{index}"] = self.tensor(shape, kind)
        attributes = {
            name: self.attribute(kind, len(base))
            for name, kind in operator.attribute_kinds.items()
            if name not in operator.defaults or self.choice.random() < 0.4
        }
        outputs = [f"o{index}" for index in range(self.choice.choice([1, 1, 1, 2, 3]))]
        names = [f"i{index}" for index in range(count)]
        node = helper.make_node(operator.name, names, outputs, domain=operator.domain, **attributes)
        inputs = [
            helper.make_tensor_value_info(name, DTYPE_NUMBERS[tensor.dtype.name], tensor.shape)
            for name, tensor in given.items()
        ]
        main = operator.since if operator.domain == "" else 17
        opsets = {"": min(max(main, OPSETS[""][0]), OPSETS[""][-1]), ML: 1}
        declared = [helper.make_empty_tensor_value_info(name) for name in outputs]
        return proto([node], inputs, declared, constants, opsets), given


@pytest.mark.parametrize("seed", range(4))
def test_random_nodes(seed: int) -> None:
    dice, admitted = Dice(seed), set()
    for operator in [*all_operators()] * 4:
        model, given = dice.model(operator)
        admission = ai_exec.admit(encode(model))
        assert admission.admitted == (not admission.reasons)
        if not admission.admitted:
            continue
        admitted.add(operator.name)
        inputs = {declared.name: given[declared.name] for declared in admission.inputs}
        ours, theirs = (
            outcome(ai_exec.compile(admission.program, engine).run, inputs)
            for engine in ("reference", "fast")
        )
        assert ours == theirs, model
        if isinstance(ours, str):
            assert any(node.dynamic for node in admission.program.nodes), model
            continue
        for (_, dtype, shape, _), declared in zip(ours, admission.outputs, strict=True):
            assert dtype == declared.dtype, model
            exact = admission.program.operands[declared.name].exact
            assert shape == declared.shape if exact else len(shape) == len(declared.shape), model
    assert len(admitted) > 60
