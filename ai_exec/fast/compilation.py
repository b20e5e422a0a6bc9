"""How passes over arrays are compiled: plain IEEE operations in the order written, none fused."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def inlined(function: F) -> F:
    """Compile a scalar function as a part of whatever calls it."""
    inlining: F = njit(inline="always", error_model="numpy")(function)
    return inlining


def compiled(function: F) -> F:
    """Compile a pass on its first call, and keep it on disk for later processes."""
    kept: F = njit(cache=True, error_model="numpy")(function)
    return kept
