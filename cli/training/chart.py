"""A curve as text: how the loss went, for any terminal."""

from collections.abc import Sequence
from typing import Final

WIDTH: Final = 60
HEIGHT: Final = 8


def chart(points: Sequence[tuple[int, float]]) -> list[str]:
    """Give the lines of a chart of (step, loss), the greatest loss on top."""
    if len(points) < 2:
        return []
    last, most = points[-1][0], max(loss for _, loss in points)
    columns: list[list[float]] = [[] for _ in range(WIDTH)]
    for step, loss in points:
        columns[min(WIDTH - 1, step * WIDTH // (last + 1))].append(loss)
    marks = [_row(column, most) for column in columns]
    lines = []
    for row in range(HEIGHT):
        label = f"{most * (HEIGHT - row) / HEIGHT:9.4g}"
        lines.append(f"{label} |" + "".join("*" if row == mark else " " for mark in marks).rstrip())
    return [*lines, " " * 10 + "+" + "-" * WIDTH, f"{'step':>10} 1 {last:>{WIDTH - 2}}"]


def _row(losses: Sequence[float], most: float) -> int | None:
    """Give the row of the mean of some losses, 0 on top; None for none."""
    if not losses:
        return None
    share = sum(losses) / len(losses) / most if most > 0 else 0.0
    return min(HEIGHT - 1, int(HEIGHT * (1 - share)))
