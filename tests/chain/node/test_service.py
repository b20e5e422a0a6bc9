"""Services live and die together."""

import pytest
import trio

from chain.node.service import Service, ServiceStopped, run_together


async def forever() -> None:
    await trio.sleep_forever()


async def at_once() -> None:
    await trio.lowlevel.checkpoint()


def test_stop_ends_all() -> None:
    async def main() -> None:
        stop = trio.Event()
        stop.set()
        with trio.fail_after(1):
            await run_together((Service("a", forever), Service("b", forever)), stop)

    trio.run(main)


def test_service_that_returns_takes_the_others_down() -> None:
    async def main() -> None:
        await run_together((Service("a", forever), Service("b", at_once)), trio.Event())

    with pytest.raises(ExceptionGroup) as failure:
        trio.run(main)
    assert [str(each) for each in failure.value.exceptions] == ["b"]
    assert isinstance(failure.value.exceptions[0], ServiceStopped)
