"""One test for each repair; a failure after an update says which repair the library broke."""

import inspect
import logging
import random
import struct
from importlib.metadata import version
from typing import Any

import pytest
import trio
from libp2p.io.exceptions import ConnectionClosedError
from libp2p.network.swarm import Swarm

from chain.network import hardening
from chain.network.addresses import PeerAddress
from chain.network.failures import StreamFailed
from chain.network.peers import Doorman
from chain.network.transport import LibraryStream, Transport


async def listening_pair(nursery: Any, doorman: Doorman) -> tuple[Transport, str, list[Any]]:
    links: list[Any] = []
    transport = Transport(b"v" * 32, doorman, links.append)

    async def listen(task_status: Any) -> None:
        async with transport.listening("/ip4/127.0.0.1/tcp/0") as addresses:
            task_status.started(addresses[0])
            await trio.sleep_forever()

    address = await nursery.start(listen)
    return transport, f"{address}/p2p/{transport.own_id}", links


def scenario(test: Any, places: int = 8) -> None:
    """Run a test with a listening victim and a stranger that can dial it."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            doorman = Doorman(places, places, places)
            victim, address, links = await listening_pair(nursery, doorman)
            await test(victim, address, links, doorman)
            nursery.cancel_scope.cancel()

    trio.run(main)


async def dial(stranger: Any, address: str) -> Any:
    known = len(stranger.links)
    await stranger.transport.dial(PeerAddress.parse(address))
    return stranger.links[known]


async def echo(stream: LibraryStream) -> None:
    while True:
        await stream.write(await stream.read(1 << 16))


async def assert_alive(stranger: Any, address: str) -> None:
    async with stranger(55) as guest:
        link = await dial(guest, address)
        stream = await link.open_stream("/test/echo/1")
        await stream.write(b"alive?")
        with trio.fail_after(3):
            assert await stream.read(100) == b"alive?"


def test_the_pinned_version() -> None:
    assert version("libp2p") == hardening.LIBRARY_VERSION


def test_private_names_are_where_the_repairs_expect_them() -> None:
    assert list(inspect.signature(Swarm._handle_inbound_connection).parameters) == [
        "self",
        "read_write_closer",
        "maddr",
    ]
    assert "self._handle_inbound_connection(" in inspect.getsource(Swarm.listen)
    assert "Yamux(" in inspect.getsource(hardening.muxer_multistream.MuxerMultistream.new_conn)
    source = inspect.getsource(hardening.yamux)
    assert source.count("self.stream_buffers[stream_id].extend(") == 3
    assert source.count("self.conn._auto_tune_and_send_window_update(") == 0
    assert source.count("self._auto_tune_and_send_window_update(") == 2
    assert "_set_reuse_flags(sock)" in inspect.getsource(hardening.tcp)
    assert "logging.warning" in inspect.getsource(hardening.swarm_connection)


def test_only_noise_and_yamux_are_offered_and_nothing_is_dialled(stranger: Any) -> None:
    async def test(victim: Transport, address: str, links: list[Any], doorman: Doorman) -> None:
        swarm = victim._swarm
        security = swarm.upgrader.security_multistream.transports
        assert list(map(str, security)) == ["/noise"]
        assert list(map(str, swarm.upgrader.muxer_multistream.transports)) == ["/yamux/1.0.0"]
        assert swarm.auto_connector.maybe_connect.__module__ == "chain.network.hardening"
        assert swarm._resource_manager is None
        assert [
            name for name in map(str, victim._host.multiselect.handlers) if "ipfs" in name
        ] == []
        assert [each for each in swarm.notifees if "Identify" in type(each).__name__] == []

    scenario(test)


def test_an_exception_in_a_handler_ends_the_stream_only(stranger: Any) -> None:
    async def test(victim: Transport, address: str, links: list[Any], doorman: Doorman) -> None:
        async def broken(stream: LibraryStream) -> None:
            raise RuntimeError("a bug")

        victim.serve("/test/broken/1", broken)
        victim.serve("/test/echo/1", echo)
        async with stranger() as peer:
            link = await dial(peer, address)
            stream = await link.open_stream("/test/broken/1")
            with pytest.raises(StreamFailed), trio.fail_after(3):
                await stream.read(10)
            await assert_alive(stranger, address)

    scenario(test)


def test_malformed_negotiations_end_the_stream_only(stranger: Any) -> None:
    lines = (b"\x05\xff\xfe\xfd\xfc\n", b"\xff" * 12, b"\x00", bytes(3000))

    async def test(victim: Transport, address: str, links: list[Any], doorman: Doorman) -> None:
        victim.serve("/test/echo/1", echo)
        async with stranger() as peer:
            link = await dial(peer, address)
            for line in lines:
                for prefix in (b"", b"\x13/multistream/1.0.0\n"):
                    stream = LibraryStream(await link._connection.new_stream())
                    await stream.write(prefix + line)
            await trio.sleep(0.1)
            await assert_alive(stranger, address)

    scenario(test)


def test_a_malformed_answer_to_our_negotiation_is_a_stream_failure(stranger: Any) -> None:
    async def test(victim: Transport, address: str, links: list[Any], doorman: Doorman) -> None:
        async with stranger() as peer:
            await dial(peer, address)

            async def rubbish(stream: Any) -> None:
                await stream.write(b"\x05\xff\xfe\xfd\xfc\n")

            peer.transport._swarm.set_stream_handler(rubbish)
            with pytest.raises(StreamFailed):
                await links[0].open_stream("/test/echo/1")

    scenario(test)


def test_incoming_places_are_given_back(stranger: Any) -> None:
    async def test(victim: Transport, address: str, links: list[Any], doorman: Doorman) -> None:
        victim.serve("/test/echo/1", echo)
        async with stranger() as peer:
            for _ in range(5):
                link = await dial(peer, address)
                await link.abort()
            with trio.fail_after(3):
                while doorman.total:  # noqa: ASYNC110
                    await trio.sleep(0.01)
            await assert_alive(stranger, address)
            assert victim._swarm.auto_connector._recent_disconnects == {}

    scenario(test, places=3)


def test_a_cancelled_write_leaves_the_connection_whole(stranger: Any) -> None:
    async def test(victim: Transport, address: str, links: list[Any], doorman: Doorman) -> None:
        victim.serve("/test/echo/1", echo)

        async def swallow(stream: LibraryStream) -> None:
            while True:
                await stream.read(1 << 16)

        victim.serve("/test/swallow/1", swallow)
        chance = random.Random(1)
        async with stranger() as peer:
            link = await dial(peer, address)
            stream = await link.open_stream("/test/swallow/1")
            for _ in range(300):
                with trio.move_on_after(chance.random() * 0.0004):
                    await stream.write(bytes(200))
            again = await link.open_stream("/test/echo/1")
            await again.write(b"whole")
            with trio.fail_after(2):
                assert await again.read(10) == b"whole"
            assert not link.ended.is_set()

    scenario(test)


def test_a_write_that_nobody_takes_ends_the_connection(stranger: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(hardening, "FRAME_WRITE_S", 0.3)

    async def test(victim: Transport, address: str, links: list[Any], doorman: Doorman) -> None:
        async with stranger() as peer:
            link = await dial(peer, address)
            yamux = link._connection.muxed_conn
            blocked = trio.Event()

            async def never(data: bytes) -> None:
                await blocked.wait()

            monkeypatch.setattr(yamux.secured_conn, "write", never)
            with trio.fail_after(3):
                with pytest.raises(ConnectionClosedError, match="does not read"):
                    await yamux._write_frame(struct.pack("!BBHII", 0, 2, 1, 0, 0))
                await link.ended.wait()

    scenario(test)


def test_more_than_the_window_ends_the_connection(stranger: Any) -> None:
    async def test(victim: Transport, address: str, links: list[Any], doorman: Doorman) -> None:
        victim.serve("/test/echo/1", echo)

        async def never_read(stream: LibraryStream) -> None:
            await trio.sleep_forever()

        victim.serve("/test/never/1", never_read)
        async with stranger() as peer:
            link = await dial(peer, address)
            stream: Any = await link.open_stream("/test/never/1")
            muxed = stream._stream.muxed_stream
            frame = struct.pack("!BBHII", 0, 0, 0, muxed.stream_id, 65536) + bytes(65536)
            sent = 0
            with trio.fail_after(5):
                while not link.ended.is_set() and sent < 64:
                    try:
                        await muxed.conn._write_frame(frame)
                    except Exception:
                        break
                    sent += 1
                await link.ended.wait()
            # One window, and what was on its way when the other side stopped reading.
            assert sent < 64
            await assert_alive(stranger, address)

    scenario(test)


def test_unread_bytes_are_bounded_for_a_whole_connection(monkeypatch: Any) -> None:
    monkeypatch.setattr(hardening, "CONNECTION_BUFFER_BYTES", 100)
    ended = []
    buffers = hardening._Buffers(lambda: ended.append(True))
    buffers[1] = bytearray()
    buffers[3] = bytearray()
    buffers[1].extend(bytes(60))
    buffers[3].extend(bytes(40))
    assert ended == []
    with pytest.raises(ConnectionClosedError, match="more than its window"):
        buffers[3].extend(b"x")
    assert (ended, len(buffers[3])) == ([True], 40)


def test_a_reader_gets_everything_at_a_constant_window(stranger: Any) -> None:
    async def test(victim: Transport, address: str, links: list[Any], doorman: Doorman) -> None:
        victim.serve("/test/echo/1", echo)
        total = 6 * 1024 * 1024
        async with stranger() as peer:
            link = await dial(peer, address)
            stream: Any = await link.open_stream("/test/echo/1")
            received = 0
            async with trio.open_nursery() as nursery:
                nursery.start_soon(stream.write, bytes(total))
                with trio.fail_after(10):
                    while received < total:
                        received += len(await stream.read(1 << 16))
            muxed = stream._stream.muxed_stream
            assert received == total
            assert 0 < muxed.recv_window <= hardening.WINDOW_BYTES

    scenario(test)


def test_streams_of_one_connection_are_bounded_and_end_with_it(
    stranger: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(hardening, "HANDLER_GRACE_S", 0.1)

    async def test(victim: Transport, address: str, links: list[Any], doorman: Doorman) -> None:
        held = []

        async def hold(stream: LibraryStream) -> None:
            held.append(stream)
            try:
                await trio.sleep_forever()
            finally:
                held.remove(stream)

        victim.serve("/test/hold/1", hold)
        victim.serve("/test/echo/1", echo)
        async with stranger() as peer:
            link = await dial(peer, address)
            opened = 0
            for _ in range(hardening.STREAMS_PER_CONNECTION + 40):
                try:
                    await link.open_stream("/test/hold/1")
                    opened += 1
                except StreamFailed:
                    continue
            assert opened == len(held) == hardening.STREAMS_PER_CONNECTION
            await assert_alive(stranger, address)
            await link.abort()
            with trio.fail_after(4):
                while held:  # noqa: ASYNC110
                    await trio.sleep(0.02)

    scenario(test)


def test_the_library_writes_to_our_debug_log_only(stranger: Any, caplog: Any, capfd: Any) -> None:
    async def test(victim: Transport, address: str, links: list[Any], doorman: Doorman) -> None:
        handlers = list(logging.getLogger().handlers)
        logging.getLogger("libp2p.network.swarm").error("first line\nsecond line")
        hardening.swarm_connection.logging.warning("about a connection")
        assert logging.getLogger().handlers == handlers

    with caplog.at_level(logging.DEBUG, logger="noema.network.libp2p"):
        scenario(test)
    lines = [each.getMessage() for each in caplog.records if "first line" in each.getMessage()]
    assert lines == ["libp2p.network.swarm: first line"]
    assert {each.levelno for each in caplog.records if "libp2p" in each.name} == {logging.DEBUG}
    assert capfd.readouterr() == ("", "")
