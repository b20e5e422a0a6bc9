"""Which sizes go which way."""

import pytest

from ai_exec.fast.products import BINARY64, NEVER, STANDARD, Layout, Products

MEASURED = Products(rows_max=4, depth_rows_min=32, weights_min=1000)


@pytest.mark.parametrize(
    ("rows", "length", "columns", "layout"),
    [
        (1, 100, 10, Layout.ROWS),
        (4, 100, 10, Layout.ROWS),
        (5, 100, 10, None),
        (31, 100, 10, None),
        (32, 100, 10, Layout.DEPTH),
        (1, 99, 10, None),
        (1, 63, 100, None),
        (1, 1 << 14, 1 << 14, Layout.ROWS),
        (0, 100, 10, None),
        (1, 0, 10, None),
        (1, 100, 0, None),
    ],
)
def test_layout_by_size(rows: int, length: int, columns: int, layout: Layout | None) -> None:
    assert MEASURED.layout(rows, length, columns) == layout


def test_small_models_stay_on_numpy() -> None:
    assert STANDARD.layout(1, 64, 128) is None
    assert STANDARD.layout(1, 384, 1536) is Layout.ROWS
    assert BINARY64.layout(1, 4096, 4096) is None
    assert BINARY64.layout(NEVER, 4096, 4096) is None
