"""Chains in memory for the tests of the runtime."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.economy import QUIET
from tests.support.memory_chain import MemoryChain


@pytest.fixture
def chain() -> MemoryChain:
    return MemoryChain()


@pytest.fixture
def small_chain() -> Callable[[int, int], MemoryChain]:
    """Give a chain whose blocks hold little."""

    def build(weight_max: int, length_max: int) -> MemoryChain:
        limits = replace(QUIET.limits, weight_max=weight_max, length_max=length_max)
        return MemoryChain(replace(QUIET, limits=limits))

    return build
