"""Bans end, and only so many are remembered."""

from chain.pool.bans import Bans


def test_bans_end() -> None:
    now = [1000]
    bans = Bans(lambda: now[0], ban_ms=500, bans_max=10)
    bans.add(b"a")
    assert (bans.left_ms(b"a"), bans.left_ms(b"b")) == (500, 0)
    now[0] = 1499
    assert bans.left_ms(b"a") == 1
    now[0] = 1500
    assert bans.left_ms(b"a") == 0


def test_oldest_are_forgotten() -> None:
    bans = Bans(lambda: 0, ban_ms=500, bans_max=2)
    for each in (b"a", b"b", b"a", b"c"):
        bans.add(each)
    assert [bans.left_ms(each) for each in (b"a", b"b", b"c")] == [500, 0, 500]
