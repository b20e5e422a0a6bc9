"""AccountInfo: the codec written by hand is the one that its shape describes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.codec import U32, U128, DecodeError, EncodeError, tuple_of
from chain.primitives.codec.shapes import Composite
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
def test_the_fast_codec_gives_the_bytes_of_its_fields(info: AccountInfo) -> None:
    plain = tuple_of(U32, U32, U32, U32, tuple_of(U128, U128, U128, U128))
    encoded = plain.encode(info)

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


def test_the_shape_names_the_fields_in_their_order() -> None:
    shape = ACCOUNT_INFO.shape
    assert isinstance(shape, Composite)
    assert [field.name for field in shape.fields] == list(AccountInfo._fields)
    data = shape.fields[-1].shape
    assert isinstance(data, Composite)
    assert [field.name for field in data.fields] == list(AccountData._fields)
