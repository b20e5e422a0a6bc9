"""Names: what may be one."""

import pytest

from runtime.frame.names import NAME_BYTES_MAX, is_name


@pytest.mark.parametrize("name", ["a", "digits", "mini-lm-6", "x" * NAME_BYTES_MAX])
def test_small_letters_digits_and_dashes_are_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "1a", "Digits", "a b", "a/b", "ä", "x" * (NAME_BYTES_MAX + 1)]
)
def test_everything_else_is_not(name: str) -> None:
    assert not is_name(name)
