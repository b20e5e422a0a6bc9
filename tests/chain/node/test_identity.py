"""Keys of a node."""

from pathlib import Path

import pytest

from chain.node.identity import PASSWORD_VARIABLE, KeyUnusable, network_seed, validator_keypair
from chain.primitives.key_file import NONCE_BYTES, SALT_BYTES, seal
from chain.primitives.keys import Keypair


def test_network_key_is_made_once_and_private(tmp_path: Path) -> None:
    seed = network_seed(tmp_path)
    assert network_seed(tmp_path) == seed
    assert [path.name for path in tmp_path.iterdir()] == ["network.key"]
    assert (tmp_path / "network.key").stat().st_mode & 0o777 == 0o600


def test_damaged_network_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "network.key").write_bytes(b"short")
    with pytest.raises(KeyUnusable, match="has 5 bytes, not 32"):
        network_seed(tmp_path)


def test_development_key_on_a_live_chain_is_refused() -> None:
    bob = Keypair.from_uri("//Bob")
    assert validator_keypair("//Bob", chain_type="Local") == bob
    with pytest.raises(KeyUnusable, match="//Bob is a development key"):
        validator_keypair("//Bob", chain_type="Live")


def test_no_source_is_no_validator() -> None:
    assert validator_keypair("", chain_type="Live") is None


def test_key_file_opens_with_the_password_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = Keypair.from_uri("//Bob")
    path = tmp_path / "bob.json"
    path.write_bytes(seal(bob, "secret", salt=bytes(SALT_BYTES), nonce=bytes(NONCE_BYTES)))
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    with pytest.raises(KeyUnusable, match=f"has a password; set {PASSWORD_VARIABLE}"):
        validator_keypair(str(path), chain_type="Live")
    monkeypatch.setenv(PASSWORD_VARIABLE, "wrong")
    with pytest.raises(KeyUnusable, match=f"does not open; set {PASSWORD_VARIABLE}"):
        validator_keypair(str(path), chain_type="Live")
    monkeypatch.setenv(PASSWORD_VARIABLE, "secret")
    assert validator_keypair(str(path), chain_type="Live") == bob
    monkeypatch.setenv("HOME", str(tmp_path))
    assert validator_keypair("~/bob.json", chain_type="Live") == bob


def test_missing_and_damaged_files_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "")
    with pytest.raises(KeyUnusable, match="give the path of a key file"):
        validator_keypair(str(tmp_path / "none"), chain_type="Live")
    (tmp_path / "bad").write_bytes(b"{}")
    with pytest.raises(KeyUnusable, match="no ed25519 key in it"):
        validator_keypair(str(tmp_path / "bad"), chain_type="Live")
