"""ai_*: models, data, content, results and rewards, and transactions in words."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from chain.primitives.hashing import Hash32
from chain.rpc.json_rpc import BLOB_REFUSED, NOT_FOUND, UNKNOWN_BLOCK, RpcError
from chain.rpc.methods.lookup import found, state_of
from chain.rpc.parameters import (
    BASE64_MARK,
    AddressParameter,
    Content,
    Count,
    Data,
    Hash,
    Hashes,
    Number,
    Text,
)
from chain.rpc.ports import ChunkRefused, Ports
from chain.rpc.registry import Registry
from chain.rpc.typed_json import hex_of

METHODS = Registry()


@METHODS.method("ai_describe")
def describe(ports: Ports) -> dict[str, Any]:
    """Describe pallets, calls, events, errors and storage, with their types and advice."""
    return dict(ports.runtime.describe())


@METHODS.method("ai_model")
def model(ports: Ports, name: Text, at: Hash | None = None) -> Any:
    """Give a model with its versions and channels."""
    return found(
        ports,
        at,
        "model",
        f"No model {name!r}",
        "`noema model list` shows those there are.",
        name=name,
    )


@METHODS.method("ai_models")
def models(
    ports: Ports, after: Text | None = None, count: Count = 100, at: Hash | None = None
) -> Any:
    """List models in the order of their registration, those behind the model `after`."""
    return ports.runtime.query(state_of(ports, at), "models", after=after, count=count)


@METHODS.method("ai_dataset")
def dataset(ports: Ports, name: Text, first: Number = 0, at: Hash | None = None) -> Any:
    """Give a dataset with 64 of its records from number `first` on."""
    return found(
        ports,
        at,
        "dataset",
        f"No dataset {name!r}",
        "`noema data list` shows those there are.",
        name=name,
        first=first,
    )


@METHODS.method("ai_datasets")
def datasets(
    ports: Ports, after: Text | None = None, count: Count = 100, at: Hash | None = None
) -> Any:
    """List datasets whose names come after `after`."""
    return ports.runtime.query(state_of(ports, at), "datasets", after=after, count=count)


@METHODS.method("ai_snapshot")
def snapshot(ports: Ports, number: Number, at: Hash | None = None) -> Any:
    """Give a snapshot of a dataset by its number."""
    return found(
        *(ports, at, "snapshot", f"No snapshot {number}"),
        "`noema data snapshot` takes one and tells its number.",
        number=number,
    )


@METHODS.method("ai_evaluation")
def evaluation(ports: Ports, number: Number, at: Hash | None = None) -> Any:
    """Give how a model did on a snapshot, so far or in the end."""
    return found(
        *(ports, at, "evaluation", f"No evaluation {number}"),
        "`noema evaluate` orders one and tells its number.",
        number=number,
    )


@METHODS.method("ai_receipt")
def receipt(ports: Ports, inference: Number, at: Hash | None = None) -> Any:
    """Give the receipt of an inference by its number."""
    return found(
        ports,
        at,
        "receipt",
        f"No receipt {inference} is kept",
        "Receipts are kept for some blocks; look at its transaction.",
        inference=inference,
    )


@METHODS.method("ai_rewards")
def rewards(ports: Ports, account: AddressParameter, at: Hash | None = None) -> Any:
    """Give what an account can claim and where it came from."""
    return ports.runtime.query(state_of(ports, at), "rewards", address=account)


@METHODS.method("ai_account")
def account(ports: Ports, account: AddressParameter, at: Hash | None = None) -> Any:
    """Give the funds and the nonce of an account."""
    return ports.runtime.query(state_of(ports, at), "account", address=account)


@METHODS.method("ai_validators")
def validators(ports: Ports, at: Hash | None = None) -> Any:
    """List the validators with their voting power."""
    return ports.runtime.query(state_of(ports, at), "validators")


@METHODS.method("ai_issuance")
def issuance(ports: Ports, at: Hash | None = None) -> Any:
    """Give the total issuance and everything it consists of."""
    return ports.runtime.query(state_of(ports, at), "issuance")


@METHODS.method("ai_blobStatus")
def blob_status(ports: Ports, root: Hash, at: Hash | None = None) -> dict[str, Any]:
    """Give what the chain says about content, and which chunks this node holds."""
    on_chain = ports.runtime.query(state_of(ports, at), "blob", root=root)
    return {
        "root": hex_of(root),
        "chain": on_chain,
        "chunks_held": list(ports.blobs.chunks_held(root)),
    }


@METHODS.method("ai_uploadChunk")
async def upload_chunk(
    ports: Ports, root: Hash, length: Number, index: Number, chunk: Content, proof: Hashes
) -> bool:
    """Hand in one chunk of content, proved against its root."""
    try:
        await ports.blobs.put_chunk(root, length, index, chunk, proof)
    except ChunkRefused as refused:
        raise RpcError(BLOB_REFUSED, str(refused)) from refused
    return True


@METHODS.method("ai_getChunk")
async def get_chunk(ports: Ports, root: Hash, index: Number) -> str:
    """Give one chunk of content as `base64:` text."""
    chunk = await ports.blobs.chunk(root, index)
    if chunk is None:
        raise RpcError(NOT_FOUND, f"Chunk {index} of {hex_of(root)} is not here")
    return BASE64_MARK + b64encode(chunk).decode()


@METHODS.method("ai_dryRun")
async def dry_run(
    ports: Ports,
    model: Text,
    version: Number | None = None,
    input: Content = b"",
    at: Hash | None = None,
) -> Any:
    """Run a model on tensors without a transaction: output, weight and the exact fee."""
    return await ports.runtime.dry_run(state_of(ports, at), model, version, input)


@METHODS.method("ai_fee")
def fee(ports: Ports, extrinsic: Data, at: Hash | None = None) -> dict[str, Any]:
    """Give the fee of a transaction in its parts; its signature is not checked."""
    quote = ports.runtime.fee(state_of(ports, at), extrinsic)
    return {"weight": quote.weight, "fee": str(quote.fee), **quote.details}


@METHODS.method("ai_events")
def events(ports: Ports, at: Hash | None = None) -> list[Mapping[str, Any]]:
    """Give the events of a block in words."""
    return list(ports.runtime.events(state_of(ports, at)))


@METHODS.method("ai_transaction")
def transaction(ports: Ports, hash: Hash) -> dict[str, Any]:
    """Give what became of a transaction: its block, its events, its error with advice."""
    place = ports.chain.place_of(hash)
    if place is not None:
        return _included(ports, hash, *place)
    standing = ports.pool.standing(hash)
    if standing is None:
        raise RpcError(NOT_FOUND, f"No transaction {hex_of(hash)} is known here")
    return {"hash": hex_of(hash), "status": standing}


def _included(ports: Ports, hash: Hash32, block_hash: Hash32, index: int) -> dict[str, Any]:
    header = ports.chain.header(block_hash)
    if header is None:
        raise RpcError(UNKNOWN_BLOCK, f"Unknown block: {hex_of(block_hash)}")
    happened = [
        {"name": event["name"], "fields": event["fields"]}
        | ({"error": event["error"]} if event["error"] else {})
        for event in ports.runtime.events(state_of(ports, block_hash))
        if event["extrinsic"] == index
    ]
    errors = [event["error"] for event in happened if "error" in event]
    return {
        "hash": hex_of(hash),
        "status": "final",
        "block": hex_of(block_hash),
        "number": header.number,
        "index": index,
        "succeeded": not errors,
        "error": errors[-1] if errors else None,
        "events": happened,
    }
