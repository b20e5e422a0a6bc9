import pytest
import trio

from chain.network.channels import BLOCKS, JOINED_BYTES, Channel, SendQueue, WhenFull
from chain.network.frames import framed


def queue(when_full: WhenFull, frames_max: int = 3, bytes_max: int = 1000) -> SendQueue:
    return SendQueue(Channel("test", 1000, frames_max, bytes_max, when_full))


def test_a_full_queue_gives_up_the_oldest_or_refuses_the_newest() -> None:
    async def main() -> None:
        for when_full, accepted, kept in (
            (WhenFull.OLDEST, True, [b"2", b"3", b"4"]),
            (WhenFull.NEWEST, False, [b"1", b"2", b"3"]),
        ):
            full = queue(when_full)
            assert [full.put(framed(each)) for each in (b"1", b"2", b"3")] == [True] * 3
            assert full.put(framed(b"4")) is accepted
            assert full.dropped == 1
            assert await full.take() == b"".join(map(framed, kept))

    trio.run(main)


def test_bytes_are_bounded_too_but_one_frame_always_fits() -> None:
    async def main() -> None:
        small = queue(WhenFull.NEWEST, frames_max=10, bytes_max=100)
        assert small.put(framed(bytes(500)))
        assert not small.put(framed(b"x"))
        assert await small.take() == framed(bytes(500))
        assert small.put(framed(b"x"))

    trio.run(main)


def test_small_frames_are_joined_into_one_write_and_large_ones_are_not() -> None:
    async def main() -> None:
        many = SendQueue(BLOCKS)
        large = bytes(JOINED_BYTES)
        for payload in (b"a", b"b", large, b"c"):
            many.put(framed(payload))
        assert [await many.take() for _ in range(3)] == [
            framed(b"a") + framed(b"b"),
            framed(large),
            framed(b"c"),
        ]

    trio.run(main)


def test_taking_waits_for_a_frame_and_losing_patience_loses_nothing() -> None:
    async def main() -> None:
        waiting = queue(WhenFull.OLDEST)
        with trio.move_on_after(0.01):
            await waiting.take()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: _put_soon(waiting))
            assert await waiting.take() == framed(b"at last")

    trio.run(main)


async def _put_soon(waiting: SendQueue) -> None:
    await trio.sleep(0.01)
    waiting.put(framed(b"at last"))


def test_a_payload_beyond_the_channel_is_our_own_mistake() -> None:
    async def main() -> None:
        with pytest.raises(AssertionError):
            SendQueue(BLOCKS).put(framed(bytes(BLOCKS.frame_bytes_max + 1)))
        with pytest.raises(AssertionError):
            SendQueue(BLOCKS).put(framed(b""))

    trio.run(main)
