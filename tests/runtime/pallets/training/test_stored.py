"""Curves stay short and evenly spaced."""

from itertools import pairwise

from runtime.pallets.training.stored import POINTS_MAX, Curve, Point, with_point


def test_a_curve_is_thinned_evenly() -> None:
    curve = Curve()
    for step in range(1, 5 * POINTS_MAX):
        curve = with_point(curve, Point(step, 0))
        assert len(curve.points) <= POINTS_MAX
    steps = [each.step for each in curve.points]
    assert {after - before for before, after in pairwise(steps)} == {8}
    assert (steps[0], curve.stride, len(steps)) == (1, 8, 160)
