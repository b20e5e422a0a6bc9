"""Draws: every row once a pass, from the documented formula."""

import pytest

from chain.primitives.hashing import blake2_256
from runtime.frame.batches import draws

SEED = b"\7" * 32


def naive(rows: int, draw: int) -> int:
    """Compute one draw as the documentation says, with plain whole numbers."""
    begun, value = draw // rows, draw % rows
    digest = blake2_256(b"noema-pass" + SEED + begun.to_bytes(8, "little"))
    bits = 1
    while 4**bits < rows:
        bits += 1
    while True:
        left, right = value >> bits, value % 2**bits
        for at in range(0, 32, 8):
            x = (right + int.from_bytes(digest[at : at + 8], "little")) % 2**64
            x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
            x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
            left, right = right, left ^ (x ^ x >> 31) % 2**bits
        value = left * 2**bits + right
        if value < rows:
            return value


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 16, 17, 297, 1500])
def test_every_row_comes_once_a_pass(rows: int) -> None:
    for begun in range(3):
        assert sorted(draws(SEED, rows, begun * rows, rows).tolist()) == list(range(rows))


@pytest.mark.parametrize("rows", [1, 5, 64, 100])
def test_draws_follow_the_documentation(rows: int) -> None:
    assert draws(SEED, rows, 3, 250).tolist() == [naive(rows, 3 + each) for each in range(250)]


def test_passes_and_seeds_differ() -> None:
    first, second = draws(SEED, 100, 0, 100), draws(SEED, 100, 100, 100)
    assert first.tolist() != second.tolist()
    assert first.tolist() != draws(b"\x08" * 32, 100, 0, 100).tolist()
    assert draws(SEED, 10, 5, 0).tolist() == []


def test_draws_spread_evenly() -> None:
    """Over many passes each place is taken by each row about as often."""
    counts = [0] * 10
    for begun in range(2000):
        counts[int(draws(SEED, 10, begun * 10, 1)[0])] += 1
    assert min(counts) > 140
    assert max(counts) < 260
