"""Signatures of many transactions, checked in threads, each only once."""

from collections.abc import Sequence
from concurrent.futures import Executor
from threading import Lock
from typing import Final

from chain.primitives.hashing import blake2_128
from chain.primitives.keys import verify
from runtime.validation import SignatureCheck

_CHUNK: Final = 32
"""Signatures a thread takes at a time: over a millisecond of work outside the interpreter lock."""


class SignatureChecker:
    """Checks signatures and remembers the good ones, so that a block repeats no work of the pool.

    What is remembered is signature, signer and message together: the same transaction has another
    message when its era begins anew.
    """

    def __init__(self, threads: Executor | None = None, remembered_max: int = 32_768) -> None:
        """`threads` runs chunks of checks; without it they run in the caller's thread."""
        self._threads = threads
        self._generation_max = remembered_max // 2
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._lock = Lock()

    def is_good(self, check: SignatureCheck) -> bool:
        """Say whether one signature is good."""
        name = _name(check)
        if name in self._young or name in self._old:
            return True
        good = verify(check.address, check.message, check.signature)
        if good:
            self._remember([name])
        return good

    def first_bad(self, checks: Sequence[SignatureCheck | None]) -> int | None:
        """Return the index of the first bad signature; None stands where nothing is signed."""
        names = [None if check is None else _name(check) for check in checks]
        unknown = [
            (index, check)
            for index, (check, name) in enumerate(zip(checks, names, strict=True))
            if check is not None and name not in self._young and name not in self._old
        ]
        chunks = [unknown[start : start + _CHUNK] for start in range(0, len(unknown), _CHUNK)]
        run = map if self._threads is None or len(chunks) < 2 else self._threads.map
        bad = next((index for index in run(_first_bad, chunks) if index is not None), None)
        if bad is None:
            self._remember([name for name in names if name is not None])
        return bad

    def _remember(self, names: Sequence[bytes]) -> None:
        with self._lock:
            self._young.update(names)
            if len(self._young) > self._generation_max:
                self._old, self._young = self._young, set()


def _first_bad(chunk: Sequence[tuple[int, SignatureCheck]]) -> int | None:
    for index, check in chunk:
        if not verify(check.address, check.message, check.signature):
            return index
    return None


def _name(check: SignatureCheck) -> bytes:
    return blake2_128(check.signature + check.address + check.message)
