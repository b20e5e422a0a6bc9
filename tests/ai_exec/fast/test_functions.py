import gmpy2
import numpy as np
import pytest

from ai_exec.fast import functions as fast_functions
from ai_exec.fast.functions import POWERS, TABLE_LENGTH
from ai_exec.ops.normalisation import softmax
from ai_exec.semantics import functions
from ai_exec.tensor import Tensor

MISLEADING = (
    *("-0x1.18p-19", "0x1.bcp-17", "0x1.2cp-17", "-0x1.acp-18", "-0x1.07p-16"),
    *("-0x1.250c02p-10", "0x1.ep-20", "0x1.3p-19"),
)
"""Numbers whose sigmoid lies so near to a boundary that the sequence alone rounds it wrongly."""

DOUBTFUL = ("-0x1.e1dbe2p-8", "0x1.c1141cp-7", "0x1.060e1ep+6", "-0x1.548c34p-7", "-0x1.6a004p-18")
"""Numbers whose e^x the sequence cannot decide."""


def numbers(literals: tuple[str, ...]) -> Tensor:
    return np.array([float.fromhex(literal) for literal in literals], np.float32)


def test_what_the_sequence_would_round_wrongly_is_asked_again() -> None:
    x = numbers(MISLEADING)
    alone = (1.0 / (1.0 + fast_functions.exp_64(-x.astype(np.float64)))).astype(np.float32)
    exact = functions.sigmoid(x)

    assert (alone != exact).all()
    assert fast_functions.sigmoid(x).tobytes() == exact.tobytes()


def test_only_doubtful_elements_are_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def slow(x: Tensor) -> Tensor:
        asked.extend(x.tolist())
        return functions_exp(x)

    functions_exp = functions.exp
    monkeypatch.setattr(functions, "exp", slow)
    doubtful = numbers(DOUBTFUL)
    x = np.concatenate([np.linspace(-5, 5, 100, dtype=np.float32), doubtful])

    assert fast_functions.exp(x).tobytes() == functions_exp(x).tobytes()
    assert asked == doubtful.tolist()


def test_sequence_stays_far_below_the_doubt() -> None:
    x = np.random.default_rng(1).uniform(-200, 200, 5000)
    with gmpy2.context(precision=200):
        errors = [
            abs(gmpy2.mpfr(float(found)) / gmpy2.exp(gmpy2.mpfr(float(number))) - 1)
            for found, number in zip(fast_functions.exp_64(x), x, strict=True)
        ]
        assert max(errors) < 2.0**-50


def test_table_is_correctly_rounded() -> None:
    with gmpy2.context(precision=200):
        exact = [
            float(gmpy2.exp2(gmpy2.mpfr(index) / TABLE_LENGTH)) for index in range(TABLE_LENGTH)
        ]
    assert POWERS.tolist() == exact


def test_numbers_one_by_one_are_what_arrays_give() -> None:
    x = np.concatenate([np.random.default_rng(2).uniform(-210, 0, 5000), [0.0, -1e-40, -200.0]])
    one_by_one = [fast_functions._exp_number(number) for number in x.tolist()]
    assert one_by_one == fast_functions.exp_64(np.maximum(x, -200.0)).tolist()


@pytest.mark.parametrize("length", [1, 2, 31, 32, 33, 300])
def test_softmax_of_rows_short_and_long(length: int) -> None:
    rows = np.random.default_rng(length).normal(0, 30, (1, length)).astype(np.float32)
    exact = softmax(rows, axis=-1)
    assert fast_functions.softmax(rows, -1).tobytes() == np.asarray(exact).tobytes()


@pytest.mark.parametrize("doubtful", numbers(DOUBTFUL).tolist())
@pytest.mark.parametrize("length", [2, 40])
def test_softmax_with_a_doubtful_power(doubtful: float, length: int) -> None:
    rows = np.full((1, length), -abs(doubtful), np.float32)
    rows[0, 0] = 0.0
    exact = np.asarray(softmax(rows, axis=-1))
    assert fast_functions.softmax(rows, -1).tobytes() == exact.tobytes()
