"""Timestamp: one time a block, later than the parent's."""

import pytest

from runtime.frame import BadOrigin, DispatchError, Inherent, Origin, Overlay, PostInfo, Signed
from runtime.pallets.timestamp import Timestamp, TimestampConfig
from runtime.pallets.timestamp.pallet import TimestampSet, TooEarly
from tests.support.pallet_calls import dispatch


class Heights:
    """Height 1, until moved."""

    at = 1

    def height(self) -> int:
        return self.at


@pytest.fixture
def timestamp() -> Timestamp:
    timestamp = Timestamp(Overlay.over({}), TimestampConfig(100), Heights())
    timestamp.build_genesis(1000)
    return timestamp


def test_a_block_gets_its_time_once(timestamp: Timestamp) -> None:
    assert not timestamp.is_set()
    assert dispatch(timestamp, Inherent(), 0, {"now": 1100}) == PostInfo(pays_fee=False)
    assert (timestamp.is_set(), timestamp.milliseconds()) == (True, 1100)
    timestamp.check_invariants()


@pytest.mark.parametrize(
    ("origin", "now", "error"),
    [
        (Inherent(), 1099, TooEarly("1099 < 1100")),
        (Inherent(), 0, TooEarly("0 < 1100")),
        (Signed(bytes(32)), 1100, BadOrigin("set does not accept Signed")),
    ],
)
def test_refused_times_change_nothing(
    timestamp: Timestamp, origin: Origin, now: int, error: DispatchError
) -> None:
    before = timestamp.state.changes()

    with pytest.raises(type(error)) as refusal:
        dispatch(timestamp, origin, 0, {"now": now})

    assert refusal.value == error
    assert (timestamp.state.changes(), timestamp.state.events) == (before, [])


def test_a_second_time_is_refused(timestamp: Timestamp) -> None:
    dispatch(timestamp, Inherent(), 0, {"now": 1100})
    before = timestamp.state.changes()

    with pytest.raises(TimestampSet):
        dispatch(timestamp, Inherent(), 0, {"now": 5000})

    assert timestamp.state.changes() == before


def test_a_block_without_time_breaks_the_invariant(timestamp: Timestamp) -> None:
    with pytest.raises(AssertionError, match="a block without a time"):
        timestamp.check_invariants()
