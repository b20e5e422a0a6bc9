"""Account: nonce and funds of one address, in Substrate's layout."""

from dataclasses import dataclass, field
from struct import Struct, error
from typing import Annotated, Final, Protocol

from chain.primitives.codec import U32, U128, Codec, DecodeError, EncodeError, record
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount, Nonce
from runtime.frame.storage import Entries

NEW_LOGIC: Final = 1 << 127
"""Flag that every account carries: its holds follow the current rules of Substrate's clients."""

References = Annotated[int, U32]


@dataclass(frozen=True, slots=True)
class AccountData:
    """Funds of an account."""

    free: Amount = 0
    """Can be spent."""

    reserved: Amount = 0
    """Set aside as stake or deposit; still the account's."""

    frozen: Amount = 0
    """Part of the free funds that may not be spent; nothing freezes funds yet."""

    flags: Annotated[int, U128] = 0
    """`NEW_LOGIC` for every account that was ever alive."""


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """What the chain knows about an address."""

    nonce: Nonce = 0
    """Transactions sent so far."""

    consumers: References = 0
    """Reasons why the account must stay alive: 1 while funds are set aside."""

    providers: References = 0
    """Reasons why the account is alive: 1 while it has free funds."""

    sufficients: References = 0
    """Reasons to be alive without funds; there are none yet."""

    data: AccountData = field(default_factory=AccountData)


NO_ACCOUNT: Final = AccountInfo()
"""What an unknown address has."""

_WIRE: Final = Struct("<IIII16s16s16s16s")


def _write(value: AccountInfo, out: bytearray) -> None:
    data = value.data
    try:
        out += _WIRE.pack(
            value.nonce,
            value.consumers,
            value.providers,
            value.sufficients,
            data.free.to_bytes(16, "little"),
            data.reserved.to_bytes(16, "little"),
            data.frozen.to_bytes(16, "little"),
            data.flags.to_bytes(16, "little"),
        )
    except (error, OverflowError) as cause:
        raise EncodeError(f"{value} is out of bounds") from cause


def _read(data: bytes, offset: int) -> tuple[AccountInfo, int]:
    end = offset + _WIRE.size
    if end > len(data):
        raise DecodeError(f"AccountInfo: {end - len(data)} bytes missing")
    nonce, consumers, providers, sufficients, *funds = _WIRE.unpack_from(data, offset)
    numbers = [int.from_bytes(each, "little") for each in funds]
    return AccountInfo(nonce, consumers, providers, sufficients, AccountData(*numbers)), end


ACCOUNT_INFO: Final = Codec(_write, _read, record(AccountInfo).shape)
"""The same bytes as the record's own codec, four times as fast: every transfer needs it."""


class AccountStore(Protocol):
    """Keeps the accounts that several pallets have a part of."""

    @property
    def account(self) -> Entries[Address, AccountInfo]:
        """Give all accounts."""
        ...

    def announce_account(self, address: Address) -> None:
        """Say that an account came into being."""
        ...

    def announce_death(self, address: Address) -> None:
        """Say that an account has no funds left."""
        ...
