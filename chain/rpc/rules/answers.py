"""The Runtime port over this release's rules: version, description, fees, events, dry runs."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Final

import trio

from chain.primitives.block import Header
from chain.primitives.codec import DecodeError, record
from chain.primitives.extrinsic import decode_extrinsic
from chain.primitives.keys import Address
from chain.rpc.json_rpc import INVALID_PARAMS, RUN_REFUSED, RpcError
from chain.rpc.ports import FeeQuote, State
from chain.rpc.rules.described import pallets_json
from chain.rpc.rules.questions import QUESTIONS, dry_run_json
from chain.rpc.rules.runtime_calls import CALLS
from chain.rpc.typed_json import hex_of, to_json
from runtime.assembly import CONFIG, CONSTRUCT, RuntimeConfig, assemble, description_of
from runtime.frame import DispatchError, EventRecord, Overlay
from runtime.frame.construct import ApplyExtrinsic
from runtime.frame.ports import Executor, LocalFailure
from runtime.pallets.inference.stored import DryRun
from runtime.pallets.system.pallet import ExtrinsicFailed
from runtime.queries import Queries

PAGE: Final = 256
"""Keys read at once while a map is listed."""

RUNS_MAX: Final = 2
"""Dry runs at a time: validators need their workers for blocks."""


class RuntimeAnswers:
    """Answers questions about a state; `executor` is used by dry runs only, in a thread."""

    def __init__(self, executor: Executor, config: RuntimeConfig = CONFIG) -> None:
        self._executor = executor
        self._config = config
        self._runs = trio.CapacityLimiter(RUNS_MAX)

    def version(self) -> Mapping[str, Any]:
        """Give the runtime version in Substrate's JSON."""
        version = self._config.system.version
        return {
            "specName": version.spec_name,
            "implName": version.impl_name,
            "authoringVersion": version.authoring_version,
            "specVersion": version.spec_version,
            "implVersion": version.impl_version,
            "apis": [[hex_of(api.id), api.version] for api in version.apis],
            "transactionVersion": version.transaction_version,
            "systemVersion": version.system_version,
            "stateVersion": version.system_version,
        }

    @cached_property
    def _description(self) -> Mapping[str, Any]:
        return {"version": self.version(), "pallets": pallets_json(description_of(self._config))}

    def describe(self) -> Mapping[str, Any]:
        """Give pallets with calls, events, errors, storage and constants."""
        return self._description

    def nonce(self, state: State, address: Address) -> int:
        """Give how many transactions an account has sent."""
        return self._queries(state).account(address).nonce

    def fee(self, state: State, encoded: bytes) -> FeeQuote:
        """Give the price of an extrinsic without its tip, its signature not checked."""
        try:
            extrinsic = decode_extrinsic(encoded)
            priced = self._queries(state).call_fee(extrinsic.call, len(encoded))
        except DecodeError as error:
            raise RpcError(INVALID_PARAMS, f"Invalid params: extrinsic: {error}") from error
        details = priced.details
        parts = {
            "base_fee": str(details.base_fee),
            "len_fee": str(details.len_fee),
            "adjusted_weight_fee": str(details.adjusted_weight_fee),
        }
        return FeeQuote(priced.weight, details.total, parts)

    def call(self, state: State, head: Header, name: str, arguments: bytes) -> bytes | None:
        """Answer a runtime API call, None if there is no such API."""
        handler = CALLS.get(name)
        if handler is None:
            return None
        try:
            return handler(self._queries(state), head, self._config, arguments)
        except DecodeError as error:
            raise RpcError(INVALID_PARAMS, f"Invalid params: arguments: {error}") from error

    def events(self, state: State) -> Sequence[Mapping[str, Any]]:
        """Give the block's events in words."""
        return [_event_json(each) for each in self._queries(state).events()]

    def query(self, state: State, question: str, /, **arguments: Any) -> Any:
        """Answer a named question, None where there is no such thing."""
        return QUESTIONS[question](self._queries(state), **arguments)

    async def dry_run(self, state: State, model: str, version: int | None, inputs: bytes) -> Any:
        """Run a model without a trace; raises RpcError with the error's name and advice."""
        pallets = assemble(Overlay(state.get), self._executor, self._config)

        def run() -> DryRun:
            return pallets.inference.dry_run(model, version, inputs)

        try:
            ran = await trio.to_thread.run_sync(  # type: ignore[call-arg]  # stubs of an old trio
                run, limiter=self._runs, abandon_on_cancel=True
            )
        except DispatchError as error:
            refusal = CONSTRUCT.refusal_of(CONSTRUCT.failure_of(error))
            data = f"{refusal.advice} ({error})" if str(error) else refusal.advice
            raise RpcError(RUN_REFUSED, refusal.name, data) from error
        except LocalFailure as error:
            raise RpcError(RUN_REFUSED, "This node cannot run the model now", str(error)) from error
        return dry_run_json(ran)

    def _queries(self, state: State) -> Queries:
        return Queries(state.get, partial(_entries, state), self._config)


def _entries(state: State, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
    after = None
    while keys := state.keys(prefix, after, PAGE):
        for key in keys:
            value = state.get(key)
            assert value is not None, "a key that was listed has a value"
            yield key, value
        after = keys[-1]


def _event_json(happened: EventRecord) -> Mapping[str, Any]:
    event, phase, error = happened.event, happened.phase, None
    if isinstance(event, ExtrinsicFailed):
        refusal = CONSTRUCT.refusal_of(event.dispatch_error)
        error = {"name": refusal.name, "advice": refusal.advice}
    return {
        "extrinsic": phase.index if isinstance(phase, ApplyExtrinsic) else None,
        "name": CONSTRUCT.event_name(event),
        "fields": to_json(record(type(event)), event),
        "error": error,
    }
