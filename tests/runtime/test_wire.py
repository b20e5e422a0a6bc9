"""Pinned bytes: changing one of these is a deliberate act, and moves a version.

Storage prefixes, events, accounts and the digest of the whole description.  Vectors marked
"Substrate" were made by Substrate's own clients.
"""

import pytest

from chain.primitives.hashing import blake2_256
from runtime.assembly import CODE_KEY, CONFIG, CONSTRUCT, Genesis, description_of, genesis_changes
from runtime.frame import DispatchError, Event, Pallet
from runtime.frame.account import ACCOUNT_INFO, AccountData, AccountInfo
from runtime.frame.construct import ApplyExtrinsic, EventRecord, Finalization
from runtime.frame.failure import Module
from runtime.frame.storage import AnyStorage
from runtime.frame.weight import DispatchClass, DispatchInfo, Pays, WeightV2
from runtime.pallets.balances import Balances
from runtime.pallets.balances.pallet import Transfer
from runtime.pallets.system import System
from runtime.pallets.system.pallet import ExtrinsicFailed, ExtrinsicSuccess, NewAccount
from runtime.pallets.timestamp import Timestamp

KEY = bytes.fromhex("88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee")
SYSTEM = "26aa394eea5630e07c48ae0c9558cef7"


@pytest.mark.parametrize(
    ("item", "prefix"),
    [
        (System.account, SYSTEM + "b99d880ec681799c0cf30e8886371da9"),
        (System.number, SYSTEM + "02a5c1b19ab7a04f536c519aca4983ac"),
        (System.events, SYSTEM + "80d41e5e16056765bc8461851072c9d7"),
        (System.block_hash, SYSTEM + "a44704b568d21667356a5a050c118746"),
        (System.parent_hash, SYSTEM + "8a42f33323cb5ced3b44dd825fda9fcc"),
        (System.digest, SYSTEM + "99e7f93fc6a98f0874fd057f111c4d2d"),
        (Timestamp.now, "f0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"),
        (
            Balances.total_issuance,
            "c2261276cc9d1f8598ea4b6a74b15c2f57c875e4cff74148e4628f264b974c80",
        ),
    ],
)
def test_storage_prefixes_are_substrates(item: AnyStorage, prefix: str) -> None:
    assert item.prefix.hex() == prefix


def test_map_keys_are_substrates() -> None:
    account = System.account.prefix.hex() + "280b197190fc1a763257f65171ea366e" + KEY.hex()
    assert System.account.raw_key(KEY).hex() == account
    genesis = System.block_hash.prefix.hex() + "b4def25cfda6ef3a00000000"
    assert System.block_hash.raw_key(0).hex() == genesis


def test_events_are_substrates() -> None:
    """Substrate."""
    first, second = bytes([0x11]) * 32, bytes([0x22]) * 32
    failed = DispatchInfo(WeightV2(1_000_000, 1536), DispatchClass.NORMAL, Pays.YES)
    failure = Module(2, bytes([4, 0, 0, 0]))
    mandatory = DispatchInfo(WeightV2(1_000_000), DispatchClass.MANDATORY, Pays.NO)
    records = [
        EventRecord(ApplyExtrinsic(0), ExtrinsicSuccess(mandatory)),
        EventRecord(ApplyExtrinsic(1), Transfer(first, second, 10**12)),
        EventRecord(ApplyExtrinsic(1), ExtrinsicFailed(failure, failed)),
        EventRecord(Finalization(), NewAccount(bytes([0x44]) * 32), (bytes([0x33]) * 32,)),
    ]
    encoded = bytes.fromhex(
        "10"
        + "0000000000"
        + "0000"
        + "02093d00"
        + "00"
        + "02"
        + "01"
        + "00"
        + "0001000000"
        + "0202"
        + "11" * 32
        + "22" * 32
        + "0010a5d4e80000000000000000000000"
        + "00"
        + "0001000000"
        + "0001"
        + "030204000000"
        + "02093d00"
        + "0118"
        + "00"
        + "00"
        + "00"
        + "01"
        + "0003"
        + "44" * 32
        + "04"
        + "33" * 32
    )

    assert CONSTRUCT.decode_events(encoded) == tuple(records)
    untold = [(b"\0" + bytes(4), records[0].event), (b"\0\1\0\0\0", records[1].event)]
    untold.append((b"\0\1\0\0\0", records[2].event))
    assert CONSTRUCT.encode_events(untold) == b"\x0c" + encoded[1:-68]


def test_accounts_are_substrates() -> None:
    """Substrate."""
    info = AccountInfo(5, 0, 1, 0, AccountData(10**18, 0, 7, 1 << 127))
    assert ACCOUNT_INFO.encode(info).hex() == (
        "05000000000000000100000000000000"
        "000064a7b3b6e00d0000000000000000"
        "00000000000000000000000000000000"
        "07000000000000000000000000000000"
        "00000000000000000000000000000080"
    )


def test_transfers_are_substrates() -> None:
    """Substrate."""
    call = {"dest": bytes([0x22]) * 32, "value": 10**12}
    assert CONSTRUCT.encode_call("Balances", "transfer_keep_alive", call).hex() == (
        "020300" + "22" * 32 + "070010a5d4e8"
    )


def _numbers(pallet: type[Pallet]) -> tuple[dict[str, int], dict[str, int], dict[str, int | None]]:
    return (
        {call.name: call.index for call in pallet.calls.values()},
        {event.__name__: event.index for event in pallet.event_types},
        {error.__name__: error.index for error in pallet.error_types},
    )


def test_numbers_of_clients_first_pallets() -> None:
    assert [pallet.name for pallet in CONSTRUCT.pallets.values()] == [
        *("System", "Timestamp", "Balances", "TransactionPayment", "Staking"),
        *("Rewards", "Blobs", "Models", "Data", "Inference", "Randomness"),
        *("Training", "Evaluation", "Attribution", "Governance", "Treasury", "Parameters"),
        *("Utility", "Multisig", "Snapshots"),
    ]
    assert list(CONSTRUCT.pallets) == [*range(13), *range(14, 20), 21]
    assert _numbers(System) == (
        {"remark": 0, "remark_with_event": 7},
        {
            "ExtrinsicSuccess": 0,
            "ExtrinsicFailed": 1,
            "NewAccount": 3,
            "KilledAccount": 4,
            "Remarked": 5,
        },
        {},
    )
    assert _numbers(Balances) == (
        {"transfer_allow_death": 0, "transfer_keep_alive": 3, "transfer_all": 4},
        {
            "Endowed": 0,
            "Transfer": 2,
            "Reserved": 4,
            "Unreserved": 5,
            "Deposit": 7,
            "Withdraw": 8,
        },
        {"InsufficientBalance": 2, "ExistentialDeposit": 3, "Expendability": 4},
    )


def _is_ours(kind: type) -> bool:
    """Tell whether the runtime defines it; other tests define their own."""
    return kind.__module__.startswith("runtime.")


def test_every_event_and_error_can_be_written() -> None:
    """One that no pallet lists would stop the block that it happens in."""
    pallets = CONSTRUCT.pallets.values()
    events = [event for pallet in pallets for event in pallet.event_types]
    errors = [error for pallet in pallets for error in pallet.error_types]
    happens = filter(_is_ours, Event.__subclasses__())
    refuses = filter(_is_ours, DispatchError.__subclasses__())

    assert [each for each in happens if each not in events] == []
    assert [each for each in refuses if each not in errors and each.failure is None] == []


def test_every_event_and_error_has_docs() -> None:
    for pallet in description_of():
        for part in (*pallet.calls, *pallet.events, *pallet.errors, pallet):
            assert part.docs, f"{pallet.name}.{part.name}"
        for item in (*pallet.storage, *pallet.constants):
            assert item.docs, f"{pallet.name}.{item.name}"


def test_genesis_state_is_pinned() -> None:
    """Moves with any change of genesis or storage: then move `spec_version` too."""
    endowments = {KEY: 10**18}
    state = genesis_changes(Genesis(endowments, {KEY: 10**15}, 1_700_000_000_000))
    content = b"".join(
        blake2_256(key) + blake2_256(value)
        for key, value in sorted(state.items())
        if key != CODE_KEY
    )

    assert len(state) == 7
    assert blake2_256(content).hex() == PINNED_STATE
    assert state[CODE_KEY][:9] == b"noema" + CONFIG.system.version.spec_version.to_bytes(
        4, "little"
    )


PINNED_STATE = "71734fa50660a6fe1af4b41975a8d1d3bf3d77c6b0d15437fb8be1da6618607f"
