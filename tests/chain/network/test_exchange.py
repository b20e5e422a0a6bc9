import trio
import trio.testing

from chain.network import RequestFailed
from chain.network.addresses import AddressBook, PeerAddress
from chain.network.exchange import ADDRESSES_MAX, ASK_AGAIN_S, PeerExchange


def test_connected_peers_with_known_addresses_are_told_but_not_to_themselves() -> None:
    async def main() -> None:
        known = {
            peer: PeerAddress("/ip4/1.1.1.1/tcp/1", peer) for peer in ("here", "asker", "away")
        }
        heard: list[PeerAddress] = []
        book = AddressBook(known)
        exchange = PeerExchange(book, lambda: ("here", "asker", "unknown"), heard.append)

        async def ask(timeout_s: float) -> bytes:
            return await exchange.answer("asker", b"")

        with trio.move_on_after(0.05):
            await exchange.keep_asking(ask)
        assert heard == [known["here"]]

    trio.run(main)


def test_an_answer_is_bounded() -> None:
    async def main() -> None:
        peers = tuple(f"peer{number}" for number in range(ADDRESSES_MAX + 9))
        book = AddressBook({peer: PeerAddress("/ip4/1.1.1.1/tcp/1", peer) for peer in peers})
        heard: list[PeerAddress] = []
        exchange = PeerExchange(book, lambda: peers, heard.append)

        async def ask(timeout_s: float) -> bytes:
            return await exchange.answer("asker", b"")

        with trio.move_on_after(0.05):
            await exchange.keep_asking(ask)
        assert len(heard) == len({each.peer for each in heard}) == ADDRESSES_MAX

    trio.run(main)


def test_rubbish_and_failures_are_nothing() -> None:
    async def main() -> None:
        heard: list[PeerAddress] = []
        exchange = PeerExchange(AddressBook({}), lambda: (), heard.append)
        answers = [RequestFailed("gone"), b"\xff\xff", b"\x04\x10" + b"none"]
        asked = 0

        async def ask(timeout_s: float) -> bytes:
            nonlocal asked
            answer = answers[asked]
            asked += 1
            if isinstance(answer, Exception):
                raise answer
            return answer

        with trio.move_on_after(ASK_AGAIN_S * 2.5):
            await exchange.keep_asking(ask)
        assert asked == len(answers)
        assert heard == []

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
