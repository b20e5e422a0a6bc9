"""Authors: the secrets of a key are found again, follow each other, and are its own."""

from chain.ledger import Author
from chain.primitives.hash_chain import reveals
from chain.primitives.keys import Keypair
from runtime.pallets.randomness import Commitment

ALICE, BOB = (Keypair.from_uri(f"//{name}") for name in ("Alice", "Bob"))


def test_secrets_follow_each_other_through_generations() -> None:
    author, length = Author(ALICE, b"\1" * 32), 3
    said = author.reveal(None, length)
    assert said["secret"] is None
    assert said["commitment"] is not None
    known, seen = Commitment(said["commitment"], length, 0), set()
    for _ in range(7):
        said = Author(ALICE, b"\1" * 32).reveal(known, length)
        assert said["secret"] is not None
        assert reveals(said["secret"], known.value)
        assert (said["commitment"] is None) == (known.left > 1)
        seen.add(said["secret"])
        if said["commitment"] is None:
            known = Commitment(said["secret"], known.left - 1, known.generation)
        else:
            known = Commitment(said["commitment"], length, known.generation + 1)
    assert (known.left, known.generation, len(seen)) == (2, 2, 7)


def test_secrets_differ_by_key_and_chain() -> None:
    authors = (Author(ALICE, b"\1" * 32), Author(ALICE, b"\2" * 32), Author(BOB, b"\1" * 32))
    assert len({each.reveal(None, 5)["commitment"] for each in authors}) == 3
