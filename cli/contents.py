"""Bringing content onto the chain: upload, announce, and wait until validators hold it."""

from dataclasses import replace
from typing import Any, Final

import click

from cli.border import REFUSED, Failed
from cli.context import CliContext
from cli.sending import Sending, send, sender_of

KINDS: Final = {"model": 0, "rows": 1, "parameters": 2}
AVAILABLE_WITHIN_S: Final = 180.0
_POLL_S: Final = 0.3


def publish_content(
    context: CliContext, sending: Sending, content: bytes, kind: str
) -> dict[str, Any]:
    """Announce content, upload what the node lacks, and wait until it is available.

    What was done before is not done again, so a command that broke off can be repeated.  The node
    takes announced content only, so the announcement is always waited for.
    """
    put = announce_content(context, sending, content, kind)
    return put if sending.estimate else upload_content(context, sending, content, put)


def announce_content(
    context: CliContext, sending: Sending, content: bytes, kind: str
) -> dict[str, Any]:
    """Announce content unless the sender has; gives its root and the transaction, if there is one.

    With `sending.estimate` gives what the announcement would cost.
    """
    from chain.primitives.merkle import root_over, top_of

    if not content:
        raise click.UsageError("the file is empty")
    top = top_of(content)
    root = "0x" + root_over(top, len(content)).hex()
    shown: dict[str, Any] = {"root": root, "length": len(content), "kind": kind}
    if _is_announced_by(context, root, sender_of(context, sending)):
        return shown
    announced = send(
        context,
        replace(sending, wait=True),
        "Blobs.announce",
        {"top": "0x" + top.hex(), "length": len(content), "kind": KINDS[kind]},
    )
    if sending.estimate:
        return announced
    return {**shown, "transaction": announced["transaction"]}


def upload_content(
    context: CliContext, sending: Sending, content: bytes, put: dict[str, Any]
) -> dict[str, Any]:
    """Upload what the node lacks of announced content, and wait until it is available."""
    from chain.rpc.content import upload

    with context.progress("uploading") as update:
        upload(context.client, content, update)
    if sending.wait:
        return {**put, "available_since": await_available(context, put["root"])}
    return put


def after(sending: Sending, put: dict[str, Any]) -> Sending:
    """Give how the next transaction is sent: an announcement has used a nonce that was given."""
    return replace(sending, nonce=None) if "transaction" in put else sending


def await_available(context: CliContext, root: str) -> int:
    """Wait until validators hold the content; gives the block since when."""
    with context.waiting("content") as tell:
        for _ in context.looks(AVAILABLE_WITHIN_S, _POLL_S):
            status = context.client.request("ai_blobStatus", [root])["chain"]
            if status is not None and status.get("available_since") is not None:
                return int(status["available_since"])
            tell("validators fetch it")
    raise click.ClickException(
        f"{root} is not available after {AVAILABLE_WITHIN_S:g} s; "
        f"ask again with `noema blob status {root}`"
    )


def fetch_content(context: CliContext, root: str) -> bytes:
    """Give content that a node keeps, checked against its root."""
    from chain.rpc.content import download

    status = context.client.request("ai_blobStatus", [root])["chain"]
    if status is None:
        raise Failed(REFUSED, "Content is gone", "Ask a node that keeps it.", root)
    return download(context.client, root, int(status["length"]))


def _is_announced_by(context: CliContext, root: str, sender: str) -> bool:
    item = context.transactions.description.storage("Blobs.announcements")
    key = "0x" + item.raw_key((root, sender)).hex()
    return context.client.request("state_getStorage", [key]) is not None
