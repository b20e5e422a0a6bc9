"""The node cache: bounded, and what is used again survives."""

from chain.storage.node_cache import NodeCache


def test_bounded_and_kept_by_use() -> None:
    cache = NodeCache(bytes_max=2 * 100 * 64)
    cache.put(b"hot".ljust(32), bytes(32))
    for number in range(1000):
        assert cache.get(b"hot".ljust(32)) == bytes(32)
        cache.put(number.to_bytes(32, "big"), bytes(32))
    present = [number for number in range(1000) if cache.get(number.to_bytes(32, "big"))]
    assert 90 <= len(present) <= 202
    assert present == list(range(1000 - len(present), 1000))


def test_many_at_once() -> None:
    cache = NodeCache(bytes_max=1000)
    cache.put_all({bytes([number]) * 32: bytes(32) for number in range(10)})
    assert cache.get(bytes(32)) == bytes(32)
    cache.put_all({bytes([number]) * 32: bytes(32) for number in range(10, 20)})
    assert cache.get(bytes([19]) * 32) == bytes(32)
    assert cache.get(bytes([5]) * 32) is None
