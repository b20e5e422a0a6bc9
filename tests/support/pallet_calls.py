"""Calls a pallet by the number of the call and the names of its arguments."""

from collections.abc import Mapping
from typing import Any

from runtime.frame import Origin, Pallet, PostInfo


def dispatch(pallet: Pallet, origin: Origin, index: int, arguments: Mapping[str, Any]) -> PostInfo:
    """Run a call; raises DispatchError, having changed nothing."""
    call = pallet.calls[index]
    return pallet.run(origin, call, tuple(arguments[each.name] for each in call.arguments))
