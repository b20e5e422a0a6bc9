"""Ports: a view that runs no models says so and never guesses."""

import pytest

from chain.primitives.codec import record
from runtime.frame.ports import AdmissionSummary, LocalFailure, NoExecutor, TensorType


def test_a_view_without_executor_judges_nothing() -> None:
    with pytest.raises(LocalFailure, match="not examined here"):
        NoExecutor().admit(bytes(32), 1, ())
    with pytest.raises(LocalFailure, match="not run here"):
        NoExecutor().run(bytes(32), b"", ())


def test_a_summary_goes_to_bytes_and_back() -> None:
    tensor = TensorType("x", 1, (1, 64), ("batch", ""))
    found = AdmissionSummary(True, ("no reason",), (tensor,), (tensor,), 5, 6)
    codec = record(AdmissionSummary)

    assert codec.decode(codec.encode(found)) == found
