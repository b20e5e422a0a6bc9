"""SEMANTICS.md speaks of every operator, and its constants are those of the code."""

import re
from pathlib import Path

import pytest

from ai_exec.registry import all_operators
from ai_exec.semantics import binary64

TEXT = (Path(__file__).parents[2] / "ai_exec" / "SEMANTICS.md").read_text()
NAMED = set(re.findall(r"`([A-Za-z0-9]+)`", TEXT))


def test_every_operator_is_named() -> None:
    assert {operator.name for operator in all_operators()} - NAMED == set()


@pytest.mark.parametrize("constant", ["LN_2_HIGH", "LN_2_LOW", "LOG_2_E"])
def test_constants_are_the_code_s(constant: str) -> None:
    value = getattr(binary64, constant)
    written = {float.fromhex(found) for found in re.findall(r"0x1\.[0-9a-f]+p[+-]\d+", TEXT)}
    assert value in written
