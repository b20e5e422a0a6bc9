"""How passes over arrays are compiled: plain IEEE operations in the order written, none fused.

Compiled passes are kept beside the source, or where NUMBA_CACHE_DIR says, or in the user's cache;
where none of these can be written they are compiled again in each process.
"""

import pickle
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any, Final, TypeVar

from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile

F = TypeVar("F", bound=Callable[..., Any])


IMPORTED: Final = re.compile(r"^from (ai_exec[\w.]*)\.(\w+) import", re.MULTILINE)


def _sources(package: str, module: str, found: dict[str, bytes]) -> None:
    """Gather the sources of a module and of all of the room that it imports."""
    name = f"{package}.{module}"
    source = files(package) / f"{module}.py"
    if name in found or not source.is_file():
        return
    found[name] = source.read_bytes()
    for outer, inner in IMPORTED.findall(found[name].decode()):
        _sources(outer, inner, found)


@cache
def stamp_of(name: str) -> str:
    """Digest of all that a module's passes may hold: they contain what they call."""
    found: dict[str, bytes] = {}
    package, _, module = name.rpartition(".")
    _sources(package, module, found)
    return blake2b(b"".join(found[source] for source in sorted(found))).hexdigest()


def _stamped(locator: Any) -> Any:
    """Where passes are kept: as it is, but outdated as soon as any source is."""

    class Stamped(locator):  # type: ignore[misc]
        def __init__(self, function: Any, path: str) -> None:
            super().__init__(function, path)
            self._module = function.__module__

        def get_source_stamp(self) -> str:
            return stamp_of(self._module)

    return Stamped


class _Kept(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = tuple(map(_stamped, CompileResultCacheImpl._locator_classes))


class _Checked(IndexDataCacheFile):  # type: ignore[misc]
    """Files of passes, each with a digest of what it holds and of what it was compiled for.

    Numba gives two processes that compile at the same time one name for two passes, and trusts
    whatever it finds there; a file may be cut off or changed as well.
    """

    def save(self, key: Any, data: Any) -> None:
        """Keep a pass."""
        content = self._dump(data)
        super().save(key, (_digest(key, content), content))

    def load(self, key: Any) -> Any:
        """Give a pass, or None if it is not there as it was kept."""
        found = super().load(key)
        if found is None or found[0] != _digest(key, found[1]):
            return None
        return pickle.loads(found[1])


def _digest(key: Any, content: bytes) -> bytes:
    return blake2b(repr(key).encode() + content).digest()


class _Passes(FunctionCache):  # type: ignore[misc]
    """What is kept of a pass; where that cannot be read or written it is compiled again."""

    _impl_class = _Kept

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file = _Checked(self._cache_path, self._impl.filename_base, stamp)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Give a compiled pass, or None."""
        try:
            return super().load_overload(signature, target)
        except Exception:
            # A border: broken files make anything raise.  Begin anew, if that may be written.
            with suppress(OSError):
                self._cache_file.flush()
            return None

    def save_overload(self, signature: Any, data: Any) -> None:
        """Keep a compiled pass, if there is room."""
        with suppress(OSError, EOFError, pickle.UnpicklingError):
            super().save_overload(signature, data)


def inlined(function: F) -> F:
    """Compile a scalar function as a part of whatever calls it."""
    inlining: F = njit(inline="always", error_model="numpy")(function)
    return inlining


def compiled(function: F) -> F:
    """Compile a pass on its first call, and keep it on disk for later processes.

    Other threads go on while it runs.
    """
    return _on_disk(function, njit(error_model="numpy", nogil=True)(function))


def borrowing(function: F) -> F:
    """Compile a pass that makes no arrays: it does not count who uses those that it is given.

    Counting costs more than a short loop over a part of an array.
    """
    return _on_disk(function, njit(error_model="numpy", nogil=True, _nrt=False)(function))


def _on_disk(function: F, passed: Any) -> F:
    with suppress(RuntimeError):
        # Raised where nothing can be written.
        passed._cache = _Passes(function)
    return passed  # type: ignore[no-any-return]
