"""Methods by name, parameters by position and by name."""

from typing import Annotated, Any

import pytest
import trio

from chain.rpc.json_rpc import RpcError
from chain.rpc.methods import METHODS
from chain.rpc.parameters import Count, Data, Number
from chain.rpc.registry import Registry

registry = Registry()


@registry.method("test_add", "test_plus")
async def add(ports: Any, left: Number, right: Number = 1) -> int:
    """Add."""
    return left + right


@registry.method("test_bytes")
def take(ports: Any, data: Data, count: Count | None = None) -> tuple[bytes, int | None]:
    """Take."""
    return data, count


def call(name: str, params: Any) -> Any:
    method = registry.find(name)
    assert method is not None
    return trio.run(method.call, None, params)


@pytest.mark.parametrize("name", ["test_add", "test_plus"])
@pytest.mark.parametrize(
    ("params", "sum_"),
    [([2], 3), ([2, None], 3), ([2, 5, None, None], 7), ({"left": "0x10"}, 17), (["7", "3"], 10)],
)
def test_lenient_parameters(name: str, params: Any, sum_: int) -> None:
    assert call(name, params) == sum_


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ([], "left is missing"),
        ([None, 2], "left is missing"),
        ([1, 2, 3], "at most 2 are expected"),
        ({"middle": 1}, "no parameter named middle"),
        ([True], "left: a number is expected"),
        ([-1], "left: not within 0 and 4294967295"),
        (["1" * 30], "left: a number is expected"),
        ([{}], "left: a number is expected"),
    ],
)
def test_wrong_parameters_are_named(params: Any, message: str) -> None:
    with pytest.raises(RpcError) as refused:
        call("test_add", params)

    assert (refused.value.code, refused.value.message) == (-32602, f"Invalid params: {message}")


@pytest.mark.parametrize(
    ("text", "data"), [("", b""), ("0x", b""), ("0x0a", b"\n"), ("0A", b"\n"), ("0X0a", b"\n")]
)
def test_hex_is_lenient(text: str, data: bytes) -> None:
    assert call("test_bytes", [text, 5000]) == (data, 1000)


@pytest.mark.parametrize("text", ["0x0", "zz", "0x0a ", "٠٠", 5])
def test_what_is_no_hex(text: Any) -> None:
    with pytest.raises(RpcError):
        call("test_bytes", [text])


def test_a_name_is_registered_once() -> None:
    with pytest.raises(AssertionError, match="test_add is registered twice"):
        registry.method("test_add")(add)


def test_a_parameter_needs_a_parser() -> None:
    def bare(ports: Any, value: int) -> None:
        """Do nothing."""

    with pytest.raises(AssertionError, match="value: write Annotated"):
        Registry().method("test_bare")(bare)


def test_every_method_has_words_and_every_subscription_an_end() -> None:
    for name in METHODS:
        method = METHODS.find(name)
        if method is None:
            assert METHODS.ends_subscription(name)
            continue
        assert method.handler.__doc__, name
        assert (method.notification is None) == (not method.unsubscribe), name
        assert all(METHODS.ends_subscription(end) for end in method.unsubscribe)


def test_annotated_text_is_no_parser() -> None:
    def odd(ports: Any, value: Annotated[int, "words"]) -> None:
        """Do nothing."""

    with pytest.raises(AssertionError):
        Registry().method("test_odd")(odd)


def test_plain_answers_are_computed_in_threads_unless_they_are_had_at_once() -> None:
    at_once = Registry(at_once=True)
    at_once.method("test_now")(take)
    found = [registry.find("test_bytes"), registry.find("test_add"), at_once.find("test_now")]
    assert [method.in_thread for method in found if method] == [True, False, False]
