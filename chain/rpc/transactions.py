"""Sending transactions through a client: build, sign, submit, and wait until they are final."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from chain.primitives.extrinsic import Era, SigningContext, sign_extrinsic
from chain.primitives.keys import Keypair, ss58_encode
from chain.rpc.client import Client
from chain.rpc.description import RuntimeDescription
from chain.rpc.json_rpc import NOT_FOUND, RpcError

ERA_BLOCKS: Final = 64
"""Blocks after which a transaction that nobody included is void."""

POLL_S: Final = 0.2
LOST_AFTER_S: Final = 10.0
WAIT_S: Final = 120.0

Progress = Callable[[str], None]
"""Told what a transaction waits for, in a few words."""


class TransactionLost(Exception):
    """The node does not know the transaction any more.  Look at its log and send it again."""


class TransactionTooSlow(Exception):
    """The transaction is still not final.  Look whether the chain moves: `noema testnet status`."""


class CallRefused(Exception):
    """The chain executed the transaction and refused its call; name and advice say why."""

    def __init__(self, name: str, advice: str, outcome: Mapping[str, Any]) -> None:
        super().__init__(f"{name}: {advice}")
        self.name = name
        self.advice = advice
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction that is ready to be sent."""

    encoded: bytes
    nonce: int


class Transactions:
    """Builds and sends transactions for one chain."""

    def __init__(self, client: Client, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    @cached_property
    def description(self) -> RuntimeDescription:
        """Give the runtime as the node describes it; asked for once."""
        return RuntimeDescription(self._client.request("ai_describe"))

    @cached_property
    def _context(self) -> SigningContext:
        version = self._client.request("state_getRuntimeVersion")
        genesis = self._client.request("chain_getBlockHash", [0])
        return SigningContext(
            version["specVersion"], version["transactionVersion"], bytes.fromhex(genesis[2:])
        )

    def encode(self, call: str, arguments: Mapping[str, Any]) -> bytes:
        """Give the bytes of a call by name; raises UnknownName or EncodeError."""
        return self.description.call(call).encode(arguments)

    def sign(
        self, keypair: Keypair, call: bytes, *, tip: int = 0, nonce: int | None = None
    ) -> Signed:
        """Sign a call; without a nonce the node says the account's next one."""
        if nonce is None:
            nonce = self._client.request("system_accountNextIndex", [ss58_encode(keypair.address)])
        birth_hash = self._client.request("chain_getFinalizedHead")
        number = int(self._client.request("chain_getHeader", [birth_hash])["number"], 16)
        encoded = sign_extrinsic(
            keypair,
            call,
            nonce=nonce,
            context=self._context,
            tip=tip,
            era=Era.mortal(ERA_BLOCKS, number),
            birth_hash=bytes.fromhex(birth_hash[2:]),
        )
        return Signed(encoded, nonce)

    def fee(self, signed: Signed) -> Mapping[str, Any]:
        """Give the fee of a transaction in its parts, before it is sent."""
        fee: Mapping[str, Any] = self._client.request("ai_fee", ["0x" + signed.encoded.hex()])
        return fee

    def submit(self, signed: Signed) -> str:
        """Send a transaction and give its hash; raises RpcError where the pool refuses it."""
        return str(self._client.request("author_submitExtrinsic", ["0x" + signed.encoded.hex()]))

    def wait(
        self, transaction: str, progress: Progress = lambda words: None, wait_s: float = WAIT_S
    ) -> Mapping[str, Any]:
        """Wait until a transaction is final; raises CallRefused where its call was refused."""
        waited, unknown_s = 0.0, 0.0
        while waited <= wait_s:
            outcome = self._look(transaction)
            if outcome is None:
                unknown_s += POLL_S
                if unknown_s > LOST_AFTER_S:
                    raise TransactionLost(transaction)
            elif outcome["status"] == "final":
                return _succeeded(outcome)
            else:
                unknown_s = 0.0
                progress(f"{outcome['status']}, waiting for a block")
            self._sleep(POLL_S)
            waited += POLL_S
        raise TransactionTooSlow(f"{transaction} after {wait_s:g} s")

    def _look(self, transaction: str) -> dict[str, Any] | None:
        try:
            outcome: dict[str, Any] = self._client.request("ai_transaction", [transaction])
        except RpcError as error:
            if error.code != NOT_FOUND:
                raise
            return None
        return outcome


def _succeeded(outcome: dict[str, Any]) -> Mapping[str, Any]:
    if not outcome["succeeded"]:
        error = outcome["error"]
        raise CallRefused(error["name"], error["advice"], outcome)
    return outcome
