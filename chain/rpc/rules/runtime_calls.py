"""Runtime API calls by Substrate's names, arguments and answers as SCALE."""

from collections.abc import Callable, Mapping
from typing import Final

from chain.primitives.block import Header
from chain.primitives.codec import U8, U32, U64, U128, DecodeError, blob, record, sequence
from chain.primitives.extrinsic import EXTRINSIC_BYTES_MAX, decode_extrinsic
from chain.primitives.keys import ADDRESS
from chain.rpc.json_rpc import INVALID_PARAMS, RpcError
from runtime.assembly import RuntimeConfig
from runtime.executive import Executive
from runtime.frame.weight import DispatchClass, WeightV2
from runtime.pallets.fees.pricing import FeeDetails
from runtime.pallets.system.version import RuntimeVersion
from runtime.queries import CallFee, Queries
from runtime.validation import InvalidTransaction, Validity

Handler = Callable[[Queries, Header, RuntimeConfig, bytes], bytes]

_TAGS: Final = sequence(blob(64), 8)
_BLOCK_HASH_BYTES: Final = 32
_LENGTH_BYTES: Final = 4


def core_version(_: Queries, __: Header, config: RuntimeConfig, arguments: bytes) -> bytes:
    """Give the version of the rules."""
    return record(RuntimeVersion).encode(config.system.version)


def account_nonce(queries: Queries, _: Header, __: RuntimeConfig, arguments: bytes) -> bytes:
    """Give the nonce of an account."""
    return U32.encode(queries.account(ADDRESS.decode(arguments)).nonce)


def query_info(queries: Queries, _: Header, __: RuntimeConfig, arguments: bytes) -> bytes:
    """Give weight, class and fee of an extrinsic."""
    priced = _priced(queries, arguments)
    weight = record(WeightV2).encode(WeightV2(priced.weight))
    return weight + U8.encode(DispatchClass.NORMAL) + U128.encode(priced.details.total)


def query_fee_details(queries: Queries, _: Header, __: RuntimeConfig, arguments: bytes) -> bytes:
    """Give the parts of an extrinsic's fee, and its tip."""
    priced = _priced(queries, arguments)
    signed = decode_extrinsic(arguments[:-_LENGTH_BYTES]).signed
    tip = signed.tip if signed else 0
    return b"\1" + record(FeeDetails).encode(priced.details) + U128.encode(tip)


def validate_transaction(
    queries: Queries, head: Header, config: RuntimeConfig, arguments: bytes
) -> bytes:
    """Tell whether a pool may take an extrinsic (source, bytes, block hash)."""
    encoded = arguments[1:-_BLOCK_HASH_BYTES]
    read = queries.pallets.system.state.read
    try:
        extrinsic = decode_extrinsic(encoded)
        validity = Executive(config).validate(read, head, extrinsic, encoded)
    except InvalidTransaction as invalid:
        return b"\1\0" + U8.encode(invalid.code)
    return b"\0" + _validity(validity)


def _priced(queries: Queries, arguments: bytes) -> CallFee:
    if len(arguments) > EXTRINSIC_BYTES_MAX + _LENGTH_BYTES:
        raise RpcError(INVALID_PARAMS, "Invalid params: the extrinsic is too long")
    encoded, length = arguments[:-_LENGTH_BYTES], arguments[-_LENGTH_BYTES:]
    if U32.decode(length) != len(encoded):
        raise DecodeError(f"length {U32.decode(length)}, the extrinsic has {len(encoded)} bytes")
    return queries.call_fee(decode_extrinsic(encoded).call, len(encoded))


def _validity(validity: Validity) -> bytes:
    return (
        U64.encode(validity.priority)
        + _TAGS.encode(validity.requires)
        + _TAGS.encode(validity.provides)
        + U64.encode(validity.longevity)
        + b"\1"
    )


CALLS: Final[Mapping[str, Handler]] = {
    "Core_version": core_version,
    "AccountNonceApi_account_nonce": account_nonce,
    "TransactionPaymentApi_query_info": query_info,
    "TransactionPaymentApi_query_fee_details": query_fee_details,
    "TaggedTransactionQueue_validate_transaction": validate_transaction,
}
