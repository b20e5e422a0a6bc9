"""Account: nonce and funds of one address, in Substrate's layout."""

from struct import Struct, error
from typing import Final, NamedTuple, Protocol

from chain.primitives.codec import U32, U128, Codec, DecodeError, EncodeError, Shape, codec_of
from chain.primitives.codec.shapes import Composite, Field
from chain.primitives.keys import Address
from chain.primitives.numbers import Amount, Nonce
from runtime.frame.outcome import docs_of
from runtime.frame.storage import Entries

NEW_LOGIC: Final = 1 << 127
"""Flag that every account carries: its holds follow the current rules of Substrate's clients."""


class AccountData(NamedTuple):
    """Funds of an account.  A tuple, since every transfer makes a handful of them."""

    free: int = 0
    """Can be spent."""

    reserved: int = 0
    """Set aside as stake or deposit; still the account's."""

    frozen: int = 0
    """Part of the free funds that may not be spent; nothing freezes funds yet."""

    flags: int = 0
    """`NEW_LOGIC` for every account that was ever alive."""


class AccountInfo(NamedTuple):
    """What the chain knows about an address.  A tuple like its data."""

    nonce: int = 0
    """Transactions sent so far."""

    consumers: int = 0
    """Reasons why the account must stay alive: 1 while funds are set aside."""

    providers: int = 0
    """Reasons why the account is alive: 1 while it has free funds."""

    sufficients: int = 0
    """Reasons to be alive without funds; there are none yet."""

    data: AccountData = AccountData()


NO_ACCOUNT: Final = AccountInfo()
"""What an unknown address has."""

_WIRE: Final = Struct("<IIII16s16s16s16s")
_HALVES: Final = Struct("<IIII8Q")


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
    (nonce, consumers, providers, sufficients, *halves) = _HALVES.unpack_from(data, offset)
    low, high, low_reserved, high_reserved, low_frozen, high_frozen, low_flags, high_flags = halves
    funds = AccountData(
        low | high << 64,
        low_reserved | high_reserved << 64,
        low_frozen | high_frozen << 64,
        low_flags | high_flags << 64,
    )
    return AccountInfo(nonce, consumers, providers, sufficients, funds), end


def _shape() -> Shape:
    balance, nonce = codec_of(Amount).shape, codec_of(Nonce).shape
    funds = (("free", balance), ("reserved", balance), ("frozen", balance), ("flags", U128.shape))
    data = Composite("AccountData", _fields(funds), docs_of(AccountData))
    counts = (("consumers", U32.shape), ("providers", U32.shape), ("sufficients", U32.shape))
    everything = (("nonce", nonce), *counts, ("data", data))
    return Composite("AccountInfo", _fields(everything), docs_of(AccountInfo))


def _fields(named: tuple[tuple[str, Shape], ...]) -> tuple[Field, ...]:
    return tuple(Field(name, shape) for name, shape in named)


ACCOUNT_INFO: Final = Codec(_write, _read, _shape())
"""Written by hand: four times as fast as a compiled record, and every transfer needs it."""


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
