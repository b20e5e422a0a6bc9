"""Kernels of the quantised family give the bits of the operators' own, with constants as usual."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

import ai_exec
from ai_exec.fast import byte_products
from ai_exec.fast.byte_products import byte_weights, flipped, is_exact
from ai_exec.fast.quantised import extremes, find
from ai_exec.program import Program
from tests.support.one_node import encode_node, ours

RANDOM = np.random.default_rng(29)
HOSTILE = np.array(
    [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38, 2.5, 3.5, -0.5, 127.5],
    np.float32,
)


def bytes_of(dtype: str, *shape: int) -> np.ndarray:
    bounds = np.iinfo(dtype)
    return RANDOM.integers(bounds.min, bounds.max + 1, shape).astype(dtype)


def has_kernel(node: Any, inputs: dict[str, np.ndarray], constants: dict[str, np.ndarray]) -> bool:
    program = ai_exec.admit(encode_node(node, inputs, constants, 21)).program
    assert isinstance(program, Program)
    return find(program.nodes[0], program) is not None


@pytest.mark.parametrize("types", [(a, b) for a in ("uint8", "int8") for b in ("uint8", "int8")])
@pytest.mark.parametrize("zeros", [0, 2])
def test_integer_products(types: tuple[str, str], zeros: int) -> None:
    given = {"a": bytes_of(types[0], 3, 7, 130)}
    known = {"b": bytes_of(types[1], 130, 21)}
    known |= {"az": bytes_of(types[0]), "bz": np.full(21, 5, types[1])} if zeros else {}
    node = helper.make_node("MatMulInteger", [*given, *known], ["y"])

    assert has_kernel(node, given, known) == (byte_weights() is not None)
    ours(node, given, known, 21)
    run = {**given, "az": bytes_of(types[0])}
    ours(helper.make_node("MatMulInteger", ["a", "b", "az"], ["y"]), run, {"b": known["b"]}, 21)


@pytest.mark.parametrize("types", [(a, b) for a in ("uint8", "int8") for b in ("uint8", "int8")])
@pytest.mark.parametrize("result", ["uint8", "int8"])
def test_quantised_products(types: tuple[str, str], result: str) -> None:
    given = {"a": bytes_of(types[0], 9, 65)}
    known = {
        "as": np.array(0.5, np.float32),
        "az": bytes_of(types[0]),
        "b": bytes_of(types[1], 65, 17),
        "bs": np.full(17, 0.25, np.float32),
        "bz": np.full(17, 3, types[1]),
        "ys": np.array(512.0, np.float32),
        "yz": bytes_of(result),
    }
    node = helper.make_node("QLinearMatMul", [*given, *known], ["y"])

    ours(node, given, known, 21)


@pytest.mark.parametrize("types", [(a, b) for a in ("uint8", "int8") for b in ("uint8", "int8")])
@pytest.mark.parametrize(("channels", "group"), [(3, 1), (32, 1), (16, 16), (8, 2)])
def test_convolutions(types: tuple[str, str], channels: int, group: int) -> None:
    given = {"x": bytes_of(types[0], 2, channels, 9, 7)}
    known = {
        "xs": np.array(0.5, np.float32),
        "xz": bytes_of(types[0]),
        "w": bytes_of(types[1], 2 * group, channels // group, 3, 3),
        "ws": RANDOM.uniform(0.1, 1, 2 * group).astype(np.float32),
        "wz": np.full(2 * group, 3, types[1]),
        "ys": np.array(300.0, np.float32),
        "yz": bytes_of(types[0]),
        "b": RANDOM.integers(-9999, 9999, 2 * group).astype(np.int32),
    }
    steps: dict[str, Any] = {"group": group, "pads": [1, 0, 1, 2], "strides": [2, 1]}
    node = helper.make_node("QLinearConv", [*given, *known], ["y"], **steps)

    assert has_kernel(node, given, known) == (byte_weights() is not None)
    ours(node, given, known, 21)
    whole = {name: known[name] for name in ("w", "xz", "wz")}
    node = helper.make_node("ConvInteger", ["x", "w", "xz", "wz"], ["y"], **steps)
    ours(node, given, whole, 21)


def test_odd_scales_and_zero_points_are_left_to_the_operator() -> None:
    given = {"a": bytes_of("uint8", 2, 8)}
    known = {
        "as": np.array(0.5, np.float32),
        "az": np.array(1, np.uint8),
        "b": bytes_of("uint8", 8, 3),
        "bs": np.array([0.5, np.inf, 1.0], np.float32),
        "bz": np.array([1, 2, 3], np.uint8),
        "ys": np.array(0.0, np.float32),
        "yz": np.array(1, np.uint8),
    }
    node = helper.make_node("QLinearMatMul", [*given, *known], ["y"])

    assert not has_kernel(node, given, known)
    ours(node, given, known, 21)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_quantising_and_back(dtype: str, axis: int | None) -> None:
    x = np.stack([HOSTILE, RANDOM.normal(0, 99, 13).astype(np.float32), -HOSTILE])
    shape = () if axis is None else (x.shape[axis],)
    known = {
        "s": RANDOM.choice([0.5, 1.0, 0.0, np.inf, 1e-40, 0.37], shape or 1).astype(np.float32),
        "z": bytes_of(dtype, *(shape or (1,))),
    }
    attributes = {} if axis is None else {"axis": axis}
    node = helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"], **attributes)

    assert has_kernel(node, {"x": x}, known)
    (found,) = ours(node, {"x": x}, known, 21)
    node = helper.make_node("DequantizeLinear", ["x", "s", "z"], ["y"], **attributes)
    assert has_kernel(node, {"x": found}, known)
    ours(node, {"x": found}, known, 21)


def test_wide_integers_and_back() -> None:
    x = np.array([2**31 - 1, -(2**31), 0, 16777217], np.int32)
    node = helper.make_node("DequantizeLinear", ["x", "s"], ["y"])

    ours(node, {"x": x}, {"s": np.array(0.1, np.float32)}, 21)


@pytest.mark.parametrize("count", range(14))
def test_dynamic(count: int) -> None:
    node = helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"])
    few = HOSTILE[:count]
    plain = RANDOM.normal(0, 5, 41).astype(np.float32)

    with np.errstate(all="ignore"):
        scaled = plain * HOSTILE[-count:][:1]
    for x in (few, HOSTILE[count:], plain, np.abs(plain), -np.abs(plain), scaled):
        ours(node, {"x": x})


def test_extremes_by_their_bits() -> None:
    for numbers in (HOSTILE[3:], -HOSTILE[7:], np.float32([-1, -2]), np.float32([1, 2])):
        least, greatest, size = extremes(numbers.view(np.int32))
        found = np.array([least ^ 0x7FFFFFFF if least < 0 else least, greatest], np.int64)
        found[0] |= -(1 << 31) if least < 0 else 0
        ends = found.astype(np.int32).view(np.float32).tolist()
        assert ends == [min(0.0, numbers.min()), max(0.0, numbers.max())]
        assert np.int32(size).view(np.float32) == np.abs(numbers).max()


def test_flipped_there_and_back() -> None:
    every = np.arange(-128, 128).astype(np.int8)

    assert flipped(every).tolist() == list(range(256))
    assert flipped(flipped(every)).tolist() == every.tolist()


def test_products_that_saturate_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = byte_products.bound

    def saturating(*given: Any) -> Any:
        kernel = plain(*given)
        return lambda *tensors: np.minimum(kernel(*tensors), 200)

    monkeypatch.setattr(byte_products, "bound", saturating)
    assert not is_exact("int8")
