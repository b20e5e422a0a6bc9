"""The compiled passes give the bits of the reference, for usual and for odd inputs."""

import gmpy2
import numpy as np
import pytest

from ai_exec.fast import functions as fast_functions
from ai_exec.fast import passes
from ai_exec.fast.tables import ERF_SLOPES, ERF_VALUES, TAIL_SLOPES, TAIL_VALUES
from ai_exec.registry import all_operators
from ai_exec.semantics import functions

SEED = 2027


def numbers() -> np.ndarray:
    random = np.random.default_rng(SEED)
    bits = random.integers(0, 1 << 32, 20_000, dtype=np.uint64).astype(np.uint32)
    usual = random.normal(size=20_000) * np.exp2(random.integers(-8, 4, 20_000))
    edges = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 2.0**20, 3.4e38]
    return np.concatenate([bits.view(np.float32), usual.astype(np.float32), np.float32(edges)])


@pytest.mark.parametrize("name", sorted(functions.FUNCTIONS))
def test_passes_give_the_bits_of_the_reference(name: str) -> None:
    x = numbers()
    with np.errstate(all="ignore"):
        expected = functions.apply(name, x)

    found = passes.apply(name, x)

    is_nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), is_nan)
    differing = found.view(np.uint32) != expected.view(np.uint32)
    assert x[differing & ~is_nan].tolist() == []


def test_every_function_has_a_pass() -> None:
    assert sorted(passes.PASSES) == sorted(functions.FUNCTIONS)


def test_kernels_stand_for_operators() -> None:
    kernels = {operator.name: operator for operator in all_operators() if operator.domain == ""}
    x = np.float32([0.5, 0.25, 1.0])
    for name, kernel in fast_functions.KERNELS.items():
        inputs = (x, x) if name == "Pow" else (x,)
        with np.errstate(all="ignore"):
            (expected,) = kernels[name].run(inputs, {}, 1)
        assert kernel(*inputs).tobytes() == expected.tobytes()


def test_shapes_and_views() -> None:
    x = numbers()[:600].reshape(20, 30)
    assert passes.apply("tanh", x.T).tobytes() == passes.apply("tanh", x.T.copy()).tobytes()
    assert passes.apply("exp", np.float32(0.0).reshape(())).shape == ()
    assert passes.apply("exp", np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_tables_are_correctly_rounded() -> None:
    with gmpy2.context(precision=200):
        for index in (0, 1, 2, 100, 511, 1000, 1023):
            x = gmpy2.mpfr(index) / 256
            slope = 2 / gmpy2.sqrt(gmpy2.const_pi()) * gmpy2.exp(-x * x)
            assert (ERF_VALUES[index], ERF_SLOPES[index]) == (float(gmpy2.erf(x)), float(slope))
        for index in (0, 1, 2, 100, 1000, 3000, 3839):
            x = gmpy2.mpfr(index) / 256
            slope = gmpy2.exp(-x * x / 2) / gmpy2.sqrt(2 * gmpy2.const_pi())
            tail = gmpy2.erfc(x / gmpy2.sqrt(gmpy2.mpfr(2))) / 2
            assert (TAIL_VALUES[index], TAIL_SLOPES[index]) == (float(tail), float(slope))
