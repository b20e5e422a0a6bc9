"""JSON-RPC 2.0 as text and values: parsing under limits, errors, answers.  No input or output."""

import json
from dataclasses import dataclass
from math import isinf
from typing import Any, Final, NoReturn

from chain.rpc.limits import RpcLimits

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
TOO_BIG: Final = -32008
"""The request or the answer is longer than the server allows."""
TOO_MANY_SUBSCRIPTIONS: Final = -32006
TIMED_OUT: Final = -32001
BATCH_TOO_LARGE: Final = -32010

UNKNOWN_BLOCK: Final = 4003
"""Neither the block nor its state is here (any more)."""
NOT_FOUND: Final = 4004
"""The chain holds no such thing."""
BLOB_REFUSED: Final = 4101
"""A chunk does not belong to the blob, or the node does not take it."""
RUN_REFUSED: Final = 4102
"""A model cannot run on the input."""


class RpcError(Exception):
    """The node refused the call.  Read the message; `data` says more where there is more."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def to_json(self) -> dict[str, Any]:
        """Give the error object of an answer."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        return error if self.data is None else {**error, "data": self.data}


@dataclass(frozen=True, slots=True)
class Request:
    """One call as it was asked."""

    method: str

    params: list[Any] | dict[str, Any]
    """By position or by name."""

    id: str | int | float | None

    wants_answer: bool
    """False for a notification, which is never answered."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A call that cannot be understood, and its answer."""

    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one message asked for, in its order."""

    calls: tuple[Request | Malformed, ...]

    is_list: bool
    """Whether the answers go into a list."""


def parse(message: bytes | str, limits: RpcLimits) -> Batch:
    """Read one message; raises RpcError when nothing in it can be answered by itself."""
    value = _load(message, limits)
    if isinstance(value, list):
        if not value:
            raise RpcError(INVALID_REQUEST, "Invalid request: an empty batch")
        if len(value) > limits.batch_max:
            raise RpcError(
                BATCH_TOO_LARGE, f"The batch has {len(value)} calls, at most {limits.batch_max}"
            )
        return Batch(tuple(_request(each) for each in value), True)
    return Batch((_request(value),), False)


def answer(request_id: Any, value: Any) -> dict[str, Any]:
    """Give the answer of a call that succeeded."""
    return {"jsonrpc": "2.0", "id": request_id, "result": value}


def refusal(request_id: Any, error: RpcError) -> dict[str, Any]:
    """Give the answer of a call that failed."""
    return {"jsonrpc": "2.0", "id": request_id, "error": error.to_json()}


def notification(method: str, subscription: str, value: Any) -> dict[str, Any]:
    """Give a message of a subscription."""
    params = {"subscription": subscription, "result": value}
    return {"jsonrpc": "2.0", "method": method, "params": params}


def dump(value: Any) -> str:
    """Give the text of an answer or of a list of answers."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _load(message: bytes | str, limits: RpcLimits) -> Any:
    if len(message) > limits.message_bytes_max:
        raise RpcError(TOO_BIG, f"The request is longer than {limits.message_bytes_max} bytes")
    try:
        text = message.decode() if isinstance(message, bytes) else message
        if sum(map(text.count, ",[{")) > limits.values_max:
            raise RpcError(TOO_BIG, f"The request has more than {limits.values_max} values")
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise RpcError(PARSE_ERROR, "Parse error") from error
    if _depth(value, limits.depth_max) > limits.depth_max:
        raise RpcError(PARSE_ERROR, f"Parse error: nested deeper than {limits.depth_max}")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if isinf(value):
        raise ValueError(f"{digits} is too large")
    return value


def _depth(value: Any, depth_max: int) -> int:
    level, depth = [value], 0
    while level and depth <= depth_max:
        inner: list[Any] = []
        for each in level:
            if isinstance(each, list):
                inner += each
            elif isinstance(each, dict):
                inner += each.values()
        depth += any(isinstance(each, list | dict) for each in level)
        level = inner
    return depth


def _request(value: Any) -> Request | Malformed:
    if not isinstance(value, dict):
        return _malformed(None, "a call is an object")
    request_id = value.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, str | int | float | None):
        return _malformed(None, "an id is a string, a number or null")
    method, params = value.get("method"), value.get("params")
    if value.get("jsonrpc") != "2.0":
        return _malformed(request_id, 'jsonrpc is "2.0"')
    if not isinstance(method, str):
        return _malformed(request_id, "method is a string")
    if not isinstance(params, list | dict | None):
        return _malformed(request_id, "params is a list or an object")
    return Request(method, [] if params is None else params, request_id, "id" in value)


def _malformed(request_id: Any, reason: str) -> Malformed:
    return Malformed(refusal(request_id, RpcError(INVALID_REQUEST, f"Invalid request: {reason}")))
