"""Waiting for a newer head."""

import trio

from chain.rpc.feed import Head, HeadFeed


def test_waits_for_another_head_and_gives_the_newest() -> None:
    async def main() -> None:
        first, second, third = (Head(number, bytes([number]) * 32) for number in range(3))
        feed = HeadFeed(first)
        assert await feed.after(None) == first
        with trio.move_on_after(0.01) as patience:
            await feed.after(first)
        assert patience.cancelled_caught
        feed.publish(second)
        feed.publish(third)
        assert await feed.after(first) == third
        assert feed.head == third

    trio.run(main)
