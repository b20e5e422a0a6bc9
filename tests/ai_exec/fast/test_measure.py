"""What a clock says decides from which sizes bytes are taken."""

from collections.abc import Callable

import numpy as np
import pytest

from ai_exec.fast import measure as fast_measure
from ai_exec.fast.measure import ROWS, measured
from ai_exec.fast.products import BYTES, NEVER, STANDARD, Products
from ai_exec.tensor import Tensor

Cost = Callable[[int], float]


class Timed:
    """Stands for products: each takes a time of its own by a clock of its own."""

    def __init__(self, bytes_cost: Cost) -> None:
        self.now = 0.0
        self._bytes_cost = bytes_cost

    def clock(self) -> float:
        return self.now

    def prepared(self, right: Tensor, rows: int, products: Products) -> float:
        return self._bytes_cost(rows) if products == BYTES else 1.0

    def contract(self, matrix: float, left: Tensor) -> None:
        self.now += matrix


@pytest.mark.parametrize(
    ("cost", "rows_min"),
    [
        (lambda rows: 0.5, ROWS[-1]),
        (lambda rows: 2.0, NEVER),
        (lambda rows: 0.95, NEVER),
        (lambda rows: 0.5 if rows >= 64 else 2.0, 64),
        (lambda rows: 2.0 if rows == 64 else 0.5, 128),
    ],
)
def test_bytes_are_taken_from_the_sizes_on_where_they_win(
    monkeypatch: pytest.MonkeyPatch, cost: Cost, rows_min: int
) -> None:
    timed = Timed(cost)
    monkeypatch.setattr(fast_measure, "is_exact", lambda: True)
    monkeypatch.setattr(fast_measure, "prepared", timed.prepared)
    monkeypatch.setattr(fast_measure, "contract", timed.contract)

    assert measured(timed.clock) == Products(bytes_rows_min=rows_min)


def test_saturating_bytes_are_never_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_measure, "is_exact", lambda: False)
    assert measured(lambda: np.nan) == STANDARD


def test_a_real_measurement_uses_real_products() -> None:
    ticks = iter(range(1000))
    assert measured(lambda: float(next(ticks))) == STANDARD
