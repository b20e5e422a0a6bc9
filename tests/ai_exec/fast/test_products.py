"""Which sizes go which way."""

import pytest

from ai_exec.fast.products import NEVER, WIDE, Products, Way

MEASURED = Products(pairs_rows_min=12, bytes_rows_min=64, bytes_weights_min=1000)


@pytest.mark.parametrize(
    ("rows", "length", "columns", "way"),
    [
        (0, 100, 10, Way.WIDE),
        (1, 100, 10, Way.WIDE),
        (11, 100, 10, Way.WIDE),
        (12, 100, 10, Way.PAIRS),
        (63, 100, 10, Way.PAIRS),
        (64, 100, 10, Way.BYTES),
        (64, 99, 10, Way.PAIRS),
        (64, 0, 10, Way.PAIRS),
    ],
)
def test_way_by_size(rows: int, length: int, columns: int, way: Way) -> None:
    assert MEASURED.way(rows, length, columns) is way


def test_nothing_but_binary64() -> None:
    assert WIDE.way(NEVER - 1, 4096, 4096) is Way.WIDE
