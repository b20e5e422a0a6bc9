"""R2 against MPFR: every result is the true value rounded once, half to even."""

from collections.abc import Callable

import gmpy2
import numpy as np
import pytest

from ai_exec.semantics import functions, wide

ROUNDED = gmpy2.context(precision=24, emax=128, emin=-148, subnormalize=True)
SEED = 2026


def inputs() -> np.ndarray:
    """Random bits, usual values, neighbours of 0 and 1, subnormals, both infinities, NaN."""
    random = np.random.default_rng(SEED)
    bits = random.integers(0, 1 << 32, 3000, dtype=np.uint64).astype(np.uint32)
    parts = [
        bits.view(np.float32),
        random.normal(size=2500) * 4,
        random.uniform(-106, 92, 2500),
        np.arange(-1100, 1100) * 2.0**-24,
        1 + np.arange(-300, 300) * 2.0**-24,
        random.integers(-(1 << 23), 1 << 23, 500) * 2.0**-149,
        np.exp2(np.arange(-149, 128)),
        -np.exp2(np.arange(-149, 128)),
        np.arange(-110, 95),
        [0.0, -0.0, np.inf, -np.inf, np.nan],
    ]
    return np.concatenate([np.asarray(part).astype(np.float32) for part in parts])


def true_value(function: str, x: gmpy2.mpfr) -> gmpy2.mpfr:
    if function == "sigmoid":
        return 1 / (1 + gmpy2.exp(-x))
    if function == "softplus":
        return x + gmpy2.log1p(gmpy2.exp(-x)) if x > 0 else gmpy2.log1p(gmpy2.exp(x))
    if function == "gelu":
        if gmpy2.is_infinite(x):
            return gmpy2.mpfr("inf") if x > 0 else gmpy2.mpfr("-0")
        return x * gmpy2.erfc(-x / gmpy2.sqrt(gmpy2.mpfr(2))) / 2
    found: Callable[[gmpy2.mpfr], gmpy2.mpfr] = getattr(gmpy2, function)
    return found(x)


def expected(function: str, x: float) -> float:
    with gmpy2.context(precision=280):
        value = true_value(function, gmpy2.mpfr(x))
    with gmpy2.context(ROUNDED):
        return float(+value)


@pytest.mark.parametrize("function", sorted(wide.FUNCTIONS))
def test_correctly_rounded(function: str) -> None:
    x = inputs()
    with np.errstate(all="ignore"):
        found = getattr(functions, function)(x)

    right = np.array([expected(function, value) for value in x.tolist()], np.float32)

    assert found.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(found), np.isnan(right))
    wrong = (found.view(np.uint32) != right.view(np.uint32)) & ~np.isnan(right)
    assert x[wrong].tolist() == []


@pytest.mark.parametrize("function", sorted(wide.FUNCTIONS))
def test_integers_alone_round_correctly(function: str) -> None:
    random = np.random.default_rng(SEED)
    numbers = (random.normal(size=25) * np.exp2(random.integers(-20, 5, 25))).astype(np.float32)
    numbers = np.abs(numbers) if function == "log" else numbers

    for number in numbers.tolist():
        assert wide.rounded(function, number) == expected(function, number)


SEQUENCES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exp": functions.exp_64,
    "expm1": functions.expm1_64,
    "log": lambda x: functions.log_64(np.abs(x)),
    "log1p": lambda x: functions.log1p_64(np.minimum(np.abs(x), 1.0)),
    "erfc": lambda x: functions.erfc_scaled_64(np.abs(x)) * functions.exp_64(-(x * x)),
}


@pytest.mark.parametrize("function", sorted(SEQUENCES))
def test_sequences_stay_below_the_doubt(function: str) -> None:
    random = np.random.default_rng(SEED)
    x = np.concatenate([random.uniform(-10, 10, 1000), random.normal(size=500) * 2.0**-12])
    x = x.astype(np.float32).astype(np.float64)
    argument = {"log": np.abs(x), "log1p": np.minimum(np.abs(x), 1.0), "erfc": np.abs(x)}.get(
        function, x
    )

    found = SEQUENCES[function](x)

    with gmpy2.context(precision=200):
        for value, approximate in zip(argument.tolist(), found.tolist(), strict=True):
            true = getattr(gmpy2, function)(gmpy2.mpfr(value))
            assert abs(gmpy2.mpfr(approximate) - true) <= abs(true) * functions.DOUBT / 4


def test_hard_inputs_are_few() -> None:
    """What goes to the integers must be a small part of all inputs, or runs would be slow."""
    before = wide.rounded.cache_info().currsize
    x = np.random.default_rng(1).normal(size=200_000).astype(np.float32)

    for function in sorted(wide.FUNCTIONS):
        getattr(functions, function)(np.abs(x) + 0.01)

    assert wide.rounded.cache_info().currsize - before < 10


@pytest.mark.parametrize(
    ("base", "exponent", "power"),
    [
        (2.0, 10.0, 1024.0),
        (3.0, 3.0, 27.0),
        (-3.0, 3.0, -27.0),
        (4097.0, 2.0, np.float32(16785409.0)),
        (9.0, 0.5, 3.0),
        (2.0, -1.0, 0.5),
        (8.0, np.float32(1 / 3), 2.0),
        (0.0, 0.0, 1.0),
        (np.nan, 0.0, 1.0),
        (1.0, np.nan, 1.0),
        (-1.0, np.inf, 1.0),
        (-2.0, 0.3, np.nan),
        (0.0, -1.0, np.inf),
        (-0.0, -1.0, -np.inf),
        (-0.0, 3.0, -0.0),
        (-0.0, 0.5, 0.0),
        (-np.inf, 3.0, -np.inf),
        (-np.inf, 0.5, np.inf),
        (-np.inf, -3.0, -0.0),
        (0.5, np.inf, 0.0),
        (2.0, -np.inf, 0.0),
        (2.0, 128.0, np.inf),
        (2.0, -149.0, 2.0**-149),
        (2.0, -151.0, 0.0),
        (-2.0, 127.0, -(2.0**127)),
    ],
)
def test_power(base: float, exponent: float, power: float) -> None:
    with np.errstate(all="ignore"):
        found = functions.power(np.float32([base]), np.float32([exponent]))

    np.testing.assert_array_equal(found, np.float32([power]))
    assert np.signbit(found) == np.signbit(power) or np.isnan(power)


def test_power_is_nearly_always_the_true_value() -> None:
    random = np.random.default_rng(SEED)
    base = np.exp2(random.uniform(-20, 20, 3000)).astype(np.float32)
    exponent = random.uniform(-6, 6, 3000).astype(np.float32)

    found = functions.power(base, exponent)

    wrong = 0
    for x, y, value in zip(base.tolist(), exponent.tolist(), found.tolist(), strict=True):
        with gmpy2.context(precision=200):
            true = gmpy2.mpfr(x) ** gmpy2.mpfr(y)
        with gmpy2.context(ROUNDED):
            wrong += float(+true) != value
    assert wrong <= 1


def test_gelu_by_tanh_is_close() -> None:
    x = np.linspace(-10, 10, 1001).astype(np.float32)
    wide_x = x.astype(np.float64)
    inner = np.sqrt(2 / np.pi) * (wide_x + 0.044715 * wide_x**3)

    found = functions.gelu_tanh(x)

    np.testing.assert_allclose(found, 0.5 * wide_x * (1 + np.tanh(inner)), rtol=1e-6, atol=1e-7)
    ends = functions.gelu_tanh(np.float32([-np.inf, np.inf, 0.0, -0.0]))
    assert ends.tolist() == [0.0, np.inf, 0.0, 0.0]
