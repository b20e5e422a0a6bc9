"""Charts of a loss: greatest on top, steps to the right."""

from cli.training.chart import HEIGHT, chart


def test_a_falling_loss_falls_in_the_chart() -> None:
    lines = chart([(step, 2.0 / step) for step in range(1, 101)])
    assert len(lines) == HEIGHT + 2
    assert lines[0].startswith("        2 |*")
    assert lines[HEIGHT - 1].endswith("*")
    assert lines[-1].endswith(" 100")


def test_nothing_is_shown_of_a_single_point() -> None:
    assert chart([(1, 2.0)]) == []


def test_a_loss_of_zero_lies_at_the_bottom() -> None:
    assert chart([(1, 0.0), (2, 0.0)])[HEIGHT - 1].count("*") == 2
