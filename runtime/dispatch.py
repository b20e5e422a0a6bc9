"""Dispatch of calls that were kept as bytes: by votes, batches, and conditions that came true."""

from collections.abc import Callable, Mapping
from typing import Final

from chain.primitives.codec import DecodeError
from runtime.frame import Construct, DispatchError, Origin, Pallet, PostInfo, RuntimeCall
from runtime.frame import failure as wire_forms
from runtime.frame.failure import Failure

DEPTH_MAX: Final = 4
"""Calls within calls; more than that no one needs, and each costs a stack frame."""


class NotACall(DispatchError, wire=wire_forms.Other()):
    """The bytes are no call of this chain, or hold calls in calls too deep.  Encode them anew."""


class Router:
    """Finds the pallet of a call and runs it there."""

    def __init__(
        self, construct: Construct, pallets: Callable[[], Mapping[int, Pallet]], base: int
    ) -> None:
        """Take the pallets by index as soon as they are joined; `base` is any call's weight."""
        self._construct = construct
        self._pallets = pallets
        self._base = base
        self._depth = 0

    def weigh(self, call: bytes) -> int:
        """Give the picoseconds that a call may take; raises DispatchError for no call."""
        decoded = self._decode(call)
        with _Deeper(self):
            pallet = self._pallets()[decoded.pallet_index]
            return self._base + decoded.call.weigh(pallet, decoded.values)

    def dispatch(self, origin: Origin, call: bytes) -> PostInfo:
        """Run a call; raises DispatchError, having changed nothing."""
        decoded = self._decode(call)
        with _Deeper(self):
            return self._pallets()[decoded.pallet_index].run(origin, decoded.call, decoded.values)

    def failure_of(self, error: DispatchError) -> Failure:
        """Give the wire form of a refusal."""
        return self._construct.failure_of(error)

    def _decode(self, call: bytes) -> RuntimeCall:
        if self._depth >= DEPTH_MAX:
            raise NotACall(f"more than {DEPTH_MAX} calls in each other")
        try:
            return self._construct.decode_call(call)
        except DecodeError as error:
            raise NotACall(str(error)) from error


class _Deeper:
    def __init__(self, router: Router) -> None:
        self._router = router

    def __enter__(self) -> None:
        self._router._depth += 1

    def __exit__(self, *_: object) -> None:
        self._router._depth -= 1
