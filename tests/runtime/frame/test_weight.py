"""Weight on the wire: Substrate's bytes."""

import pytest

from chain.primitives.codec import DecodeError, record
from runtime.frame.weight import (
    MICROSECOND,
    SECOND,
    DispatchClass,
    DispatchInfo,
    Pays,
    WeightV2,
)

INFO = record(DispatchInfo)


def test_units() -> None:
    assert SECOND == 1_000_000 * MICROSECOND == 10**12


@pytest.mark.parametrize(
    ("info", "encoded"),
    [
        (DispatchInfo(WeightV2(1_000_000), DispatchClass.MANDATORY, Pays.NO), "02093d00000201"),
        (
            DispatchInfo(WeightV2(1_000_000, 1536), DispatchClass.NORMAL, Pays.YES),
            "02093d0001180000",
        ),
        (DispatchInfo(WeightV2(0), DispatchClass.OPERATIONAL, Pays.YES), "00000100"),
    ],
)
def test_dispatch_info_has_substrates_bytes(info: DispatchInfo, encoded: str) -> None:
    assert INFO.encode(info).hex() == encoded
    assert INFO.decode(bytes.fromhex(encoded)) == info


@pytest.mark.parametrize("encoded", ["00000300", "00000002", "0000"])
def test_anything_else_is_refused(encoded: str) -> None:
    with pytest.raises(DecodeError):
        INFO.decode(bytes.fromhex(encoded))
