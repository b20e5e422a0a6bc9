"""How results look to people."""

from typing import Any

import pytest

from cli.layout import lines_of

RESULT = {
    "model": "digits@1",
    "price": "1500000000000",
    "active": True,
    "note": None,
    "policy": {"price": 0, "owner": 300_000, "treasury": 0},
    "parts": {"owner": "2500000000000"},
    "rows": [{"name": "a", "free": 5}, {"name": "longer", "free": "2000000000000"}],
    "list": [1, 2],
    "empty": [],
    "outputs": {"label": [8], "scores": [[0.5, -1.0]]},
}

TEXT = """\
model    digits@1
price    1.5 NOE
active   yes
note     -
policy
  price     0 NOE
  owner     30%
  treasury  0%
parts
  owner  2.5 NOE
rows
  name    free
  a       0.000000000005 NOE
  longer  2 NOE
list     1, 2
empty    -
outputs
  label   [8]
  scores
    - [0.5, -1.0]"""


def test_lines_and_tables() -> None:
    assert lines_of(RESULT) == TEXT.split("\n")


def test_wide_tables_become_records() -> None:
    rows = [{"hash": "x" * 150, "more": "y" * 100}, {"hash": "z", "more": "-"}]

    assert lines_of(rows) == [
        f"hash  {'x' * 150}",
        f"more  {'y' * 100}",
        "",
        "hash  z",
        "more  -",
    ]


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ([], []),
        ({}, []),
        ("text", ["text"]),
        (["a", "b"], ["- a", "- b"]),
        ([{"a": {"amount": "1000000000000", "who": "5F"}}], ["a", "amount 1 NOE, who 5F"]),
    ],
)
def test_small_results(value: Any, lines: list[str]) -> None:
    assert lines_of(value) == lines
