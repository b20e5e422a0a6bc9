from chain.gossip.seen import Known, Recent


def test_a_hash_is_new_again_after_a_while() -> None:
    recent = Recent(count_max=10, seconds=30)
    assert [recent.add(b"a", now) for now in (0, 10, 29, 30, 31)] == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_both_memories_are_bounded_and_forget_the_oldest() -> None:
    recent, known = Recent(count_max=2, seconds=30), Known(count_max=2)
    for each in (b"a", b"b", b"a", b"c"):
        recent.add(each, now=0)
        known.add(each)
    assert [each in known for each in (b"a", b"b", b"c")] == [True, False, True]
    assert recent.add(b"a", now=0) is True
