"""What a clock says decides which sizes go which way."""

from collections.abc import Callable

import numpy as np
import pytest

from ai_exec.fast import measure as fast_measure
from ai_exec.fast.measure import FEW_ROWS, MANY_ROWS, measured
from ai_exec.fast.products import BINARY64, NEVER, STANDARD, Layout, Products
from ai_exec.tensor import Tensor

Cost = Callable[[int], float]


class Timed:
    """Stands for contractions: each takes a time of its own by a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def way(self, cost: Cost) -> object:
        def contract(left: Tensor) -> Tensor:
            self.now += cost(left.shape[0])
            return left

        return type("Way", (), {"contract": staticmethod(contract)})()


@pytest.mark.parametrize(
    ("rows_cost", "depth_cost", "expected"),
    [
        (0.5, 0.5, (FEW_ROWS[-1], MANY_ROWS[-1])),
        (2.0, 2.0, (0, NEVER)),
        (0.95, 0.95, (0, NEVER)),
        (0.5, 2.0, (FEW_ROWS[-1], NEVER)),
    ],
)
def test_the_faster_way_is_taken(
    monkeypatch: pytest.MonkeyPatch,
    rows_cost: float,
    depth_cost: float,
    expected: tuple[int, int],
) -> None:
    timed, costs = Timed(), {Layout.ROWS: rows_cost, Layout.DEPTH: depth_cost}
    monkeypatch.setattr(fast_measure, "is_exact", lambda: True)
    monkeypatch.setattr(fast_measure, "PreparedMatrix", lambda right: timed.way(lambda rows: 1.0))
    monkeypatch.setattr(
        fast_measure,
        "IntegerMatrix",
        lambda right, rows, layout: timed.way(lambda rows: costs[layout]),
    )
    assert measured(timed.clock) == Products(*expected, STANDARD.weights_min)


def test_sizes_beyond_the_first_loss_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    timed = Timed()
    monkeypatch.setattr(fast_measure, "is_exact", lambda: True)
    monkeypatch.setattr(fast_measure, "PreparedMatrix", lambda right: timed.way(lambda rows: 1.0))
    monkeypatch.setattr(
        fast_measure,
        "IntegerMatrix",
        lambda right, rows, layout: timed.way(lambda rows: 2.0 if rows in (8, 64) else 0.5),
    )
    assert measured(timed.clock) == Products(4, 128, STANDARD.weights_min)


def test_saturating_bytes_are_never_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_measure, "is_exact", lambda: False)
    assert measured(lambda: np.nan) == BINARY64


def test_a_real_measurement_uses_real_products() -> None:
    ticks = iter(range(1000))
    assert measured(lambda: float(next(ticks))) == Products(0, NEVER, STANDARD.weights_min)
