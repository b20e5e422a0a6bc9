"""Constants made ready: once for all lengths that a program is specialised to."""

from collections.abc import Callable, Hashable
from math import prod
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary, ref

import numpy as np

from ai_exec.tensor import Shape, Tensor

T = TypeVar("T")

LINE_BYTES: Final = 64
"""What a cache hands out at once, and the longest vector: one that crosses lines costs twice."""


class Weights:
    """What was made of constants, as long as an executable uses it.

    Programs for other lengths have the same arrays, so an array itself says what was made of it.
    """

    def __init__(self) -> None:
        self._kept: WeakValueDictionary[tuple[int, Hashable], Any] = WeakValueDictionary()
        self._sources: dict[tuple[int, Hashable], ref[Any]] = {}
        """An array that is gone may have left its number to another one."""

    def ready(self, constant: Tensor, form: Hashable, make: Callable[[Tensor], T]) -> T:
        """Give what `make` makes of the constant, the same for the same form."""
        return self.made(constant, form, lambda: make(aligned(constant)))

    def made(self, source: object, form: Hashable, make: Callable[[], T]) -> T:
        """As `ready`, of anything that may be referred to; what is made should hold it."""
        key = (id(source), form)
        found: T | None = self._kept.get(key)
        known = self._sources.get(key)
        if found is None or known is None or known() is not source:
            found = make()
            self._kept[key] = found
            self._sources[key] = ref(source, lambda _: self._sources.pop(key, None))
        return found


def aligned(constant: Tensor) -> Tensor:
    """Give a constant as passes are compiled for; in a file it may lie at any address."""
    return constant if constant.flags.aligned else np.array(constant)


def in_lines(shape: Shape, dtype: type[np.generic]) -> Tensor:
    """Give zeros that begin where a cache line begins."""
    length = prod(shape) * np.dtype(dtype).itemsize
    room = np.zeros(length + LINE_BYTES, np.uint8)
    start = -room.ctypes.data % LINE_BYTES
    return room[start : start + length].view(dtype).reshape(shape)
