from ai_exec.workers.cache import ENTRY_BYTES, ByteBoundedCache


def test_least_recently_used_leaves_first() -> None:
    cache: ByteBoundedCache[str, int] = ByteBoundedCache(2 * ENTRY_BYTES + 20)

    assert cache.put("first", 1, 10) == ()
    assert cache.put("second", 2, 10) == ()
    assert cache.get("first") == 1
    assert cache.put("third", 3, 10) == ("second",)
    assert (cache.get("first"), cache.get("second"), cache.get("third")) == (1, None, 3)
    assert (cache.held_bytes, len(cache)) == (2 * ENTRY_BYTES + 20, 2)


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    cache: ByteBoundedCache[str, int] = ByteBoundedCache(2 * ENTRY_BYTES)
    cache.put("small", 1, 0)

    assert cache.put("large", 2, 2 * ENTRY_BYTES) == ("large",)
    assert (cache.get("small"), cache.get("large")) == (1, None)


def test_replacing_and_dropping_count_once() -> None:
    cache: ByteBoundedCache[str, int] = ByteBoundedCache(10 * ENTRY_BYTES)
    cache.put("entry", 1, 7)
    cache.put("entry", 2, 5)

    assert (cache.get("entry"), cache.held_bytes) == (2, ENTRY_BYTES + 5)
    cache.drop("entry")
    cache.drop("entry")
    assert (cache.get("entry"), cache.held_bytes) == (None, 0)
