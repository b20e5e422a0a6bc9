"""Key files."""

from pathlib import Path

import pytest

from chain.primitives.keys import Keypair, ss58_encode
from tests.support.fake_client import noema, shown

ALICE = ss58_encode(Keypair.from_uri("//Alice").address)
PASSWORD = {"NOEMA_PASSWORD": "secret"}


def test_a_new_key_is_sealed_and_listed(tmp_path: Path) -> None:
    made = shown(noema("key", "new", "mine", "--json", keys=tmp_path, env=PASSWORD))

    path = tmp_path / "mine.key"
    assert made == {"name": "mine", "address": made["address"], "file": str(path)}
    assert path.stat().st_mode & 0o777 == 0o600
    listed = shown(noema("key", "list", "--json", keys=tmp_path))
    assert listed == [{"name": "mine", "address": made["address"]}]
    checked = noema("key", "show", "mine", "--check-password", keys=tmp_path, env=PASSWORD)
    assert checked.exit_code == 0
    again = noema("key", "new", "mine", keys=tmp_path, env=PASSWORD)
    assert (again.exit_code, "exists" in again.stderr) == (2, True)


def test_an_imported_key_is_the_same(tmp_path: Path) -> None:
    password_file = tmp_path / "password"
    password_file.write_text("secret\n")
    arguments = (
        "key",
        "import",
        "alice",
        "--uri",
        "//Alice",
        "--password-file",
        str(password_file),
    )

    assert shown(noema(*arguments, "--json", keys=tmp_path))["address"] == ALICE
    wrong = {"NOEMA_PASSWORD": "other"}
    refused = noema("key", "show", "alice", "--check-password", keys=tmp_path, env=wrong)
    assert refused.exit_code == 2
    assert "password" in refused.stderr


def test_the_password_is_asked_for_twice(tmp_path: Path) -> None:
    mismatch = noema(
        "key", "new", "typed", keys=tmp_path, typed="a\nb\n", env={"NOEMA_PASSWORD": None}
    )  # type: ignore[dict-item]
    assert (mismatch.exit_code, "set NOEMA_PASSWORD" in mismatch.stderr) == (2, True)
    assert not (tmp_path / "typed.key").exists()


def test_a_development_key_is_shown() -> None:
    assert shown(noema("key", "show", "//Alice", "--json")) == {
        "name": "//Alice",
        "address": ALICE,
        "public_key": "0x" + Keypair.from_uri("//Alice").address.hex(),
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "nobody"),
        ("import", "x", "--uri", "bad"),
        ("show", "//"),
        ("show", "0x1"),
        ("new", ""),
        ("new", "//Alice"),
        ("new", "0x1"),
    ],
)
def test_wrong_keys_are_wrong_use(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert noema("key", *arguments, keys=tmp_path, env=PASSWORD).exit_code == 2


def test_a_broken_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.key").write_text("{}")

    listed = noema("key", "list", keys=tmp_path)
    assert "broken.key" in listed.stderr
    assert noema("key", "show", "broken", keys=tmp_path).exit_code == 2
