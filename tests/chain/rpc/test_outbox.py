"""Bounds on what waits for one reader."""

import pytest
import trio

from chain.rpc.limits import RpcLimits
from chain.rpc.outbox import Outbox, SlowReader

LIMITS = RpcLimits(outbox_bytes_max=10, outbox_messages_max=3)


def test_order_is_kept_and_bounds_hold() -> None:
    async def main() -> None:
        outbox = Outbox(LIMITS)
        for text in ("one", "two", "3"):
            outbox.put(text)
        with pytest.raises(SlowReader):
            outbox.put("4")
        assert [await outbox.take() for _ in range(3)] == ["one", "two", "3"]

    trio.run(main)


def test_a_single_message_may_be_long_but_nothing_behind_it() -> None:
    outbox = Outbox(LIMITS)
    outbox.put("x" * 50)
    with pytest.raises(SlowReader):
        outbox.put("y")


def test_room_waits_until_half_is_read() -> None:
    async def main() -> None:
        outbox = Outbox(LIMITS)
        outbox.put("123456")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outbox.room)
            assert await outbox.take() == "123456"

    trio.run(main)
