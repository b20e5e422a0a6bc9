"""Types of what is typed."""

from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.primitives.keys import Keypair, ss58_encode
from cli.layout import amount_text
from cli.parameters import ADDRESS, AMOUNT, BLOCK, HASH, NAME, NAMED_VALUE, SHAPE, SHARE

ALICE = Keypair.from_uri("//Alice").address


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (AMOUNT, "1.5NOE", 15 * 10**11),
        (AMOUNT, "1_000 NOE", 10**15),
        (AMOUNT, "0.000000000001NOE", 1),
        (AMOUNT, "20mNOE", 2 * 10**10),
        (AMOUNT, "7uNOE", 7 * 10**6),
        (AMOUNT, "12", 12),
        (ADDRESS, "//Alice", ss58_encode(ALICE)),
        (ADDRESS, ss58_encode(ALICE), ss58_encode(ALICE)),
        (ADDRESS, "0x" + ALICE.hex(), ss58_encode(ALICE)),
        (HASH, "AB" * 32, "0x" + "ab" * 32),
        (BLOCK, "12", 12),
        (BLOCK, "0x" + "ab" * 32, "0x" + "ab" * 32),
        (NAMED_VALUE, "keep-alive=a=b", ("keep_alive", "a=b")),
        (NAME, "text-encoder-2", "text-encoder-2"),
        (SHARE, "30%", 300_000),
        (SHARE, "0.0001%", 1),
        (SHARE, "5", 5),
        (SHAPE, "8x8", (8, 8)),
        (SHAPE, "64", (64,)),
    ],
)
def test_what_can_be_typed(kind: click.ParamType[Any], text: str, value: Any) -> None:
    assert kind.convert(text, None, None) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((AMOUNT, text) for text in ("1.5", "-1", "x", "1e9", "NaN", "InfNOE", "", "NOE")),
        *((AMOUNT, text) for text in ("0.0000000000001NOE", str(2**128), "9" * 90)),
        *((ADDRESS, text) for text in ("0x00", "5F", "//", "///", "nobody", "//Alice/soft")),
        *((HASH, text) for text in ("0x00", "zz" * 32, "")),
        *((BLOCK, text) for text in ("-1", "1" * 11, "x")),
        *((NAMED_VALUE, text) for text in ("x", "=x", "")),
        *((SHARE, text) for text in ("101%", "-1", "0.00001%", "x", "nan")),
        *((SHAPE, text) for text in ("0", "8x", "axb", "x".join("1" * 9))),
    ],
)
def test_what_cannot(
    kind: click.ParamType[Any], text: str, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("NOEMA_KEYS", str(tmp_path))
    with pytest.raises(click.UsageError):
        kind.convert(text, None, None)


@given(st.integers(min_value=0, max_value=2**128 - 1))
def test_a_shown_amount_can_be_typed_again(amount: int) -> None:
    assert AMOUNT.convert(amount_text(amount), None, None) == amount
