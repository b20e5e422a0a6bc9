"""AccountInfo: the fast codec is the record's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.codec import DecodeError, EncodeError, record
from runtime.frame.account import ACCOUNT_INFO, AccountData, AccountInfo

AMOUNTS = st.integers(0, 2**128 - 1)
COUNTS = st.integers(0, 2**32 - 1)
ACCOUNTS = st.builds(
    AccountInfo,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    st.builds(AccountData, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS),
)


@given(ACCOUNTS)
def test_the_fast_codec_gives_the_records_bytes(info: AccountInfo) -> None:
    encoded = record(AccountInfo).encode(info)

    assert ACCOUNT_INFO.encode(info) == encoded
    assert ACCOUNT_INFO.decode(encoded) == info


def test_bounds_are_checked() -> None:
    with pytest.raises(EncodeError):
        ACCOUNT_INFO.encode(AccountInfo(nonce=2**32))
    with pytest.raises(EncodeError):
        ACCOUNT_INFO.encode(AccountInfo(data=AccountData(2**128)))
    with pytest.raises(DecodeError):
        ACCOUNT_INFO.decode(bytes(79))
    with pytest.raises(DecodeError):
        ACCOUNT_INFO.decode(bytes(81))
