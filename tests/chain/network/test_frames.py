import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.network.frames import LENGTH_BYTES, PING, FrameCutter, FrameTooLong, framed


@given(st.lists(st.binary(max_size=50), max_size=20), st.lists(st.integers(1, 40), min_size=1))
def test_frames_come_out_as_they_went_in_however_the_bytes_arrive(
    payloads: list[bytes], steps: list[int]
) -> None:
    stream = b"".join(map(framed, payloads))
    cutter = FrameCutter(50)
    cut: list[bytes] = []
    at = turn = 0
    while at < len(stream):
        step = steps[turn % len(steps)]
        cut += cutter.feed(stream[at : at + step])
        at, turn = at + step, turn + 1
    assert cut == payloads
    assert cutter.is_between_frames


@pytest.mark.parametrize("length", [99, 100])
def test_a_frame_up_to_the_limit_passes(length: int) -> None:
    assert FrameCutter(100).feed(framed(bytes(length))) == [bytes(length)]


@pytest.mark.parametrize("length", [101, 2**31, 2**32 - 1])
def test_a_longer_frame_is_refused_by_its_length_alone(length: int) -> None:
    cutter = FrameCutter(100)
    with pytest.raises(FrameTooLong, match=f"^{length} bytes announced, 100 allowed$"):
        cutter.feed(length.to_bytes(LENGTH_BYTES, "little"))


def test_an_unfinished_frame_waits() -> None:
    cutter = FrameCutter(100)
    assert cutter.feed(framed(b"abc")[:-1]) == []
    assert not cutter.is_between_frames
    assert cutter.feed(b"c" + PING) == [b"abc", b""]
