"""Pools with channels last against the reference: windows of all kinds, hostile values."""

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ai_exec.engines import compile
from ai_exec.fast.kernels import find_kernel
from ai_exec.program import Program
from ai_exec.tensor import Tensor
from tests.support.programs import Line, program_of

HOSTILE = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e38, -1e38, 1e-38, 1e-45, -1e-45)


def numbers(seed: int, shape: tuple[int, ...], hostile: int) -> Tensor:
    """Give numbers with many equal ones, and some hostile ones among them."""
    random = np.random.default_rng(seed)
    found = (random.integers(-9, 9, shape) / 4).astype(np.float32)
    places = random.integers(0, found.size, hostile)
    found.reshape(-1)[places] = random.choice(np.array(HOSTILE, np.float32), hostile)
    return found


def assert_same(program: Program, x: Tensor) -> None:
    """Both engines have the same bits, and the fast one a kernel of its own."""
    expected = compile(program, "reference").run({"x": x})["y"]
    found = compile(program, "fast").run({"x": x})["y"]
    assert found.tobytes() == expected.tobytes()


@st.composite
def pools(draw: st.DrawFn) -> tuple[Line, tuple[int, ...]]:
    """A pool and the shape of what it reads."""
    rank = draw(st.sampled_from((1, 2, 2, 3)))
    kernel = tuple(draw(st.integers(1, 4)) for _ in range(rank))
    dilations = tuple(draw(st.integers(1, 2)) for _ in range(rank))
    pads = tuple(draw(st.integers(0, (kernel[axis % rank] - 1))) for axis in range(2 * rank))
    given_: dict[str, Any] = {
        "kernel_shape": kernel,
        "dilations": dilations,
        "pads": pads,
        "strides": tuple(draw(st.integers(1, 3)) for _ in range(rank)),
        "ceil_mode": draw(st.integers(0, 1)),
    }
    operator = draw(st.sampled_from(("MaxPool", "AveragePool")))
    if operator == "AveragePool":
        given_["count_include_pad"] = draw(st.integers(0, 1))
    sizes = [
        (size - 1) * dilation + 1 + draw(st.integers(0, 6))
        for size, dilation in zip(kernel, dilations, strict=True)
    ]
    shape = (draw(st.integers(1, 2)), draw(st.sampled_from((1, 3, 8, 17))), *sizes)
    return Line(operator, ("x",), "y", given_), shape


@settings(max_examples=150, deadline=None)
@given(pools(), st.integers(0, 1 << 16), st.sampled_from((0, 0, 1, 4)))
def test_windows(pool: Any, seed: int, hostile: int) -> None:
    line, shape = pool
    assert_same(program_of([line], {"x": shape}), numbers(seed, shape, hostile))


@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (1, 9, 7, 7), (1, 4, 1, 1), (2, 8, 6), (1, 1, 2)])
@pytest.mark.parametrize("hostile", [0, 1, 5])
def test_means_of_all(shape: tuple[int, ...], hostile: int) -> None:
    program = program_of([Line("GlobalAveragePool", ("x",), "y")], {"x": shape})
    for seed in range(10):
        assert_same(program, numbers(seed, shape, hostile))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pools_over_one_to_three_axes_have_a_kernel(rank: int) -> None:
    line = Line("MaxPool", ("x",), "y", {"kernel_shape": (2,) * rank})
    program = program_of([line], {"x": (1, 2, *[6] * rank)})
    assert find_kernel(program.nodes[0], program) is not None
    assert_same(program, numbers(1, (1, 2, *[6] * rank), 1))
