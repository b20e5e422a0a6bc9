"""Compiled moves and running sums give the bits of the operators' own kernels."""

import numpy as np
import pytest

from tests.support.single_node import assert_same_bits, hostile, one_node

DTYPES = ["float32", "float64", "float16", "int64", "int32", "uint8", "bool"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("upper", [0, 1])
def test_triangles(dtype: str, upper: int) -> None:
    for shape in ((4, 6), (2, 5, 3), (1, 1)):
        inputs = {"x": (hostile(*shape, share=0.0) * 3).astype(dtype)}
        assert_same_bits(one_node("Trilu", inputs, upper=upper), inputs)
        for diagonal in (-9, -2, 0, 1, 3, 1 << 40):
            constants = {"k": np.array(diagonal)}
            assert_same_bits(one_node("Trilu", inputs, constants, upper=upper), inputs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_elements_by_index(dtype: str, kind: type) -> None:
    random = np.random.default_rng(6)
    x = (hostile(3, 4, 5, share=0.0) * 3).astype(dtype)
    for axis in range(-1, 3):
        shape = list(x.shape)
        shape[axis] = 6
        for places in (random.integers(-30, 30, shape), random.integers(0, 2, (2, 2, 2))):
            inputs = {"x": x, "i": places.astype(kind)}
            assert_same_bits(one_node("GatherElements", inputs, axis=axis), inputs)


@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
def test_running_sums(exclusive: int, reverse: int) -> None:
    for shape in ((7,), (3, 5), (2, 3, 4), (2, 1, 3)):
        for axis in range(-1, len(shape)):
            for share in (0.0, 0.2):
                inputs = {"x": hostile(*shape, share=share)}
                program = one_node(
                    *("CumSum", inputs, {"a": np.array(axis)}),
                    exclusive=exclusive,
                    reverse=reverse,
                )
                assert_same_bits(program, inputs)
    zeros = {"x": np.float32([-0.0, -0.0, 0.0])}
    program = one_node("CumSum", zeros, {"a": np.array(0)}, exclusive=exclusive, reverse=reverse)
    assert_same_bits(program, zeros)
