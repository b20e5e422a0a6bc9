"""Requests from text, under limits."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.rpc.json_rpc import Batch, Malformed, Request, RpcError, answer, dump, parse, refusal
from chain.rpc.limits import RpcLimits

LIMITS = RpcLimits(values_max=1000, depth_max=5, batch_max=2)


def test_a_call_and_a_notification() -> None:
    call = {"jsonrpc": "2.0", "id": 0, "method": "m", "params": {"a": 1}}
    silent = {"jsonrpc": "2.0", "method": "m"}

    assert parse(json.dumps(call), LIMITS) == Batch((Request("m", {"a": 1}, 0, True),), False)
    assert parse(json.dumps([silent]), LIMITS) == Batch((Request("m", [], None, False),), True)


def test_null_params_are_none() -> None:
    text = '{"jsonrpc": "2.0", "id": "x", "method": "m", "params": null}'

    assert parse(text, LIMITS).calls == (Request("m", [], "x", True),)


def test_a_boolean_is_no_id() -> None:
    (call,) = parse('{"jsonrpc": "2.0", "id": true, "method": "m"}', LIMITS).calls

    assert isinstance(call, Malformed)
    assert call.answer["id"] is None


@pytest.mark.parametrize("depth", [5, 6])
def test_depth_is_limited(depth: int) -> None:
    text = '{"jsonrpc": "2.0", "id": 1, "method": "m", "params": %s}'
    nested = text % ("[" * (depth - 1) + "]" * (depth - 1))
    if depth == 5:
        assert isinstance(parse(nested, LIMITS).calls[0], Request)
    else:
        with pytest.raises(RpcError, match="nested deeper than 5"):
            parse(nested, LIMITS)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)))
def test_anything_is_parsed_or_refused(message: bytes | str) -> None:
    try:
        batch = parse(message, LIMITS)
    except RpcError as error:
        dump(refusal(None, error))
    else:
        assert all(isinstance(call, Request | Malformed) for call in batch.calls)


def test_answers_are_json_text() -> None:
    assert dump(answer("\ud800", 1)) == '{"jsonrpc":"2.0","id":"\\ud800","result":1}'
    assert dump(refusal(3, RpcError(-1, "no", {"why": "because"}))) == (
        '{"jsonrpc":"2.0","id":3,"error":{"code":-1,"message":"no","data":{"why":"because"}}}'
    )
