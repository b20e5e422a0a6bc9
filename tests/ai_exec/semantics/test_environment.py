"""A thread that flushes subnormals or rounds elsewhere is noticed, and nothing is voted on."""

import ctypes
import platform
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from ai_exec.backend import InProcess, LocalFailure
from ai_exec.semantics.environment import is_ieee
from ai_exec.tensor import encode_tensors
from tests.support.onnx_models import one_node

FENV_BYTES = 64
REGISTER_AT = {"x86_64": 28, "aarch64": 0}
"""Where the control register lies in the C library's fenv_t."""
MODES = {
    "x86_64": {"flushed": 0x8000, "not read": 0x40, "up": 0x4000, "down": 0x2000, "cut": 0x6000},
    "aarch64": {"flushed": 1 << 24, "up": 1 << 22, "down": 1 << 23, "cut": 3 << 22},
}[platform.machine()]


@contextmanager
def mode(bits: int) -> Iterator[None]:
    library, place = ctypes.CDLL("libm.so.6"), REGISTER_AT[platform.machine()]
    kept = ctypes.create_string_buffer(FENV_BYTES)
    library.fegetenv(kept)
    changed = ctypes.create_string_buffer(kept.raw, FENV_BYTES)
    (register,) = struct.unpack_from("<I", kept.raw, place)
    struct.pack_into("<I", changed, place, register | bits)
    library.fesetenv(changed)
    try:
        yield
    finally:
        library.fesetenv(kept)


def test_usually_all_is_well() -> None:
    assert is_ieee()


@pytest.mark.parametrize("name", MODES)
def test_other_arithmetic_is_noticed(name: str) -> None:
    backend, model = InProcess(), one_node("Neg", [1])
    inputs = encode_tensors({"a": np.ones(1, np.float32)})
    backend.run(bytes(32), lambda: model, inputs)

    with mode(MODES[name]):
        noticed = is_ieee()
        with pytest.raises(LocalFailure, match="switched subnormals or rounding"):
            backend.run(bytes(32), lambda: model, inputs)
        with pytest.raises(LocalFailure, match="switched subnormals or rounding"):
            backend.admit(bytes(32), lambda: model)

    assert not noticed
    assert is_ieee()
