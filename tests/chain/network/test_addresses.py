from pathlib import Path

import pytest

from chain.network.addresses import (
    ADDRESSES_MAX,
    HEARSAY_MAX,
    AddressBook,
    InvalidPeerAddress,
    PeerAddress,
    load_addresses,
    save_addresses,
)

ID = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
HERE = PeerAddress("/ip4/127.0.0.1/tcp/30333", ID)


@pytest.mark.parametrize(
    "location",
    ["/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/65535", "/dns4/a.b/tcp/9"],
)
def test_an_address_is_read_and_written_alike(location: str) -> None:
    text = f"{location}/p2p/{ID}"
    assert PeerAddress.parse(text) == PeerAddress(location, ID)
    assert str(PeerAddress.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:30333",
        "/ip4/127.0.0.1/tcp/30333",
        f"/ip4/127.0.0.1/tcp/0/p2p/{ID}",
        f"/ip4/127.0.0.1/tcp/65536/p2p/{ID}",
        f"/ip4/127.0.0.1/udp/30333/p2p/{ID}",
        f"/ip4//tcp/30333/p2p/{ID}",
        "/ip4/127.0.0.1/tcp/30333/p2p/",
        "/ip4/127.0.0.1/tcp/30333/p2p/a b",
        f"x/ip4/127.0.0.1/tcp/30333/p2p/{ID}",
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(InvalidPeerAddress):
        PeerAddress.parse(text)


def test_configured_addresses_are_not_replaced_by_what_others_say() -> None:
    book = AddressBook({ID: HERE})
    assert not book.learn(PeerAddress("/ip4/6.6.6.6/tcp/1", ID))
    assert not book.forget(ID)
    assert book.address_of(ID) == HERE
    assert book.learned == ()


def test_the_book_is_bounded_and_forgets_what_it_learned_first() -> None:
    book = AddressBook({})
    addresses = [PeerAddress("/ip4/1.1.1.1/tcp/1", f"id{at}") for at in range(ADDRESSES_MAX + 1)]
    assert all(book.learn(each) for each in addresses)
    assert not book.learn(addresses[-1])
    assert book.learned == tuple(addresses[1:])
    assert book.forget("id5")
    assert book.address_of("id5") is None


def test_hearsay_never_replaces_knowledge() -> None:
    book = AddressBook({ID: HERE})
    assert not book.hear(PeerAddress("/ip4/6.6.6.6/tcp/1", ID))
    good = [PeerAddress("/ip4/1.1.1.1/tcp/1", f"good{at}") for at in range(100)]
    assert all(book.learn(each) for each in good)
    assert not book.hear(PeerAddress("/ip4/6.6.6.6/tcp/1", "good7"))
    heard = [book.hear(PeerAddress("/ip4/6.6.6.6/tcp/1", f"heard{at}")) for at in range(100)]
    assert sum(heard) == HEARSAY_MAX - 100
    more = [PeerAddress("/ip4/1.1.1.1/tcp/1", f"more{at}") for at in range(ADDRESSES_MAX - 100)]
    assert all(book.learn(each) for each in more)
    assert book.learned == (*good, *more)


def test_the_file_holds_what_was_saved_and_rubbish_counts_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    assert load_addresses(path) == ()
    save_addresses(path, [HERE])
    assert load_addresses(path) == (HERE,)
    assert list(tmp_path.iterdir()) == [path]
    for rubbish in ("", "{", "[1]", '["nonsense"]', '{"a": 1}', "7", "\udcff"):
        path.write_bytes(rubbish.encode(errors="surrogateescape"))
        assert load_addresses(path) == ()
