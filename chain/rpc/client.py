"""A synchronous client of a node: requests over HTTP with typed errors."""

import itertools
import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

import httpx

from chain.rpc.json_rpc import RpcError

DEFAULT_URL: Final = "http://127.0.0.1:9944"
TIMEOUT_S: Final = 75.0
"""Longer than a node gives one call, so that its own answer comes first."""


class NodeUnreachable(Exception):
    """No node answers there.  Start one with `noema testnet up`, or name another with --url."""


class Client:
    """Talks to one node; use it in one thread."""

    def __init__(self, url: str = DEFAULT_URL, transport: httpx.BaseTransport | None = None):
        self.url = http_url(url)
        self._http = httpx.Client(
            timeout=TIMEOUT_S,
            transport=transport,
            trust_env=False,
            verify=self.url.startswith("https:"),  # loading certificates takes 30 ms
        )
        self._ids = itertools.count(1)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Call a method and give its result; raises RpcError or NodeUnreachable."""
        call = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}
        try:
            response = self._http.post(self.url, content=json.dumps(call))
            answer = response.json()
        except httpx.TransportError as error:
            raise NodeUnreachable(f"{self.url}: {error or type(error).__name__}") from error
        except ValueError as error:
            raise NodeUnreachable(f"{self.url} is no Noema node") from error
        return _result(answer)


def http_url(url: str) -> str:
    """Give the http address of a node however it was written: ws://, host:port, http://."""
    for old, new in (("ws://", "http://"), ("wss://", "https://")):
        if url.startswith(old):
            return new + url.removeprefix(old)
    return url if "://" in url else f"http://{url}"


def _result(answer: Any) -> Any:
    if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
        raise NodeUnreachable("the answer is not JSON-RPC")
    if "error" not in answer:
        return answer["result"]
    error = answer["error"]
    if not isinstance(error, dict):
        raise NodeUnreachable("the answer is not JSON-RPC")
    raise RpcError(
        int(error.get("code", 0)), str(error.get("message", "no message")), error.get("data")
    )
